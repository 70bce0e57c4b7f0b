"""Whose database it is stands in it, and its incarnation in the folder of files too: both must belong together."""

import asyncio
from pathlib import Path

import pytest

from server.domain.identity import (
    DatabaseMoved,
    FolderOfAnother,
    FolderTaken,
    Identity,
    KeyLost,
    OtherKeys,
)
from server.store.identity import IDENTITY, NODE, Identities
from server.store.mongo import MongoDatabase
from tests.store.witness import Witness
from tests.world import JIANGSU

OURS = Identity(
    division=JIANGSU,
    origin="https://tongban.example.cn",
    database="tongban",
    hosts=("a:27017",),
    checks={"lookup": "l1", "fields:f1": "a1"},
)
GAINED = OURS.model_copy(update={"checks": {**OURS.checks, "fields:f2": "a2"}})
ELSEWHERE = OURS.model_copy(update={"hosts": ("b:27017",)})


def marks(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "files"


@pytest.fixture
async def ours(database: MongoDatabase, folder: Path) -> Identities:
    """The identity of a database that was opened before."""
    identities = Identities(database, folder)
    await identities.claim(OURS, incarnation="one")
    return identities


async def test_the_first_start_writes_it_in_both_places_and_later_ones_write_nothing(
    database: MongoDatabase, folder: Path, witness: Witness
):
    held = await Identities(database, folder).claim(OURS, incarnation="one")
    assert (held.incarnation, held.use, marks(folder)) == ("one", "production", ["incarnation-one"])
    written = len(witness.named("insert") + witness.named("update"))
    again = await Identities(database, folder).claim(OURS, incarnation="two")
    assert (again.identity, again.incarnation, again.is_marked) == (OURS, "one", True)
    assert len(witness.named("insert") + witness.named("update")) == written


async def test_of_many_that_start_at_once_all_find_one_incarnation(database: MongoDatabase, folder: Path):
    claims = [Identities(database, folder).claim(OURS, incarnation=f"i{number}") for number in range(12)]
    (found,) = {held.incarnation for held in await asyncio.gather(*claims)}
    assert marks(folder) == [f"incarnation-{found}"]


async def test_a_start_that_broke_off_before_the_folder_was_marked_is_finished_by_the_next(
    database: MongoDatabase, folder: Path
):
    await Identities(database, folder)._insert(OURS, "production", incarnation="one")
    assert not (await Identities(database, folder).claim(OURS, incarnation="two")).is_marked
    assert marks(folder) == ["incarnation-one"]
    held = await Identities(database, folder).held()
    assert held
    assert held.is_marked


async def test_a_folder_of_another_database_is_refused(ours: Identities, database: MongoDatabase, tmp_path: Path):
    with pytest.raises(FolderOfAnother, match=r"no incarnation-one is in it.*adopt"):
        await Identities(database, tmp_path / "other").claim(OURS, incarnation="two")


async def test_an_empty_database_beside_the_folder_of_another_is_refused_unwritten(
    ours: Identities, database: MongoDatabase, folder: Path
):
    await database.delete(NODE, [IDENTITY])
    with pytest.raises(FolderTaken, match=r"incarnation-one is in it"):
        await Identities(database, folder).claim(OURS, incarnation="two")
    assert await ours.held() is None


async def test_a_copy_is_refused_until_it_is_adopted(ours: Identities, folder: Path):
    with pytest.raises(DatabaseMoved):
        await ours.claim(ELSEWHERE, incarnation="two")
    await ours.adopt(ELSEWHERE, "production", incarnation="two")
    held = await ours.claim(ELSEWHERE, incarnation="three")
    assert (held.incarnation, held.use, held.identity, held.is_marked) == ("two", "production", ELSEWHERE, True)
    assert marks(folder) == ["incarnation-two"], "the database before it no longer starts on this folder"


async def test_a_drill_on_the_folder_of_production_leaves_production_its_mark(ours: Identities, folder: Path):
    await ours.adopt(ELSEWHERE, "drill", incarnation="two")
    held = await ours.held()
    assert held
    assert held.use == "drill"
    assert marks(folder) == ["incarnation-one", "incarnation-two"]


async def test_nobody_adopts_a_database_whose_keys_they_do_not_have(ours: Identities, folder: Path):
    other = OURS.model_copy(update={"checks": {**OURS.checks, "lookup": "other"}})
    with pytest.raises(OtherKeys):
        await ours.adopt(other, "production", incarnation="two")
    held = await ours.held()
    assert held
    assert (held.incarnation, marks(folder)) == ("one", ["incarnation-one"])


async def test_a_key_that_a_ring_gained_is_remembered_and_missed(ours: Identities):
    await ours.claim(GAINED, incarnation="two")
    with pytest.raises(KeyLost, match="fields:f2"):
        await ours.claim(OURS, incarnation="two")


async def test_what_a_newer_program_wrote_beside_it_stays(ours: Identities, database: MongoDatabase):
    document = await database.get(NODE, IDENTITY)
    assert document
    version = document["version"]
    checks = {**document["checks"], "integrity:i1": "x"}
    newer = {**document, "checks": checks, "colour": "red", "version": version + 1}
    assert await database.replace(NODE, newer, version=version)
    await ours.claim(GAINED, incarnation="two")
    await ours.adopt(ELSEWHERE.model_copy(update={"checks": GAINED.checks}), "production", incarnation="two")
    after = await database.get(NODE, IDENTITY)
    assert after
    assert (after["colour"], after["checks"]) == ("red", {**checks, **GAINED.checks})


async def test_a_key_that_was_retired_may_be_missing_and_may_be_there(ours: Identities):
    await ours.claim(GAINED, incarnation="two")
    await ours.retire("fields:f1")
    only_new = OURS.model_copy(update={"checks": {"lookup": "l1", "fields:f2": "a2"}})
    for each in (only_new, GAINED, only_new):
        await ours.claim(each, incarnation="two")
    with pytest.raises(KeyLost, match="fields:f2"):
        await ours.claim(OURS, incarnation="two")
    assert await ours.key_names() == {"lookup", "fields:f1", "fields:f2"}


async def test_what_was_retired_stays_so_when_the_database_is_adopted(ours: Identities):
    await ours.claim(GAINED, incarnation="two")
    await ours.retire("fields:f1")
    only_new = ELSEWHERE.model_copy(update={"checks": {"lookup": "l1", "fields:f2": "a2"}})
    await ours.adopt(only_new, "production", incarnation="two")
    await ours.claim(only_new, incarnation="three")
    assert await ours.key_names() == {"lookup", "fields:f1", "fields:f2"}
