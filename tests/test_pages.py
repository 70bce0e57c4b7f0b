"""The parts of the pages that commands print are written by a command, and it finds those that are outdated."""

import shutil
from pathlib import Path

import pytest

from tests.pages import PARTS, ROOT, outdated


def test_the_pages_say_what_the_commands_print() -> None:
    assert [page for page, _ in outdated()] == []


def test_an_outdated_page_is_found_and_what_is_written_is_what_was_there(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    page = tmp_path / "docs/errors.md"
    text = page.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith("| `not_our_step`")]
    page.write_text("".join(lines), encoding="utf-8")
    assert list(outdated(tmp_path)) == [(page, text)]


def test_a_page_without_a_place_is_told(tmp_path: Path) -> None:
    for part in PARTS:
        page = tmp_path / part.page
        page.parent.mkdir(exist_ok=True)
        page.write_text("nothing", encoding="utf-8")
    with pytest.raises(ValueError, match=r"docs/doors.md has no place for `python -m server routes`"):
        list(outdated(tmp_path))
