"""A machine that cannot make papers says what it lacks."""

import importlib.util
import re
from pathlib import Path

import pytest

from server.papers import availability
from server.papers.availability import LIBRARIES, PapersUnavailable, check_available, font_file, missing
from tests.papers.conftest import NEEDS_PAPERS

ROOT = Path(__file__).parents[2]
INSTALL, LIBRARY = re.compile(r"apt-get install[^`&]*lib[^`&]*"), re.compile(r"lib[a-z0-9.-]+")
COME_ALONG = {"libglib2.0-0", "libharfbuzz0b", "libfontconfig1"}  # those above depend on them


def test_this_machine_makes_papers() -> None:
    if lacking := missing():
        pytest.skip(f"left out: {', '.join(NEEDS_PAPERS)}, as {'; '.join(lacking)}")
    check_available()
    assert font_file().stat().st_size > 10_000_000


def test_each_missing_library_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(availability, "LIBRARIES", {"libnone-1.0.so.0": "libnone-1.0-0"})
    assert "the library libnone-1.0.so.0 is missing (Debian: libnone-1.0-0)" in missing()


def test_each_missing_python_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setattr(availability, "LIBRARIES", {})
    with pytest.raises(PapersUnavailable, match=r"^papers_unavailable: the Python package weasyprint") as refused:
        check_available()
    assert len(refused.value.missing) == len(availability.PACKAGES)
    with pytest.raises(PapersUnavailable, match="noto"):
        font_file()


def test_a_font_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(availability, "FONT_FILE", "none.ttc")
    assert any(each.startswith("the font ") and "none.ttc" in each for each in missing())


def test_the_image_and_the_readme_install_what_is_called() -> None:
    pages = [(ROOT / name).read_text(encoding="utf-8") for name in ("Dockerfile", "README.md")]
    image, readme = [set(LIBRARY.findall(INSTALL.search(page)[0])) for page in pages]
    assert image == readme
    assert image <= set(LIBRARIES.values())
    assert set(LIBRARIES.values()) - image == COME_ALONG
