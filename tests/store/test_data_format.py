"""A database belongs to one format of data: an empty one is marked, other data is refused untouched."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pymongo
import pytest

from server.store.database import Database, Document
from server.store.format import FORMAT, NUMBER, DataFormat, DataOfAnotherVersion
from server.store.identity import NODE
from server.store.mongo import MongoDatabase
from server.store.queries import QUERIES
from tests.store.witness import Witness
from tests.world import JIANGSU, ZHEJIANG

PEERS = (JIANGSU, ZHEJIANG)
MARK = {"_id": FORMAT, "number": NUMBER}
Sweeper = pymongo.MongoClient[dict[str, Any]]
# What the first thing that a node of 0.1 stored may have been, as far as it is looked at.
FIRST_THINGS = {
    "a case": ("cases", {"_id": "c1", "relay": "done"}),
    "a case that is to be relayed": ("cases", {"_id": "c1", "relay": "t2026-11-23T05:45:00.123Z"}),
    "a letter of ours": ("letters_out", {"_id": "l1", "key": "unlogged|330000|t2026-11-23T05:45:00.123Z|l1"}),
    "a letter of theirs": ("letters_in", {"_id": "330000:l1", "key": "waiting|t2026-11-23T05:45:00.123Z|l1"}),
    "a batch that is not unpacked": ("log", {"_id": f"in|{ZHEJIANG}|1:000000000001", "number": 1}),
}


def stored(sweeper: Sweeper, name: str) -> dict[str, tuple[list[Document], dict[str, Any]]]:
    """Every document and every index of a database, by collection."""
    database = sweeper[name]
    return {
        each: (list(database[each].find().sort("_id")), database[each].index_information())
        for each in database.list_collection_names()
    }


async def test_an_empty_database_is_marked_and_stays_so(database: MongoDatabase) -> None:
    for _ in range(2):
        await DataFormat(database).claim(PEERS)
        assert await database.get(NODE, FORMAT) == MARK


@pytest.mark.parametrize("first", FIRST_THINGS)
async def test_data_without_a_mark_is_of_0_1_and_refused_untouched(
    witness: Witness, database_uri: str, database_name: str, database_sweeper: Sweeper, first: str
) -> None:
    collection, document = FIRST_THINGS[first]
    database_sweeper[database_name][collection].insert_one(document)
    before = stored(database_sweeper, database_name)
    database = MongoDatabase.connect(database_uri, database_name, queries=QUERIES, listeners=[witness])
    try:
        with pytest.raises(
            DataOfAnotherVersion, match=rf"data of version 0\.1, and this program reads format {NUMBER} only"
        ):
            await DataFormat(database).claim(PEERS)
    finally:
        await database.close()
    assert stored(database_sweeper, database_name) == before
    assert witness.faults == []
    assert [find for find in witness.named("find") if "_id" not in find["filter"] and find["limit"] != 1] == []


@pytest.mark.parametrize("number", [NUMBER - 1, NUMBER + 1])
async def test_data_of_another_format_is_refused_with_both_numbers(database: MongoDatabase, number: int) -> None:
    await database.insert(NODE, {**MARK, "number": number})
    with pytest.raises(
        DataOfAnotherVersion, match=f"data of format {number}, and this program reads format {NUMBER} only"
    ):
        await DataFormat(database).claim(PEERS)
    assert await database.get(NODE, FORMAT) == {**MARK, "number": number}


async def test_data_with_the_mark_is_opened_again(database: MongoDatabase) -> None:
    await DataFormat(database).claim(PEERS)
    for collection, document in FIRST_THINGS.values():
        await database.insert_many(collection, [document])
    await DataFormat(database).claim(PEERS)
    assert await database.get(NODE, FORMAT) == MARK


async def test_a_database_with_officers_but_no_case_and_no_letter_is_marked(database: MongoDatabase) -> None:
    await database.insert("officers", {"_id": "anna"})
    await database.insert("directories", {"_id": "directory", "version": 1, "text": "signed"})
    await DataFormat(database).claim(PEERS)
    assert await database.get(NODE, FORMAT) == MARK


async def test_of_many_that_start_at_once_each_finds_the_one_mark(database: MongoDatabase, witness: Witness) -> None:
    await asyncio.gather(*(DataFormat(database).claim(PEERS) for _ in range(12)))
    assert await database.get(NODE, FORMAT) == MARK
    assert len(witness.named("insert")) > 1


class Interrupted:
    """A database in which something happens right before the first call of this name."""

    def __init__(self, database: MongoDatabase, name: str, happens: Callable[[], Awaitable[None]]) -> None:
        self._database, self._name, self._happens = database, name, happens

    def __getattr__(self, name: str) -> Any:
        async def call(*arguments: Any, **named: Any) -> Any:
            if name == self._name:
                self._name = ""
                await self._happens()
            return await getattr(self._database, name)(*arguments, **named)

        return call


async def test_the_first_case_of_a_process_that_was_quicker_is_no_data_of_0_1(database: MongoDatabase) -> None:
    async def other_starts() -> None:
        await DataFormat(database).claim(PEERS)
        await database.insert(*FIRST_THINGS["a case"])

    await DataFormat(cast(Database, Interrupted(database, "keys", other_starts))).claim(PEERS)
    assert await database.get(NODE, FORMAT) == MARK


async def test_the_mark_of_another_version_that_was_quicker_counts(database: MongoDatabase) -> None:
    async def other_starts() -> None:
        await database.insert(NODE, {**MARK, "number": NUMBER + 1})

    with pytest.raises(DataOfAnotherVersion, match=f"data of format {NUMBER + 1}"):
        await DataFormat(cast(Database, Interrupted(database, "insert", other_starts))).claim(PEERS)
