"""A paper says what its text and its data say, and no placeholder is left."""

import re
from datetime import UTC, date, datetime
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from server.domain.canonical import digest
from server.domain.papers.bodies import BODIES
from server.domain.papers.data import ItemType, PaperData, Remedy, paper_digest
from server.domain.papers.filling import WrongText, fill, in_words
from server.domain.papers.texts import (
    LICENCE_WORDS,
    PLACEHOLDER,
    PaperText,
    PaperTexts,
    RemedyText,
    remedy_faults,
    text_faults,
)
from tests.papers.samples import BODY, REMEDY, paper, texts

TEXTS = texts()
ITEM_TYPES = get_args(ItemType)
kinds = st.sampled_from(sorted(BODIES))


def said(data: PaperData) -> str:
    filled = fill(data, TEXTS)
    cells = [cell for each in filled.paragraphs if each.table for row in each.table.rows for cell in row]
    return "\n".join([filled.title, *(each.text for each in filled.paragraphs), *cells])


def text(kind: str, **changes: Any) -> PaperText:
    return PaperText.model_validate({**TEXTS.by_code[kind].model_dump(), **changes})


def faults(kind: str, **changes: Any) -> str:
    return "\n".join(text_faults(text(kind, **changes)))


def leave_out(kind: str, names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in BODY[kind].items() if name not in names}


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("item_type", ITEM_TYPES)
def test_no_placeholder_is_left_whatever_may_be_left_out(kind: str, item_type: ItemType) -> None:
    optional = {name for name, field in BODIES[kind].model_fields.items() if not field.is_required()}
    for absent in [set[str](), optional, *({name} for name in sorted(optional))]:
        words = said(paper(kind, body=leave_out(kind, absent), item_type=item_type))
        assert not PLACEHOLDER.search(words)
        assert "None" not in words


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("item_type", [each for each in ITEM_TYPES if each != "licence"])
def test_only_licences_speak_of_licensing(kind: str, item_type: ItemType) -> None:
    """What the data says of a law of this name, or of another paper, is none of the text's."""
    named = sum(str(value).count(LICENCE_WORDS) for value in BODY[kind].values())
    assert said(paper(kind, item_type=item_type)).count(LICENCE_WORDS) == named


@given(kinds, st.text(min_size=1, max_size=40), st.data())
def test_what_a_person_wrote_stands_as_it_was_written(kind: str, written: str, data: st.DataObject) -> None:
    """Also braces: a text is filled in one pass, so that nobody can ask for another member."""
    wording = data.draw(st.sampled_from([written, "{recipient_id}", "{", "}{you}{", r"\g<0>"]))
    words = said(paper(kind, item=wording, recipient=wording))
    if "{item}" in "".join(each.text for each in TEXTS.by_code[kind].paragraph):
        assert f"“{wording}”" in words


@pytest.mark.parametrize("kind", BODIES)
def test_every_member_of_the_body_is_told(kind: str) -> None:
    words = said(paper(kind))
    for name, value in BODY[kind].items():
        rows = [in_words(cell) for row in value for cell in row.values()] if isinstance(value, list) else []
        assert all(one in words for one in rows or [in_words(value)]), name


@pytest.mark.parametrize("kind", [code for code, each in TEXTS.by_code.items() if each.has_remedy])
def test_a_refusal_tells_the_remedy_and_cannot_be_made_without(kind: str) -> None:
    last = fill(paper(kind), TEXTS).paragraphs[-1].text
    assert re.search("六十日内向苏宁市玄武区人民政府申请行政复议.*https://review.example.cn/.*六个月内向.*法院", last)
    with pytest.raises(WrongText, match="remedy"):
        fill(paper(kind, remedy=None), TEXTS)


def test_a_remedy_without_its_court_is_refused() -> None:
    with pytest.raises(WrongText, match="court"):
        fill(paper("refused", remedy=REMEDY.model_copy(update={"court": None})), TEXTS)


@pytest.mark.parametrize("kind", ["notary", "service"])
def test_whoever_decides_nothing_is_not_taken_to_court(kind: Any) -> None:
    remedy = Remedy(kind=kind, organ="样例协会", online_channel="https://example.cn/")
    last = fill(paper("refused", item_type="service", remedy=remedy), TEXTS).paragraphs[-1].text
    assert "样例协会" in last
    assert "诉讼" not in last


def test_a_kind_or_a_remedy_without_text_is_refused() -> None:
    with pytest.raises(WrongText, match="no text for a paper"):
        fill(paper("granted"), PaperTexts(papers=(), remedies=()))
    with pytest.raises(WrongText, match="no text for a remedy"):
        fill(paper("refused"), TEXTS.model_copy(update={"remedies": ()}))


def test_a_note_stands_before_the_remedy() -> None:
    filled = fill(paper("refused", note="附注。"), TEXTS)
    assert filled.paragraphs[-2].text == "附注。"


def test_an_enterprise_is_addressed_as_one() -> None:
    assert said(paper("withdrawal", recipient_kind="enterprise")).count("你单位") == 2


def test_days_have_no_zeros_and_moments_are_those_of_china() -> None:
    assert in_words(date(2026, 2, 3)) == "2026年2月3日"
    assert in_words(datetime(2026, 12, 31, 16, 5, tzinfo=UTC)) == "2027年1月1日0时05分"
    assert in_words(20) == "20"


def test_a_paper_is_read_back_by_its_kind_and_refuses_another_body() -> None:
    for kind in BODIES:
        data = paper(kind)
        assert PaperData.model_validate_json(data.model_dump_json()) == data
    with pytest.raises(ValidationError, match="no kind of paper"):
        PaperData(kind="none", frame=paper("granted").frame, body=paper("granted").body)
    with pytest.raises(ValidationError, match="none of the kind"):
        PaperData(kind="refused", frame=paper("granted").frame, body=paper("granted").body)


@pytest.mark.parametrize("raw", ["320102199001011234", "", "张*", "3201****12 34"])
def test_an_id_that_is_not_masked_never_comes_into_a_paper(raw: str) -> None:
    with pytest.raises(ValidationError, match="recipient_id"):
        paper("granted", recipient_id=raw)


def test_the_digest_follows_data_texts_and_layout() -> None:
    one = paper_digest(paper("granted"), texts="1", layout="1")
    assert one == paper_digest(paper("granted"), texts="1", layout="1")
    others = {
        paper_digest(paper("granted", copies=2), texts="1", layout="1"),
        paper_digest(paper("granted", body=leave_out("granted", {"scope"})), texts="1", layout="1"),
        paper_digest(paper("granted"), texts="2", layout="1"),
        paper_digest(paper("granted"), texts="1", layout="2"),
    }
    assert len(others - {one}) == 4
    assert re.fullmatch("[0-9a-f]{64}", one)


def test_a_paper_without_a_number_that_people_say_has_the_digest_of_before_there_were_such() -> None:
    """A paper that was asked for by a program before them is told again, and compared."""
    without = paper("granted", spoken_number=None)
    told = without.model_dump(mode="json")
    del told["frame"]["spoken_number"]
    assert paper_digest(without, texts="1", layout="1") == digest({"paper": told, "texts": "1", "layout": "1"})
    assert paper_digest(paper("granted"), texts="1", layout="1") != paper_digest(without, texts="1", layout="1")


def test_a_paper_is_a_sample_as_long_as_one_of_its_texts_is() -> None:
    official = PaperTexts(
        papers=tuple(each.model_copy(update={"status": "official"}) for each in TEXTS.papers), remedies=TEXTS.remedies
    )
    assert fill(paper("granted"), TEXTS).is_sample
    assert not fill(paper("granted"), official).is_sample
    assert fill(paper("refused"), official).is_sample


@pytest.mark.parametrize("code", TEXTS.by_code)
def test_the_shipped_texts_are_sound(code: str) -> None:
    assert faults(code) == ""
    assert TEXTS.by_code[code].status == "sample"


PARAGRAPH = {"text": "{you}于{withdrawn_on}撤回。{returned}", "needs": "returned"}


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("unknown_kind", {"code": "none"}),
        ("unknown_placeholder: there is no {nobody}", {"paragraph": [{**PARAGRAPH, "text": "{nobody}"}]}),
        ("unknown_placeholder: there is no {number}", {"paragraph": [{**PARAGRAPH, "text": "{number}"}]}),
        ("braces", {"paragraph": [{**PARAGRAPH, "text": "{you"}]}),
        ("unguarded: returned", {"paragraph": [{**PARAGRAPH, "needs": ""}]}),
        ("needs: withdrawn_on", {"paragraph": [{**PARAGRAPH, "needs": "withdrawn_on"}]}),
        ("forgotten: returned", {"paragraph": [{"text": "{withdrawn_on}"}]}),
        ("unused: returned", {"paragraph": [PARAGRAPH], "unused": ["returned"]}),
        ("licence_words: 行政许可 without", {"paragraph": [{**PARAGRAPH, "text": "行政许可{withdrawn_on}{returned}"}]}),
        ("licence_words: 行政许可 in the title of all", {"title": "行政许可撤回书"}),
        ("title: either", {"title": ""}),
        ("rows: returned is no list", {"paragraph": [{**PARAGRAPH, "rows": "returned"}]}),
    ],
)
def test_each_fault_of_a_text_is_named(rule: str, changes: dict[str, Any]) -> None:
    found = faults("withdrawal", **changes)
    assert rule in found
    assert "forgotten" not in faults("withdrawal", paragraph=[PARAGRAPH])


def test_faults_of_titles_and_columns_are_named() -> None:
    titles = {name: title for name, title in TEXTS.by_code["granted"].titles.items() if name != "service"}
    assert "title: none for service" in faults("granted", titles=titles)
    assert "for service" in faults("granted", titles={**TEXTS.by_code["granted"].titles, "service": "行政许可书"})
    rows = {"text": "{received_at}{way}", "rows": "materials"}
    assert "come together" in faults("receipt", paragraph=[rows])
    column = {"title": "名称", "member": "name"}
    assert "columns: copies, form" in faults("receipt", paragraph=[{**rows, "columns": [column]}])


def test_faults_of_remedies_are_named() -> None:
    raw = {"kind": "administrative", "version": "1", "source": "x", "status": "sample"}
    assert list(remedy_faults(RemedyText.model_validate({**raw, "text": "{organ}{online_channel}{court}"}))) == []
    assert list(remedy_faults(RemedyText.model_validate({**raw, "text": "{organ}{online_channel}{judge}"}))) == [
        "unknown_placeholder: there is no judge",
        "forgotten: court must be told",
    ]


def test_who_signs_stands_in_the_one_order_that_there_is() -> None:
    assert fill(paper("lease"), TEXTS).signers == ("applicant", "authority")
    assert fill(paper("granted"), TEXTS).signers == ("authority",)
    assert faults("lease", signers=["authority", "applicant"]).startswith("signers: ['authority', 'applicant'] is none")
    assert faults("application", signers=[]).startswith("signers: [] is none of")
    assert "a line for their hand besides" in faults("application", is_countersigned=True)


def test_who_signs_speaks_for_themselves_or_for_their_enterprise() -> None:
    assert "我承诺" in said(paper("undertaking"))
    assert "本单位承诺" in said(paper("undertaking", recipient_kind="enterprise"))
