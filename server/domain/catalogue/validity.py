"""How long a licence or a paper holds (有效期), as the catalogue says of its kind, and the last day that follows."""

from datetime import date, timedelta
from itertools import pairwise
from typing import Annotated

from pydantic import Field

from server.domain.catalogue.alike import Alike
from server.domain.catalogue.items import Sourced
from server.domain.values import MOST_DAYS

MOST_YEARS = 100


class Duration(Alike):
    """A time from the first day on: of years, of months or of days, or without an end."""

    years: Annotated[int, Field(ge=0, le=MOST_YEARS)] = 0
    months: Annotated[int, Field(ge=0, le=12 * MOST_YEARS)] = 0
    days: Annotated[int, Field(ge=0, le=MOST_DAYS)] = 0
    is_endless: bool = False

    @property
    def lengths(self) -> int:
        """How many of these are said; one should be."""
        return sum(map(bool, (self.years, self.months, self.days, self.is_endless)))

    def last_day(self, first: date) -> date | None:
        """The last day of the time that begins on this day; None if it has no end, or none is said.

        The first day does not count, and the last one has its number, or is the last of the month (民法典第二百零一条,
        第二百零二条).
        """
        if self.is_endless or not self.lengths:
            return None
        return _months_later(first, 12 * self.years + self.months) + timedelta(days=self.days)


class AgeDuration(Duration):
    """The time for holders of at least this age, in years."""

    from_age: Annotated[int, Field(ge=0, le=150)]


class Validity(Duration, Sourced):
    """What the catalogue says: a time, one by the holder's age, or that the decision names its end (`is_given`).

    A time beside `is_given` is the longest that may be given. `remind_days` before the last day its holder is reminded.
    """

    is_given: bool = False
    by_age: tuple[AgeDuration, ...] = ()
    remind_days: Annotated[int, Field(ge=0, le=MOST_DAYS)] = 0

    @property
    def fault(self) -> str:
        """Why this cannot be meant, in English; empty if it can."""
        ages = [each.from_age for each in self.by_age]
        ways = [bool(self.by_age), self.is_given, bool(self.lengths) and not self.is_given]
        if sum(ways) != 1 or self.lengths > 1 or (self.is_given and self.is_endless):
            return "it must be one of a length, is_endless, is_given and by_age"
        if ages and (ages[0] != 0 or any(young >= old for young, old in pairwise(ages))):
            return "by_age must begin with 0, and go on with older ones"
        if any(each.lengths != 1 for each in self.by_age):
            return "each line of by_age must say one length, or is_endless"
        if self.is_endless and self.remind_days:
            return "nobody can be reminded of an end that never comes"
        return ""

    def duration_for(self, first: date, *, born_on: date | None = None) -> Duration:
        """The time that a holder born on that day has from this day on; ValueError if the day of birth is needed."""
        if not self.by_age:
            return self
        if born_on is None:
            raise ValueError("the time depends on the holder's age")
        age = first.year - born_on.year - ((first.month, first.day) < (born_on.month, born_on.day))
        return next(each for each in reversed(self.by_age) if each.from_age <= max(age, 0))

    def remind_on(self, last: date | None) -> date | None:
        """The day on which the holder is reminded of this last day; None if of none."""
        return last - timedelta(days=self.remind_days) if last and self.remind_days else None


def _months_later(first: date, months: int) -> date:
    year, month = divmod(12 * first.year + first.month - 1 + months, 12)
    begin = date(year, month + 1, 1)
    following = (begin + timedelta(days=31)).replace(day=1)
    return begin.replace(day=min(first.day, (following - begin).days))
