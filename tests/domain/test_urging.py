"""Urging: at most once in three working days, of a step that is not taken up yet, and no officer has to look again."""

from datetime import date, datetime

import pytest

from server.domain.aggregate.acts import Act
from server.domain.case import acts, events
from server.domain.case.case import Case
from server.domain.effects.effects import effects_of
from server.domain.exchange.letters import Letter
from server.domain.rules.decide import NotOurStep, NotYourAuthority, StateForbids, decide
from server.domain.rules.moves.urging import UrgedRecently, urge_again_on
from tests.world import JIANGSU, MONDAY, ZHEJIANG, after, citizen, facts, later, officer, opened, peer, request, worked

HERE, FAR = "first", "second"  # decided here, and by the other province


def urge(step: str, *, id: str = "urge", **change: object) -> acts.Urge:
    return acts.Urge(**{"id": id, "by": citizen(), "step": step, **change})


def abroad() -> Case:
    """A case at home whose far step was sent."""
    return after(opened(), *worked(HERE, officer()))


def letters_of(case: Case, act: Act, here: str = JIANGSU) -> list[Letter]:
    known = facts(here)
    effects, _ = effects_of(decide(case, act, known), known, threads={})
    return [effect.letter for effect in effects if effect.letter]


@pytest.mark.parametrize("state", ["sent", "received"])
def test_a_step_that_is_not_taken_up_may_be_urged_and_stays_as_it_is(state: str):
    case = opened() if state == "sent" else after(opened(), *worked(HERE, officer(), until="received"))
    then = after(case, urge(HERE)).step(HERE)
    assert (then.state, then.urged_at) == (state, MONDAY)
    assert then.since == case.step(HERE).since


def test_an_officer_who_saw_the_step_before_may_act_on_what_they_saw():
    case = after(opened(), urge(HERE))
    seen = opened().step(HERE).version
    assert after(case, acts.Receive(id="r", by=officer(), step=HERE, version=seen)).step(HERE).state == "received"


@pytest.mark.parametrize(
    ("at", "is_allowed"),
    [(MONDAY, False), (later(days=2), False), (later(days=3), True), (later(days=30), True)],
    ids=["the same day", "two days later", "on the third working day", "long after"],
)
def test_it_may_be_urged_again_from_the_third_working_day_on(at: datetime, is_allowed: bool):
    case = after(opened(), urge(HERE))
    again = urge(HERE, id="again")
    if is_allowed:
        assert after(case, again, facts=facts(at=at)).step(HERE).urged_at == at
    else:
        with pytest.raises(UrgedRecently, match="11月26日起可以再次催办"):
            decide(case, again, facts(at=at))


def test_days_off_do_not_count():
    friday = later(days=4)
    step = after(opened(), urge(HERE), facts=facts(at=friday)).step(HERE)
    assert urge_again_on(step, facts().calendar) == date(2026, 12, 2)


def test_a_step_that_is_taken_up_or_has_not_begun_is_not_urged():
    for case, step in ((after(opened(), *worked(HERE, officer(), until="accepted")), HERE), (opened(), FAR)):
        with pytest.raises(StateForbids):
            decide(case, urge(step), facts())


def test_only_the_applicant_urges():
    with pytest.raises(NotYourAuthority):
        decide(opened(), urge(HERE, by=officer()), facts())
    with pytest.raises(NotOurStep):
        decide(abroad(), urge(FAR, by=peer(ZHEJIANG)), facts())


def test_the_deciders_node_is_told_by_a_letter_that_it_may_ignore():
    (letter,) = letters_of(abroad(), urge(FAR))
    assert (letter.kind, letter.to, letter.may_ignore, dict(letter.body)) == ("step.urged", ZHEJIANG, True, {})


def test_of_a_step_decided_here_nobody_else_is_told():
    assert letters_of(opened(), urge(HERE)) == []


def test_the_decider_notes_it_without_an_answer_and_not_more_often_than_the_home_may_ask():
    case = after(None, request(), facts=facts(ZHEJIANG))
    act = urge(FAR, id=f"{JIANGSU}:1", by=peer(JIANGSU))
    urged = after(case, act, facts=facts(ZHEJIANG))
    assert urged.step(FAR).urged_at == MONDAY
    assert letters_of(case, act, ZHEJIANG) == []
    with pytest.raises(UrgedRecently):
        decide(urged, urge(FAR, id=f"{JIANGSU}:2", by=peer(JIANGSU)), facts(ZHEJIANG))


def test_the_officers_task_says_since_when_it_is_urged():
    known = facts()
    effects, _ = effects_of(decide(opened(), urge(HERE), known), known, threads={})
    (task,) = [effect.task for effect in effects if effect.task]
    assert (task.step, task.urged_at, task.is_open) == (HERE, MONDAY, True)


def test_an_urge_that_comes_after_the_decision_is_settled_without_effect():
    case = after(None, request(), facts=facts(ZHEJIANG))
    far = officer("police", node=ZHEJIANG)
    decided = after(case, *worked(FAR, far), facts=facts(ZHEJIANG))
    judged = decide(decided, urge(FAR, by=peer(JIANGSU)), facts(ZHEJIANG))
    assert judged.events == ()
    assert isinstance(decide(case, urge(FAR, by=peer(JIANGSU)), facts(ZHEJIANG)).events[0], events.Urged)
