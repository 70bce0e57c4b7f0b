"""The clock of a step counts working days while it runs, and tells a date only as surely as it is known."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.time.calendar import add_working_days
from server.domain.time.clock import (
    Budget,
    ClockNotRunning,
    ClockNotStopped,
    Due,
    ExtendedAlready,
    Extension,
    Ledger,
    Stop,
    consumed,
    deemed_accepted,
    due,
    extend,
    pause,
    resume,
)
from server.domain.values import CHINA
from server.tools.publications import load_calendar
from tests.catalogue.shipped import CONFIG

CALENDAR = load_calendar(CONFIG / "regions")
DAY = timedelta(days=1)
HEARING: dict[str, Any] = {"reason": "听证", "notice": "听证需要十个工作日，不计入办理时限。", "days": 10}
TEN_MORE = Extension(days=10, approver="局长", reason="案情复杂")
BUDGETS: tuple[Budget, ...] = ("legal", "promised")


def china(month: int, day: int, hour: int = 10, *, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, tzinfo=CHINA)


def ledger(accepted_at: datetime, *, legal: int = 20, promised: int = 5) -> Ledger:
    return Ledger(accepted_at=accepted_at, legal_days=legal, promised_days=promised)


def sure(month: int, day: int, *, year: int = 2026) -> Due:
    return Due(on=date(year, month, day), is_confirmed=True)


# Any life of a clock: when it was accepted, and the hours until it was stopped, went on, was stopped again ...

START = datetime(2025, 9, 1, tzinfo=CHINA)
HOURS = st.lists(st.integers(0, 24 * 40), max_size=9)
BEGINNINGS = st.builds(lambda hours: START + timedelta(hours=hours), st.integers(0, 24 * 400))
DAYS = st.integers(1, 45)


def live(accepted_at: datetime, hours: list[int]) -> Ledger:
    told, at = ledger(accepted_at), accepted_at
    for number, later in enumerate(hours):
        at += timedelta(hours=later)
        told = resume(told, at) if number % 2 else pause(told, at, **HEARING)
    return told


LIVES = st.builds(live, BEGINNINGS, HOURS)


def by_hand(told: Ledger, at: date) -> int:
    """The rule of days, day by day: those of a stop are the ones after it up to the day on which the clock went on."""
    day, count = told.accepted_at.astimezone(CHINA).date(), 0
    while day < at:
        day += DAY
        is_stopped = False
        for stop in told.stops:
            until = stop.resumed_at.astimezone(CHINA).date() if stop.resumed_at else date.max
            is_stopped |= stop.stopped_at.astimezone(CHINA).date() < day <= until
        count += CALENDAR.is_working(day) and not is_stopped
    return count


# What is used up.


@given(LIVES, st.dates(date(2025, 8, 1), date(2027, 6, 1)), st.randoms())
def test_in_whatever_order_stops_are_told_the_days_used_up_are_those_counted_by_hand(
    told: Ledger, at: date, random: Any
) -> None:
    stops = list(told.stops)
    random.shuffle(stops)
    assert consumed(told.model_copy(update={"stops": tuple(stops)}), CALENDAR, at) == by_hand(told, at)


@given(LIVES.filter(lambda told: told.open_stop), st.integers(0, 400))
def test_while_the_clock_is_stopped_nothing_is_used_up(told: Ledger, later: int) -> None:
    stop = told.open_stop
    assert stop
    stopped_on = stop.stopped_at.astimezone(CHINA).date()
    before = consumed(told, CALENDAR, stopped_on)
    assert consumed(told, CALENDAR, stopped_on + DAY * later) == before
    gone_on = resume(told, stop.stopped_at + DAY * later)
    assert consumed(gone_on, CALENDAR, stopped_on + DAY * later) == before


@given(LIVES.filter(lambda told: not told.open_stop), st.integers(0, 400))
def test_stopping_changes_nothing_of_what_is_used_up_already(told: Ledger, later: int) -> None:
    at = max([told.accepted_at, *(stop.resumed_at for stop in told.stops if stop.resumed_at)]) + DAY * later
    on = at.astimezone(CHINA).date()
    assert consumed(pause(told, at, **HEARING), CALENDAR, on) == consumed(told, CALENDAR, on)


@given(LIVES, st.dates(date(2025, 8, 1), date(2027, 6, 1)))
def test_a_day_uses_up_one_day_or_none(told: Ledger, at: date) -> None:
    used = consumed(told, CALENDAR, at + DAY) - consumed(told, CALENDAR, at)
    assert used in ((0, 1) if CALENDAR.is_working(at + DAY) else (0,))


def test_the_day_of_acceptance_is_not_counted() -> None:
    told = ledger(china(11, 23))
    assert [consumed(told, CALENDAR, date(2026, 11, day)) for day in (22, 23, 24, 27, 28, 30)] == [0, 0, 1, 4, 4, 5]


def test_the_day_of_the_stop_is_counted_and_that_of_going_on_is_not() -> None:
    told = resume(pause(ledger(china(11, 23)), china(11, 25), **HEARING), china(11, 30))
    assert [consumed(told, CALENDAR, date(2026, 11, day)) for day in (24, 25, 26, 27, 30)] == [1, 2, 2, 2, 2]
    assert consumed(told, CALENDAR, date(2026, 12, 1)) == 3


def test_a_stop_within_one_day_costs_nothing() -> None:
    told = resume(pause(ledger(china(11, 23)), china(11, 25, 9), **HEARING), china(11, 25, 17))
    assert due(told, CALENDAR, "promised") == due(ledger(china(11, 23)), CALENDAR, "promised")


def test_a_day_on_which_it_goes_on_and_is_stopped_again_is_not_counted() -> None:
    told = resume(pause(ledger(china(11, 23)), china(11, 24), **HEARING), china(11, 26, 9))
    told = resume(pause(told, china(11, 26, 17), **HEARING), china(11, 30))
    assert consumed(told, CALENDAR, date(2026, 11, 30)) == 1


# Which day it is.

EVE = datetime(2026, 11, 23, 15, 59, 59, 999000, tzinfo=UTC)  # the last millisecond of the 23rd in China
NIGHT = datetime(2026, 11, 23, 16, tzinfo=UTC)  # the 24th in China, the 23rd in London


@pytest.mark.parametrize(("accepted_at", "on"), [(EVE, 30), (NIGHT, 31)])
def test_the_day_of_acceptance_is_that_in_china(accepted_at: datetime, on: int) -> None:
    assert due(ledger(accepted_at), CALENDAR, "promised").on == date(2026, 11, 1) + DAY * (on - 1)


@pytest.mark.parametrize(("stopped_at", "used"), [(EVE, 1), (NIGHT, 2)])
def test_the_day_of_the_stop_is_that_in_china(stopped_at: datetime, used: int) -> None:
    told = pause(ledger(china(11, 20)), stopped_at, **HEARING)
    assert consumed(told, CALENDAR, date(2026, 11, 30)) == used


@pytest.mark.parametrize(("resumed_at", "used"), [(EVE, 5), (NIGHT, 4)])
def test_the_day_of_going_on_is_that_in_china(resumed_at: datetime, used: int) -> None:
    told = resume(pause(ledger(china(11, 19)), china(11, 19, 11), **HEARING), resumed_at)
    assert consumed(told, CALENDAR, date(2026, 11, 30)) == used


@given(BEGINNINGS, st.integers(-12, 14))
def test_no_other_time_zone_decides_a_day(accepted_at: datetime, offset: int) -> None:
    elsewhere = accepted_at.astimezone(timezone(timedelta(hours=offset)))
    assert due(ledger(elsewhere), CALENDAR, "legal") == due(ledger(accepted_at), CALENDAR, "legal")


# When it is due.


@given(LIVES.filter(lambda told: not told.open_stop), DAYS)
def test_the_due_day_is_the_first_on_which_the_budget_is_used_up(told: Ledger, days: int) -> None:
    told = told.model_copy(update={"legal_days": days})
    found = due(told, CALENDAR, "legal")
    assert found.on
    assert consumed(told, CALENDAR, found.on) == days
    assert consumed(told, CALENDAR, found.on - DAY) == days - 1
    assert found.is_confirmed == (found.on <= date(2027, 1, 1))


def test_both_budgets_have_a_day_of_their_own() -> None:
    told = ledger(china(11, 23))
    assert due(told, CALENDAR, "promised") == sure(11, 30)
    assert due(told, CALENDAR, "legal") == sure(12, 21)


def test_what_is_told_of_a_running_clock_names_no_special_procedure() -> None:
    assert due(ledger(china(11, 23)), CALENDAR, "promised").reason == ""


def test_whether_the_day_of_acceptance_is_known_does_not_matter_as_it_is_not_counted() -> None:
    eve = datetime.combine(CALENDAR.known_from - DAY, time(10), CHINA)
    assert due(ledger(eve), CALENDAR, "promised").is_confirmed
    assert not due(ledger(eve - DAY), CALENDAR, "promised").is_confirmed


def test_twenty_days_over_the_spring_festival() -> None:
    told = ledger(china(2, 9), promised=6)
    assert due(told, CALENDAR, "promised") == sure(2, 24)
    assert due(told, CALENDAR, "legal") == sure(3, 13)
    assert consumed(told, CALENDAR, date(2026, 2, 23)) == 5


def test_a_stop_over_national_day() -> None:
    told = pause(ledger(china(9, 18)), china(9, 24), **HEARING)
    # used: Sunday the 20th, which is worked, and the 21st to 24th
    assert consumed(told, CALENDAR, date(2026, 10, 15)) == 5
    told = resume(told, china(10, 15))
    assert due(told, CALENDAR, "promised") == sure(9, 24)
    assert due(told, CALENDAR, "legal") == sure(11, 5)


def test_a_day_beyond_what_is_known_is_told_and_unconfirmed() -> None:
    told = ledger(china(12, 4))
    assert due(told, CALENDAR, "promised") == sure(12, 11)
    # nineteen days to the 31st; the 1st is off, and after it come a Saturday and a Sunday nobody is sure of
    assert consumed(told, CALENDAR, date(2026, 12, 31)) == 19
    assert due(told, CALENDAR, "legal") == Due(on=date(2027, 1, 4), is_confirmed=False)


def test_a_stop_that_runs_into_2027_is_unconfirmed() -> None:
    told = pause(ledger(china(12, 7)), china(12, 9), **HEARING | {"days": 18})
    # eighteen working days: sixteen to the 31st, then Monday 4 and Tuesday 5 January, if they are worked
    assert due(told, CALENDAR, "promised") == Due(
        on=None, is_confirmed=False, earliest_on=date(2027, 1, 8), reason="听证"
    )
    assert due(resume(told, china(12, 28)), CALENDAR, "promised") == sure(12, 31)


def test_a_stopped_clock_has_no_due_day_but_an_earliest_one() -> None:
    told = pause(ledger(china(11, 23)), china(11, 25), **HEARING)
    # the hearing needs the ten days to 9 December; three of the five days are left then
    stopped = Due(on=None, is_confirmed=True, earliest_on=date(2026, 12, 14), reason="听证")
    assert due(told, CALENDAR, "promised") == stopped
    assert due(resume(told, china(12, 9)), CALENDAR, "promised") == sure(12, 14)


def test_what_was_used_up_before_the_stop_stays_due_then() -> None:
    told = pause(ledger(china(11, 23)), china(11, 30), **HEARING)
    assert due(told, CALENDAR, "promised") == sure(11, 30)
    assert due(told, CALENDAR, "legal").on is None


def test_an_overdue_step_goes_on_using_up_days() -> None:
    told = ledger(china(11, 23))
    assert due(told, CALENDAR, "promised") == sure(11, 30)
    assert consumed(told, CALENDAR, date(2026, 11, 30)) == told.days("promised")
    assert consumed(told, CALENDAR, date(2026, 12, 2)) == told.days("promised") + 2


@given(st.integers(1, 60))
def test_half_four_fifths_and_all_are_used_up_on_the_working_day_of_that_number(days: int) -> None:
    told = ledger(china(3, 2), legal=10 * days)
    for used in (5 * days, 8 * days, 10 * days):
        on = add_working_days(told.accepted_on, used, CALENDAR)
        assert consumed(told, CALENDAR, on - DAY) < used == consumed(told, CALENDAR, on)
    assert due(told, CALENDAR, "legal").on == on


# What may be done to it.


def test_an_extension_adds_to_both_budgets() -> None:
    told = extend(ledger(china(11, 23)), TEN_MORE)
    assert [told.days(budget) for budget in BUDGETS] == [30, 15]
    assert due(told, CALENDAR, "promised") == sure(12, 14)


def test_a_stopped_clock_may_be_extended() -> None:
    told = extend(pause(ledger(china(11, 23)), china(11, 25), **HEARING), TEN_MORE)
    assert due(told, CALENDAR, "promised").earliest_on == date(2026, 12, 28)


def test_a_second_extension_is_refused() -> None:
    with pytest.raises(ExtendedAlready):
        extend(extend(ledger(china(11, 23)), TEN_MORE), TEN_MORE)


RUNNING = ledger(china(11, 23))
STOPPED = pause(RUNNING, china(11, 25), **HEARING)
GONE_ON = resume(STOPPED, china(11, 27))


@pytest.mark.parametrize(
    "wish",
    [
        lambda: pause(STOPPED, china(11, 26), **HEARING),
        lambda: pause(RUNNING, china(11, 23, 9), **HEARING),
        lambda: pause(GONE_ON, china(11, 26), **HEARING),
    ],
    ids=["stopped", "before acceptance", "in the time of a stop"],
)
def test_a_clock_that_does_not_run_cannot_be_stopped(wish: Callable[[], Ledger]) -> None:
    with pytest.raises(ClockNotRunning):
        wish()


@pytest.mark.parametrize(
    "wish",
    [
        lambda: resume(RUNNING, china(11, 26)),
        lambda: resume(STOPPED, china(11, 24)),
        lambda: resume(GONE_ON, china(11, 28)),
    ],
    ids=["never stopped", "before the stop", "gone on"],
)
def test_a_clock_that_is_not_stopped_cannot_go_on(wish: Callable[[], Ledger]) -> None:
    with pytest.raises(ClockNotStopped):
        wish()


def test_the_ledger_keeps_what_was_told_and_the_former_one_stays_as_it_was() -> None:
    assert RUNNING.stops == ()
    assert STOPPED.open_stop == Stop(stopped_at=china(11, 25), **HEARING)
    assert GONE_ON.stops == (Stop(stopped_at=china(11, 25), resumed_at=china(11, 27), **HEARING),)
    assert Ledger.model_validate_json(GONE_ON.model_dump_json()) == GONE_ON


def test_what_nobody_answered_counts_from_the_day_its_material_came() -> None:
    told = deemed_accepted(china(11, 16), legal_days=20, promised_days=5)
    assert told.is_deemed
    assert not ledger(china(11, 16)).is_deemed
    assert consumed(told, CALENDAR, date(2026, 11, 24)) == 6
    assert due(told, CALENDAR, "promised") == sure(11, 23)
