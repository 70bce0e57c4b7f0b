"""A process that ends is started again after a pause that grows, up to half a minute."""

from hypothesis import given
from hypothesis import strategies as st

from server.tools.restarts import MOST_SECONDS, STEADY_SECONDS, Restarts


def after(*up_seconds: float) -> Restarts:
    """What is known after processes that were ready for so long, one after the other."""
    known = Restarts()
    for each in up_seconds:
        known = known.after(each)
    return known


def test_the_first_process_starts_at_once():
    assert Restarts().pause_seconds(1.0) == 0.0


def test_the_pause_doubles_up_to_half_a_minute():
    pauses = [after(*[0.0] * times).pause_seconds(1.0) for times in range(1, 9)]
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def test_a_process_that_stayed_up_makes_the_next_failure_the_first():
    assert after(0.0, 1.0, STEADY_SECONDS - 0.1).failures == 3
    assert after(0.0, 1.0, 5.0, STEADY_SECONDS).failures == 1


@given(times=st.integers(1, 2000), chance=st.floats(0, 1))
def test_a_pause_is_at_least_half_of_the_longest_and_never_more_than_that(times: int, chance: float):
    known = Restarts(times)
    longest = known.pause_seconds(1.0)
    assert longest / 2 == known.pause_seconds(0.0) <= known.pause_seconds(chance) <= longest <= MOST_SECONDS
