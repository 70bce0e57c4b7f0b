"""What a letter wishes: the act of its kind under its own id, or a refusal of what cannot be read."""

from typing import Any

import pytest

from server.domain.case import acts
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.pinning import Competent, PinnedAuthority
from server.domain.catalogue.plan import PlannedStep
from server.domain.catalogue.terms import Deferral, Delivery
from server.domain.effects.letters_in import COURTESIES, ItemUnknown, LetterUnreadable, UndeclaredData, act_of
from server.domain.exchange.letters import About, Letter, letter_salt
from server.domain.rules.decide import NotOurStep, decide
from server.domain.values import moment_text
from tests.domain.carrying import Place, carry
from tests.domain.places import CONTEXT
from tests.world import (
    CATALOGUE,
    GUANGDONG,
    JIANGSU,
    MONDAY,
    ZHEJIANG,
    about_step,
    after,
    commission,
    facts,
    lacking,
    later,
    officer,
    opened,
    opening,
    peer,
    planned,
    request,
    worked,
)
from tests.written_letters import MADE

APPROVED = {"outcome": "approved", "result": {"household_number": "B2"}}
REQUESTED = commission().model_dump(mode="json")
OFFERED = REQUESTED["materials"][0]
DECLINED = {"reason": "wrong_agency", "grounds": "不属于本机关", "agency": "民政局", "division": "330108"}
PARCEL = {"courier": "邮政", "number": "EX-1"}
GAP = lacking("subject_name")
LATER = later(days=7)
DUE_ON = LATER.date()
DEFERRAL = Deferral(material="photo", due_on=DUE_ON)
Said = tuple[str, dict[str, Any], type[acts.StepAct], dict[str, Any]]
BY_DECIDER: dict[str, Said] = {  # kind and body of a letter, the act that it wishes, and what that says
    "received": ("step.received", {}, acts.Receive, {}),
    "accepted": ("step.accepted", {"by": "decider"}, acts.Accept, {}),
    "accepted with deferrals": (
        "step.accepted",
        {"by": "decider", "deferrals": [DEFERRAL.model_dump(mode="json")]},
        acts.Accept,
        {"deferrals": (DEFERRAL,)},
    ),
    "accepted by law": ("step.accepted", {"by": "law", "since": moment_text(MONDAY)}, acts.Deem, {"since": MONDAY}),
    "supplement": (
        "step.notice",
        {"about": "supplement", "gaps": [GAP.model_dump(mode="json")]},
        acts.AskSupplement,
        {"gaps": (GAP,)},
    ),
    "supplied": ("step.notice", {"about": "supplied"}, acts.Supply, {}),
    "suspension": (
        "step.notice",
        {"about": "suspension", "procedure": "听证", "notice": "需要十日。", "days": 10},
        acts.Suspend,
        {"procedure": "听证", "notice": "需要十日。", "days": 10},
    ),
    "resumption": ("step.notice", {"about": "resumption"}, acts.Resume, {}),
    "extension": (
        "step.notice",
        {"about": "extension", "days": 5, "reason": "案情复杂", "approver": "police"},
        acts.Extend,
        {"days": 5, "reason": "案情复杂", "approver": "police"},
    ),
    "approved": ("step.decided", APPROVED, acts.Approve, {"result": {"household_number": "B2"}}),
    "refused": ("step.decided", {"outcome": "refused", "grounds": "材料不实"}, acts.Refuse, {"grounds": "材料不实"}),
    "declined": ("step.decided", {"outcome": "declined", **DECLINED}, acts.Decline, DECLINED),
    "delivered": ("step.delivered", {"method": "post"}, acts.Deliver, {"delivery": Delivery(method="post")}),
    "withdrawn": ("step.withdrawn", {"grounds": "逾期"}, acts.LetGo, {"grounds": "逾期"}),
    "posted back": ("step.paper", {"move": "sent", **PARCEL, "leg": "back"}, acts.PostPaper, {**PARCEL, "leg": "back"}),
    "arrived": ("step.paper", {"move": "arrived", **PARCEL, "leg": "out"}, acts.ConfirmPaper, {**PARCEL, "leg": "out"}),
}
BY_HOME: dict[str, Said] = {
    "told": ("step.told", {"due_on": DUE_ON.isoformat()}, acts.Tell, {"due_on": DUE_ON}),
    "supplied": (
        "step.supplied",
        {"form": {"subject_name": "测试宝宝"}, "materials": [OFFERED]},
        acts.Supply,
        {"form": {"subject_name": "测试宝宝"}, "materials": commission().materials},
    ),
    "urged": ("step.urged", {}, acts.Urge, {}),
    "withdrawal asked": ("step.withdrawal_asked", {}, acts.AskWithdrawal, {}),
    "posted": ("step.paper", {"move": "sent", **PARCEL, "leg": "out"}, acts.PostPaper, {**PARCEL, "leg": "out"}),
}
BODIES = [(kind, body) for kind, body, _, _ in (*BY_DECIDER.values(), *BY_HOME.values())]
REQUEST = ("step.requested", REQUESTED)


def catalogue_of(version: str) -> Catalogue:
    """The catalogue of these tests, whichever version is asked for."""
    return CATALOGUE


def letter(kind: str, body: dict[str, Any], *, sender: str = ZHEJIANG, **change: Any) -> Letter:
    """A letter about the second step of the case."""
    whole = Letter(
        id="ab" * 32,
        sender=sender,
        to=JIANGSU,
        after=None,
        about=about_step(),
        kind=kind,
        may_ignore=kind in COURTESIES,
        at=MONDAY,
        salt=letter_salt(bytes(16), 1, 1),
        body=body,
    )
    return whole.model_copy(update=change)


@pytest.mark.parametrize("said", [*BY_DECIDER.values(), *BY_HOME.values()], ids=[*BY_DECIDER, *BY_HOME])
def test_a_letter_wishes_the_act_of_its_kind_with_its_words_at_its_moment(said: Said):
    kind, body, act, words = said
    common = {"id": f"{ZHEJIANG}:{'ab' * 32}", "by": peer(ZHEJIANG), "step": "second", "at": LATER}
    assert act_of(letter(kind, body, at=LATER), catalogue_of, CONTEXT) == act(**common, **words)


def test_a_request_wishes_that_the_step_be_taken_up():
    pinned = PinnedAuthority(id="police/330000", name="浙江省police")
    step = commission().step.model_copy(update={"competent": Competent(authority=pinned)})
    wanted = request(commission(step), id=f"{JIANGSU}:{'ab' * 32}")
    assert act_of(letter("step.requested", REQUESTED, sender=JIANGSU), catalogue_of, CONTEXT) == wanted


@pytest.mark.parametrize("kind", ["letter.refused", "head.witnessed", "", "nonsense"])
def test_a_kind_that_this_node_does_not_know_wishes_nothing(kind: str):
    assert act_of(letter(kind, {"outcome": 1}), catalogue_of, CONTEXT) is None


@pytest.mark.parametrize(
    "about",
    [about_step(case) for case in ("", "case1", "320000", "320000/", "32/case1", "320000/a/b", f"320000/{'a' * 81}")]
    + [about_step(step=step) for step in (None, "", "Second", "a.b", "$set", "a" * 62)]
    + [None, about_step().model_copy(update={"kind": "licence"})],
    ids=str,
)
@pytest.mark.parametrize(("kind", "body"), dict([*BODIES, REQUEST]).items(), ids=str)
def test_a_letter_that_names_no_case_or_step_is_unreadable(kind: str, body: dict[str, Any], about: About | None):
    with pytest.raises(LetterUnreadable):
        act_of(letter(kind, body, about=about), catalogue_of, CONTEXT)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("step.decided", {}),
        ("step.decided", {"outcome": "maybe", "grounds": "x", "result": {}}),
        ("step.decided", {"outcome": ["approved"], "result": {}}),
        ("step.decided", {"outcome": "approved", "result": "all of it"}),
        ("step.decided", {"outcome": "approved", "result": {"household_number": 7}}),
        ("step.decided", {"outcome": "refused"}),
        ("step.decided", {"outcome": "refused", "grounds": None}),
        ("step.accepted", {}),
        ("step.accepted", {"by": "nobody"}),
        ("step.accepted", {"by": "law", "since": "yesterday"}),
        ("step.notice", {}),
        ("step.notice", {"about": "weather"}),
        ("step.notice", {"about": "supplement"}),
        ("step.notice", {"about": "suspension", "procedure": "听证", "notice": "需要十日。", "days": 0}),
        ("step.notice", {"about": "suspension", "procedure": "听证", "notice": "", "days": 10}),
        ("step.notice", {"about": "extension", "days": -1, "reason": "案情复杂"}),
        ("step.notice", {"about": "resumption", "days": 3}),
        ("step.told", {}),
        ("step.told", {"due_on": "soon"}),
        ("step.supplied", {"form": {"subject_name": 7}}),
        ("step.supplied", {"materials": [{"code": "proof"}]}),
        ("step.delivered", {"method": "pigeon"}),
        ("step.received", {"id": "another"}),
        ("step.received", {"by": {"node": "440000", "part": "node"}}),
        ("step.received", {"step": "first"}),
        ("step.received", {"digest": "ab"}),
        ("step.received", {"version": 3}),
        ("step.paper_made", {**MADE, "spoken_number": "320012345678"}),
        ("step.requested", {}),
        ("step.requested", {key: value for key, value in REQUESTED.items() if key != "form"}),
        ("step.requested", REQUESTED | {"applicant": {"name": "测试甲"}}),
        ("step.requested", REQUESTED | {"materials": [{"code": "proof"}]}),
        ("step.requested", REQUESTED | {"step": {**REQUESTED["step"], "code": "first"}}),
    ],
)
def test_a_body_that_is_not_what_its_kind_demands_is_unreadable(kind: str, body: dict[str, Any]):
    with pytest.raises(LetterUnreadable):
        act_of(letter(kind, body), catalogue_of, CONTEXT)


@pytest.mark.parametrize(
    "step",
    [planned("other"), commission().step.model_copy(update={"department": "health"})],
    ids=["an unknown item", "another department"],
)
def test_a_request_for_an_item_that_is_not_in_our_catalogue_is_refused(step: PlannedStep):
    body = commission(step).model_dump(mode="json")
    with pytest.raises(ItemUnknown):
        act_of(letter("step.requested", body, sender=JIANGSU, about=about_step(step=step.code)), catalogue_of, CONTEXT)


@pytest.mark.parametrize(
    "change",
    [
        {"form": REQUESTED["form"] | {"mobile": "13800000000"}},
        {"materials": [OFFERED, OFFERED | {"code": "bank_card"}]},
    ],
    ids=["a field", "a material"],
)
def test_a_request_that_carries_more_than_the_item_declares_is_refused(change: dict[str, Any]):
    widened = [*REQUESTED["step"]["fields"], "mobile"]  # what the sender says of the item does not count
    body = REQUESTED | {"step": REQUESTED["step"] | {"fields": widened}} | change
    with pytest.raises(UndeclaredData):
        act_of(letter("step.requested", body, sender=JIANGSU), catalogue_of, CONTEXT)


def test_a_request_is_measured_by_the_catalogue_of_its_case():
    item = CATALOGUE.item_of["second"].model_copy(update={"fields": (), "materials": ()})
    items = tuple(item if each.code == "second" else each for each in CATALOGUE.items)
    now = CATALOGUE.model_validate(
        {**{name: getattr(CATALOGUE, name) for name in Catalogue.model_fields}, "items": items}
    )
    asked = letter("step.requested", REQUESTED, sender=JIANGSU)
    assert act_of(asked, {REQUESTED["catalogue"]: CATALOGUE}.__getitem__, CONTEXT)
    with pytest.raises(UndeclaredData):
        act_of(asked, {REQUESTED["catalogue"]: now}.__getitem__, CONTEXT)


@pytest.mark.parametrize("said", BY_DECIDER.values(), ids=list(BY_DECIDER))
@pytest.mark.parametrize("sender", [GUANGDONG, JIANGSU])
def test_at_home_a_letter_of_anybody_but_the_decider_is_not_obeyed(said: Said, sender: str):
    case = after(opened(), *worked("first", officer()))
    act = act_of(letter(*said[:2], sender=sender), catalogue_of, CONTEXT)
    assert act
    with pytest.raises(NotOurStep):
        decide(case, act, facts(JIANGSU))


@pytest.mark.parametrize(("kind", "body"), BODIES)
def test_at_home_a_step_that_waits_is_moved_by_no_letter(kind: str, body: dict[str, Any]):
    act = act_of(letter(kind, body), catalogue_of, CONTEXT)
    assert act
    with pytest.raises(NotOurStep):
        decide(opened(), act, facts(JIANGSU))


@pytest.mark.parametrize(("kind", "body"), BODIES)
def test_at_the_decider_a_third_node_is_not_obeyed(kind: str, body: dict[str, Any]):
    case = after(None, request(), facts=facts(ZHEJIANG))
    act = act_of(letter(kind, body, sender=GUANGDONG), catalogue_of, CONTEXT)
    assert act
    with pytest.raises(NotOurStep):
        decide(case, act, facts(ZHEJIANG))


@pytest.mark.parametrize("said", BY_HOME.values(), ids=list(BY_HOME))
def test_the_decider_does_not_say_what_is_the_homes_to_say(said: Said):
    case = after(opened(), *worked("first", officer()), *worked("second", peer(), until="received"))
    asked = after(case, acts.AskSupplement(id="ask", by=peer(), step="second", gaps=(GAP,)))
    act = act_of(letter(*said[:2]), catalogue_of, CONTEXT)
    assert act
    if isinstance(act, acts.Supply):  # of the decider's own words about a supply none is about what was supplied
        assert dict(after(asked, act).form) == dict(asked.form)
    else:
        with pytest.raises(NotOurStep):
            decide(asked, act, facts(JIANGSU))


def test_a_request_for_the_case_of_another_node_is_not_obeyed():
    act = act_of(letter("step.requested", REQUESTED, sender=GUANGDONG), catalogue_of, CONTEXT)
    assert act
    with pytest.raises(NotOurStep):
        decide(None, act, facts(ZHEJIANG))


def test_every_letter_that_a_node_writes_is_understood_by_the_other():
    home, decider = Place(JIANGSU), Place(ZHEJIANG)
    for act in (opening(), *worked("first", officer(), result={"birth_number": "A1"})):
        home.do(act)
    assert not carry(home, decider)
    for act in worked("second", officer("police", node=ZHEJIANG), result={"household_number": "B2"}):
        decider.do(act)
    assert not carry(decider, home)
    assert home.case
    assert decider.case
    mirror, original = home.case.steps["second"], decider.case.steps["second"]
    assert (mirror.state, dict(mirror.result)) == (original.state, dict(original.result))
    assert home.case.steps["third"].state == "sent"
    written = {each.unique_id for each in decider.written}
    assert written == {event.act_id for event in home.events if event.by == peer(ZHEJIANG)}
