"""The format rule: tomorrow's code reads what today's wrote, and today's reads and keeps what tomorrow's wrote."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pymongo
import pytest

from server.domain.errors import WrittenByNewer
from server.store.store import Store
from server.store.trust import TRUST
from tests.store import side_by_side, tomorrow
from tests.store.side_by_side import CASE, COLLECTIONS, MEMBER, RED

# What follows from something else is made anew as a whole: what is not known of it would not go with what is.
MADE_ANEW = {"counts"}
WRITTEN_ONCE = {
    *("catalogues", "clues", "deeds", "ends", "heads", "licence_uses"),
    *("materials", "nonces", "number_blocks", "plans", "visits", "warnings"),
}


@pytest.fixture
async def store(database_uri: str, database_name: str, tmp_path: Path) -> AsyncIterator[Store]:
    async with side_by_side.opened(database_uri, database_name, tmp_path / "files") as store:
        yield store


async def test_optional_members_of_tomorrow_are_passed_over_and_kept_and_missing_ones_are_no_fault(
    tmp_path: Path, database_uri: str, database_name: str
):
    new, old = f"{database_name}_new", f"{database_name}_old"
    await asyncio.to_thread(tomorrow.make, tmp_path)
    await tomorrow.ask(tmp_path, database_uri, "write", new)
    wanted, found = side_by_side.values(), {}
    for name in (old, new):
        async with side_by_side.opened(database_uri, name, tmp_path / "files") as store:
            if name == old:
                await side_by_side.write(store)
            await side_by_side.carry(store)
            found[name] = await side_by_side.read(store)
            if name == new:
                await side_by_side.change(store)
    assert found[new] == found[old]
    wanted["calendar"] = wanted["calendar"].model_copy(update={"version": 1})  # it counts how often it was written
    assert (found[old]["fetch"].content,) == wanted.pop("fetch").contents
    assert {name: value for name, value in found[old].items() if name in wanted} == wanted
    after, before = await tomorrow.ask(tmp_path, database_uri, "read", new, old)
    assert {name for name, colours in before.items() if colours != [""]} == set()
    anew = {name: [""] for name in ("line", "counts", "known_licence")}  # a letter tells the whole of it
    plain = anew | {"events": ["", RED], "licence": ["", RED]}  # and the event of the change is today's
    assert {name: colours for name, colours in after.items() if colours != [RED]} == plain


async def test_a_member_of_tomorrow_stays_in_whatever_document_is_written_again(
    store: Store, database_sweeper: pymongo.MongoClient[dict[str, Any]], database_name: str
):
    rooms = database_sweeper[database_name]
    await side_by_side.write(store)
    case = await store.database.get("cases", CASE)
    assert case
    effects = [{name: _grown(each) for name, each in effect.items()} for effect in case["effects"]]
    await store.database.replace("cases", {**case, "effects": effects}, version=case["version"])
    await side_by_side.carry(store)
    for room in {"clues", "deeds", "fetches", "letters_out", "notices", "papers", "tasks"}:
        assert {document[MEMBER] for document in rooms[room].find()} == {RED}, room
    before = await side_by_side.read(store)
    for room in TRUST:
        documents = list(rooms[room].find())
        assert documents, room
        await store.database.delete(room, [document["_id"] for document in documents])
        await store.database.insert_many(room, [_grown(document) for document in documents])
    assert await side_by_side.read(store) == before
    were = {room: list(rooms[room].find()) for room in TRUST}
    await side_by_side.change(store)
    are = {room: {document["_id"]: document for document in rooms[room].find()} for room in TRUST}
    again = {room: [are[room][each["_id"]] for each in were[room] if are[room][each["_id"]] != each] for room in TRUST}
    assert {room for room, documents in again.items() if not documents} == WRITTEN_ONCE
    assert {room for room, documents in again.items() if {each.get(MEMBER) for each in documents} - {RED}} == MADE_ANEW


def _grown(told: Any) -> Any:
    return {**told, MEMBER: RED} if isinstance(told, dict) else told


async def test_an_effect_of_a_kind_that_only_tomorrow_knows_stays_in_its_case(store: Store):
    await side_by_side.write(store)
    pending = (await store.cases.case(CASE)).pending
    with pytest.raises(WrittenByNewer, match="sms"):
        await store.carry([*pending, {"event": 1, "index": 99, "sms": {"to": "x"}}])
    assert await store.tasks.task(side_by_side.values()["task"].id), "the others are carried"


def test_each_collection_says_which_values_stand_in_it():
    assert COLLECTIONS.keys() == TRUST.keys()
    assert all(COLLECTIONS.values())
