"""Spoken numbers: what is written is read again, and a slip of the tongue is found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.spoken_numbers import (
    CHECK_FAULT,
    LENGTH_FAULT,
    PLACES,
    digits_alone,
    in_groups,
    spoken_number,
    spoken_number_fault,
)
from tests.world import JIANGSU

places = st.integers(0, PLACES - 1)


@given(places)
def test_a_number_has_twelve_digits_in_three_groups_and_is_read_as_it_was_written(place: int):
    number = spoken_number(JIANGSU, place)
    assert number.startswith("32")
    assert len(number) == 12
    assert [len(group) for group in in_groups(number).split(" ")] == [4, 4, 4]
    assert digits_alone(in_groups(number)) == number
    assert spoken_number_fault(number) == ""


@given(places, st.integers(0, 11), st.integers(1, 9))
def test_every_wrong_digit_is_found(place: int, at: int, more: int):
    number = spoken_number(JIANGSU, place)
    wrong = number[:at] + str((int(number[at]) + more) % 10) + number[at + 1 :]
    assert spoken_number_fault(wrong) == CHECK_FAULT


@given(places, st.integers(0, 10))
def test_every_exchange_of_neighbours_is_found(place: int, at: int):
    number = spoken_number(JIANGSU, place)
    swapped = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    assert spoken_number_fault(swapped) == (CHECK_FAULT if swapped != number else "")


@pytest.mark.no_cover
def test_both_promises_hold_for_each_beginning_and_each_pair_of_digits():
    """What stands in front comes to one of ten remainders, so this is all there is to try."""
    beginnings = {spoken_number(JIANGSU, place)[-1]: f"32{place:09}" for place in range(100)}
    assert len(beginnings) == 10
    for beginning in beginnings.values():
        for pair in range(100):
            one, other = divmod(pair, 10)
            sound = _completed(f"{beginning}{one}{other}")
            assert one == other or _completed(f"{beginning}{other}{one}") != sound
            assert all(_completed(f"{beginning}{one}{each}") != sound for each in range(10) if each != other)


def _completed(digits: str) -> str:
    """The check digit of as many digits as may be: the one with which eleven of its kind have no fault."""
    [check] = [str(each) for each in range(10) if spoken_number_fault((digits + str(each))[-12:]) == ""]
    return check


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("3200 1234 5678", "320012345678"),
        ("3200-1234-5678", "320012345678"),
        ("３２００　１２３４　５６７８", "320012345678"),
        ("3200—1234–5678", "320012345678"),
        (" 32\t", "32"),
        ("320000/320012345678", ""),
        ("case1", ""),
        ("²²", "22"),
        ("٣٢", ""),
        ("- -", ""),
        ("", ""),
    ],
)
def test_blanks_dashes_and_wide_digits_are_read(written: str, digits: str):
    assert digits_alone(written) == digits


@pytest.mark.parametrize("digits", ["", "3", "32001234567", "3200123456789"])
def test_a_digit_too_few_or_too_many_is_said_to_be_one(digits: str):
    assert spoken_number_fault(digits) == LENGTH_FAULT


@pytest.mark.parametrize("place", [-1, PLACES])
def test_there_are_no_other_places(place: int):
    with pytest.raises(ValueError, match="no such place"):
        spoken_number(JIANGSU, place)
