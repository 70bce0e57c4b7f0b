"""ID numbers are checked to the last character, and shown masked."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.people.masking import masked, masked_name, masked_number
from server.domain.people.persons import CHECKS, check_character, id_number_fault
from tests.world import is_fictitious

PROVINCES = st.sampled_from(["110000", "320000", "330000", "440000", "650000"])
TODAY = date(2026, 11, 23)
BIRTHS = st.dates(date(1900, 1, 1), TODAY)


def number_of(address: str, birth: str, sequence: int) -> str:
    first = f"{address}{birth}{sequence:03d}"
    return first + check_character(first)


NUMBERS = st.builds(lambda p, b, n: number_of(p, f"{b:%Y%m%d}", n), PROVINCES, BIRTHS, st.integers(0, 999))


@given(number=NUMBERS)
def test_a_number_with_a_real_date_and_its_check_character_holds(number: str) -> None:
    assert id_number_fault(number, TODAY) == ""
    assert is_fictitious(number)


@given(number=NUMBERS, place=st.integers(0, 17), other=st.sampled_from(CHECKS))
def test_one_wrong_character_never_holds(number: str, place: int, other: str) -> None:
    changed = number[:place] + other + number[place + 1 :]
    assert (id_number_fault(changed, TODAY) == "") == (changed == number)


@pytest.mark.parametrize("birth", ["19900230", "20260229", "19901301", "18991231", "20261124", "21000101", "00000000"])
def test_a_birth_date_that_nobody_living_can_have_is_told_as_such(birth: str) -> None:
    assert id_number_fault(number_of("320000", birth, 1), TODAY) == "id_number_birth_date"


def test_who_was_born_today_has_a_birth_date_from_today_on() -> None:
    number = number_of("320000", "20261123", 1)
    assert id_number_fault(number, TODAY) == ""
    assert id_number_fault(number, TODAY - timedelta(days=1)) == "id_number_birth_date"


@given(number=NUMBERS, other=st.sampled_from(CHECKS))
def test_a_wrong_check_character_is_told_as_such(number: str, other: str) -> None:
    changed = number[:17] + other
    assert id_number_fault(changed, TODAY) == ("" if changed == number else "id_number_check")


def test_the_check_character_may_be_x_in_capitals_only() -> None:
    number = next(number for n in range(100) if (number := number_of("320000", "19900101", n)).endswith("X"))
    assert id_number_fault(number, TODAY) == ""
    assert id_number_fault(number.lower(), TODAY) == "id_number_small_x"


@pytest.mark.parametrize("text", ["", "X", "32000019900101001", "3200001990010100122", "320000199001010012\n"])
def test_a_text_of_another_length_does_not_hold(text: str) -> None:
    assert id_number_fault(text, TODAY) == "id_number"


@given(number=NUMBERS)
def test_the_check_character_follows_the_definition_of_mod_11_2(number: str) -> None:
    """ISO 7064: the characters, weighted by powers of two from the right, are 1 modulo 11."""
    values = [10 if character == "X" else int(character) for character in reversed(number)]
    assert sum(value * 2**place for place, value in enumerate(values)) % 11 == 1


def test_a_countys_address_code_is_not_fictitious() -> None:
    assert not is_fictitious(number_of("320102", "19900101", 1))


def test_a_name_keeps_its_first_character() -> None:
    assert [masked_name(name) for name in ("张小明", "𬱖小明", "张", "")] == ["张**", "𬱖**", "张", ""]


@pytest.mark.parametrize(
    ("number", "shown"), [("13800001234", "*******1234"), ("12345678", "********"), ("", ""), ("1234", "****")]
)
def test_a_number_keeps_at_most_four_characters(number: str, shown: str) -> None:
    assert masked_number(number) == shown


@given(kind=st.sampled_from(["text", "date", "id_number", "mobile", "uscc", "person_name", "choice"]), value=st.text())
def test_a_masked_value_has_its_length_and_shows_little_of_it(kind: str, value: str) -> None:
    shown = masked(kind, value)
    assert len(shown) == len(value)
    kept = sum(one == other != "*" for one, other in zip(shown, value, strict=True))
    assert kept <= (4 if kind in ("id_number", "mobile", "uscc") else 1)
