"""Sets papers and seals as PDF; it runs for a tenth of a second and more, and belongs into a process of its own."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import NoReturn

from weasyprint import HTML, Document
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher

from server.domain.papers.data import LAYOUT, PaperData, paper_digest
from server.domain.papers.filling import fill
from server.domain.papers.texts import PaperTexts, SealKind, Signer
from server.domain.values import Value
from server.papers.availability import check_available, font_file
from server.papers.layout import FONT_FAMILY, SIGNING_PLACES, markup
from server.papers.seals import SealLook, seal_drawing

POINTS_PER_PIXEL = 0.75
PAGE_HEIGHT_POINTS = 297 / 25.4 * 72
FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}</dir><cachedir>{cache}</cachedir></fontconfig>
"""


class SigningPlace(Value):
    """Where one signs: the middle of seal or signature, in points from the lower left of the page, counted from 0."""

    page: int
    x: float
    y: float


class SetPaper(Value):
    """A paper as PDF that nobody has signed or sealed yet, with the places of those who do, in their order.

    `digest` names data, texts and layout, and stands in the PDF as its keywords.
    """

    pdf: bytes
    digest: str
    seal: SealKind
    places: Mapping[Signer, SigningPlace]
    pages: int


class NothingIsFetched(FatalURLFetchingError):
    """The text of a paper asked for something from outside, and no paper may."""


class _NoFetcher(URLFetcher):
    def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> NoReturn:
        raise NothingIsFetched(f"a paper asks for {url[:80]!r}")


def set_paper(data: PaperData, texts: PaperTexts) -> SetPaper:
    """The paper as PDF, of the one font that is pinned, whatever fonts the machine has.

    It changes the environment of its process (FONTCONFIG_FILE) and blocks: not for the process that serves. Raises
    PapersUnavailable, WrongText, and NothingIsFetched.
    """
    filled = fill(data, texts)
    digest = paper_digest(data, texts=filled.versions, layout=LAYOUT)
    document = _document(markup(filled, data.frame, digest=digest))
    return SetPaper(
        pdf=document.write_pdf(pdf_identifier=bytes.fromhex(digest)[:16]),
        digest=digest,
        seal=filled.seal,
        places={signer: _place(document, SIGNING_PLACES[signer]) for signer in filled.signers},
        pages=len(document.pages),
    )


@lru_cache(maxsize=64)  # an authority has two
def seal_picture(look: SealLook, name: str) -> bytes:
    """The seal as a PDF of one page of its own size; raises PapersUnavailable."""
    size = f"{look.diameter_mm}mm"
    css = f"@page {{ size: {size} {size}; margin: 0 }} body {{ margin: 0 }} svg {{ display: block }}"
    title = escape(name)
    pdf: bytes = _document(f"<title>{title}</title><style>{css}</style>{seal_drawing(look, name)}").write_pdf()
    return pdf


def signature_picture(name: str, signed: str, size_mm: tuple[int, int]) -> bytes:
    """What the signature of a person shows, as a PDF of one page: the name, and when; raises PapersUnavailable."""
    size = " ".join(f"{length}mm" for length in size_mm)
    css = f"@page {{ size: {size}; margin: 0 }} body {{ margin: 0; font: 9pt/12pt '{FONT_FAMILY}' }}"
    css += " .name { font-size: 16pt; line-height: 24pt }"
    said = f'<div class="name">{escape(name)}</div><div>电子签名　{escape(signed)}</div>'
    pdf: bytes = _document(f"<title>{escape(name)}</title><style>{css}</style>{said}").write_pdf()
    return pdf


def _place(document: Document, anchor: str) -> SigningPlace:
    page, (x, y) = next(
        (number, each.anchors[anchor][:2]) for number, each in enumerate(document.pages) if anchor in each.anchors
    )
    return SigningPlace(page=page, x=x * POINTS_PER_PIXEL, y=PAGE_HEIGHT_POINTS - y * POINTS_PER_PIXEL)


def _document(html: str) -> Document:
    return HTML(string=html, url_fetcher=_NoFetcher()).render(font_config=_fonts())


@lru_cache(maxsize=1)  # a second one takes a megabyte that is never given back
def _fonts() -> FontConfiguration:
    """Our font, and no other."""
    os.environ["FONTCONFIG_FILE"] = str(_fonts_file())
    return FontConfiguration()


def _fonts_file() -> Path:
    """The file that tells fontconfig where our font is; it is there as long as this process."""
    check_available()
    folder = Path(tempfile.mkdtemp(prefix="tongban-fonts-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = folder / "fonts.conf"
    text = FONTS.format(folder=escape(str(font_file().parent)), cache=escape(str(folder / "cache")))
    file.write_text(text, encoding="utf-8")
    return file
