"""Letting a step go that the applicant has asked back (撤回)."""

from server.domain.case import acts, events
from server.domain.case.case import State, Step
from server.domain.rules.move import LetterForm, Move
from server.domain.rules.moving import Moving

OPEN: tuple[State, ...] = ("waiting", "checking", "sent", "received", "supplementing", "accepted", "suspended")


def _let_go(moving: Moving[acts.LetGo]) -> events.Withdrawn:
    return events.Withdrawn(**moving.header, grounds=moving.act.grounds)


def _withdrawn(step: Step, event: events.Withdrawn) -> Step:
    return step.model_copy(update={"grounds": event.grounds})


WITHDRAW = Move(
    act=acts.LetGo,
    judge=_let_go,
    event=events.Withdrawn,
    states=dict.fromkeys(OPEN, "withdrawn"),
    leaves=_withdrawn,
    letter=LetterForm("step.withdrawn", says=("grounds",)),
)
