"""Peaks: when they are on, what falls under them, and which of them are refused."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from server.domain.catalogue.peaks import Peaks
from tests.domain.peaks import PEAK, peak
from tests.world import MONDAY

SECOND = timedelta(seconds=1)


def test_a_peak_is_on_from_when_one_may_join_until_it_closes():
    assert not PEAK.is_on(PEAK.joins_at - SECOND)
    assert PEAK.is_on(PEAK.joins_at)
    assert PEAK.is_on(PEAK.closes_at - SECOND)
    assert not PEAK.is_on(PEAK.closes_at)


@pytest.mark.parametrize(
    ("divisions", "division", "is_about"),
    [
        ((), "320102", True),
        ((), "", True),
        (("320100",), "320102", True),
        (("320100",), "320100", True),
        (("320102",), "320100", True),
        (("320102",), "", True),
        (("320100",), "320508", False),
        (("320508", "320102"), "320102", True),
        (("320102",), "320104", False),
    ],
)
def test_an_application_falls_under_a_peak_of_its_place(divisions: tuple[str, ...], division: str, is_about: bool):
    assert peak(divisions=divisions).is_about("newborn", division) is is_about
    assert not peak(divisions=divisions).is_about("retirement", division)


def test_the_peak_of_an_application_is_found_while_it_is_on():
    peaks = Peaks(peaks=(peak(id="other", bundle="retirement"), PEAK))
    assert peaks.on_for("newborn", "320102", at=MONDAY) == PEAK
    assert peaks.on_for("newborn", "320102", at=PEAK.closes_at) is None
    assert peaks.on_for("school_enrolment", "", at=MONDAY) is None
    assert peaks.by_id == {"other": peaks.peaks[0], PEAK.id: PEAK}


def test_two_peaks_meet_if_they_are_on_at_once_for_the_same_application():
    assert PEAK.meets(peak(id="other", divisions=["320102"]))
    assert not peak(divisions=["320104"]).meets(peak(divisions=["320102"]))
    assert not PEAK.meets(peak(bundle="retirement"))
    later = {"joins_at": PEAK.closes_at, "opens_at": PEAK.closes_at + SECOND, "closes_at": PEAK.closes_at + 2 * SECOND}
    assert not PEAK.meets(peak(**later))


@pytest.mark.parametrize(
    "wrong",
    [
        {"opens_at": PEAK.joins_at},
        {"closes_at": PEAK.opens_at},
        {"opens_at": MONDAY.replace(tzinfo=None)},
        {"per_second": 0},
        {"per_second": float("inf")},
        {"id": "2026-enrolment"},
        {"id": "a:b"},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_no_peak(wrong: dict[str, object]):
    with pytest.raises(ValidationError):
        peak(**wrong)
