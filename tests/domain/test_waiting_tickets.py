"""Tickets: lots before the hour, arrival after it, turns in the order of places, and when to ask again."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.waiting.tickets import arrivals_passed, first_turn_at, outlook, turn_at
from tests.domain.peaks import PEAK, lot, peak, ticket

SECOND = timedelta(seconds=1)
PARTS = st.floats(0, 1, exclude_max=True)
MANY = st.integers(0, 1_000_000)


@given(st.lists(PARTS, min_size=2, max_size=30), MANY)
def test_turns_come_in_the_order_of_lots_and_all_of_them_before_who_came_after_the_hour(parts: list[float], many: int):
    settled = [ticket(part).settled(PEAK, many) for part in sorted(parts)]
    settled += [ticket(parts[0], arrival=number).settled(PEAK, many) for number in range(3)]
    assert all(one.in_front <= other.in_front for one, other in pairwise(settled))
    assert all(one.turn_at <= other.turn_at for one, other in pairwise(settled))
    assert all(each.in_front < many for each in settled[:-3] if many)
    assert [each.in_front for each in settled[-3:]] == [many, many + 1, many + 2]


@given(MANY)
def test_so_many_are_let_in_each_second_from_the_first_turn_on(in_front: int):
    after_seconds = (turn_at(PEAK, in_front) - first_turn_at(PEAK)).total_seconds()
    assert after_seconds == pytest.approx(in_front / PEAK.per_second, abs=0.002)


@given(PARTS, MANY, MANY)
def test_a_place_that_was_given_is_kept_whatever_is_heard_later(part: float, many: int, others: int):
    given_place = ticket(part).settled(PEAK, many)
    assert given_place.settled(PEAK, others) == given_place
    assert given_place.settled(peak(per_second=1), many) == given_place


def test_nothing_is_settled_before_all_have_drawn():
    assert ticket().settled(PEAK, None) == ticket()
    told = outlook(ticket(), PEAK, people=1000, at=PEAK.joins_at)
    assert (told.state, told.in_front) == ("drawing", None)
    assert told.turn_at == turn_at(PEAK, 500)
    assert told.expected_wait_seconds == 3600 + 3 + 50


def test_who_comes_in_a_quiet_hour_has_their_turn_at_once_and_a_second_rush_has_not():
    at = first_turn_at(PEAK) + timedelta(hours=1)
    passed = arrivals_passed(PEAK, 1000, at)
    assert passed == 36_000 - 1000
    now, later = (ticket(arrival=passed + more).settled(PEAK, 1000) for more in (0, 50))
    assert outlook(now, PEAK, people=1000, at=at).state == "open"
    assert outlook(later, PEAK, people=1000, at=at).expected_wait_seconds == 5
    assert arrivals_passed(PEAK, 40_000, at) == 0
    assert arrivals_passed(PEAK, None, at) == 0
    assert arrivals_passed(PEAK, 0, PEAK.opens_at) == 0


@given(PARTS, MANY, st.floats(-86_400, 200_000))
def test_nobody_is_told_to_ask_after_their_turn(part: float, many: int, seconds: float):
    at = PEAK.opens_at + timedelta(seconds=seconds)
    settled = outlook(ticket(part).settled(PEAK, many), PEAK, people=many, at=at)
    assert 0 <= settled.poll_after_seconds <= settled.expected_wait_seconds
    assert (settled.poll_after_seconds == 0) == (settled.state == "open")
    drawing = outlook(ticket(part), PEAK, people=many, at=at)
    assert 1 <= drawing.poll_after_seconds <= max(3, drawing.expected_wait_seconds + 1)


def test_who_comes_long_before_the_hour_asks_seldom_and_not_with_all_others():
    at = PEAK.opens_at - timedelta(hours=4)
    held = [ticket().model_copy(update={"lot": lot(0.5) + n * 0x1000}) for n in range(16)]
    asked = [outlook(each, PEAK, people=16, at=at).poll_after_seconds for each in held]
    assert len(set(asked)) == len(asked)
    assert all(2700 <= seconds <= 3601 for seconds in asked)


@given(PARTS, st.integers(0, 10_000))
def test_who_asks_when_told_knows_their_place_before_their_turn(part: float, many: int):
    at = PEAK.opens_at - timedelta(seconds=20)
    told = outlook(ticket(part), PEAK, people=many, at=at)
    asks_at = at + timedelta(seconds=told.poll_after_seconds)
    assert first_turn_at(PEAK) <= asks_at <= ticket(part).settled(PEAK, many).turn_at + SECOND


def test_those_who_drew_do_not_all_ask_in_the_same_second():
    at = PEAK.opens_at - SECOND
    asked = [outlook(ticket(n / 1000), PEAK, people=1000, at=at).poll_after_seconds for n in range(1000)]
    busiest = max(asked.count(second) for second in set(asked))
    assert busiest <= 4 * PEAK.per_second + 1
