"""A start on data of another version: each process and command says so, ends with 1, and leaves the data as it is."""

import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from server.demo.processes import start
from server.store.format import FORMAT, NUMBER
from server.store.identity import NODE
from server.tools.bells import FOLDER as BELLS
from tests.faults.books import Client
from tests.faults.provinces import Province, command, provinces

CASE = {"_id": "c1", "version": 1, "relay": "done"}
OF_0_1 = (
    "tongban: data_of_another_version: the database of this node (`database` in its settings) holds data of version "
    "0.1, and this program reads format 5 only. Nothing was changed. Data is not migrated: start on an empty database, "
    "and keep the old program for the old data.\n"
)


def stored(client: Client, name: str) -> dict[str, list[dict[str, Any]]]:
    """Every document of a database, by collection."""
    return {each: list(client[name][each].find().sort("_id")) for each in client[name].list_collection_names()}


def replant(client: Client, province: Province, collection: str, document: Mapping[str, Any]) -> str:
    """Let a province have a database with this document and nothing else; its name."""
    name = province.settings.database
    client.drop_database(name)
    client[name][collection].insert_one(dict(document))
    return name


async def ended(province: Province, *arguments: str) -> tuple[int, str]:
    """The exit code of `python -m server ...` for this province, and all that it wrote."""
    log = province.folder / "ended.log"
    log.unlink(missing_ok=True)
    child = await start("ended", [sys.executable, "-m", "server", *arguments], log=log, environ=province.environ())
    return await child.process.wait(), log.read_text(encoding="utf-8")


@pytest.fixture
async def home(
    tmp_path: Path, compiled: Mapping[str, str], database_uri: str, database_name: str
) -> AsyncIterator[Province]:
    """A province, none of whose processes runs yet."""
    launch = partial(command, more=compiled)
    async with provinces(tmp_path, database_uri, launch=launch, database=database_name) as (home, _):
        yield home


@pytest.mark.soak
async def test_no_process_and_no_command_starts_on_data_of_0_1_or_changes_it(home: Province, database_sweeper: Client):
    name = replant(database_sweeper, home, "cases", CASE)
    for arguments in (["serve"], ["work"], ["letters", "dead"]):
        assert await ended(home, *arguments) == (1, OF_0_1)
    assert stored(database_sweeper, name) == {"cases": [CASE]}


@pytest.mark.soak
async def test_data_of_a_later_format_is_refused_with_both_numbers(home: Province, database_sweeper: Client):
    mark = {"_id": FORMAT, "number": NUMBER + 1}
    name = replant(database_sweeper, home, NODE, mark)
    code, said = await ended(home, "serve")
    assert code == 1
    assert f"holds data of format {NUMBER + 1}, and this program reads format {NUMBER} only." in said
    assert stored(database_sweeper, name) == {NODE: [mark]}


@pytest.mark.soak
async def test_two_processes_that_start_at_once_on_an_empty_database_both_run(home: Province, database_sweeper: Client):
    database_sweeper.drop_database(home.settings.database)
    shutil.rmtree(home.settings.data_folder)
    await home.start("serve", "work")
    mark, identity = stored(database_sweeper, home.settings.database)[NODE]
    assert mark == {"_id": FORMAT, "number": NUMBER}
    kept = {each.name for each in home.settings.data_folder.iterdir()} - {BELLS}
    assert kept == {f"incarnation-{identity['incarnation']}"}
    assert [await home.stop(each) for each in ("serve", "work")] == [0, 0]
