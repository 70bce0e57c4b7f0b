"""The end (办结): by which rule a case closes, what happens afterwards, and how a step ends."""

from typing import Any

import pytest

from server.domain.aggregate.actors import Actor
from server.domain.case import acts
from server.domain.case.case import Case
from server.domain.catalogue.terms import APPEAL, Delivery, Undertaking
from server.domain.rules.decide import NotYourAuthority, StateForbids, decide
from server.domain.rules.moves.deciding import AgencyMissing
from server.domain.rules.moves.delivering import NothingToDeliver
from server.domain.rules.right_places import RightDivisionUnfit
from tests.domain.carrying import Place, exchange, places, step_at
from tests.world import (
    FACTS,
    JIANGSU,
    MONDAY,
    ZHEJIANG,
    after,
    citizen,
    facts,
    later,
    of_graph,
    officer,
    opened,
    opening,
    peer,
    pinned,
    planned,
    worked,
)

LEAD = officer("police")
PROMISE = Undertaking(kind="closing", version="1", sha256="ab" * 32, at=MONDAY)
OTHER_PROMISE = PROMISE.model_copy(update={"kind": "deferral"})
LED: dict[str, Any] = {"lead": "police", "leader": pinned("police", JIANGSU)}
BY_UNDERTAKING: dict[str, Any] = {"closing": "undertaking", "undertakings": (PROMISE,), **LED}
PLAN = (
    planned("lead1", department="police"),
    planned("lead2", department="police", needs=("lead1",)),
    planned("slow"),
    planned("last", needs=("slow",)),
)
DELIVER = acts.Deliver(id="deliver", by=officer(), step="one", delivery=Delivery(method="post", number="P1"))


def follow_up(step: str, *, by: Actor = LEAD, id: str = "follow-up") -> acts.FollowUp:
    """The lead department settles what the step brought."""
    return acts.FollowUp(id=id, by=by, step=step, note="已与申请人联系")


def decline(reason: str, agency: str = "", *, division: str = "") -> acts.Decline:
    """The officer does not take the step up."""
    return acts.Decline(
        id="decline",
        by=officer(),
        step="one",
        reason=reason,
        grounds="不属于本机关职权",
        agency=agency,
        division=division,
    )


def lead_is_done(**change: Any) -> Case:
    """The case after both steps of the lead department were approved."""
    case = opened(PLAN, **{**BY_UNDERTAKING, **change})
    return after(case, *worked("lead1", LEAD), *worked("lead2", LEAD), facts=facts(at=later(days=1)))


def follow_ups(home: Place) -> dict[str, bool]:
    """The newest follow-up task of each step, and whether it is open."""
    return {task.step: task.is_open for task in home.tasks if task.part == "follow_up"}


# When a case closes.


@pytest.mark.parametrize(
    "change",
    [{"closing": "all"}, {"undertakings": ()}, {"undertakings": (OTHER_PROMISE,)}, {"lead": "insurance"}],
    ids=["another rule", "no undertaking", "another undertaking", "no step of the lead"],
)
def test_without_rule_and_undertaking_the_case_waits_for_all(change: dict[str, Any]):
    case = lead_is_done(**change)
    assert case.closed_at is None
    case = after(case, *worked("slow", officer()), *worked("last", officer()))
    assert (case.outcome, case.open_at_closing) == ("completed", ())


def test_against_an_undertaking_it_closes_when_the_steps_of_the_lead_have_ended_and_lists_the_open_ones():
    case = after(opened(PLAN, **BY_UNDERTAKING), *worked("lead1", LEAD))
    assert case.closed_at is None
    case = lead_is_done()
    assert (case.closed_at, case.outcome, case.open_at_closing) == (later(days=1), "completed", ("slow", "last"))


def test_a_case_whose_applicant_took_back_the_steps_of_the_lead_is_withdrawn_though_another_node_has_not_answered():
    home, _ = places(planned("lead1", department="police"), of_graph("step2", division="330106"), **BY_UNDERTAKING)
    home.do(acts.Withdraw(id="withdraw", by=citizen()))
    assert home.case
    assert (home.case.outcome, home.case.open_at_closing) == ("withdrawn", ("step2",))


def test_it_closes_when_all_has_ended_though_the_lead_has_no_step():
    case = opened([planned("slow")], **BY_UNDERTAKING)
    assert case.closed_at is None
    assert after(case, *worked("slow", officer())).outcome == "completed"


def test_what_is_open_goes_on_after_the_closing_and_changes_it_no_more():
    closed = lead_is_done()
    case = after(closed, *worked("slow", officer()), *worked("last", officer()), facts=facts(at=later(days=3)))
    assert {step.state for step in case.steps.values()} == {"approved"}
    kept = ("closed_at", "outcome", "open_at_closing")
    assert [getattr(case, name) for name in kept] == [getattr(closed, name) for name in kept]


def test_what_can_be_done_no_more_is_skipped_after_the_closing_too():
    case = after(lead_is_done(), *worked("slow", officer(), until="refused"))
    assert (case.steps["last"].state, case.steps["last"].waits_on) == ("skipped", "slow")


def test_what_is_open_may_be_taken_back_after_the_closing():
    case = after(lead_is_done(), acts.Withdraw(id="withdraw", by=citizen()))
    assert [case.steps[code].state for code in ("slow", "last")] == ["withdrawn", "withdrawn"]
    assert case.outcome == "completed"


def test_letters_settle_after_the_closing():
    far = of_graph("step2", division="330106")
    home, decider = places(planned("lead1", department="police"), far, **BY_UNDERTAKING)
    for act in worked("lead1", LEAD):
        home.do(act)
    assert home.case
    closed_at = home.case.closed_at
    assert closed_at
    for act in worked("step2", officer("insurance", node=ZHEJIANG), result={"step2_number": "7"}):
        decider.do(act)
    exchange(home, decider)
    assert (step_at(home, "step2").state, home.case.closed_at) == ("approved", closed_at)
    assert [(task.part, task.department, task.is_open) for task in home.tasks[-1:]] == [("follow_up", "police", True)]


# Following up.


def test_a_decision_after_the_closing_opens_a_task_for_the_lead_which_following_up_ends():
    home = Place(FACTS.here)
    home.do(opening(PLAN, **BY_UNDERTAKING))
    for act in (*worked("lead1", LEAD), *worked("lead2", LEAD)):
        home.do(act)
    assert {task.part for task in home.tasks} == {"decide"}
    for act in worked("slow", officer()):
        home.do(act)
    assert follow_ups(home) == {"slow": True}
    for act in worked("last", officer(), until="refused"):
        home.do(act)
    assert follow_ups(home) == {"slow": True, "last": True}
    home.do(follow_up("last"))
    assert follow_ups(home) == {"slow": True, "last": False}
    assert home.case
    assert home.case.followed_up == ("last",)


def test_what_was_skipped_after_the_closing_brought_nothing_to_follow_up():
    home = Place(FACTS.here)
    home.do(opening(PLAN, **BY_UNDERTAKING))
    for act in (*worked("lead1", LEAD), *worked("lead2", LEAD), *worked("slow", officer(), until="refused")):
        home.do(act)
    assert follow_ups(home) == {"slow": True}
    with pytest.raises(StateForbids):
        home.do(follow_up("last"))


def test_only_the_lead_follows_up():
    case = after(lead_is_done(), *worked("slow", officer()))
    strangers = (officer(), officer("police", node=ZHEJIANG), LEAD.model_copy(update={"node": ZHEJIANG}))
    for by in (*strangers, peer(), citizen()):
        with pytest.raises(NotYourAuthority):
            decide(case, follow_up("slow", by=by), FACTS)
    with pytest.raises(NotYourAuthority):
        decide(case.model_copy(update={"leader": None}), follow_up("slow"), FACTS)


def test_only_what_was_open_at_the_closing_and_has_ended_is_followed_up_and_once():
    closed = lead_is_done()
    for code in ("lead1", "slow"):
        with pytest.raises(StateForbids):
            decide(closed, follow_up(code), FACTS)
    case = after(closed, *worked("slow", officer()), follow_up("slow"))
    with pytest.raises(StateForbids):
        decide(case, follow_up("slow", id="again"), FACTS)


# How a step ends.


def test_a_licence_is_delivered_after_the_approval_and_that_is_the_end():
    case = after(opened([planned("one", yields="birth_licence")]), *worked("one", officer()))
    assert case.closed_at == MONDAY
    case = after(case, DELIVER, facts=facts(at=later(days=2)))
    step = case.steps["one"]
    assert (step.state, step.delivery, step.since) == ("delivered", DELIVER.delivery, later(days=2))
    assert case.closed_at == MONDAY
    with pytest.raises(StateForbids):
        decide(case, DELIVER, FACTS)


def test_without_a_licence_nothing_is_delivered():
    case = after(opened([planned("one")]), *worked("one", officer()))
    with pytest.raises(NothingToDeliver):
        decide(case, DELIVER, FACTS)


def test_what_needs_a_step_starts_with_its_approval_and_stays_when_it_is_delivered():
    plan = [planned("one", yields="birth_licence"), planned("two", needs=["one"])]
    case = after(opened(plan), *worked("one", officer()))
    assert case.steps["two"].state == "sent"
    assert after(case, DELIVER).steps["two"].state == "sent"


def test_a_delivery_elsewhere_is_told_to_the_home():
    home, decider = places(of_graph("step2", division="330106"))
    by = officer("insurance", node=ZHEJIANG)
    for act in (*worked("step2", by), DELIVER.model_copy(update={"by": by, "step": "step2"})):
        decider.do(act)
    exchange(home, decider)
    assert (step_at(home, "step2").state, step_at(home, "step2").delivery) == ("delivered", DELIVER.delivery)


def test_who_came_to_the_wrong_agency_is_told_the_right_one():
    case = after(opened([planned("one"), planned("two", needs=["one"])]), *worked("one", officer(), until="received"))
    for agency in ("", " "):
        with pytest.raises(AgencyMissing):
            decide(case, decline("wrong_agency", agency), FACTS)
    case = after(case, decline("wrong_agency", "民政局"))
    step = case.steps["one"]
    assert (step.state, step.grounds, step.agency) == ("declined", "不属于本机关职权", "民政局")
    assert (case.steps["two"].state, case.steps["two"].waits_on) == ("skipped", "one")
    assert case.outcome == "completed"


@pytest.mark.parametrize(
    ("reason", "division", "code"),
    [("unfixed", "320104", "not_asked"), ("wrong_agency", "320102", "same_division")],
)
def test_only_who_came_to_the_wrong_agency_is_told_another_place(reason: str, division: str, code: str):
    case = after(opened([planned("one", division="320102")]), *worked("one", officer(), until="received"))
    with pytest.raises(RightDivisionUnfit) as refusal:
        decide(case, decline(reason, "民政局", division=division), FACTS)
    assert [(fault.pointer, fault.code) for fault in refusal.value.errors] == [("/division", code)]
    case = after(case, decline("wrong_agency", "民政局", division="320104"))
    assert (case.steps["one"].state, case.steps["one"].right_division) == ("declined", "320104")


def test_what_is_not_needed_is_declined_without_another_agency():
    case = after(opened([planned("one")]), *worked("one", officer(), until="received"), decline("not_needed"))
    assert case.steps["one"].state == "declined"


def test_a_decline_elsewhere_is_told_with_grounds_and_agency():
    home, decider = places(of_graph("step2", division="330106"))
    by = officer("insurance", node=ZHEJIANG)
    decider.do(acts.Receive(id="receive", by=by, step="step2"))
    decider.do(decline("wrong_agency", "民政局", division="330108").model_copy(update={"by": by, "step": "step2"}))
    exchange(home, decider)
    step = step_at(home, "step2")
    assert (step.state, step.grounds, step.agency) == ("declined", "不属于本机关职权", "民政局")
    assert step.right_division == "330108"


def test_a_refusal_says_how_to_appeal_at_both_nodes():
    home, decider = places(of_graph("step2", division="330106"))
    for act in worked("step2", officer("insurance", node=ZHEJIANG), until="refused"):
        decider.do(act)
    exchange(home, decider)
    for place in (home, decider):
        assert (step_at(place, "step2").grounds, step_at(place, "step2").appeal) == ("材料不实", APPEAL)
    assert "六十日内申请行政复议" in APPEAL
