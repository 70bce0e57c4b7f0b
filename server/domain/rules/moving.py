"""An act that is about to move a step, with all that it is judged by."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, TypeVar

from server.domain.case.acts import Facts, StepAct
from server.domain.case.case import Case, Step
from server.domain.case.happening import StepHeader
from server.domain.catalogue.terms import NOTIFY_DAYS
from server.domain.time.calendar import add_working_days
from server.domain.values import china_day

A = TypeVar("A", bound=StepAct, covariant=True)


@dataclass(frozen=True)
class Moving(Generic[A]):
    """An act on a step of a case. In a mirror another node has done it, and a letter tells."""

    case: Case
    step: Step
    act: A
    facts: Facts

    @property
    def header(self) -> StepHeader:
        """What the event that the act comes to carries beside its own words."""
        act, at = self.act, self.facts.at
        return {
            "number": self.case.version + 1,
            "at": at,
            "by": act.by,
            "act_id": act.id,
            "act_digest": act.digest,
            "step": act.step,
            "done_at": self.moment if self.moment != at else None,
        }

    @property
    def is_mirror(self) -> bool:
        """Whether another node decides the step, so that what it has done is not judged again."""
        return self.step.node not in ("", self.facts.here)

    @property
    def moment(self) -> datetime:
        """When its decider did it: never before what was done before, whatever the clocks of two machines say."""
        told_at = self.act.at if self.is_mirror else None
        return max(told_at or self.facts.at, self.step.since)

    @property
    def today(self) -> date:
        """The day on which it was done."""
        return china_day(self.moment)

    def days_later(self, days: int) -> date:
        """The last day of so many working days that begin today."""
        return add_working_days(self.today, days, self.facts.calendar)


def is_too_late(moving: Moving[StepAct]) -> bool:
    """Whether the days for telling the applicant of gaps are surely over, so that it is accepted by law.

    They do not run while the materials are still coming; and where the calendar is not known, nothing happens by law.
    """
    if moving.step.notify_from is None:
        return False
    arrived_on = china_day(moving.step.notify_from)
    last = add_working_days(arrived_on, NOTIFY_DAYS, moving.facts.calendar)
    return moving.today > last and moving.facts.calendar.are_confirmed(arrived_on, last)
