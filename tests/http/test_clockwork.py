"""The clockwork of a real node under a steered clock: everything due takes effect once, in time or after a pause."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from server.desk.acting import commit_of, perform
from server.desk.background.clockwork import CLAIM, tick
from server.desk.relay import relay
from server.domain.aggregate.actors import Actor
from server.domain.aggregate.acts import Act
from server.domain.case import acts
from server.domain.case.case import Case
from server.domain.catalogue.items import OpinionRule, SpecialStep
from server.domain.catalogue.pinning import Competent, of_department
from server.domain.catalogue.plan import PlannedStep
from server.domain.catalogue.terms import Gap, Terms
from server.domain.effects.deadlines import Checkpoint, checkpoints_of
from server.domain.effects.records import CaseRecord
from server.domain.effects.warnings import DeskWarning, WarningReader
from server.domain.people.posts import Post, PostRole
from server.domain.rules.decide import decide
from server.domain.values import china_day
from server.node import Node
from tests.domain.places import CONTEXT
from tests.http.asking import refused
from tests.nodes import HERE, HandClock, Places, running_nodes
from tests.world import JIANGSU, MONDAY, application, citizen, officer, peer, planned

WARNINGS = "/desk/v1/warnings"
OWN, ABOVE, POLICE = "health/320102", "health/320100", "public_security/320102"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def places(tmp_path: Path, database_uri: str, database_name: str, clock: HandClock) -> AsyncIterator[Places]:
    async with running_nodes(tmp_path, database_uri, database_name, divisions=(JIANGSU,), clock=clock) as places:
        yield places


def step(code: str = "one", *, promised: int = 5, **terms: Any) -> PlannedStep:
    """A step with a licence, decided by the authority of a county within ten days by law."""
    heard = terms["opinions"].departments if "opinions" in terms else ()
    competent = Competent(
        authority=of_department("health", HERE, context=CONTEXT),
        heard={department: of_department(department, HERE, context=CONTEXT) for department in heard},
    )
    made = planned(code, competent=competent)
    materials = tuple(terms.get("deferrable", ()))
    change = {"promised_days": promised, "terms": Terms(**{"legal_days": 10, **terms}), "yields": "birth_licence"}
    return made.model_copy(update={**change, "materials": materials})


async def lay(node: Node, *steps: PlannedStep, **change: Any) -> CaseRecord:
    """A new case of these steps, on the desks of this node."""
    wish = application(steps or (step(),)).model_copy(update=change)
    act = acts.Open(id=uuid4().hex, by=citizen(node.here), number=uuid4().hex, application=wish)
    facts = node.facts()
    commit = commit_of(None, decide(None, act, facts), facts)
    record = await node.store.cases.add(commit, owner="owner", request="wish")
    await relay(node, record)
    return record


async def do(node: Node, record: CaseRecord, *wishes: Act) -> CaseRecord:
    """The case after these acts, and what follows them."""
    for wish in wishes:
        record = await perform(node, record.id, wish.model_copy(update={"id": uuid4().hex}))
        await relay(node, record)
    return record


def handler(**change: Any) -> Actor:
    """An officer of that county's authority."""
    return officer().model_copy(update={"authority": OWN, **change})


def act(kind: type[acts.StepAct], code: str = "one", **said: Any) -> Act:
    return kind(id="", by=handler(), step=code, **said)


async def taken_up(node: Node, record: CaseRecord) -> CaseRecord:
    return await do(node, record, act(acts.Receive), act(acts.Accept))


async def run(*nodes: Node) -> None:
    """Tick until nothing is left to do."""
    for _ in range(4):
        for node in nodes:
            await tick(node)


async def case_of(node: Node, record: CaseRecord) -> Case:
    return (await node.store.cases.case(record.id)).case


async def warned(node: Node, *authorities: str) -> list[DeskWarning]:
    """All warnings to the officers and heads of these authorities, the newest first."""
    readers: list[tuple[str, WarningReader]] = [(each, "officer") for each in authorities]
    readers += [(each, "head") for each in authorities]
    return await node.store.warnings.warnings(readers, limit=100)


async def told(node: Node, *authorities: str) -> list[tuple[str, str]]:
    """What the desks were told, the newest first: which checkpoint, to whom at the authority, or at the one above."""
    found = await warned(node, *(authorities or (OWN, ABOVE)))
    return [(each.rung, f"{each.reader} above" if each.authority == ABOVE else each.reader) for each in found]


async def notices(node: Node) -> list[str]:
    """The templates of all notices that wait to be sent."""
    return sorted(kept.notice.template for kept in await node.store.notices.due(node.clock.now(), limit=100))


async def test_five_days_of_silence_accept_by_law_since_the_material_came_and_warn_the_head(
    node: Node, clock: HandClock
):
    record = await lay(node)
    clock.to(11, 30)
    await run(node)
    assert await told(node) == [("notify_soon", "officer")]
    clock.to(11, 30, 23, 59)
    await run(node)
    assert (await case_of(node, record)).steps["one"].state == "sent"
    clock.to(12, 1)
    await run(node)
    accepted = (await case_of(node, record)).steps["one"]
    assert accepted.state == "accepted"
    assert accepted.clock
    assert (accepted.clock.is_deemed, accepted.clock.accepted_at) == (True, MONDAY)
    assert ("deem", "head") in await told(node)
    assert "accepted" in await notices(node)


async def test_an_unanswered_supplement_takes_the_step_back_with_a_notice(node: Node, clock: HandClock):
    record = await lay(node, step(supplement_days=5))
    gaps = (Gap(kind="field", code="subject_name", reason="请写全名"),)
    record = await do(node, record, act(acts.Receive), act(acts.AskSupplement, gaps=gaps))
    clock.to(11, 27, 9)
    await run(node)
    assert (await notices(node)).count("reminder") == 1
    clock.to(11, 30, 23, 59)
    await run(node)
    assert (await case_of(node, record)).steps["one"].state == "supplementing"
    clock.to(12, 1)
    await run(node)
    assert (await case_of(node, record)).steps["one"].state == "withdrawn"
    found = await notices(node)
    assert (found.count("reminder"), found.count("decided")) == (1, 1)


async def test_an_answer_in_time_leaves_nothing_to_lapse_or_to_remind_of(node: Node, clock: HandClock):
    record = await lay(node, step(supplement_days=5))
    gaps = (Gap(kind="field", code="subject_name", reason="请写全名"),)
    record = await do(node, record, act(acts.Receive), act(acts.AskSupplement, gaps=gaps))
    supply = acts.Supply(id="", by=citizen(), step="one", form={"subject_name": "测试宝宝"})
    clock.to(11, 24)
    await do(node, record, supply)
    clock.to(11, 30, 9)
    await run(node)
    assert (await case_of(node, record)).steps["one"].state == "received"
    assert "reminder" not in await notices(node)


async def test_a_deferred_material_that_does_not_come_ends_in_a_refusal(node: Node, clock: HandClock):
    record = await lay(node, step(deferrable=("photo",)), deferred=("photo",))
    record = await taken_up(node, record)
    clock.to(11, 27, 9)
    await run(node)
    assert (await notices(node)).count("reminder") == 1
    clock.to(12, 1)
    await run(node)
    assert (await case_of(node, record)).steps["one"].state == "refused"


async def test_a_deferral_that_ends_in_a_special_procedure_waits_for_the_resumption(node: Node, clock: HandClock):
    hearing = SpecialStep(name="听证", days=20, basis="tests")
    wish = step(promised=10, legal_days=20, deferrable=("photo",), special_steps=(hearing,))
    record = await taken_up(node, await lay(node, wish, deferred=("photo",)))
    await do(node, record, act(acts.Suspend, procedure="听证", notice="通知", days=10))
    clock.to(12, 1, 9)
    await run(node)
    assert (await notices(node)).count("reminder") == 1
    assert (await case_of(node, record)).steps["one"].state == "suspended"
    clock.to(12, 4, 15)
    await do(node, record, act(acts.Resume))
    await run(node)
    assert (await case_of(node, record)).steps["one"].state == "refused"
    assert await told(node) == []


async def test_a_lapse_that_a_crash_held_up_into_a_special_procedure_takes_effect_after_it(
    node: Node, clock: HandClock
):
    hearing = SpecialStep(name="听证", days=20, basis="tests")
    wish = step(promised=10, legal_days=20, deferrable=("photo",), special_steps=(hearing,))
    record = await taken_up(node, await lay(node, wish, deferred=("photo",)))
    clock.to(12, 1)
    (lapse,) = (
        checkpoint for checkpoint in checkpoints(node, await case_of(node, record)) if checkpoint.name == "lapse"
    )
    assert await node.store.checkpoints.claim(record.id, lapse, until=clock.now())  # and here the worker died
    await do(node, record, act(acts.Suspend, procedure="听证", notice="通知", days=10))
    clock.to(12, 1, 9)
    await run(node)
    assert (await case_of(node, record)).steps["one"].state == "suspended"
    clock.to(12, 4, 15)
    await do(node, record, act(acts.Resume))
    await run(node)
    assert (await case_of(node, record)).steps["one"].state == "refused"


async def test_each_rung_is_told_once_though_four_workers_look_at_once(node: Node, clock: HandClock):
    record = await taken_up(node, await lay(node, step(promised=10, legal_days=20)))
    seen: dict[date, list[tuple[str, str]]] = {}
    count = 0
    for day in range(1, 40):
        clock.at = MONDAY + timedelta(days=day)
        await asyncio.gather(*(tick(node) for _ in range(4)))
        now = await told(node)
        if len(now) > count:
            seen[china_day(clock.at)] = now[: len(now) - count]
        count = len(now)
    assert seen == {
        date(2026, 12, 1): [("half", "officer")],
        date(2026, 12, 4): [("four_fifths", "officer")],
        date(2026, 12, 8): [("overdue", "officer")],
        date(2026, 12, 15): [("overdue_long", "head above")],
        date(2026, 12, 22): [("legally_overdue", "head above")],
    }
    assert (await case_of(node, record)).steps["one"].state == "accepted"


async def test_after_a_week_of_being_down_all_takes_effect_and_only_the_highest_is_told(node: Node, clock: HandClock):
    clock.to(11, 2)
    overdue = await taken_up(node, await lay(node, step(promised=5, legal_days=30)))
    silent = await lay(node)
    clock.to(11, 13, 9)
    await asyncio.gather(*(tick(node) for _ in range(4)))
    await run(node)
    case = await case_of(node, overdue)
    passed = [
        checkpoint
        for checkpoint in checkpoints_of(case, here=node.here, calendar=node.published.calendar)
        if checkpoint.at <= clock.now() and checkpoint.step == "one"
    ]
    assert [checkpoint.name for checkpoint in passed] == ["half", "four_fifths", "overdue"]
    assert len(await node.store.checkpoints.passed(overdue.id, passed)) == 3
    found = await warned(node, OWN, ABOVE)
    assert [each.rung for each in found if each.case == overdue.id] == ["overdue"]
    assert (await case_of(node, silent)).steps["one"].state == "accepted"
    mine = [each.rung for each in found if each.case == silent.id]
    assert sorted(mine) == ["deem", "overdue"]


@pytest.mark.parametrize("is_done", [False, True])
async def test_a_crash_between_the_claim_and_the_doing_loses_nothing_and_doubles_nothing(
    node: Node, clock: HandClock, is_done: bool
):
    record = await lay(node)
    clock.to(12, 1)
    (checkpoint,) = (each for each in checkpoints(node, record.case) if each.name == "deem")
    kept = await node.store.checkpoints.claim(record.id, checkpoint, until=clock.now() + CLAIM)
    assert kept
    if is_done:  # the act was done, the warning not yet written
        await do_by_law(node, kept.id, record)
    await run(node)
    assert ("deem", "head") not in await told(node)
    clock.at += CLAIM
    await asyncio.gather(*(tick(node) for _ in range(4)))
    accepted = (await case_of(node, record)).steps["one"]
    assert accepted.state == "accepted"
    assert [each for each in await told(node) if each[0] == "deem"] == [("deem", "head")]
    found = await node.store.cases.case(record.id)
    assert [event.act for event in found.events].count("deem") == 1


def checkpoints(node: Node, case: Case) -> tuple[Checkpoint, ...]:
    return checkpoints_of(case, here=node.here, calendar=node.published.calendar)


async def do_by_law(node: Node, id: str, record: CaseRecord) -> None:
    """What the crashed worker did before it crashed."""
    await relay(node, await perform(node, record.id, acts.Deem(id=f"rung:{id}", by=peer(node.here), step="one")))


async def test_a_stop_holds_every_rung_back_and_an_extension_moves_them(node: Node, clock: HandClock):
    hearing = SpecialStep(name="听证", days=20, basis="tests")
    record = await taken_up(node, await lay(node, step(promised=5, special_steps=(hearing,))))
    clock.to(11, 27, 10)
    await run(node)
    assert await told(node) == [("half", "officer")]
    record = await do(node, record, act(acts.Suspend, procedure="听证", notice="通知", days=10))
    clock.to(12, 10)
    await run(node)
    assert await told(node) == [("half", "officer")]
    record = await do(node, record, act(acts.Resume))
    await run(node)
    assert await told(node) == [("four_fifths", "officer"), ("half", "officer")], "what fell into the stop is not lost"
    boss = handler(role="head", name="boss")
    await do(node, record, acts.Extend(id="", by=boss, step="one", days=10, reason="案情复杂"))
    for day, names in ((14, []), (17, ["half"]), (22, []), (23, ["four_fifths"]), (25, []), (28, ["overdue"])):
        before = await told(node)
        clock.to(12, day, 9)
        await run(node)
        after = await told(node)
        assert [name for name, _ in after[: len(after) - len(before)]] == names, day


async def test_opinions_and_deliveries_that_are_late_are_told_to_those_who_owe_them(node: Node, clock: HandClock):
    rule = OpinionRule(rule="veto", departments=("public_security",), days=3)
    record = await taken_up(node, await lay(node, step(promised=9, opinions=rule)))
    clock.to(11, 27)
    await run(node)
    assert await told(node, POLICE) == [("opinion_overdue", "head")]
    await do(node, record, act(acts.Approve))
    clock.to(12, 11, 23)
    await run(node)
    assert "deliver_overdue" not in [name for name, _ in await told(node)]
    clock.to(12, 14)
    await run(node)
    assert (await told(node))[0] == ("deliver_overdue", "officer")


async def test_a_head_reads_more_and_pages_hold_each_warning_once(places: Places, clock: HandClock):
    node = places.nodes[JIANGSU].node
    for place, reader in ((OWN, "officer"), (OWN, "head"), (ABOVE, "head"), (POLICE, "officer"), (POLICE, "head")):
        for number in range(40):
            await node.store.warnings.put(warning(f"{place}{number:02d}:{reader}", place, reader, number))
    seen: dict[str, tuple[dict[str, PostRole], int]] = {
        "officer": ({OWN: "handler"}, 40),
        "head": ({OWN: "head"}, 80),
        "officer above": ({ABOVE: "approver"}, 0),
        "head above": ({ABOVE: "head"}, 40),
        "police": ({POLICE: "window"}, 40),
        "both": ({OWN: "handler", POLICE: "head"}, 120),
    }
    for name, (posts, count) in seen.items():
        caller = await places.officer("health", name=name, roles=())
        for place, role in posts.items():
            await places.appoint(name, place, (role,))
        found: list[Any] = []
        answer = await caller.get(WARNINGS)
        found += answer.body["warnings"]
        while answer.body["next"]:
            answer = await caller.get(WARNINGS, params={"before": answer.body["next"]})
            found += answer.body["warnings"]
        assert len({each["id"] for each in found}) == len(found) == count, name
        assert [each["at"] for each in found] == sorted((each["at"] for each in found), reverse=True)
    head, both = [await places.officer("health", name=name, roles=()) for name in ("head", "both")]
    for place in (POLICE, ABOVE):
        refused(await head.get(WARNINGS, params={"authority": place}), 403, "not_your_post")
    of_police = (await both.get(WARNINGS, params={"authority": POLICE})).body["warnings"]
    assert {each["authority"] for each in of_police} == {POLICE}


async def test_a_post_for_some_items_reads_the_warnings_about_these(places: Places):
    node = places.nodes[JIANGSU].node
    for code in ("one", "two"):
        await node.store.warnings.put(warning(f"about {code}", OWN, "officer", 1, step=code))
    caller = await places.officer("health", name="of one", roles=())
    post = Post(id="of one", officer="of one", authority=OWN, role="handler", items=("one",))
    await node.store.posts.add(post)
    assert [each["id"] for each in (await caller.get(WARNINGS)).body["warnings"]] == ["about one"]


def warning(id: str, authority: str, reader: Any, number: int, *, step: str = "one") -> DeskWarning:
    """A warning as the clockwork makes it."""
    told: dict[str, Any] = {"case": "c", "step": step, "authority": authority, "reader": reader, "rung": "half"}
    words: dict[str, Any] = {"text": "", "item_name": "", "bundle_name": "", "is_confirmed": True}
    words |= {"authority_name": "", "about": ""}
    at = datetime(2026, 11, 20, 1, number, tzinfo=UTC)
    return DeskWarning(id=id, due_on=date(2026, 12, 1), at=at, **told, **words)
