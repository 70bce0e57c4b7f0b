"""Papers as pictures and as text, as a reader of PDF shows them."""

from pathlib import Path
from typing import Any

import pypdfium2

PIXELS_PER_POINT = 1.5


def text_of(pdf: bytes) -> str:
    """All the text of a PDF, page by page."""
    document: Any = pypdfium2.PdfDocument(pdf)
    try:
        return "\n".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()


def write_pictures(pdf: bytes, folder: Path, name: str) -> list[Path]:
    """One PNG for each page, with what stands in fields, as `name-1.png` and so on."""
    document: Any = pypdfium2.PdfDocument(pdf)
    document.init_forms()
    written = []
    for number, page in enumerate(document, start=1):
        written.append(folder / f"{name}-{number}.png")
        page.render(scale=PIXELS_PER_POINT, may_draw_forms=True).to_pil().save(written[-1])
    document.close()
    return written
