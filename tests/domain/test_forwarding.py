"""The days that go by before all that was handed in is with the decider: shown to the applicant, counted for nobody."""

from server.domain.case.case import Step
from server.domain.case.events import Accepted
from server.domain.effects.deadlines import checkpoints_of
from tests.domain.carrying import Place, carry, exchange
from tests.world import CALENDAR, JIANGSU, ZHEJIANG, later, of_graph, officer, opening, worked

FAR = "step2"
OFFICER = officer("insurance", node=ZHEJIANG)


def accepted_after(days: int) -> tuple[Place, Place]:
    """Home and decider, to whom the materials came so many days after the letter was written."""
    home, decider = Place(JIANGSU), Place(ZHEJIANG)
    decider.receives_materials = False
    home.do(opening([of_graph(FAR, division="330106")]))
    decider.days = days
    carry(home, decider)
    decider.gather(FAR)
    for act in worked(FAR, OFFICER, until="accepted"):
        decider.do(act)
    exchange(home, decider)
    return home, decider


def accepted(place: Place) -> Accepted:
    (event,) = (each for each in place.events if isinstance(each, Accepted))
    return event


def test_the_applicant_is_told_how_many_days_the_forwarding_took():
    home, decider = accepted_after(3)
    assert accepted(home).forwarding_days == 3
    assert accepted(decider).forwarding_days == 0


def test_what_came_on_the_same_day_took_no_day():
    home, _ = accepted_after(0)
    assert accepted(home).forwarding_days == 0


def test_the_five_days_for_asking_begin_when_all_is_there():
    home, decider = Place(JIANGSU), Place(ZHEJIANG)
    decider.receives_materials = False
    home.do(opening([of_graph(FAR, division="330106")]))
    carry(home, decider)
    assert decider.case
    assert checkpoints_of(decider.case, here=ZHEJIANG, calendar=CALENDAR) == ()
    decider.days = 2
    decider.gather(FAR)
    step: Step = decider.case.steps[FAR]
    assert step.arrived_at is not None
    assert step.arrived_at.date() == later(days=2).date()
    assert {checkpoint.name for checkpoint in checkpoints_of(decider.case, here=ZHEJIANG, calendar=CALENDAR)} == {
        "notify_soon",
        "deem",
    }
