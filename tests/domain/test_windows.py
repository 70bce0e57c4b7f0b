"""Windows: what they receive, when they are open, and which is nearest."""

from datetime import date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from server.domain.catalogue.items import Competence, Item, LevelRule
from server.domain.catalogue.windows import Hours, Window, Windows, nearest_first
from server.domain.values import CHINA

SAMPLE: dict[str, Any] = {"source": "tests", "status": "sample"}
MONDAY_TO_FRIDAY = (1, 2, 3, 4, 5)
USUAL = Hours(days=MONDAY_TO_FRIDAY, am="09:00-12:00", pm="13:30-17:00")
ITEM = Item(
    code="birth_registration",
    name="生育登记",
    type="service",
    department="health",
    jurisdiction="home",
    competence=Competence(levels=(LevelRule(level="county"),), **SAMPLE),
    legal_days=1,
    promised_days=1,
    **SAMPLE,
)


def window(**change: Any) -> Window:
    usual = {"id": "w1", "name": "窗口", "kind": "hall", "division": "320102", "hours": (USUAL,)}
    return Window.model_validate({**usual, "seen_on": date(2026, 11, 1), **SAMPLE, **change})


def in_china(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2026, whose 23rd is a Monday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=CHINA)


@pytest.mark.parametrize(
    "change",
    [
        {"division": "3201"},
        {"division": "3201020"},
        {"kind": "tent"},
        {"lat": 32.0},
        {"lat": 91, "lon": 118},
        {"hours": [{"days": [], "am": "09:00-12:00"}]},
        {"hours": [{"days": [8], "am": "09:00-12:00"}]},
        {"hours": [{"days": [1]}]},
        {"hours": [{"days": [1], "am": "12:00-09:00"}]},
        {"hours": [{"days": [1], "am": "09:00-12:00", "pm": "11:00-17:00"}]},
        {"hours": [{"days": [1], "am": "9-12"}]},
        {"hours": [{"days": [1], "am": "09:00-24:00"}]},
        {"hours": [{"days": [1], "am": "09:00-12:00", "from_day": "13-01"}]},
        {"phones": [""]},
    ],
)
def test_what_is_no_window_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        window(**change)


@pytest.mark.parametrize(
    ("at", "is_working", "is_open"),
    [
        (in_china(23, 9), True, True),
        (in_china(23, 8, 59), True, False),
        (in_china(23, 12), True, False),
        (in_china(23, 13, 30), True, True),
        (in_china(23, 17), True, False),
        (in_china(23, 10), False, False),  # a holiday
        (in_china(22, 10), False, False),  # a Sunday
        (in_china(22, 10), True, True),  # one that is worked
    ],
)
def test_it_is_open_by_its_hours_and_by_the_calendar(at: datetime, *, is_working: bool, is_open: bool) -> None:
    assert window().is_open(at, is_working=is_working) is is_open


def test_a_window_with_hours_at_the_weekend_is_open_then() -> None:
    saturday = window(hours=(USUAL, Hours(days=(6,), am="09:00-11:00")))
    assert saturday.is_open(in_china(21, 10), is_working=False)
    assert not saturday.is_open(in_china(22, 10), is_working=False)


def test_it_is_closed_on_days_that_it_names_and_when_it_is_gone() -> None:
    assert window(closed=[date(2026, 11, 23)]).is_open(in_china(23, 10), is_working=True) is False
    assert window(to_day=date(2026, 11, 22)).is_open(in_china(23, 10), is_working=True) is False


def test_nobody_knows_whether_it_is_open_without_hours_or_when_unseen_for_a_year() -> None:
    assert window(hours=()).is_open(in_china(23, 10), is_working=True) is None
    assert window(seen_on=date(2025, 11, 23)).is_open(in_china(23, 10), is_working=True) is True
    assert window(seen_on=date(2025, 11, 22)).is_open(in_china(23, 10), is_working=True) is None


def test_seasons_go_over_the_new_year() -> None:
    winter = Hours(from_day="10-01", to_day="04-30", days=(1,), am="09:00-12:00")
    summer = Hours(from_day="05-01", to_day="09-30", days=(1,), am="09:00-12:00")
    assert [winter.is_season(day) for day in ("10-01", "12-31", "01-01", "04-30", "05-01")] == [True] * 4 + [False]
    assert [summer.is_season(day) for day in ("04-30", "05-01", "09-30", "10-01")] == [False, True, True, False]
    assert not winter.overlaps(summer)
    assert not summer.overlaps(winter)


@pytest.mark.parametrize(
    ("change", "overlaps"),
    [
        ({"days": (1, 6), "am": "11:59-12:30"}, True),
        ({"days": (1,), "am": "12:00-13:30"}, False),
        ({"days": (6,), "am": "09:00-12:00"}, False),
        ({"days": (1,), "am": "09:00-12:00", "from_day": "12-31", "to_day": "01-01"}, True),
    ],
)
def test_hours_overlap_where_they_tell_of_the_same_minute(change: dict[str, Any], *, overlaps: bool) -> None:
    assert USUAL.overlaps(Hours(**change)) is Hours(**change).overlaps(USUAL) is overlaps


@pytest.mark.parametrize(
    ("change", "receives"),
    [
        ({}, True),
        ({"departments": ["health"]}, True),
        ({"departments": ["taxation"]}, False),
        ({"items": ["birth_registration"]}, True),
        ({"items": ["childcare_subsidy_grant"]}, False),
        ({"authorities": ["health/320102"]}, True),
        ({"authorities": ["health/320104"]}, False),
        ({"authorities": ["health/320104"], "departments": ["health"]}, True),
    ],
)
def test_it_receives_what_it_names_or_everything(change: dict[str, Any], *, receives: bool) -> None:
    assert window(**change).receives(ITEM, authority="health/320102") is receives


def test_those_of_a_county_are_its_towns_too_and_only_those_of_the_day() -> None:
    known = Windows(
        windows=(
            window(id="town", division="320102001"),
            window(id="hall"),
            window(id="village", division="320102001003"),
            window(id="other", division="320104"),
            window(id="gone", to_day=date(2026, 11, 22)),
        )
    )
    monday = date(2026, 11, 23)
    assert [each.id for each in known.inside("320102", on=monday)] == ["hall", "town", "village"]
    assert [each.id for each in known.inside("320100", on=monday)] == ["hall", "town", "village", "other"]
    assert known.find("gone", on=monday) is None
    assert known.find("gone", on=date(2026, 11, 22)) is known.by_id["gone"]
    assert known.find("never", on=monday) is None


def test_the_nearest_comes_first_and_those_without_a_place_last() -> None:
    far, near = window(id="far", lat=32.1, lon=118.9), window(id="near", lat=32.06, lon=118.79)
    nowhere = window(id="nowhere")
    found = nearest_first([nowhere, far, near], lat=32.05, lon=118.79)
    assert [each.id for each in found] == ["near", "far", "nowhere"]
    assert near.metres_from(32.05, 118.79) == 1112  # a hundredth of a degree: 6,371 km * pi / 18,000
    assert nowhere.metres_from(32.05, 118.79) is None
    assert window(lat=0, lon=0).metres_from(0, 180) == 20_015_087  # half around the earth
