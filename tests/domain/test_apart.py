"""What could not be handled: when it is tried again, when it is set apart, and when it is over."""

from datetime import timedelta

import pytest

from server.domain.apart import PAUSES, QUIET, SetApart, dropped, failed, over, released
from tests.world import MONDAY, later

FAULT = ("OverflowError", "server.domain.time.clock.due:88")


def first() -> SetApart:
    return failed(None, "letter", "abc", fault=FAULT, at=MONDAY)


def again(row: SetApart, **span: float) -> SetApart:
    return failed(row, row.kind, row.thing, fault=("KeyError", "regions.settling.settle:1"), at=later(**span))


def test_a_first_failure_is_tried_again_after_a_second_and_names_the_exception():
    row = first()
    assert (row.id, row.state, row.tries, row.version) == ("letter:abc", "trying", 1, 1)
    assert (row.fault, row.place) == FAULT
    assert row.next_at == later(seconds=1)


def test_the_pauses_grow_and_the_failure_after_the_last_sets_it_apart():
    row, at, pauses = first(), MONDAY, []
    while row.state == "trying":
        pauses.append(row.next_at - at)
        at = row.next_at
        row = failed(released(row, at=at), row.kind, row.thing, fault=FAULT, at=at)
    assert pauses == [timedelta(seconds=each) for each in (1, 5, 25, 125, 625)]
    assert (row.state, row.tries, row.next_at) == ("apart", len(PAUSES) + 1, at)
    assert row.first_at == MONDAY


def test_a_failure_before_its_time_counts_for_nothing():
    row = first()
    assert again(row, milliseconds=999) is row
    assert again(row, seconds=1).tries == 2


def test_what_is_set_apart_stays_so_whatever_it_raises():
    row = first().model_copy(update={"state": "apart"})
    assert again(row, hours=9) is row


def test_what_fails_again_after_it_was_over_begins_anew():
    row = over(released(first(), at=later(seconds=1)), at=later(hours=2))
    fresh = again(row, hours=3)
    assert (fresh.state, fresh.tries, fresh.first_at, fresh.version) == ("trying", 1, later(hours=3), 4)


def test_a_release_gives_it_an_hour_and_an_operators_release_all_its_tries():
    row = again(first(), seconds=2)
    assert released(row, at=MONDAY).next_at == MONDAY + QUIET
    assert released(row, at=MONDAY).tries == 2
    assert released(row, at=MONDAY, is_anew=True).tries == 0
    assert again(released(row, at=MONDAY, is_anew=True), seconds=3).tries == 1


@pytest.mark.parametrize(
    ("row", "is_open"),
    [
        (first(), True),
        (released(first(), at=MONDAY), True),
        (first().model_copy(update={"state": "apart"}), True),
        (over(first(), at=MONDAY), False),
        (dropped(first(), at=MONDAY), False),
    ],
    ids=lambda value: value.state if isinstance(value, SetApart) else "",
)
def test_what_is_over_or_dropped_needs_nobody(row: SetApart, is_open: bool):
    assert row.is_open is is_open
