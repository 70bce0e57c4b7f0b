"""The texts of papers are read whole, or refused with every fault."""

import shutil
from pathlib import Path

import pytest

from server.cli import run
from server.domain.papers.bodies import BODIES
from server.tools.datafiles import BrokenData
from server.tools.paper_texts import REMEDIES, load_paper_texts
from tests.papers.samples import TEXTS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TEXTS, tmp_path / "papers"))


def faults(folder: Path) -> str:
    with pytest.raises(BrokenData) as broken:
        load_paper_texts(folder)
    return str(broken.value)


def test_every_kind_of_paper_has_a_text_and_every_remedy() -> None:
    loaded = load_paper_texts(TEXTS)
    assert loaded.by_code.keys() == BODIES.keys()
    assert loaded.by_kind.keys() == {"administrative", "notary", "service"}


def test_a_kind_without_a_file_is_named(folder: Path) -> None:
    (folder / "granted.toml").unlink()
    assert "no text for papers of the kind granted" in faults(folder)


def test_a_file_under_another_name_is_refused(folder: Path) -> None:
    (folder / "granted.toml").rename(folder / "given.toml")
    assert "the file is not called granted.toml" in faults(folder)


def test_a_misspelled_placeholder_is_named_with_its_file(folder: Path) -> None:
    file = folder / "withdrawal.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("{withdrawn_on}", "{withdraw_on}"), encoding="utf-8")
    found = faults(folder)
    assert f"{file}: paragraph 1: unknown_placeholder: there is no {{withdraw_on}}" in found
    assert "forgotten: withdrawn_on" in found


def test_remedies_are_judged_too(folder: Path) -> None:
    file = folder / REMEDIES
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('kind = "notary"', 'kind = "service"').replace("{court}", ""), encoding="utf-8")
    found = faults(folder)
    assert "administrative: forgotten: court must be told" in found
    assert "service: duplicate" in found


def test_the_check_of_what_is_published_tells_the_faults_of_papers(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", "--papers", str(folder)]) == 0
    (folder / "hearing.toml").unlink()
    assert run(["check", "--papers", str(folder)]) == 1
    assert "hearing.toml" in capsys.readouterr().err
