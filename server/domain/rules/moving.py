"""An act that is about to move a step, with all that it is judged by."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from server.domain.case.acts import Facts
from server.domain.case.case import Case, Step
from server.domain.catalogue.terms import NOTIFY_DAYS
from server.domain.time.calendar import add_working_days
from server.domain.values import china_day


@dataclass(frozen=True)
class Moving:
    """An act on a step of a case. In a mirror another node has done it, and a letter tells."""

    case: Case
    step: Step
    act: Any
    facts: Facts

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

    @property
    def forwarding_days(self) -> int:
        """The days from the home's sending until its decider had all that was handed in, as the decider tells."""
        sent, arrived = self.step.arrived_at, self.act.since
        return max((china_day(arrived) - china_day(sent)).days, 0) if sent and arrived else 0


def is_too_late(moving: Moving) -> bool:
    """Whether the days for telling the applicant of gaps are surely over, so that it is accepted by law.

    They do not run while the materials are still coming; and where the calendar is not known, nothing happens by law.
    """
    if moving.step.notify_from is None:
        return False
    arrived_on = china_day(moving.step.notify_from)
    last = add_working_days(arrived_on, NOTIFY_DAYS, moving.facts.calendar)
    return moving.today > last and moving.facts.calendar.are_confirmed(arrived_on, last)
