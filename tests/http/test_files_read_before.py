"""The files of a catalogue are read and judged once by a program: from then on it comes from the store, proven."""

from pathlib import Path
from typing import Any

import pymongo
import pytest

from server import main
from server.domain.errors import NotAuthentic
from server.store.catalogues import CatalogueChanged
from server.tools import publications
from server.tools.datafiles import BrokenData
from server.tools.settings import Settings
from tests.catalogue.shipped import copy_small
from tests.nodes import running_nodes
from tests.world import JIANGSU

MATERIALS, BEFORE, SINCE = "materials/newborn.toml", "母亲户口簿首页", "户口簿（母亲）"
Client = pymongo.MongoClient[dict[str, Any]]


@pytest.fixture
async def settings(tmp_path: Path, database_uri: str, database_name: str) -> Settings:
    """A node that has started once with files of its own."""
    folder = tmp_path / "catalogue"
    copy_small(folder)
    async with running_nodes(tmp_path, database_uri, database_name, catalogue_folder=folder) as places:
        chosen = places.nodes[JIANGSU].node.settings
    async with main.opened(chosen):
        pass
    return chosen


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Which folders of a catalogue were read and judged."""
    found: list[Path] = []
    load = publications.load_catalogue
    monkeypatch.setattr(publications, "load_catalogue", lambda folder: (found.append(folder), load(folder))[1])
    return found


async def test_the_next_start_reads_no_file_and_has_the_same_catalogue(settings: Settings, reads: list[Path]):
    async with main.opened(settings) as node:
        assert reads == []
        assert node.catalogue == publications.load_catalogue(settings.catalogue_folder)


async def test_changed_files_are_read_and_refused_under_the_old_version(settings: Settings, reads: list[Path]):
    path = settings.catalogue_folder / MATERIALS
    path.write_text(path.read_text(encoding="utf-8").replace(BEFORE, SINCE), encoding="utf-8")
    for _ in range(2):  # what was refused is not remembered
        with pytest.raises(CatalogueChanged):
            async with main.opened(settings):
                pass
    assert len(reads) == 2


async def test_broken_files_are_refused_each_time(settings: Settings):
    path = settings.catalogue_folder / "catalogue.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('health = "卫健"', ""), encoding="utf-8")
    for _ in range(2):
        with pytest.raises(BrokenData):
            async with main.opened(settings):
                pass


async def test_files_that_change_while_they_are_read_are_not_remembered(
    settings: Settings, reads: list[Path], monkeypatch: pytest.MonkeyPatch
):
    seen = iter(["as they were", "as they are", "as they are", "as they are"])
    monkeypatch.setattr(main, "fingerprint", lambda _: next(seen))
    for _ in range(2):
        async with main.opened(settings):
            pass
    assert len(reads) == 2


@pytest.mark.parametrize("change", ["altered", "gone"])
async def test_without_a_proven_word_on_the_files_they_are_read(
    settings: Settings, reads: list[Path], database_sweeper: Client, change: str
):
    room = database_sweeper[settings.database]["catalogues"]
    if change == "altered":
        room.update_one({"kind": "files"}, {"$set": {"text": "another"}})
    else:
        room.delete_one({"kind": "files"})
    async with main.opened(settings):
        assert len(reads) == 1


async def test_without_the_version_that_was_found_in_them_files_are_read(
    settings: Settings, reads: list[Path], database_sweeper: Client
):
    database_sweeper[settings.database]["catalogues"].delete_one({"kind": "published"})
    for count in (1, 1):
        async with main.opened(settings):
            assert len(reads) == count


async def test_an_altered_version_is_not_put_in_force(settings: Settings, database_sweeper: Client):
    room = database_sweeper[settings.database]["catalogues"]
    text = room.find_one({"kind": "published"})["text"]  # type: ignore[index]
    room.update_one({"kind": "published"}, {"$set": {"text": text.replace(BEFORE, SINCE)}})
    with pytest.raises(NotAuthentic):
        async with main.opened(settings):
            pass
