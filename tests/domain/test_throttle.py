"""The pace of sign-ins: what is free, how pauses grow, where they end, and when a lane is forgotten."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.throttle import (
    OF_ADDRESS,
    OF_FAMILIAR_ADDRESS,
    OF_NAME,
    PATIENCE,
    Lane,
    Pace,
    TooManyAttempts,
    network_of,
    slot_of,
)
from tests.world import MONDAY


def take(lane: Lane, pace: Pace, seconds: float = 0.0) -> Lane:
    at = MONDAY + timedelta(seconds=seconds)
    return lane.taken(pace, at, not_before=at)


def patient_attempts(pace: Pace, count: int) -> Iterator[float]:
    """The seconds after each attempt until the next may be made, for somebody who always waits."""
    lane, at = Lane(id="some"), MONDAY
    for _ in range(count):
        lane = lane.taken(pace, at, not_before=at)
        assert lane.tried_at == at
        after = lane.free_at or at
        yield (after - at).total_seconds()
        at = after


@pytest.mark.parametrize(
    ("pace", "pauses"),
    [
        (OF_NAME, [0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]),
        (OF_ADDRESS, [*[0] * 20, 1, 2, 4, 8, 16, 32, 60, 60]),
        (OF_FAMILIAR_ADDRESS, [*[0] * 20, 1, 1, 1]),
    ],
    ids=["a name", "an address", "a familiar address"],
)
def test_pauses_double_from_the_first_that_is_not_free_and_end_at_their_bound(pace: Pace, pauses: list[float]):
    assert list(patient_attempts(pace, len(pauses))) == pauses


def test_the_pause_stays_at_its_bound_however_often_it_fails():
    assert OF_NAME.pause(10**9) == timedelta(seconds=60)


def test_guesses_at_once_queue_up_and_those_behind_five_seconds_are_refused():
    lane = Lane(id="some")
    for seconds in (0, 0, 0, 0, 1, 3):
        lane = take(lane, OF_NAME)
        assert lane.tried_at == MONDAY + timedelta(seconds=seconds)
    with pytest.raises(TooManyAttempts) as caught:
        take(lane, OF_NAME)
    assert caught.value.more == {"retry_after_seconds": 7}


def test_who_is_refused_takes_no_place():
    lane = Lane(id="some", failures=9, free_at=MONDAY + timedelta(seconds=6), version=9)
    with pytest.raises(TooManyAttempts) as caught:
        slot_of([Lane(id="other"), lane], MONDAY)
    assert caught.value.more == {"retry_after_seconds": 6}
    assert slot_of([Lane(id="other"), lane], MONDAY + timedelta(seconds=1)) == lane.free_at


def test_success_ends_the_failures_of_a_name_and_only_its_own_of_an_address():
    lane = Lane(id="some", failures=7, free_at=MONDAY + timedelta(hours=1), tried_at=MONDAY, version=3)
    assert (lane.cleared().failures, lane.cleared().free_at, lane.cleared().version) == (0, None, 4)
    forgiven = lane.forgiven(MONDAY)
    assert (forgiven.failures, forgiven.version) == (6, 4)
    assert forgiven.is_familiar(MONDAY + timedelta(days=29))
    assert not forgiven.is_familiar(MONDAY + timedelta(days=30))
    assert Lane(id="some").forgiven(MONDAY).failures == 0


def test_the_first_success_ends_a_long_pause_of_its_address():
    lane = Lane(id="some", failures=40, free_at=MONDAY + timedelta(seconds=60), tried_at=MONDAY, version=3)
    assert lane.forgiven(MONDAY).free_at == MONDAY + timedelta(seconds=1)
    assert lane.model_copy(update={"failures": 20}).forgiven(MONDAY).free_at is None


def test_free_attempts_of_a_clock_a_little_ahead_hold_nobody_up():
    lane = take(Lane(id="some"), OF_NAME, seconds=30)
    assert lane.next_slot(MONDAY) == MONDAY


@pytest.mark.parametrize("ahead", [timedelta(seconds=61), timedelta(days=365)])
def test_a_clock_that_ran_ahead_holds_nobody_up(ahead: timedelta):
    lane = Lane(id="some", failures=50, tried_at=MONDAY + ahead, free_at=MONDAY + ahead + timedelta(seconds=60))
    taken = take(lane, OF_NAME)
    assert (taken.tried_at, taken.free_at) == (MONDAY, MONDAY + timedelta(seconds=60))


def test_failures_are_forgotten_after_a_day_without_an_attempt():
    lane = Lane(id="some", failures=50, tried_at=MONDAY, free_at=MONDAY)
    assert take(lane, OF_NAME, seconds=86_400).failures == 51
    assert take(lane, OF_NAME, seconds=86_401).failures == 1


def test_a_lane_is_kept_for_as_long_as_it_says_anything():
    assert Lane(id="some").kept_until(MONDAY) == MONDAY + timedelta(days=1)
    assert Lane(id="some").forgiven(MONDAY).kept_until(MONDAY) == MONDAY + timedelta(days=30)


@given(st.lists(st.floats(min_value=0, max_value=100), max_size=40))
def test_attempts_of_a_lane_keep_their_pauses_whenever_they_come(spans: list[float]):
    lane, at, made = Lane(id="some"), MONDAY, []
    for span in spans:
        at += timedelta(seconds=span)
        before = lane
        try:
            lane = lane.taken(OF_NAME, at, not_before=at)
        except TooManyAttempts:
            assert lane == before
            continue
        assert lane.tried_at is not None
        assert at <= lane.tried_at <= at + PATIENCE
        made.append(lane.tried_at)
    gaps = [later - earlier for earlier, later in pairwise(made)]
    assert all(gap >= OF_NAME.pause(number + 1) - timedelta(milliseconds=1) for number, gap in enumerate(gaps))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8:0:0:ffff::9", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("", ""),
        ("a socket", "a socket"),
    ],
)
def test_a_subscriber_has_one_address_of_ipv4_or_a_network_of_ipv6(address: str, network: str):
    assert network_of(address) == network
