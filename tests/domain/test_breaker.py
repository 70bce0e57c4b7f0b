"""The breaker: when the next attempt may be made, whatever comes in which order."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.exchange.circuit_breaker import (
    Breaker,
    breaker,
    brought_forward,
    due_at,
    failed,
    gone_back,
    in_next_stream,
    is_superseded,
    probing,
    sign_of_life,
    stopped,
    succeeded,
    wait_seconds,
)
from server.domain.exchange.letters import GENESIS
from server.domain.exchange.log import BEGINNING, Head, Outbound, Position
from tests.world import MONDAY

FIRST, MOST = 1.0, 600.0
LONGEST = timedelta(seconds=MOST)
MOMENTS = st.floats(-1e10, 1e10).map(lambda seconds: MONDAY + timedelta(seconds=seconds))
THEIRS = Head(1, 7, "ab" * 32)


def later(seconds: float) -> datetime:
    return MONDAY + timedelta(seconds=seconds)


def broken(wait: float = 10.0) -> Outbound:
    return failed(Outbound(), "unreachable", at=MONDAY, wait=wait)


def breaker_at(state: Outbound, now: datetime) -> Breaker:
    return breaker(state, now, longest=LONGEST)


def called(state: Outbound, *, at: datetime) -> Outbound:
    """After the peer has called us."""
    return sign_of_life(state, at=at, longest=LONGEST)


def test_a_way_that_never_failed_is_closed():
    assert breaker_at(Outbound(), MONDAY) == "closed"


def test_the_first_failure_opens_it_until_the_wait_is_over():
    state = broken()
    assert [breaker_at(state, later(seconds)) for seconds in (0, 9.9, 10, 99)] == [
        "open",
        "open",
        "half_open",
        "half_open",
    ]
    assert (state.failures, state.reason, state.failed_at) == (1, "unreachable", MONDAY)


def test_a_way_that_failed_and_has_no_moment_is_tried_at_once():
    assert breaker_at(Outbound(failures=1), MONDAY) == "half_open"


def test_only_a_failure_by_a_wrong_clock_tells_of_one():
    assert failed(broken(), "clock_skew", at=later(10), wait=20, skew_seconds=400).skew_seconds == 400
    assert failed(broken(), "unreachable", at=later(10), wait=20).skew_seconds == 0


def test_a_moment_beyond_every_wait_is_read_as_now():
    """A clock that was wrong, a hand or an older version wrote it: no wait of ours is so long."""
    for state in (broken(), probing(broken(), until=later(40)), called(broken(), at=later(1))):
        lost = replace(state, next_attempt_at=MONDAY.replace(year=2126))
        assert breaker_at(lost, MONDAY) == "half_open"
        assert due_at(lost, MONDAY, longest=LONGEST) is None
    assert breaker_at(broken(MOST), MONDAY) == "open"
    assert breaker_at(broken(MOST + 1), MONDAY) == "half_open"


@given(MOMENTS, MOMENTS, st.sampled_from(["", "early", "under_way", "spent"]))
def test_whatever_moment_stands_there_the_next_attempt_is_due_within_the_longest_wait(
    written: datetime, now: datetime, probe: Any
):
    state = Outbound(failures=1, next_attempt_at=written, probe=probe)
    due = due_at(state, now, longest=LONGEST) or now
    assert due <= now + LONGEST
    assert breaker_at(state, max(due, now)) == "half_open"


def test_whoever_probes_keeps_the_others_waiting():
    state = probing(broken(), until=later(40))
    assert [breaker_at(state, later(seconds)) for seconds in (10, 39, 40)] == ["open", "open", "half_open"]


def test_an_attempt_that_fails_beside_the_probe_of_another_is_overtaken():
    theirs = probing(broken(), until=later(40))
    assert is_superseded(Outbound(), theirs)
    assert is_superseded(probing(broken(), until=later(15)), theirs)


def test_whoever_probes_is_not_overtaken_before_another_does():
    ours = probing(broken(), until=later(40))
    assert not is_superseded(ours, ours)
    assert is_superseded(ours, failed(ours, "unreachable", at=later(30), wait=20))


def test_the_first_failure_of_a_way_that_is_whole_always_counts():
    assert not is_superseded(Outbound(), Outbound())
    assert is_superseded(Outbound(), broken())


def test_a_failure_counts_after_another_attempt_has_succeeded():
    assert not is_superseded(broken(), succeeded(broken(), BEGINNING, at=later(1)))


def test_a_success_closes_it_and_forgets_what_was_wrong():
    state = failed(broken(), "clock_skew", at=later(10), wait=20, skew_seconds=400)
    state = probing(state, until=later(40))
    state = succeeded(state, Position(1, 3), at=later(30))
    assert breaker_at(state, later(30)) == "closed"
    assert state == Outbound(acknowledged=Position(1, 3), succeeded_at=later(30), failed_at=later(10))


def test_a_call_of_the_peer_brings_one_attempt_forward():
    state = called(broken(), at=later(1))
    assert breaker_at(state, later(1)) == "half_open"
    assert (state.failures, state.probe) == (1, "early")


def test_a_second_call_brings_no_second_attempt_forward():
    state = called(broken(), at=later(1))
    probe = probing(state, until=later(40))
    assert called(probe, at=later(2)) == probe
    spent = failed(probe, "unreachable", at=later(3), wait=20)
    assert spent.probe == "spent"
    assert called(spent, at=later(4)) == spent
    assert breaker_at(spent, later(4)) == "open"


def test_after_the_next_regular_attempt_a_call_counts_again():
    spent = failed(probing(called(broken(), at=later(1)), until=later(40)), "unreachable", at=later(3), wait=20)
    regular = failed(probing(spent, until=later(60)), "unreachable", at=later(24), wait=40)
    assert breaker_at(called(regular, at=later(25)), later(25)) == "half_open"


def test_a_call_during_a_regular_attempt_brings_no_other_one_beside_it():
    probe = probing(broken(), until=later(40))
    assert called(probe, at=later(12)) == probe
    after = failed(probe, "unreachable", at=later(13), wait=20)
    assert breaker_at(called(after, at=later(14)), later(14)) == "half_open"


def test_an_operator_brings_the_next_attempt_forward():
    state = brought_forward(broken(300.0), at=later(1), longest=LONGEST)
    assert (breaker_at(state, later(1)), state.failures, state.probe) == ("half_open", 1, "")
    spent = failed(probing(called(broken(), at=later(1)), until=later(40)), "unreachable", at=later(3), wait=300)
    again = brought_forward(spent, at=later(4), longest=LONGEST)
    assert breaker_at(again, later(4)) == "half_open"
    assert called(again, at=later(4)) == again


@pytest.mark.parametrize("state", [broken(), called(broken(), at=MONDAY)])
def test_an_operator_brings_no_attempt_beside_the_one_that_is_under_way(state: Outbound):
    probe = probing(state, until=later(40))
    assert brought_forward(probe, at=later(2), longest=LONGEST) == probe
    assert breaker_at(brought_forward(probe, at=later(40), longest=LONGEST), later(40)) == "half_open"


@pytest.mark.parametrize("state", [Outbound(), broken(0.0), stopped(broken(), "log_conflict", theirs=THEIRS)])
def test_an_operator_changes_nothing_where_nothing_waits(state: Outbound):
    assert brought_forward(state, at=later(1), longest=LONGEST) == state


@pytest.mark.parametrize("state", [Outbound(), broken(0.0), stopped(broken(), "log_conflict", theirs=THEIRS)])
def test_a_call_changes_nothing_where_nothing_waits(state: Outbound):
    assert called(state, at=later(1)) == state


def test_a_stopped_way_stays_so_until_the_next_stream():
    way = replace(probing(broken(), until=later(40)), head=9, acknowledged=Position(1, 8))
    state = stopped(way, "log_conflict", theirs=THEIRS)
    assert [breaker_at(state, later(seconds)) for seconds in (0, 10**6)] == ["stopped", "stopped"]
    opened = in_next_stream(state)
    assert breaker_at(opened, later(0)) == "closed"
    assert opened == Outbound(stream=2, genesis=THEIRS.hash, acknowledged=Position(2, 0), failed_at=MONDAY)


def test_a_stream_follows_the_last_that_the_peer_has_seen():
    state = stopped(Outbound(), "log_conflict", theirs=Head(4, 2, "cd" * 32))
    assert in_next_stream(state).stream == 5
    untold = in_next_stream(Outbound(stream=3))
    assert (untold.stream, untold.genesis) == (4, GENESIS)


def test_going_back_moves_only_what_is_acknowledged():
    state = Outbound(acknowledged=Position(1, 9))
    assert gone_back(state, BEGINNING) == replace(state, acknowledged=BEGINNING)


def test_the_wait_doubles_from_failure_to_failure_twenty_times_at_most():
    waits = [wait_seconds(failures, first=3.0, most=10.0**9, fraction=1.0) for failures in (0, 1, 2, 19, 20, 21, 10**6)]
    assert waits == [3, 6, 12, 3 * 2**19, 3 * 2**20, 3 * 2**20, 3 * 2**20]


@given(st.integers(0, 10**6), st.floats(0, 1), st.floats(0.01, 10), st.floats(10, 1000))
def test_the_wait_never_exceeds_what_the_back_off_allows(failures: int, fraction: float, first: float, most: float):
    wait = wait_seconds(failures, first=first, most=most, fraction=fraction)
    assert 0 <= wait <= most
    assert wait <= first * 2.0 ** min(failures, 64)


@given(st.lists(st.tuples(st.sampled_from(["wait", "attempt", "call", "success"]), st.floats(0, 1)), max_size=60))
def test_whatever_comes_only_a_success_closes_it_and_one_early_probe_stands_between_two_regular_ones(
    course: list[tuple[str, float]],
):
    state, now, early, failures = broken(), 0.0, 0, 1
    for what, chance in course:
        before, at = state, later(now)
        if what == "wait":
            now += chance * MOST
        elif what == "call":
            state = called(state, at=at)
        elif what == "success":
            state = succeeded(state, BEGINNING, at=at)
            early, failures = 0, 0
        elif breaker_at(state, at) in ("half_open", "closed"):
            early = early + 1 if state.probe == "early" else 0
            state = probing(state, until=later(now + 35)) if state.failures else state
            wait = wait_seconds(state.failures, first=FIRST, most=MOST, fraction=chance)
            state = failed(state, "timed_out", at=at, wait=wait)
            failures += 1
            assert state.next_attempt_at is not None
            assert state.next_attempt_at <= at + timedelta(seconds=min(MOST, FIRST * 2 ** (failures - 1)))
        assert early <= 1
        assert state.failures == failures
        assert breaker_at(state, later(now)) != "closed" or what == "success" or breaker_at(before, at) == "closed"
