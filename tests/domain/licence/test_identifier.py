"""The identifier of a licence is read strictly, and a slip of the pen in it is found."""

from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from server.domain.catalogue.formats import USCC_CHARACTERS, uscc_check_character
from server.domain.licence.identifier import (
    CHARACTERS,
    FAULTS,
    PREFIX,
    LicenceIdentifier,
    NotAnIdentifier,
    VersionsUsedUp,
    carry,
    check_character,
    parse,
)

# Seen in the examples of a ministry's interface, and in addresses of public files.
PUBLISHED = (
    "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
    "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.002.S",
    "1.2.156.3005.2.11100000000013338W087.11370800MB28559184.37080001202411010001.001.3",
    "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0",
)
FIRST_17 = st.builds(
    lambda head, digits, tail: f"{head}{digits}{tail}",
    st.sampled_from(["11", "12", "51", "91", "N2"]),
    st.text("0123456789", min_size=6, max_size=6),
    st.text(USCC_CHARACTERS, min_size=9, max_size=9),
)
OFFICIAL = FIRST_17.map(lambda first: first + uscc_check_character(first))
ORGANISATIONS = OFFICIAL | st.text("0123456789", min_size=12, max_size=12).map(lambda digits: f"SAMPLE{digits}")
TYPES = st.builds(lambda owner, last: f"{owner}{last:03}", ORGANISATIONS, st.integers(0, 999))
IDENTIFIERS = st.builds(
    LicenceIdentifier,
    type_code=TYPES,
    issuer=ORGANISATIONS,
    serial=st.text(CHARACTERS, min_size=1, max_size=20),
    version=st.integers(1, 999),
)
GOOD = parse(PUBLISHED[0])


def wrong_part(text: str) -> str:
    """The part that the refusal of this text names."""
    with pytest.raises(NotAnIdentifier) as refused:
        parse(text)
    (fault,) = refused.value.errors
    assert fault.code == f"licence_identifier_{refused.value.part}"
    assert fault.detail == refused.value.detail
    return refused.value.part


@pytest.mark.parametrize("text", PUBLISHED)
def test_identifiers_that_others_have_published_are_read_and_written_alike(text: str):
    assert parse(text).text == text
    assert not parse(text).is_sample


def test_the_check_character_is_that_of_the_standards_known_example():
    assert check_character("A12425GABC1234002") == "M"


@given(IDENTIFIERS)
def test_what_is_written_is_read_as_it_was(identifier: LicenceIdentifier):
    assert parse(identifier.text) == identifier


@pytest.mark.no_cover
@given(IDENTIFIERS, st.data())
def test_each_single_changed_character_is_found(identifier: LicenceIdentifier, data: st.DataObject):
    text = identifier.text
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from(CHARACTERS + ".az-,，") | st.characters())
    if other != text[place]:
        assert wrong_part(text[:place] + other + text[place + 1 :]) in FAULTS


def test_the_check_character_alone_finds_each_single_wrong_character():
    for before, right, wrong in product(range(1, 37), range(36), range(36)):
        assert right == wrong or carry(before, right) != carry(before, wrong)


def test_of_swapped_neighbours_one_in_six_hundred_and_thirty_is_missed():
    """ISO/IEC 7064 promises no more of a hybrid system: neighbours whose values follow each other, after one carry."""
    missed = {
        (before, left, right)
        for before, left, right in product(range(1, 37), range(36), range(36))
        if left != right and carry(carry(before, left), right) == carry(carry(before, right), left)
    }
    assert len(missed) == 72
    assert 36 * 36 * 35 == 72 * 630
    assert {(right - left) % 36 for _, left, right in missed} == {1, 35}
    assert {before for before, _, _ in missed} == set(range(1, 37))


@pytest.mark.no_cover
@given(IDENTIFIERS)
def test_each_swap_of_neighbours_is_found_but_those(identifier: LicenceIdentifier):
    body = identifier.text.removeprefix(PREFIX).replace(".", "")[:-1]
    before = 36
    for place, (left, right) in enumerate(pairwise(body)):
        swapped = body[:place] + right + left + body[place + 2 :]
        is_missed = check_character(swapped) == check_character(body)
        values = CHARACTERS.index(left), CHARACTERS.index(right)
        may_be_missed = left == right or (values[0] - values[1]) % 36 in (1, 35)
        assert may_be_missed or not is_missed
        assert is_missed == (carry(carry(before, values[0]), values[1]) == carry(carry(before, values[1]), values[0]))
        before = carry(before, values[0])


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "prefix"),
        (f" {GOOD.text}", "prefix"),
        (f"1.2.156.3005.3{GOOD.text[14:]}", "prefix"),
        (GOOD.text[:-2], "parts"),
        (f"{GOOD.text}.1", "parts"),
        (f"{GOOD.text}\n", "check"),
        (GOOD.text.replace("13338W011", "13338X011"), "type"),
        (GOOD.text.replace("W011", "W01"), "type"),
        (GOOD.text.replace("W011", "W０11"), "type"),
        (GOOD.text.replace("244L", "244M"), "issuer"),
        (GOOD.text.replace("244L", "244l"), "issuer"),
        (GOOD.text.replace(".20230000403.", ".."), "serial"),
        (GOOD.text.replace("20230000403", "2" * 21), "serial"),
        (GOOD.text.replace("20230000403", "2023000040a"), "serial"),
        (GOOD.text.replace(".001.", ".000."), "version"),
        (GOOD.text.replace(".001.", ".1."), "version"),
        (GOOD.text.replace(".001.", ".00１."), "version"),
        (f"{GOOD.text[:-1]}V", "check"),
        (GOOD.text[:-1], "check"),
    ],
)
def test_a_refusal_says_which_part_is_wrong(text: str, part: str):
    assert wrong_part(text) == part


@given(st.text())
def test_any_other_text_is_refused_by_name(text: str):
    assert wrong_part(text) == "prefix"


@pytest.mark.parametrize(
    "change", [{"type_code": "11100000000013338X011"}, {"issuer": "x"}, {"serial": "a"}, {"serial": ""}, {"version": 0}]
)
def test_nothing_is_made_that_could_not_be_read(change: dict[str, object]):
    with pytest.raises(ValidationError):
        LicenceIdentifier.model_validate(GOOD.model_dump() | change)


def test_the_next_version_keeps_type_issuer_and_serial_number():
    assert GOOD.next_version() == parse(PUBLISHED[1])
    with pytest.raises(VersionsUsedUp):
        GOOD.model_copy(update={"version": 999}).next_version()


@pytest.mark.parametrize("part", ["type_code", "issuer"])
def test_an_identifier_with_a_part_that_was_made_up_says_so(part: str):
    sample = {"type_code": "SAMPLE000000000000001", "issuer": "SAMPLE000000000000"}[part]
    assert GOOD.model_copy(update={part: sample}).is_sample
