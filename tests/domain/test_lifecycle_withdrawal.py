"""Taking a case back: at once what is held here, by asking what another node decides."""

from datetime import datetime

import pytest

from server.domain.case import acts
from server.domain.case.case import Case
from server.domain.rules.decide import NothingToWithdraw, StateForbids, decide
from tests.domain.carrying import Place, carry
from tests.world import FACTS, JIANGSU, ZHEJIANG, after, citizen, facts, later, officer, opened, opening, peer, worked

POLICE = officer("police", node=ZHEJIANG)


def withdraw(id: str = "withdraw") -> acts.Withdraw:
    """The citizen takes the case back."""
    return acts.Withdraw(id=id, by=citizen())


def asked_at(case: Case | None, step: str = "second") -> datetime | None:
    """When the step was asked back."""
    assert case
    return case.steps[step].withdrawal_asked_at


def state(place: Place, step: str = "second") -> str:
    """In which state this node sees the step."""
    assert place.case
    return place.case.steps[step].state


def two_places(*, until: str) -> tuple[Place, Place]:
    """Home and decider, the second step brought to this state and told home."""
    home, decider = Place(JIANGSU), Place(ZHEJIANG)
    for act in (opening(), *worked("first", officer(), result={"birth_number": "A1"})):
        home.do(act)
    assert not carry(home, decider)
    for act in worked("second", POLICE, until=until):
        decider.do(act)
    assert not carry(decider, home)
    return home, decider


@pytest.mark.parametrize("until", ["sent", "received", "accepted"])
def test_what_waits_and_what_is_held_here_is_withdrawn_at_once(until: str):
    case = after(opened(), *worked("first", officer(), until=until))
    case = after(case, withdraw(), facts=facts(at=later(hours=1)))
    assert {step.state for step in case.steps.values()} == {"withdrawn"}
    assert (case.outcome, case.closed_at) == ("withdrawn", later(hours=1))


@pytest.mark.parametrize("until", ["sent", "received", "accepted"])
def test_a_step_held_by_another_node_is_asked_back_and_stays_as_it_is(until: str):
    case = after(opened(), *worked("first", officer()), *worked("second", peer(), until=until))
    seen = case.steps["second"]
    case = after(case, withdraw(), facts=facts(at=later(hours=1)))
    assert asked_at(case) == later(hours=1)
    assert (case.steps["second"].state, case.steps["second"].version) == (until, seen.version)
    assert (case.steps["first"].state, case.steps["third"].state) == ("approved", "withdrawn")
    assert case.closed_at is None


def test_a_step_is_asked_back_once():
    case = after(opened(), *worked("first", officer()), withdraw())
    with pytest.raises(NothingToWithdraw):
        decide(case, withdraw("again"), FACTS)


@pytest.mark.parametrize("until", ["approved", "refused"])
def test_a_case_that_is_done_cannot_be_taken_back(until: str):
    case = after(opened(), *worked("first", officer()), *worked("second", peer(), until=until))
    case = after(case, *worked("third", officer("insurance")) if until == "approved" else ())
    assert case.outcome == "completed"
    with pytest.raises(NothingToWithdraw):
        decide(case, withdraw(), FACTS)


@pytest.mark.parametrize("until", ["sent", "received", "accepted"])
def test_the_decider_lets_a_step_go_and_the_home_closes_the_case(until: str):
    home, decider = two_places(until=until)
    home.do(withdraw())
    assert state(home) == until
    assert not carry(home, decider)
    assert (state(decider), state(home)) == ("withdrawn", until)
    assert decider.events[-1].by == peer(ZHEJIANG)
    assert not carry(decider, home)
    assert home.case
    assert (state(home), home.case.outcome) == ("withdrawn", "completed")  # the first step had been approved


def test_a_decision_before_the_question_stands_at_both_nodes():
    home, decider = two_places(until="accepted")
    decider.do(worked("second", POLICE)[-1])
    home.do(withdraw())
    assert not carry(home, decider)
    assert decider.events[-1].kind == "approved"
    assert not carry(decider, home)
    assert (state(home), state(decider)) == ("approved", "approved")
    assert home.case
    assert home.case.outcome == "completed"


def test_a_decision_after_the_question_is_refused_and_the_withdrawal_stands_at_both_nodes():
    home, decider = two_places(until="accepted")
    home.do(withdraw())
    assert not carry(home, decider)
    with pytest.raises(StateForbids):
        decider.do(worked("second", POLICE)[-1])
    assert not carry(decider, home)
    assert (state(home), state(decider)) == ("withdrawn", "withdrawn")


def test_an_approval_after_the_question_starts_nothing_that_was_withdrawn():
    home, decider = two_places(until="accepted")
    home.do(withdraw())
    decider.do(worked("second", POLICE)[-1])
    assert not carry(decider, home)
    assert (state(home), state(home, "third")) == ("approved", "withdrawn")
    assert asked_at(home.case) is not None


def test_a_question_that_comes_after_the_decision_is_answered_by_nothing_more():
    _, decider = two_places(until="refused")
    written = len(decider.written)
    assert decider.do(acts.AskWithdrawal(id="a", by=peer(JIANGSU), step="second")) == ()
    assert len(decider.written) == written
