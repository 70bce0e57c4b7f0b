"""Time on the way: declared special procedures stop the clock, the head may extend it once, and its day moves."""

from datetime import date
from typing import Any

import pytest

from server.domain.aggregate.actors import Actor
from server.domain.case import acts
from server.domain.case.case import Case
from server.domain.catalogue.items import SpecialStep
from server.domain.catalogue.terms import Terms
from server.domain.errors import Refusal
from server.domain.rules.decide import NotOurStep, NotYourAuthority, StateForbids, decide
from server.domain.rules.moves.stopping import ApproverIsOfficer, ProcedureNotDeclared, TooManyDays
from server.domain.time.clock import Due, ExtendedAlready, due
from tests.domain.carrying import Place, exchange, places, step_at
from tests.world import (
    CALENDAR,
    CATALOGUE,
    HEARING,
    ZHEJIANG,
    after,
    facts,
    later,
    of_graph,
    officer,
    opened,
    peer,
    planned,
    worked,
)

HEAD = officer(name="head-1", role="head")
COUNTED = SpecialStep(name="现场踏勘", days=3, is_counted=True, basis="tests")
ITEM = CATALOGUE.item_of["step2"].model_copy(update={"special_steps": (HEARING, COUNTED), "extension_days": 7})
FAR = "step2"  # decided in Zhejiang by the department insurance
BY_FAR = officer("insurance", node=ZHEJIANG)
RESUME = acts.Resume(id="resume", by=officer(), step="one")


def suspend(**change: Any) -> acts.Suspend:
    """The officer begins a hearing of ten working days."""
    said = {"procedure": "听证", "notice": "听证需要十个工作日。", "days": 10} | change
    return acts.Suspend(**{"id": "suspend", "by": officer(), "step": "one", **said})


def extend(days: int = 7, **change: Any) -> acts.Extend:
    """The head gives more working days."""
    return acts.Extend(**{"id": "extend", "by": HEAD, "step": "one", "days": days, "reason": "案情复杂", **change})


def accepted() -> Case:
    """A case whose step was accepted on Monday; five working days are promised, ten are the legal ones."""
    case = opened([planned("one", terms=Terms.of(ITEM))])
    return after(case, *worked("one", officer(), until="accepted"))


def far_accepted() -> tuple[Place, Place]:
    """Home and decider; the step is accepted there."""
    home, decider = places(of_graph(FAR, division="330106"))
    for act in worked(FAR, BY_FAR, until="accepted"):
        decider.do(act)
    exchange(home, decider)
    return home, decider


def at(days: float) -> acts.Facts:
    """What is known so many days after Monday."""
    return facts(at=later(days=days))


def promised(case: Case | None, step: str = "one") -> Due:
    """The last day of what was promised."""
    assert case
    clock = case.steps[step].clock
    assert clock
    return due(clock, CALENDAR, "promised")


def test_the_clock_runs_from_acceptance_by_the_days_of_the_item():
    step = accepted().steps["one"]
    assert step.clock
    assert (step.clock.legal_days, step.clock.promised_days) == (ITEM.legal_days, ITEM.promised_days)
    assert promised(accepted()) == Due(on=date(2026, 11, 30), is_confirmed=True)


# Stopping.


@pytest.mark.parametrize("procedure", ["鉴定", "现场踏勘", "听证会"], ids=["unknown", "counted in", "another name"])
def test_only_a_declared_procedure_whose_time_does_not_count_stops_the_clock(procedure: str):
    with pytest.raises(ProcedureNotDeclared):
        decide(accepted(), suspend(procedure=procedure), at(0))


def test_the_notice_names_at_most_as_many_days_as_are_declared():
    assert decide(accepted(), suspend(days=10), at(0)).events
    assert decide(accepted(), suspend(days=1), at(0)).events
    with pytest.raises(TooManyDays):
        decide(accepted(), suspend(days=11), at(0))


@pytest.mark.parametrize("change", [{"notice": ""}, {"days": 0}, {"procedure": ""}], ids=str)
def test_a_stop_without_notice_or_days_cannot_be_said(change: dict[str, Any]):
    with pytest.raises(ValueError, match=next(iter(change))):
        suspend(**change)


def test_while_the_clock_is_stopped_there_is_no_day_and_afterwards_it_has_moved():
    stopped = after(accepted(), suspend(), facts=at(1))
    assert stopped.steps["one"].state == "suspended"
    assert promised(stopped).on is None
    assert (promised(stopped).reason, promised(stopped).earliest_on) == ("听证", date(2026, 12, 14))
    resumed = after(stopped, RESUME, facts=at(8))
    assert (resumed.steps["one"].state, resumed.steps["one"].since) == ("accepted", later(days=8))
    assert promised(resumed) == Due(on=date(2026, 12, 7), is_confirmed=True)


def test_it_may_be_stopped_again_after_it_went_on():
    case = after(after(accepted(), suspend(), facts=at(1)), RESUME, facts=at(8))
    case = after(case, suspend(id="again"), facts=at(9))
    clock = case.steps["one"].clock
    assert clock
    assert [stop.stopped_at for stop in clock.stops] == [later(days=1), later(days=9)]


def test_while_it_is_stopped_nothing_is_decided():
    stopped = after(accepted(), suspend())
    for act in (*worked("one", officer())[2:], *worked("one", officer(), until="refused")[2:], suspend(id="again")):
        with pytest.raises(StateForbids):
            decide(stopped, act, at(0))


# Extending.


def test_the_head_gives_more_days_once():
    case = after(accepted(), extend())
    clock = case.steps["one"].clock
    assert clock
    assert clock.extension
    assert (clock.extension.days, clock.extension.approver, clock.extension.reason) == (7, "head-1", "案情复杂")
    assert promised(case) == Due(on=date(2026, 12, 9), is_confirmed=True)
    assert case.steps["one"].state == "accepted"
    assert case.steps["one"].since == accepted().steps["one"].since
    with pytest.raises(ExtendedAlready):
        decide(case, extend(1, id="again"), at(0))


@pytest.mark.parametrize(
    ("by", "refusal"),
    [
        (officer(), ApproverIsOfficer),
        (officer(role="head"), ApproverIsOfficer),
        (officer("police", name="head-2", role="head"), NotYourAuthority),
        (peer(), NotOurStep),
    ],
    ids=["who handles it", "a head who handles it himself", "another head", "another node"],
)
def test_nobody_extends_what_they_handle_themselves_nor_what_is_not_theirs(by: Actor, refusal: type[Refusal]):
    with pytest.raises(refusal):
        decide(accepted(), extend(by=by), at(0))


@pytest.mark.parametrize("role", ["approver", "head"])
def test_a_colleague_may_who_has_the_post_for_it(role: Any):
    case = after(accepted(), extend(by=officer(name="chief", role=role)))
    assert (
        case.steps["one"].clock == after(accepted(), extend(by=officer(name="chief", role="head"))).steps["one"].clock
    )


def test_nobody_names_another_as_the_approver():
    (event,) = decide(accepted(), extend(approver="leader-9"), at(0)).events
    assert event.model_dump()["approver"] == "head-1"


def test_at_most_as_many_days_as_the_item_says():
    with pytest.raises(TooManyDays):
        decide(accepted(), extend(8), at(0))
    with pytest.raises(ValueError, match="days"):
        extend(0)


def test_what_was_accepted_by_law_may_be_extended_by_a_head():
    case = opened([planned("one", terms=Terms.of(ITEM))])
    case = after(
        case, acts.Deem(id="d", by=HEAD.model_copy(update={"part": "node", "name": ""}), step="one"), facts=at(8)
    )
    assert after(case, extend(), facts=at(9)).steps["one"].clock


# Elsewhere.


def test_the_home_follows_the_clock_of_a_decider_elsewhere():
    home, decider = far_accepted()
    for days, act in (
        (1, suspend(by=BY_FAR, step=FAR)),
        (8, RESUME.model_copy(update={"by": BY_FAR, "step": FAR})),
        (9, extend(5, by=officer("insurance", node=ZHEJIANG, name="head-9", role="head"), step=FAR)),
    ):
        home.days = decider.days = days
        decider.do(act)
        exchange(home, decider)
        assert promised(home.case, FAR) == promised(decider.case, FAR)
        assert step_at(home, FAR).state == step_at(decider, FAR).state
    notices = [letter.body["about"] for letter in decider.written if letter.kind == "step.notice"]
    assert notices == ["suspension", "resumption", "extension"]


def test_the_home_learns_which_department_approved_an_extension_and_no_name():
    home, decider = far_accepted()
    decider.do(extend(5, by=officer("insurance", node=ZHEJIANG, name="head-9", role="head"), step=FAR))
    exchange(home, decider)
    assert "head-9" not in decider.written[-1].text()
    clock = step_at(home, FAR).clock
    assert clock
    assert clock.extension
    assert clock.extension.approver == "insurance"


def test_a_late_letter_changes_no_day():
    home, decider = far_accepted()
    decider.days = 1
    decider.do(suspend(by=BY_FAR, step=FAR))
    decider.days = 8
    decider.do(RESUME.model_copy(update={"by": BY_FAR, "step": FAR}))
    home.days = decider.days = 20
    exchange(home, decider)
    assert promised(home.case, FAR) == promised(decider.case, FAR) == Due(on=date(2026, 12, 7), is_confirmed=True)


def test_a_second_extension_of_a_decider_elsewhere_is_refused_at_home_too():
    home, decider = far_accepted()
    by = peer(ZHEJIANG)
    home.do(extend(5, by=by, step=FAR, approver="insurance"))
    before = home.case
    with pytest.raises(ExtendedAlready):
        home.do(extend(5, by=by, step=FAR, approver="insurance", id="again"))
    assert home.case == before
    assert decider.case
