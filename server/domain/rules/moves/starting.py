"""How a step starts: it is sent to its decider once its needs are met, after the home's own part, or it is skipped."""

from server.domain.case import acts, events
from server.domain.case.case import Step
from server.domain.case.handover import CheckAsked, Checked, TurnedBack
from server.domain.errors import Conflict
from server.domain.rules.move import LetterForm, Move, Transition
from server.domain.rules.moving import Moving


class CheckedAlready(Conflict):
    """The home has done its part in this step."""

    code = "checked_already"
    title = "已经核验过"


def _sent(step: Step, event: events.Sent) -> Step:
    pinned = {"node": event.node, "directory_version": event.directory_version}
    return step.model_copy(update=pinned | {"arrived_at": event.moment})


def _skipped(step: Step, event: events.Skipped) -> Step:
    return step.model_copy(update={"waits_on": event.waits_on})


def _check(moving: Moving[acts.Check]) -> Checked:
    """The home has done its part."""
    if moving.step.checked_at:
        raise CheckedAlready("本地已经核验过，不能重复。")
    return Checked(**moving.header, finding=moving.act.finding)


def _checked(step: Step, event: Checked) -> Step:
    return step.model_copy(update={"finding": event.finding, "checked_at": event.moment})


def _turn_back(moving: Moving[acts.TurnBack]) -> TurnedBack:
    """The home does not send it on."""
    if moving.step.checked_at:
        raise CheckedAlready("本地已经核验通过，不能再退回。")
    return TurnedBack(**moving.header, grounds=moving.act.grounds)


def _turned_back(step: Step, event: TurnedBack) -> Step:
    return step.model_copy(update={"grounds": event.grounds})


SEND = Transition(
    event=events.Sent,
    states={"waiting": "sent", "checking": "sent"},
    leaves=_sent,
    letter=LetterForm("step.requested", adds=("commission",), is_homes=True),
)
SKIP = Transition(event=events.Skipped, states={"waiting": "skipped"}, leaves=_skipped)
ASK_CHECK = Transition(event=CheckAsked, states={"waiting": "checking"})
CHECK = Move(act=acts.Check, judge=_check, event=Checked, states={"checking": "checking"}, leaves=_checked)
TURN_BACK = Move(
    act=acts.TurnBack, judge=_turn_back, event=TurnedBack, states={"checking": "withdrawn"}, leaves=_turned_back
)
