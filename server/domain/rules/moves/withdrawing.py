"""Letting a step go that the applicant has asked back (撤回)."""

from server.domain.case import acts, events
from server.domain.case.case import Case, State, Step
from server.domain.catalogue.catalogue import Catalogue
from server.domain.rules.announcement import Announcement
from server.domain.rules.move import LetterForm, Move
from server.domain.rules.moving import Moving
from server.domain.sentences import sentences

OPEN: tuple[State, ...] = ("waiting", "checking", "sent", "received", "supplementing", "accepted", "suspended")


def _let_go(moving: Moving[acts.LetGo]) -> events.Withdrawn:
    return events.Withdrawn(**moving.header, grounds=moving.act.grounds)


def _withdrawn(step: Step, event: events.Withdrawn) -> Step:
    return step.model_copy(update={"grounds": event.grounds})


def _words_of_withdrawn(_: Catalogue, __: Case, event: events.Withdrawn) -> str:
    return sentences(event.grounds, "视为撤回申请") if event.grounds else ""


WITHDRAW = Move(
    act=acts.LetGo,
    judge=_let_go,
    event=events.Withdrawn,
    states=dict.fromkeys(OPEN, "withdrawn"),
    leaves=_withdrawn,
    letter=LetterForm("step.withdrawn", says=("grounds",)),
    name="撤回",
    words=_words_of_withdrawn,
    notice=Announcement("decided", "视为撤回", "逾期未补正，可重新申请"),
)
