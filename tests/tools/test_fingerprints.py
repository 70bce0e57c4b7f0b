"""A fingerprint is the same for the same files and the same program, and for nothing else."""

from pathlib import Path

import pytest

from server.tools import fingerprints
from server.tools.fingerprints import fingerprint


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two files, and a program of one file."""
    (tmp_path / "server/domain/rules").mkdir(parents=True)
    (tmp_path / "server/domain/rules/table.py").write_text("RULES = 1")
    monkeypatch.setattr(fingerprints, "SERVER", tmp_path / "server")
    (tmp_path / "files/items").mkdir(parents=True)
    (tmp_path / "files/catalogue.toml").write_text("a = 1")
    (tmp_path / "files/items/health.toml").write_text("b = 2")
    return tmp_path / "files"


def test_it_stays_as_long_as_nothing_changes(folder: Path):
    first = fingerprint(folder)
    (folder / "notes.txt").write_text("read by nobody")
    assert fingerprint(folder) == first != ""


@pytest.mark.parametrize("change", ["text", "name", "moved", "more", "program"])
def test_it_changes_with_each_file_its_name_and_the_program(folder: Path, change: str):
    first, health = fingerprint(folder), folder / "items/health.toml"
    if change == "text":
        health.write_text("b = 3")
    elif change == "name":
        health.rename(folder / "items/law.toml")
    elif change == "moved":
        (folder / "catalogue.toml").write_text("a = 1b = 2")
        health.write_text("")
    elif change == "more":
        (folder / "items/law.toml").write_text("")
    else:
        (fingerprints.SERVER / "domain/rules/table.py").write_text("RULES = 2")
    assert fingerprint(folder) != first


def test_what_cannot_be_read_has_none(folder: Path):
    (folder / "items/broken.toml").mkdir()
    assert fingerprint(folder) == ""


def test_the_rules_of_a_catalogue_are_part_of_the_program():
    named = {path.name for pattern in fingerprints.JUDGING for path in fingerprints.SERVER.glob(pattern)}
    assert {"soundness.py", "standards.py", "checking.py", "items.py", "publications.py", "datafiles.py"} <= named
