"""A keyed permutation: each number has one place, another under each key, and neighbours do not stay neighbours."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.crypto.keyring import make_keys
from server.crypto.permuting import Permutation
from server.domain.spoken_numbers import PLACES
from tests.world import JIANGSU

KEYS = make_keys(JIANGSU)
KNOWN = [117_531_773, 606_926_844, 878_883_677, 873_259_037]


@given(st.binary(min_size=1, max_size=32), st.integers(1, 16), st.integers(1, 16))
def test_every_number_has_one_place_and_every_place_one_number(key: bytes, left: int, right: int):
    spread = Permutation(key, left, right)
    assert sorted(map(spread, range(spread.size))) == list(range(left * right))


@given(st.integers(0, PLACES - 1))
def test_a_number_goes_to_the_same_place_each_time_and_in_each_process(number: int):
    assert KEYS.places(number) == replace(KEYS).places(number) in range(PLACES)


def test_there_are_as_many_places_as_numbers_can_say():
    assert KEYS.places.size == PLACES


def test_another_key_spreads_otherwise():
    other = make_keys(JIANGSU)
    assert [KEYS.places(each) for each in range(20)] != [other.places(each) for each in range(20)]


def test_no_later_program_spreads_otherwise_under_the_same_key():
    """Or it would give numbers that were given before."""
    spread = Permutation(bytes(32), 31_250, 32_000)
    assert [spread(each) for each in (0, 1, 2, PLACES - 1)] == KNOWN


def test_what_follows_in_order_lies_all_over():
    """Of a thousand numbers in a row each tenth of all places has about a hundred, and half of all steps go down."""
    found = [KEYS.places(each) for each in range(1000)]
    tenths = [sum(each * 10 // PLACES == tenth for each in found) for tenth in range(10)]
    assert all(50 < each < 160 for each in tenths)
    assert 400 < sum(one > next for one, next in pairwise(found)) < 600


def test_a_thousand_numbers_of_each_key_never_meet():
    assert len({KEYS.places(each) for each in range(1000)}) == 1000


@pytest.mark.parametrize("number", [-1, PLACES])
def test_what_is_beyond_has_no_place(number: int):
    with pytest.raises(ValueError, match=f"not a number below {PLACES}"):
        KEYS.places(number)
