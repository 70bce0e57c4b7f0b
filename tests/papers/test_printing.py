"""A paper is set as PDF: all of its words, in one font, with room for its seal, and nothing from outside."""

import io
import os
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import segno
from fontTools.ttLib import TTFont
from pyhanko.pdf_utils.reader import PdfFileReader

from server.domain.papers.bodies import BODIES
from server.domain.papers.filling import fill, in_words
from server.domain.papers.texts import PLACEHOLDER
from server.papers import printing
from server.papers.availability import font_file
from server.papers.layout import SAMPLE, markup, qr_code
from server.papers.printing import NothingIsFetched, seal_picture, set_paper
from server.papers.sealing import NotForOneSeal, seal_paper
from server.papers.seals import SealLook, seal_drawing
from tests.papers.pictures import text_of
from tests.papers.samples import AUTHORITY, BODY, FRAME, GAP, NOW, paper, texts
from tests.papers.sealed import sealer, set_of

A4_POINTS = (595, 842)
RARE = "㙍䶮𠮷"


def words_of(pdf: bytes) -> str:
    return "".join(text_of(pdf).split())


def pages_of(pdf: bytes) -> list[str]:
    document: Any = pypdfium2.PdfDocument(pdf)
    return [page.get_textpage().get_text_range() for page in document]


@pytest.mark.parametrize("kind", BODIES)
def test_every_kind_of_paper_is_set_with_all_its_words(kind: str) -> None:
    filled, words = fill(paper(kind), texts()), words_of(set_of(kind).pdf)
    assert filled.title in words
    assert in_words(FRAME["dated_on"]) in words
    for shown in (
        "authority",
        "number",
        "spoken_number",
        "recipient",
        "recipient_id",
        "case",
        "item",
        "phone",
        "check_code",
    ):
        assert "".join(str(FRAME[shown]).split()) in words, shown
    assert "check.example.cn" in words
    assert not PLACEHOLDER.search(words)
    assert words.count("申请人或者代理人签名") == filled.is_countersigned


def test_a_paper_is_of_a4_and_says_sample_on_each_page() -> None:
    gaps = [{**GAP, "material": f"材料{place}"} for place in range(40)]
    made = set_paper(paper("supplement", body={**BODY["supplement"], "gaps": gaps}), texts())
    pages = pages_of(made.pdf)
    assert made.pages == len(pages) > 2
    assert all(SAMPLE in page for page in pages)
    assert all(f"— {number} —" in page for number, page in enumerate(pages, start=1))
    assert {tuple(map(round, page.get_size())) for page in pypdfium2.PdfDocument(made.pdf)} == {A4_POINTS}
    assert made.places["authority"].page == made.pages - 1
    assert "逾期未补正" in pages[made.places["authority"].page], "a seal never stands on a page without text"


def test_texts_in_force_are_no_sample() -> None:
    official = [each.model_copy(update={"status": "official"}) for each in texts().papers]
    made = set_paper(paper("granted"), texts().model_copy(update={"papers": tuple(official)}))
    assert SAMPLE not in text_of(made.pdf).replace("样例路", "")


@pytest.mark.parametrize("kind", ["granted", "supplement", "refused"])
def test_the_seal_lies_over_signature_and_date(kind: str) -> None:
    made = set_of(kind)
    place = made.places["authority"]
    page: Any = pypdfium2.PdfDocument(made.pdf)[place.page]
    text = page.get_textpage()
    for words in (AUTHORITY, in_words(FRAME["dated_on"])):
        found = text.search(words)
        places = [text.get_charbox(place[0]) for place in iter(found.get_next, None)]
        left, bottom, _, top = places[-1]
        assert abs((bottom + top) / 2 - place.y) < 29, "no more than a line above or below"
        assert left < place.x
    assert 28 / 25.4 * 72 < place.x < A4_POINTS[0] - 26 / 25.4 * 72


def test_each_who_signs_has_a_place_beside_their_words() -> None:
    for kind, signers, label in (
        ("application", ["applicant"], "申请人签名"),
        ("lease", ["applicant", "authority"], "乙方签名"),
    ):
        made = set_of(kind)
        assert list(made.places) == signers
        place = made.places["applicant"]
        page: Any = pypdfium2.PdfDocument(made.pdf)[place.page]
        text = page.get_textpage()
        left, bottom, _, _ = text.get_charbox(text.search(label).get_next()[0])
        assert left < place.x
        assert 9 < bottom - place.y < 72, "below its label, with room for what a signature shows"


def test_no_seal_alone_closes_what_its_applicant_signs() -> None:
    for kind in ("application", "lease"):
        with pytest.raises(NotForOneSeal, match="applicant"):
            seal_paper(set_of(kind), sealer("authority"), at=NOW)


def test_rare_characters_of_names_have_their_own_shapes() -> None:
    font = TTFont(font_file(), fontNumber=2)
    assert font["name"].getDebugName(1) == "Noto Sans CJK SC"
    assert {ord(each) for each in RARE} <= font.getBestCmap().keys()
    pdf = set_of("granted").pdf
    assert RARE in text_of(pdf)
    assert fonts_in(pdf) == {"Noto-Sans-CJK-SC"}, "a character that it lacks would come from another font"


def fonts_in(pdf: bytes) -> set[str]:
    reader = PdfFileReader(io.BytesIO(pdf))
    fonts = reader.root["/Pages"]["/Kids"][0]["/Resources"]["/Font"]
    return {str(fonts[name]["/BaseFont"]).partition("+")[2] for name in fonts}


EVIL = '<script src="http://127.0.0.1:9/x"></script><img src="file:///etc/hostname">&amp;"\'</p><h1>x'


def test_what_people_wrote_is_text_and_nothing_else() -> None:
    made = set_paper(paper("withdrawal", recipient=EVIL, item=EVIL), texts())
    assert "".join(EVIL.split()) in words_of(made.pdf)
    html = markup(
        fill(paper("withdrawal", recipient=EVIL, item=EVIL), texts()),
        paper("withdrawal", recipient=EVIL).frame,
        digest="",
    )
    assert "<script" not in html
    assert html.count("<h1>") == 1


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/x.png", "file:///etc/hostname", "data:image/png;base64,AAAA"])
def test_nothing_is_ever_fetched(address: str) -> None:
    with pytest.raises(NothingIsFetched, match=address[:8]):
        printing._document(f'<img src="{address}">')
    with pytest.raises(NothingIsFetched, match=address[:8]):
        printing._document(f'<link rel="stylesheet" href="{address}">')


def test_only_our_font_is_known() -> None:
    assert fonts_in(printing._document('<p style="font-family: DejaVu Sans">abc').write_pdf()) == {"Noto-Sans-CJK-JP"}
    assert Path(os.environ["FONTCONFIG_FILE"]).read_text(encoding="utf-8").count("<dir>") == 1


def test_the_same_data_gives_the_same_digest_and_other_data_another() -> None:
    made = set_of("granted")
    assert set_paper(paper("granted"), texts()).digest == made.digest
    assert set_of("refused").digest != made.digest


def test_the_code_holds_the_address() -> None:
    """The drawing is that of segno for this address and no other; docs/papers.md says what read it back."""
    assert qr_code("https://a.cn/1") == segno.make_qr("https://a.cn/1", error="q").svg_inline(scale=1, border=4)
    assert qr_code("https://a.cn/1") != qr_code("https://a.cn/2")


@pytest.mark.parametrize("length", [1, 4, 12, 30])
def test_a_seal_shows_each_character_and_that_it_is_a_sample(length: int) -> None:
    name = ("苏宁市玄武区行政审批局" * 3)[:length]
    picture = seal_picture(SealLook(lower_text="受理专用章", ring="double"), name)
    shown = words_of(picture)
    assert sorted(shown) == sorted(name + "受理专用章" + SAMPLE)
    assert pypdfium2.PdfDocument(picture)[0].get_size() == pytest.approx((119.06, 119.06), abs=0.1)


def test_a_seal_has_a_star_or_none() -> None:
    assert "<polygon" in seal_drawing(SealLook(), AUTHORITY)
    assert "<polygon" not in seal_drawing(SealLook(centre="none"), AUTHORITY)
    assert "&lt;b&gt;" not in seal_drawing(SealLook(lower_text="<b>"), "甲")[:-200]
    assert "<b>" not in seal_drawing(SealLook(lower_text="<b>"), "<b>")
