"""What is filled in must be possible: tables of right and wrong values, and the rule that each wrong one breaks."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from server.domain.catalogue.formats import (
    FORMATS,
    HAN,
    SENTENCES,
    USCC_CHARACTERS,
    date_fault,
    enterprise_name_fault,
    mobile_fault,
    past_date_fault,
    person_name_fault,
    uscc_check_character,
    uscc_fault,
)
from server.domain.catalogue.forms import SHAPES

TODAY = date(2026, 11, 23)
PAGE = Path(__file__).parents[2] / "docs/errors.md"


def code_of(first_17: str) -> str:
    """A made-up unified social credit code with its check character."""
    return first_17 + uscc_check_character(first_17)


def cases(table: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """A table of rule -> texts as pairs."""
    return [(text, rule) for rule, texts in table.items() for text in texts]


PERSON_NAMES = {
    "": (
        *("周小禾", "林晓", "欧阳示例", "𬱖小禾", "周𬱖", "㐀䶵", "刘〇", "禾" * 50),
        *("阿依古丽·示例", "买买提·阿不都·示例", "示·𬱖", "JANE DOE", "LI", "ANNA MARIA DE LA CRUZ"),
    ),
    "person_name_spaces": (
        " 周小禾",
        "周小禾 ",
        "周小禾\n",
        "　周小禾",
        "周 小禾",
        "周　禾",
        "JANE  DOE",
        "JANE\tDOE",
        " ",
    ),
    "person_name_digits": ("周小禾2", "周小２禾", "JANE 2", "12"),
    "person_name_dot": (
        *(f"阿依古丽{dot}示例" for dot in "•・･．.‧∙⋅●"),
        *("·阿依古丽", "阿依古丽·", "阿依古丽··示例"),
    ),
    "person_name_length": ("", "周", "J", "禾" * 51, "𬱖"),
    "person_name": (
        *("Jane Doe", "JANE·DOE", "JANE-DOE", "J. DOE", "周JANE", "周小禾！", "周小禾\u200b", "ЯНА", "ＪＡＮＥ"),
        *("⼩禾", "林\uf9f4", "周\ue000", "たろう", "周小禾😀", "--"),
    ),
}


@pytest.mark.parametrize(("text", "rule"), cases(PERSON_NAMES))
def test_a_persons_name(text: str, rule: str) -> None:
    assert person_name_fault(text, TODAY) == rule


@given(parts=st.lists(st.from_regex(f"[{HAN}]{{1,10}}", fullmatch=True), min_size=2, max_size=4))
def test_any_chinese_parts_with_middle_dots_are_a_name(parts: list[str]) -> None:
    assert person_name_fault("·".join(parts), TODAY) == ""
    assert person_name_fault("•".join(parts), TODAY) == "person_name_dot"


ENTERPRISE_NAMES = {
    "": (
        "示例市示例餐饮店",
        "示例（江苏）餐饮有限公司",
        "示例360科技有限公司",
        "𬱖示",
        "示例合伙企业（有限合伙）",
        "示" * 100,
    ),
    "enterprise_name_spaces": (" 示例餐饮店", "示例餐饮店　", "示例 餐饮店", "示例餐饮店\n"),
    "enterprise_name_brackets": (
        *("示例(江苏)餐饮有限公司", "示例（江苏)餐饮", "示例【江苏】餐饮", "示例[江苏]餐饮"),
        *("示例（江苏餐饮", "示例江苏）餐饮", "示例）江苏（餐饮"),
    ),
    "enterprise_name_length": ("", "示", "示" * 101),
    "enterprise_name": ("Example餐饮店", "示例·餐饮店", "示例餐饮店。", "示例３６０", "360", "（）", "示例&餐饮"),
}


@pytest.mark.parametrize(("text", "rule"), cases(ENTERPRISE_NAMES))
def test_an_enterprises_name(text: str, rule: str) -> None:
    assert enterprise_name_fault(text, TODAY) == rule


USCCS = {
    "": (
        code_of("91320000MA0000000"),
        code_of("92330000TEXT12345"),
        code_of("N2320000MF0000001"),
        code_of("Y1110000123456789"),
    ),
    "uscc_capitals": (code_of("91320000MA0000000").lower(), code_of("91320000MA0000000")[:17] + "x"),
    "uscc_letters": ("91320000MAOOOOOOO1", "91320000MA0000000Z", "913200O0MA00000000", "91320000MA000000S0"),
    "uscc": (
        *("", "91320000MA", code_of("91320000MA0000000") + "0", "01320000MA00000000"),
        *(" 91320000MA0000000", "91320000ＭA00000000", "91-320000-MA000000"),
    ),
}


@pytest.mark.parametrize(("text", "rule"), cases(USCCS))
def test_a_unified_social_credit_code(text: str, rule: str) -> None:
    assert uscc_fault(text, TODAY) == rule


BODIES = st.builds(
    lambda kind, division, rest: kind + division + rest,
    st.from_regex(r"[1-9][1-9]", fullmatch=True).filter(str.isascii),
    st.sampled_from(["110000", "320000", "650000"]),
    st.text(USCC_CHARACTERS, min_size=9, max_size=9),
)


@given(body=BODIES, last=st.sampled_from(USCC_CHARACTERS))
def test_the_library_takes_the_same_codes(body: str, last: str) -> None:
    assert uscc_check_character(body) == uscc.calc_check_digit(body)
    assert (uscc_fault(body + last, TODAY) == "") == uscc.is_valid(body + last)


@given(body=BODIES, place=st.integers(0, 16), other=st.sampled_from(USCC_CHARACTERS))
def test_one_wrong_character_of_a_code_never_holds(body: str, place: int, other: str) -> None:
    right = code_of(body)
    changed = right[:place] + other + right[place + 1 :]
    assert (uscc_fault(changed, TODAY) == "") == (changed == right)


MOBILES = {
    "": ("13800000000", "19900000000", "15000000000"),
    "mobile": ("", "1380000000", "138000000000", "+8613800000000", "138 0000 0000", "138-0000-0000", "1380000000０"),
    "mobile_prefix": ("12800000000", "10000000000", "02500000000", "23800000000"),
}


@pytest.mark.parametrize(("text", "rule"), cases(MOBILES))
def test_a_mobile_number(text: str, rule: str) -> None:
    assert mobile_fault(text, TODAY) == rule


DATES = {
    "": ("2026-11-23", "2024-02-29", "1900-01-01"),
    "date": ("", "20261102", "2026-1-2", "2026/11/02", "2026-11-02T08:00:00Z", "2026年11月2日", "２026-11-02"),
    "date_impossible": ("2026-02-30", "2026-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "0000-01-01"),
}


@pytest.mark.parametrize(("text", "rule"), cases(DATES))
def test_a_date(text: str, rule: str) -> None:
    assert date_fault(text, TODAY) == rule
    assert past_date_fault(text, TODAY) == rule


@given(day=st.dates())
def test_any_day_is_a_date_and_in_the_future_only_if_it_comes_after_today(day: date) -> None:
    assert date_fault(day.isoformat(), TODAY) == ""
    assert past_date_fault(day.isoformat(), TODAY) == ("date_future" if day > TODAY else "")


@given(text=st.text() | st.text("0123456789xX-· （）()周𬱖A"), name=st.sampled_from(sorted(FORMATS)))
def test_whatever_is_written_is_right_or_breaks_a_rule_that_has_a_sentence(text: str, name: str) -> None:
    assert FORMATS[name](text, TODAY) in {"", *SENTENCES}


def test_every_rule_has_a_sentence_of_its_own_and_stands_in_the_table_of_the_refusals() -> None:
    assert len(set(SENTENCES.values())) == len(SENTENCES)
    assert set(SHAPES) <= set(SENTENCES)
    assert all(sentence.endswith("。") for sentence in SENTENCES.values())
    table = PAGE.read_text(encoding="utf-8").partition("## Codes of single fields")[2]
    assert [rule for rule in SENTENCES if f"`{rule}`" not in table] == []
