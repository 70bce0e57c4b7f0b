"""A letter that came back is seen at home, moves nothing, and is over with the decider's next word."""

import pytest

from server.domain.aggregate.actors import Actor
from server.domain.case import acts
from server.domain.case.case import Case
from server.domain.rules.decide import NotOurStep, decide
from server.domain.rules.lifecycle import evolve
from tests.world import FACTS, JIANGSU, ZHEJIANG, after, facts, later, officer, opened, peer, planned, worked

HOME = Actor(node=JIANGSU, part="node")
BOUNCE = acts.Bounce(id="b", by=HOME, step="step", letter="step.requested", code="no_such_case")
RESEND = acts.Resend(id="r", by=HOME, step="step", letter="step.requested")


@pytest.fixture
def case() -> Case:
    """A case at home whose one step is sent to Zhejiang."""
    return opened([planned("step", division=ZHEJIANG)])


def test_a_letter_that_came_back_is_noted_and_moves_nothing(case: Case):
    before, then = case.step("step"), after(case, BOUNCE).step("step")
    assert then == before.model_copy(update={"bounced": "step.requested"})


def test_the_next_word_of_the_decider_ends_it(case: Case):
    received = after(case, BOUNCE, acts.Receive(id="x", by=peer(), step="step")).step("step")
    assert (received.state, received.bounced) == ("received", "")


def test_a_letter_that_went_out_again_ends_it(case: Case):
    assert after(case, BOUNCE, RESEND).step("step").bounced == ""
    assert decide(case, RESEND, FACTS).events == ()


def test_what_the_home_itself_says_does_not_end_it(case: Case):
    asked = after(case, BOUNCE, acts.Withdraw(id="w", by=Actor(node=JIANGSU, part="citizen"))).step("step")
    assert (asked.bounced, asked.withdrawal_asked_at is not None) == ("step.requested", True)


def test_nothing_is_noted_of_a_step_that_was_not_sent_or_has_ended_or_is_our_own(case: Case):
    waiting = opened([planned("need"), planned("step", needs=("need",), division=ZHEJIANG)])
    assert decide(waiting, BOUNCE, FACTS).events == ()
    ended = after(case, *worked("step", peer(), until="refused"))
    assert decide(ended, BOUNCE, FACTS).events == ()
    assert decide(opened([planned("step", division=JIANGSU)]), BOUNCE, FACTS).events == ()


@pytest.mark.parametrize("by", [officer(), peer(), Actor(node=JIANGSU, part="citizen")])
def test_nobody_but_the_home_itself_notes_it(case: Case, by: Actor):
    with pytest.raises(NotOurStep):
        decide(case, BOUNCE.model_copy(update={"by": by}), FACTS)


def test_a_decider_notes_nothing_in_its_copy(case: Case):
    with pytest.raises(NotOurStep):
        decide(case, BOUNCE, facts(here=ZHEJIANG, at=later(days=0)))


def test_the_case_is_the_same_when_it_is_told_again(case: Case):
    events = decide(case, BOUNCE, FACTS).events
    assert [event.act for event in events] == ["bounce"]
    again = case
    for event in events:
        again = evolve(again, event)
    assert again == after(case, BOUNCE)
