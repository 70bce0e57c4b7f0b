"""The calendar of working days (工作日): dated data that says which days are worked, and up to when that is sure."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cached_property
from typing import Annotated, Self

from pydantic import Field, PositiveInt, model_validator

from server.domain.catalogue.items import Sourced, Text
from server.domain.values import Value

DAY = timedelta(days=1)
SATURDAY = 5


class Holiday(Value):
    """The days off from `first` to `last`, and the weekend days that are worked for them (调休上班)."""

    name: Text
    first: date
    last: date
    make_up: tuple[date, ...] = ()

    @property
    def days_off(self) -> tuple[date, ...]:
        """Its days, weekends among them."""
        return tuple(days_after(self.first - DAY, self.last))

    @model_validator(mode="after")
    def _holds(self) -> Self:
        if self.last < self.first:
            raise ValueError("last is before first")
        for day in self.make_up:
            if day.weekday() < SATURDAY:
                raise ValueError(f"make_up: {day} is no weekend day")
        return self


class CalendarYear(Sourced):
    """The holidays of one year by their notice; `document` is empty while only the law's own days are known."""

    year: PositiveInt
    document: str = ""
    holidays: tuple[Holiday, ...]

    @model_validator(mode="after")
    def _holds(self) -> Self:
        earliest, latest = date(self.year - 1, 12, 1), date(self.year, 12, 31)
        for holiday in self.holidays:
            for day in (holiday.first, holiday.last, *holiday.make_up):
                if not earliest <= day <= latest:
                    raise ValueError(f"{holiday.name}: {day} is neither in {self.year} nor in the December before")
        return self


class Calendar(Value):
    """Which days are worked. The look-ups are kept once made, so a changed calendar is built anew, never copied.

    It is sure (confirmed) from the first day of the first year to `known_to`. Outside it every day has an answer too,
    by what is known of it and else by its weekday; whoever tells it must tell that it is unconfirmed.
    """

    version: Text
    known_to: date
    years: Annotated[tuple[CalendarYear, ...], Field(min_length=1)]

    @cached_property
    def days_off(self) -> frozenset[date]:
        """Every day off that is written down, weekends among them."""
        return frozenset(day for holiday in self._holidays for day in holiday.days_off)

    @cached_property
    def make_up_days(self) -> frozenset[date]:
        """Every weekend day that is worked."""
        return frozenset(day for holiday in self._holidays for day in holiday.make_up)

    @property
    def known_from(self) -> date:
        """The first day of which it is sure whether it is worked."""
        return date(self.years[0].year, 1, 1)

    def is_working(self, day: date) -> bool:
        """Whether the day is a working day, as far as is known (`is_confirmed`)."""
        return day in self.make_up_days or (day.weekday() < SATURDAY and day not in self.days_off)

    def is_confirmed(self, day: date) -> bool:
        """Whether it is sure what `is_working` says of this day."""
        return self.known_from <= day <= self.known_to

    def are_confirmed(self, first: date, last: date) -> bool:
        """Whether it is sure of every day from first to last."""
        return self.is_confirmed(first) and self.is_confirmed(last)

    @property
    def _holidays(self) -> Iterator[Holiday]:
        return (holiday for year in self.years for holiday in year.holidays)

    @model_validator(mode="after")
    def _holds(self) -> Self:
        for number, year in enumerate(self.years):
            if year.year != self.years[0].year + number:
                raise ValueError(f"years: {year.year} stands where {self.years[0].year + number} is due")
        days = Counter(day for holiday in self._holidays for day in (*holiday.days_off, *holiday.make_up))
        for day, times in days.items():
            if times > 1:
                raise ValueError(f"years: {day} is named more than once")
        untold = next((year.year for year in self.years if not year.document), self.years[-1].year + 1)
        for day in days_after(date(untold - 1, 12, 31), self.known_to):
            if day not in self.days_off:
                raise ValueError(f"known_to: no notice tells of {day}")
        return self


def days_after(day: date, last: date) -> Iterator[date]:
    """The days after `day` up to and with `last`, worked or not."""
    return (day + DAY * number for number in range(1, (last - day).days + 1))


def add_working_days(day: date, days: int, calendar: Calendar) -> date:
    """The last day of a period of so many working days that begins on `day`, which is not counted.

    民法典第二百零一条: 按照年、月、日计算期间的，开始的当日不计入，自下一日开始计算. Of no days it is the day itself.
    Whether it is sure, `calendar.are_confirmed(day, result)` says.
    """
    if days < 0:
        raise ValueError("a period has no negative number of days")
    while days:
        day += DAY
        days -= 1 if calendar.is_working(day) else 0
    return day
