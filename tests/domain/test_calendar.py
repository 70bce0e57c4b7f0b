"""Every day is a working day or not, as the notices say, and whoever asks learns how sure that is."""

from collections.abc import Iterator
from datetime import date, timedelta

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.time.calendar import Calendar, CalendarYear, Holiday, add_working_days, days_after
from server.tools.publications import load_calendar
from tests.catalogue.shipped import CONFIG
from tests.world import SAMPLE

CALENDAR = load_calendar(CONFIG / "regions")
DAY = timedelta(days=1)
FIRST, LAST = date(2024, 1, 1), date(2026, 12, 31)
DAYS = st.dates(date(2023, 6, 1), date(2028, 6, 1))
COUNTS = st.integers(0, 80)


def each_day(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += DAY


def worked_after(day: date, last: date) -> int:
    """How many working days lie after `day` up to and with `last`, counted one by one."""
    return sum(CALENDAR.is_working(each) for each in each_day(day + DAY, last))


def calendar(*holidays: Holiday, known_to: date = LAST, document: str = "〔2025〕7号") -> Calendar:
    year = CalendarYear(year=2026, document=document, holidays=holidays, **SAMPLE)
    return Calendar(version="1", known_to=known_to, years=(year,))


def test_every_known_day_is_as_an_independent_calendar_has_it() -> None:
    different = [day for day in each_day(FIRST, LAST) if CALENDAR.is_working(day) != chinese_calendar.is_workday(day)]
    assert different == []
    assert all(CALENDAR.is_confirmed(day) for day in each_day(FIRST, LAST))


@pytest.mark.parametrize(
    "day", [(2025, 1, 26), (2025, 2, 8), (2025, 9, 28), (2026, 1, 4), (2026, 2, 14), (2026, 9, 20)]
)
def test_a_weekend_day_may_be_worked(day: tuple[int, int, int]) -> None:
    assert date(*day).weekday() >= 5
    assert CALENDAR.is_working(date(*day))


def test_a_holiday_keeps_the_days_and_the_number_of_its_notice() -> None:
    year = next(year for year in CALENDAR.years if year.year == 2026)
    spring = next(holiday for holiday in year.holidays if holiday.name == "春节")
    assert year.document == "国办发明电〔2025〕7号"
    assert len(spring.days_off) == 9
    assert not any(map(CALENDAR.is_working, spring.days_off))
    assert spring.make_up == (date(2026, 2, 14), date(2026, 2, 28))


def test_of_2027_only_new_years_day_is_sure() -> None:
    days = list(each_day(date(2027, 1, 1), date(2027, 12, 31)))
    assert [day for day in days if CALENDAR.is_confirmed(day)] == [date(2027, 1, 1)]
    assert CALENDAR.known_to == date(2027, 1, 1)


def test_of_2027_the_days_of_the_law_are_off_and_all_else_goes_by_the_weekday() -> None:
    days = each_day(date(2027, 1, 1), date(2027, 12, 31))
    off = [f"{day:%m-%d}" for day in days if day.weekday() < 5 and not CALENDAR.is_working(day)]
    assert off == ["01-01", "02-05", "02-08", "04-05", "06-09", "09-15", "10-01"]
    assert not any(CALENDAR.is_working(day) for day in days if day.weekday() >= 5)


@given(st.dates().filter(lambda day: not 2024 <= day.year <= 2027))
def test_a_day_outside_goes_by_its_weekday_and_is_never_sure(day: date) -> None:
    assert CALENDAR.is_working(day) == (day.isoweekday() <= 5)
    assert not CALENDAR.is_confirmed(day)


@given(DAYS, DAYS)
def test_days_are_sure_when_each_of_them_is(one: date, other: date) -> None:
    first, last = sorted((one, other))
    assert CALENDAR.are_confirmed(first, last) == all(map(CALENDAR.is_confirmed, each_day(first, last)))


def test_a_new_notice_makes_the_same_day_another_and_sure() -> None:
    day = date(2026, 3, 2)
    holiday = Holiday(name="节", first=day, last=day)
    before = calendar(known_to=date(2025, 12, 31), document="")
    after = calendar(holiday)
    assert (before.is_working(day), before.is_confirmed(day)) == (True, False)
    assert (after.is_working(day), after.is_confirmed(day)) == (False, True)


def test_a_notice_may_reach_into_the_december_before() -> None:
    new_year = Holiday(name="元旦", first=date(2025, 12, 30), last=date(2026, 1, 1), make_up=(date(2025, 12, 28),))
    assert not calendar(new_year).is_working(date(2025, 12, 30))
    assert calendar(new_year).is_working(date(2025, 12, 28))


def test_the_first_of_five_working_days_is_the_next_one() -> None:
    assert add_working_days(date(2026, 11, 23), 5, CALENDAR) == date(2026, 11, 30)
    assert add_working_days(date(2026, 11, 21), 5, CALENDAR) == date(2026, 11, 27)
    assert add_working_days(date(2026, 11, 21), 0, CALENDAR) == date(2026, 11, 21)


def test_twenty_working_days_over_the_spring_festival() -> None:
    # five to Saturday the 14th, which is worked; nine off; five to Saturday the 28th, which is worked; two weeks
    assert add_working_days(date(2026, 2, 9), 20, CALENDAR) == date(2026, 3, 13)
    assert worked_after(date(2026, 2, 9), date(2026, 3, 13)) == 20


def test_there_is_no_period_of_less_than_no_days() -> None:
    with pytest.raises(ValueError, match="negative"):
        add_working_days(FIRST, -1, CALENDAR)


@given(DAYS, COUNTS)
def test_adding_days_and_counting_them_agree(day: date, count: int) -> None:
    last = add_working_days(day, count, CALENDAR)
    assert worked_after(day, last) == count
    assert last == day if not count else CALENDAR.is_working(last)


@given(DAYS, DAYS, COUNTS)
def test_who_begins_later_never_ends_earlier(one: date, other: date, count: int) -> None:
    first, last = sorted((one, other))
    assert add_working_days(first, count, CALENDAR) <= add_working_days(last, count, CALENDAR)


@given(DAYS, COUNTS, COUNTS)
def test_more_days_end_later_and_may_be_added_in_parts(day: date, some: int, more: int) -> None:
    middle = add_working_days(day, some, CALENDAR)
    end = add_working_days(day, some + more, CALENDAR)
    assert (end > middle) == (more > 0)
    assert add_working_days(middle, more, CALENDAR) == end


@given(DAYS, DAYS)
def test_the_days_after_a_day_are_those_up_to_the_last(day: date, last: date) -> None:
    assert list(days_after(day, last)) == list(each_day(day + DAY, last))
