"""Lots: how many have drawn is exact while they are few, near the truth beyond, and the same whoever met whom."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.waiting.lots import LOT_BITS, MOST_KEPT, Lots, lot_of, lots_of


def spread_out(number: int) -> int:
    """The lot of somebody with this number."""
    return lot_of(hashlib.sha256(b"%d" % number).digest())


LOT = st.integers(min_value=0, max_value=2**LOT_BITS - 1)
SOME = st.lists(LOT, max_size=50).map(Lots().together)
# Enough of them that what is kept is cut off, without drawing thousands one by one.
MANY = st.tuples(st.integers(0, 2**32), st.integers(0, 3000)).map(
    lambda drawn: Lots().together(spread_out(drawn[0] + each) for each in range(drawn[1]))
)
ANY = SOME | MANY


@given(st.sets(LOT, max_size=200), st.integers(1, 3))
def test_few_are_counted_exactly_however_often_each_draws(lots: set[int], times: int):
    assert Lots().together([*lots] * times).people == len(lots)


@given(ANY, ANY, ANY)
def test_it_does_not_matter_in_which_order_processes_tell_or_how_often(one: Lots, other: Lots, third: Lots):
    assert one.together(one.smallest) == one
    assert one.together(other.smallest) == other.together(one.smallest)
    in_turn = one.together(other.smallest).together(third.smallest)
    assert in_turn == one.together(other.together(third.smallest).smallest)


@given(ANY, LOT)
def test_what_would_not_be_kept_changes_nothing(lots: Lots, lot: int):
    assert lots.would_keep(lot) or lots.together([lot]) == lots


@given(MANY)
def test_what_is_written_is_read(lots: Lots):
    assert lots_of(lots.as_text()) == lots


@pytest.mark.parametrize("people", [MOST_KEPT - 1, MOST_KEPT, 5_000, 100_000])
def test_many_are_estimated_within_a_tenth(people: int):
    assert Lots().together(map(spread_out, range(people))).people == pytest.approx(
        people, rel=0.1 if people >= MOST_KEPT else 0
    )


def test_nobody_is_nobody():
    assert Lots().people == 0
    assert lots_of(Lots().as_text()) == Lots()
