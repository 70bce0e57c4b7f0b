"""Whatever a true peer writes within the protocol, or a little beyond it, is settled, refused or waits."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from regions import apart, settling
from server.desk.acting import commit_of
from server.desk.background.clockwork import tick
from server.desk.relay import relay
from server.domain.case import acts
from server.domain.effects.letters_in import _ACTS, COURTESIES
from server.domain.exchange.letters import Letter, letter_id
from server.domain.exchange.log import Position
from server.domain.rules.decide import decide
from server.domain.values import moment_text
from server.node import Node
from server.store.sealing import sealed_letter
from tests.nodes import Caller, Places
from tests.regions.exchanging import SALT, node_of
from tests.world import JIANGSU, ZHEJIANG, about_step, application, citizen, commission, later, person, planned

STEP = "first"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
MOMENTS = st.sampled_from(
    ["2000-01-01T00:00:00.000Z", moment_text(later()), "2100-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z", "soon"]
)
DAYS = st.sampled_from([1, 5, 3650, 3651, 2**53 - 1, 0, -1, True, "5"])
ON = st.sampled_from(["2000-01-01", "2026-12-01", "2100-12-31", "9999-12-31", "0001-01-01", ""])
CODES = st.sampled_from(["photo", "proof", "subject_name", "mobile", "unknown"])
SHA = st.sampled_from(["ab" * 32, "cd" * 32])
OFFERS = st.fixed_dictionaries(
    {"code": CODES, "sha256": SHA, "size": st.sampled_from([1, 10 << 20, 2**53 - 1]), "media_type": TEXTS}
)
FORMS = st.dictionaries(CODES, TEXTS, max_size=2)
GAPS = st.fixed_dictionaries({"kind": st.sampled_from(["field", "material"]), "code": CODES, "reason": TEXTS})
DEFERRALS = st.fixed_dictionaries({"material": CODES, "due_on": ON}, optional={"came_at": MOMENTS | st.none()})
LATE = st.lists(DEFERRALS, max_size=2)


def body(given: Mapping[str, Any] | None = None, **maybe: Any) -> Any:
    """Objects with all of the one and some of the other members."""
    return st.fixed_dictionaries(dict(given or {}), optional=maybe)


def word(name: str, *, of: str, given: Mapping[str, Any] | None = None, **maybe: Any) -> Any:
    """The body of a kind whose meaning hangs on one word."""
    return body({name: st.just(of), **(given or {})}, **maybe)


SUPPLIED = body({"form": FORMS, "materials": st.lists(OFFERS, max_size=2)})
NOTICES = (
    word("about", of="supplement", given={"gaps": st.lists(GAPS, max_size=3)})
    | word("about", of="supplied", given={"form": FORMS, "materials": st.lists(OFFERS, max_size=2)})
    | word("about", of="suspension", given={"procedure": TEXTS, "notice": TEXTS, "days": DAYS})
    | word("about", of="resumption")
    | word("about", of="extension", given={"approver": TEXTS, "days": DAYS, "reason": TEXTS})
)
DECISIONS = (
    word("outcome", of="approved", given={"result": FORMS}, licence=OFFERS | st.none())
    | word("outcome", of="refused", given={"grounds": TEXTS, "appeal": TEXTS})
    | word(
        "outcome",
        of="declined",
        given={"reason": st.sampled_from(["not_needed", "wrong_agency", "unfixed"]), "grounds": TEXTS},
        agency=TEXTS,
        division=st.sampled_from(["", "330108", "3301", "西湖区"]),
        appeal=TEXTS,
    )
)
ACCEPTED = body(
    {"by": st.sampled_from(["decider", "law"]), "legal_days": DAYS, "promised_days": DAYS, "deferrals": LATE},
    since=MOMENTS,
)
PAPER = body(
    {
        "move": st.sampled_from(["sent", "arrived"]),
        "leg": st.sampled_from(["out", "back"]),
        "courier": TEXTS,
        "number": st.sampled_from(["SF-1", "", "号"]),
    }
)
PAPER_MADE = body(
    {
        "of": st.sampled_from([1, 2**31, 0]),
        "paper": st.sampled_from(["A" * 16, "B" * 16, ""]),
        "paper_kind": st.sampled_from(["acceptance", "no_kind"]),
        "title": TEXTS,
        "authority": TEXTS,
        "dated_on": ON,
        "data_digest": SHA,
        "file": body({"sha256": SHA, "size": st.sampled_from([1, 0]), "number": TEXTS}),
    }
)
DELIVERED = body(
    {"method": st.sampled_from(["electronic", "post", "window"]), "number": TEXTS}, licence=OFFERS | st.none()
)
AUTHORITIES = st.builds(lambda id: {"id": id, "name": "某机关", "decided_by": "authority", "signs_as": ""}, TEXTS)
TRANSFERS = st.one_of(
    body(
        {"by": st.just("authority"), "authority": AUTHORITIES, "reason": TEXTS},
        days_from=st.sampled_from(["first_receipt", "second_receipt", "never"]),
    ),
    body({"by": st.just("superior"), "authority": AUTHORITIES, "reason": TEXTS}, superior=AUTHORITIES),
    body({"by": st.just("succession"), "authority": AUTHORITIES, "reason": TEXTS}),
)
BODIES: Mapping[str, Any] = {
    "step.requested": st.builds(
        lambda change, step: {
            **commission(planned(STEP, division=JIANGSU, **step)).model_dump(mode="json"),
            **change,
        },
        body(form=FORMS, materials=st.lists(OFFERS, max_size=2), deferred=st.lists(CODES, max_size=1), finding=TEXTS),
        body(promised_days=st.sampled_from([1, 2**53 - 1])),
    ),
    "step.supplied": SUPPLIED,
    "step.told": body({"due_on": ON}),
    "step.urged": body(),
    "step.withdrawal_asked": body(),
    "step.received": body(),
    "step.accepted": ACCEPTED,
    "step.notice": NOTICES,
    "step.decided": DECISIONS,
    "step.delivered": DELIVERED,
    "step.paper": PAPER,
    "step.paper_made": PAPER_MADE,
    "step.transferred": TRANSFERS,
    "step.withdrawn": body(grounds=TEXTS),
}
ABOUT_LETTERS = st.builds(
    lambda kind, said: (kind, said),
    st.sampled_from(["letter.refused", "letter.retry", "letter.annulled"]),
    body({"id": SHA}, code=TEXTS, round=st.sampled_from([0, 1, 2**53 - 1, "1"])),
)
ANY = st.one_of(*(st.tuples(st.just(kind), said) for kind, said in BODIES.items()), ABOUT_LETTERS)
FAR_OFF = "9999-12-31T23:59:59.999Z"
AT = st.sampled_from(["2000-01-01T00:00:00Z", moment_text(later()), "2100-12-31T23:59:59.999Z", FAR_OFF])
TERM = {"by": "decider", "legal_days": 10, "promised_days": 5, "deferrals": []}
RECEIVED, TAKEN_UP = ("step.received", {}), ("step.accepted", TERM)
ASKED = ("step.notice", {"about": "supplement", "gaps": [{"kind": "field", "code": "mobile", "reason": "号码有误"}]})
SUSPENDED = {"about": "suspension", "procedure": "听证", "notice": "通知", "days": 3650}
STARTS = st.sampled_from([(), (RECEIVED,), (RECEIVED, TAKEN_UP)]) | st.tuples(
    st.just(RECEIVED), st.tuples(st.just("step.accepted"), ACCEPTED)
)


REFUSED = {"outcome": "refused", "grounds": "材料不实", "appeal": ""}
Said = tuple[str, Any]


class Home:
    """A node that gets letters, and the citizen who looks at what came of them."""

    def __init__(self, node: Node, mother: Caller, owner: str) -> None:
        self.node = node
        self.mother = mother
        self.owner = owner
        self.letters = 0

    async def case(self) -> str:
        """A new case, whose only step is decided by the other province."""
        steps = [planned(STEP, division=ZHEJIANG, yields="birth_licence")]
        wish = application(steps).model_copy(
            update={
                "applicant": person().model_copy(update={"key": self.owner}),
                "catalogue": self.node.catalogue.version,
            }
        )
        act = acts.Open(id=uuid4().hex, by=citizen(self.node.here), number=uuid4().hex, application=wish)
        facts = self.node.facts()
        commit = commit_of(None, decide(None, act, facts), facts)
        record = await self.node.store.cases.add(commit, owner=self.owner, request="wish")
        await relay(self.node, record)
        return record.id

    async def take(self, case: str, kind: str, said: Any, *, at: str) -> None:
        """A letter of the other province is kept here."""
        self.letters += 1
        is_about_step = kind.startswith("step.")
        name = f"{ZHEJIANG if kind == 'step.requested' else JIANGSU}/{case}"
        letter = Letter.model_validate(
            {
                **{"id": letter_id(self.letters), "from": ZHEJIANG, "to": JIANGSU, "after": None, "kind": kind},
                **{"about": about_step(name, step=STEP) if is_about_step else None},
                **{"may_ignore": kind in COURTESIES, "at": at, "salt": SALT, "body": said},
            }
        )
        context = name if is_about_step else letter.id
        sealed = sealed_letter(letter, self.node.store.letters_in._ring.new_key(context), context=context)
        position = Position(1, self.letters)
        await self.node.store.letters_in.keep([sealed], sender=ZHEJIANG, at=self.node.clock.now(), position=position)


@pytest.fixture
async def home(places: Places) -> Home:
    mother = await places.citizen()
    return Home(node_of(places), mother, await owner_of(places, mother))


async def owner_of(places: Places, mother: Caller) -> str:
    node = node_of(places)
    claims = node.tokens.verify(mother.token, audience="citizens", at=node.clock.now())
    return claims.subject


def test_every_kind_that_this_node_knows_is_fed():
    assert set(BODIES) == set(_ACTS)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
@given(start=STARTS, letters=st.lists(ANY, max_size=4), at=AT)
@example(start=(RECEIVED,), letters=[("step.accepted", TERM | {"since": FAR_OFF})], at=moment_text(later()))
@example(start=(RECEIVED,), letters=[("step.accepted", TERM | {"promised_days": 2**53 - 1})], at=moment_text(later()))
@example(start=(RECEIVED, TAKEN_UP), letters=[("step.decided", REFUSED)], at=FAR_OFF)
@example(start=(RECEIVED, ASKED), letters=[("step.notice", SUSPENDED)], at="2100-12-31T23:59:59.999Z")
@example(start=(RECEIVED, TAKEN_UP), letters=[("step.notice", SUSPENDED)], at="2100-12-31T23:59:59.999Z")
async def test_no_letter_raises(home: Home, start: tuple[Said, ...], letters: list[Said], at: str):
    case = await home.case()
    for kind, said in start:
        await home.take(case, kind, said, at=moment_text(later()))
    for kind, said in letters:
        if at == FAR_OFF:
            with pytest.raises(ValidationError):  # so the door refuses the batch
                await home.take(case, kind, said, at=at)
        else:
            await home.take(case, kind, said, at=at)
    while await home.node.store.letters_in.due(home.node.clock.now(), limit=1):
        await settling.settle(home.node)  # a refusal ends the course of its case for that round
    await tick(home.node)
    assert await apart.listed(home.node, limit=9) == []
    for path in (f"/api/v1/cases/{case}", f"/api/v1/cases/{case}/timeline", "/api/v1/cases"):
        answer = await home.mother.get(path)
        assert answer.status == 200, answer.body
