"""The commands that measure faults take bounded wishes only, and tell what they measured."""

import argparse

import pytest

from tests.faults.chaos import minutes_from
from tests.faults.outages import Outage, described, rate_from, seconds_from
from tests.faults.reckoning import Reckoning

OUTAGE = Outage(10.0, Reckoning(20, 80, 79, 1, 0), 15, 2.345, 6.0)


def test_an_outage_is_a_row_and_a_flat_object() -> None:
    assert OUTAGE.row() == "| 10 s | 20 | 80 | 79 | 1 | 0 | 0 | 15 | 2.3 s |"
    assert described(OUTAGE) == {
        "cases": 20,
        "letters": 80,
        "delivered": 79,
        "lost": 1,
        "doubled": 0,
        "alarms": 0,
        "seconds": 10.0,
        "waiting": 15,
        "drain_seconds": 2.345,
        "quiet_seconds": 6.0,
    }
    assert not OUTAGE.reckoning.is_clean


def test_wishes_within_bounds_are_taken() -> None:
    assert seconds_from("10,0.5,3600") == [10, 0.5, 3600]
    assert (rate_from("0.1"), rate_from("10"), minutes_from("1440")) == (0.1, 10, 1440)


@pytest.mark.parametrize(
    ("read", "text"),
    [
        *((seconds_from, text) for text in ("", "0", "-1", "3601", "nan", "inf", "10;20", "10,")),
        *((rate_from, text) for text in ("", "0", "11", "nan", "inf", "x")),
        *((minutes_from, text) for text in ("", "0", "1441", "nan", "inf", "x")),
    ],
)
def test_other_wishes_are_refused(read: object, text: str) -> None:
    assert callable(read)
    with pytest.raises(argparse.ArgumentTypeError):
        read(text)
