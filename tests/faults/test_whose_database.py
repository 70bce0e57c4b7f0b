"""Wrong keys, the database of another node, a copy and its drill, the port of another node: with real processes."""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from server.crypto.keyring import make_keys, save_keys
from server.demo.processes import Child, start
from server.tools.bells import FOLDER as BELLS
from tests.faults.books import Client
from tests.faults.lives import FIRST, Desks
from tests.faults.provinces import Province, command, provinces
from tests.faults.test_data_of_another_version import ended, stored
from tests.nodes import Caller, reserved_port

pytestmark = pytest.mark.soak
TOLD = ("log", "letters_out", "letters_in", "peers", "notices", "cases", "tasks", "counts")
QUIET_SECONDS = 3.0  # of polling twenty times a second


async def quiet(name: str, *, log: Path, environ: Mapping[str, str], more: Mapping[str, str]) -> Child:
    """Start `python -m server NAME --quiet`."""
    return await start(name, [sys.executable, "-m", "server", name, "--quiet"], log=log, environ={**environ, **more})


@pytest.fixture
async def both(
    tmp_path: Path, compiled: Mapping[str, str], database_uri: str, database_name: str
) -> AsyncIterator[list[Province]]:
    """Two provinces, none of whose processes runs yet."""
    launch = partial(command, more=compiled)
    async with provinces(tmp_path, database_uri, launch=launch, database=database_name) as running:
        yield running


def with_settings(province: Province, **choices: Any) -> Province:
    """The province with other settings, and no process of it."""
    return replace(province, settings=province.settings.model_copy(update=choices), children={})


@contextmanager
def copied(province: Province, sweeper: Client, compiled: Mapping[str, str]) -> Iterator[Province]:
    """A copy of database and folder, with the keys and the address of the first; its processes are quiet."""
    name, folder = f"{province.settings.database}_copy", province.folder / "copy"
    for each in sweeper[province.settings.database].list_collection_names():
        if documents := list(sweeper[province.settings.database][each].find()):
            sweeper[name][each].insert_many(documents)
    shutil.copytree(province.settings.data_folder, folder, ignore=shutil.ignore_patterns(BELLS))  # sockets are no files
    with reserved_port() as port, reserved_port() as work_port:
        place = {"database": name, "data_folder": folder, "port": port, "work_port": work_port}
        yield replace(with_settings(province, **place), launch=partial(quiet, more=compiled))


def told(sweeper: Client, province: Province) -> dict[str, list[dict[str, Any]]]:
    """All that the province may tell or do, as it is stored."""
    kept = stored(sweeper, province.settings.database)
    return {room: kept.get(room, []) for room in TOLD}


async def test_wrong_keys_and_the_database_of_another_node_are_refused_and_nothing_is_written(
    both: list[Province], database_sweeper: Client, tmp_path: Path
):
    home, peer = both
    save_keys(make_keys(home.division), tmp_path / "other.json")
    before = stored(database_sweeper, home.settings.database)
    database = {"database": home.settings.database, "data_folder": home.settings.data_folder}
    for province, code in (
        (with_settings(home, keys_file=tmp_path / "other.json"), "other_keys"),
        (with_settings(peer, **database), "database_of_another_node"),
        (with_settings(home, data_folder=tmp_path / "another"), "folder_of_another"),
    ):
        for words in (["serve"], ["work"], ["letters", "dead"], ["serve", "--quiet"]):
            ending, said = await ended(province, *words)
            assert (ending, said.partition(": ")[2].partition(":")[0]) == (1, code), said
    assert stored(database_sweeper, home.settings.database) == before


async def test_a_copy_speaks_to_nobody_and_the_node_goes_on_as_if_it_had_never_been(
    both: list[Province], database_sweeper: Client, compiled: Mapping[str, str]
):
    home, peer = both
    await asyncio.gather(home.start("serve"), peer.start("serve", "work"))
    desks = await Desks.manned(home, peer)
    case = await desks.submit("one")
    await desks.decide(case, FIRST)  # the letter to the other province waits, for no `work` runs at home
    with copied(home, database_sweeper, compiled) as copy:
        for words in (["serve"], ["work"], ["serve", "--quiet"], ["letters", "dead"]):
            ending, said = await ended(copy, *words)
            assert (ending, "database_moved" in said, "python -m server adopt" in said) == (1, True, True), said
        assert (await ended(copy, "adopt"))[0] == 1
        assert (await ended(copy, "adopt", "--as", "drill"))[0] == 0
        for words in (["serve"], ["work"]):
            ending, said = await ended(copy, *words)
            assert (ending, "drill_only" in said) == (1, True), said
        before = told(database_sweeper, copy)
        await copy.start("serve", "work")
        await asyncio.sleep(QUIET_SECONDS)
        citizen = Caller(copy.http, copy.caller().base_url, desks.citizen.token)
        assert (await citizen.get(f"/api/v1/cases/{case}")).status == 200
        assert (await citizen.post("/api/v1/cases", desks.wish)).code == "node_quiet"
        assert told(database_sweeper, copy) == before
        assert told(database_sweeper, peer)["log"] == []
        assert [await copy.stop(each) for each in ("serve", "work")] == [0, 0]
    await home.start("work")
    await desks.finish(case)
    assert len(told(database_sweeper, peer)["cases"]) == 1
    assert (await ended(home, "peers"))[0] == 0
    assert (await ended(home, "reconcile"))[0] == 0


async def test_a_port_is_shared_by_processes_of_one_node_and_by_no_copy_and_no_other_node(
    both: list[Province], database_sweeper: Client, compiled: Mapping[str, str]
):
    home, peer = both
    await home.start("serve")
    second = with_settings(home)
    await second.start("serve")
    port = {"port": home.settings.port}
    with copied(home, database_sweeper, compiled) as copy:
        assert (await ended(copy, "adopt", "--as", "drill"))[0] == 0
        for province, words in (
            (with_settings(copy, **port), ["serve", "--quiet"]),
            (with_settings(peer, **port), ["serve"]),
        ):
            ending, said = await ended(province, *words)
            assert ending == 1
            assert f"port {home.settings.port} of 127.0.0.1: a process of another node" in said
    assert [await each.stop("serve") for each in (home, second)] == [0, 0]
    after = with_settings(peer, **port)
    await after.start("serve")
    assert await after.stop("serve") == 0


async def test_a_node_that_has_moved_is_adopted_and_goes_on(
    both: list[Province], database_sweeper: Client, compiled: Mapping[str, str]
):
    home, _ = both
    with copied(home, database_sweeper, compiled) as copy:
        moved = replace(copy, launch=home.launch)
        assert (await ended(moved, "adopt", "--as", "production"))[0] == 0
        await moved.start("serve", "work")
        assert [await moved.stop(each) for each in ("serve", "work")] == [0, 0]
