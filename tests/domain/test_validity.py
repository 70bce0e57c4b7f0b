"""How long a licence holds follows from what the catalogue says of its kind; what is made up never looks official."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.catalogue.formats import USCC_CHARACTERS
from server.domain.catalogue.type_codes import is_organisation_code, is_sample, is_type_code, sample_organisation
from server.domain.catalogue.validity import AgeDuration, Duration, Validity
from tests.catalogue.shipped import CATALOGUE

SAID: dict[str, Any] = {"source": "示例", "status": "sample"}
DAYS = st.dates(date(2000, 1, 1), date(2100, 12, 31))
CARD = CATALOGUE.results["identity_card"].validity


@pytest.mark.parametrize(
    ("span", "first", "last"),
    [
        ({"years": 10}, "2026-12-01", "2036-12-01"),
        ({"years": 1}, "2028-02-29", "2029-02-28"),
        ({"years": 4}, "2028-02-29", "2032-02-29"),
        ({"months": 3}, "2026-11-30", "2027-02-28"),
        ({"months": 1}, "2026-12-31", "2027-01-31"),
        ({"months": 12}, "2026-12-31", "2027-12-31"),
        ({"days": 30}, "2026-12-01", "2026-12-31"),
    ],
)
def test_a_time_ends_on_the_day_of_the_same_number_or_the_last_of_the_month(
    span: dict[str, int], first: str, last: str
):
    assert Duration(**span).last_day(date.fromisoformat(first)) == date.fromisoformat(last)


@pytest.mark.parametrize("said", [{"is_endless": True}, {}])
def test_what_has_no_length_has_no_last_day(said: dict[str, bool]):
    assert Duration(**said).last_day(date(2026, 12, 1)) is None


@given(DAYS, st.integers(1, 1200))
def test_a_time_of_months_ends_in_its_last_month(first: date, months: int):
    last = Duration(months=months).last_day(first)
    assert last is not None
    assert (last.year - first.year) * 12 + last.month - first.month == months
    assert last.day == first.day or (last + timedelta(days=1)).day == 1


@pytest.mark.parametrize(
    ("born", "last"),
    [
        ("2026-12-02", "2031-12-01"),
        ("2026-11-01", "2031-12-01"),
        ("2010-12-02", "2031-12-01"),
        ("2010-12-01", "2036-12-01"),
        ("2000-12-02", "2036-12-01"),
        ("2000-12-01", "2046-12-01"),
        ("1980-12-02", "2046-12-01"),
        ("1980-12-01", None),
        ("1920-01-01", None),
    ],
)
def test_an_identity_card_holds_by_the_age_of_its_holder(born: str, last: str | None):
    first = date(2026, 12, 1)
    assert CARD is not None
    found = CARD.duration_for(first, born_on=date.fromisoformat(born)).last_day(first)
    assert found == (date.fromisoformat(last) if last else None)


def test_a_time_that_does_not_go_by_age_is_the_same_for_everybody():
    validity = Validity(years=5, **SAID)
    assert validity.duration_for(date(2026, 12, 1)) == validity


def test_a_time_by_age_is_not_guessed():
    assert CARD is not None
    with pytest.raises(ValueError, match="age"):
        CARD.duration_for(date(2026, 12, 1))


def test_the_holder_is_reminded_before_an_end_and_of_no_other():
    validity = Validity(years=5, remind_days=30, **SAID)
    assert validity.remind_on(date(2031, 12, 1)) == date(2031, 11, 1)
    assert validity.remind_on(None) is None
    assert Validity(years=5, **SAID).remind_on(date(2031, 12, 1)) is None


def test_a_validity_says_one_thing():
    young, old = AgeDuration(from_age=0, years=5), AgeDuration(from_age=46, is_endless=True)
    whole: list[dict[str, Any]] = [
        {"years": 1},
        {"months": 1},
        {"days": 1},
        {"is_endless": True},
        {"is_given": True},
        {"is_given": True, "years": 5},
        {"by_age": (young, old)},
        {"years": 1, "remind_days": 30},
    ]
    broken: list[dict[str, Any]] = [
        {},
        {"years": 1, "months": 6},
        {"years": 1, "is_endless": True},
        {"is_given": True, "is_endless": True},
        {"by_age": (young,), "years": 1},
        {"by_age": (young,), "is_given": True},
        {"by_age": (old, young)},
        {"by_age": (young, young)},
        {"by_age": (young, old, old)},
        {"by_age": (AgeDuration(from_age=1, years=5), old)},
        {"by_age": (AgeDuration(from_age=0),)},
        {"is_endless": True, "remind_days": 1},
    ]
    assert [said for said in whole if Validity(**said, **SAID).fault] == []
    assert [said for said in broken if not Validity(**said, **SAID).fault] == []


@given(st.text(min_size=1))
def test_a_sample_of_an_organisation_is_told_from_any_official_code(id: str):
    code = sample_organisation(id)
    assert code == sample_organisation(id)
    assert is_sample(code)
    assert is_organisation_code(code)
    assert "S" not in USCC_CHARACTERS, "so that no official code begins like a sample"


@pytest.mark.parametrize(
    ("code", "is_one"),
    [
        ("11100000000013127D001", True),  # seen in public interfaces: the identity card
        ("11100000000013338W050", True),
        ("SAMPLE000000000000001", True),
        ("11100000000013127E001", False),
        ("11100000000013127D01", False),
        ("11100000000013127D00a", False),
        ("SAMPLE00000000000A001", False),
        ("SAMPLE0000000000001", False),
        ("", False),
    ],
)
def test_a_type_code_belongs_to_an_organisation(code: str, is_one: bool):
    assert is_type_code(code) is is_one


def test_of_the_types_shipped_only_that_of_the_identity_card_is_official():
    licences = {code: result for code, result in CATALOGUE.results.items() if result.kind == "licence"}
    assert [code for code, result in licences.items() if not is_sample(result.type_code)] == ["identity_card"]
    assert len(licences) == 26
