"""Urging (催办): the applicant presses those who have a step and have not taken it up, once in three working days."""

from datetime import date

from server.domain.case import acts, events
from server.domain.case.case import Step
from server.domain.errors import Conflict
from server.domain.rules.move import LetterForm, Move
from server.domain.rules.moving import Moving
from server.domain.sentences import chinese_date
from server.domain.time.calendar import Calendar, add_working_days
from server.domain.values import china_day

URGE_DAYS = 3


class UrgedRecently(Conflict):
    """The applicant has urged the step less than three working days ago."""

    code = "urged_recently"
    title = "近期已经催办过"


def _urge(moving: Moving[acts.Urge]) -> events.Urged:
    """Both sides judge it: so the home tells the applicant, and no other node can flood the desks here."""
    first_on = urge_again_on(moving.step, moving.facts.calendar)
    if first_on and china_day(moving.facts.at) < first_on:
        raise UrgedRecently(f"每三个工作日可以催办一次，{chinese_date(first_on)}起可以再次催办。")
    return events.Urged(**moving.header)


def _urged(step: Step, event: events.Urged) -> Step:
    return step.model_copy(update={"urged_at": event.moment})


def urge_again_on(step: Step, calendar: Calendar) -> date | None:
    """The first day on which it may be urged again; None if it was never urged."""
    return add_working_days(china_day(step.urged_at), URGE_DAYS, calendar) if step.urged_at else None


URGE = Move(
    act=acts.Urge,
    judge=_urge,
    speaker="applicant",
    event=events.Urged,
    states={"sent": "sent", "received": "received"},
    leaves=_urged,
    is_silent=True,
    letter=LetterForm("step.urged", is_homes=True, may_ignore=True),
    name="催办",
)
