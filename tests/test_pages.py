"""The parts of the pages that the code tells are written by a command, and it finds those that are outdated."""

import re
import shutil
from pathlib import Path

import pytest

from tests.pages import PARTS, ROOT, Generated, outdated

each_part = pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name.strip("`"))


def copied(folder: Path) -> Path:
    """A copy of the pages."""
    shutil.copytree(ROOT / "docs", folder / "docs")
    return folder


def test_the_pages_say_what_the_code_tells() -> None:
    assert [page for page, _ in outdated()] == []


@each_part
def test_an_outdated_part_is_found_and_what_is_written_is_what_was_there(part: Generated, tmp_path: Path) -> None:
    page = copied(tmp_path) / part.page
    text = page.read_text(encoding="utf-8")
    found = re.search(part.pattern, text, re.DOTALL)
    assert found
    *lines, last = found[1].splitlines(keepends=True)
    page.write_text(text.replace("".join([*lines, last]), "".join(lines)), encoding="utf-8")
    assert list(outdated(tmp_path)) == [(page, text)]


@each_part
def test_a_page_without_a_place_is_told(part: Generated, tmp_path: Path) -> None:
    page = copied(tmp_path) / part.page
    text = page.read_text(encoding="utf-8")
    found = re.search(part.pattern, text, re.DOTALL)
    assert found
    page.write_text(text.replace(found[0], ""), encoding="utf-8")
    with pytest.raises(ValueError, match=re.escape(f"{part.page} has no place for {part.name}")):
        list(outdated(tmp_path))
