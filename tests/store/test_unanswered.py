"""What the store hears when the database does not answer, and what it may believe then."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pymongo
import pytest

from server.domain.errors import OutcomeUnknown, Unavailable
from server.store.database import Duplicate, Mark
from server.store.mongo import MongoDatabase
from server.store.queries import CATALOGUES, QUERIES, TASKS_OF_AUTHORITY
from tests.store.servers import OwnServer


@pytest.fixture
async def impatient(own_server: OwnServer) -> AsyncIterator[MongoDatabase]:
    """A database on a server of its own that waits half a second."""
    database = MongoDatabase.connect(own_server.uri, "impatient", queries=QUERIES, timeout_seconds=0.5)
    await _wait_for(database)
    yield database
    await database.close()


async def test_a_write_to_a_stopped_server_is_unknown_and_may_happen_later(
    impatient: MongoDatabase, own_server: OwnServer
) -> None:
    await impatient.insert("cases", {"_id": "old", "version": 1})
    for write in (
        partial(impatient.insert, "cases", {"_id": "a", "version": 1}),
        partial(impatient.insert_many, "cases", [{"_id": "b", "version": 1}, {"_id": "old", "version": 1}]),
        partial(impatient.mark, "cases", Mark("old", {"relayed": 3}, version=1)),
        partial(impatient.mark_many, "cases", [Mark("old", {"relay": "done"})]),
        partial(impatient.replace, "cases", {"_id": "c", "version": 2}, version=1),
        partial(impatient.delete, "cases", ["nobody"]),
    ):
        own_server.stop_answering()
        with pytest.raises(OutcomeUnknown):
            await write()
        own_server.answer_again()
        await _wait_for(impatient)
    found = await impatient.get_many("cases", ["a", "b", "c", "old"])
    assert found == {
        "a": {"_id": "a", "version": 1},
        "b": {"_id": "b", "version": 1},
        "old": {"_id": "old", "version": 1, "relayed": 3, "relay": "done"},
    }


async def _wait_for(database: MongoDatabase) -> None:
    for _ in range(100):
        try:
            return await database.ping()
        except Unavailable:
            await asyncio.sleep(0.05)
    raise AssertionError("the server is not coming back")


async def test_a_read_from_a_stopped_server_is_unavailable(impatient: MongoDatabase, own_server: OwnServer) -> None:
    own_server.stop_answering()
    reads = (
        impatient.get("cases", "a"),
        impatient.get_many("cases", ["a"]),
        impatient.equal(CATALOGUES, "h2026-11-23T05", limit=1),
        impatient.between(TASKS_OF_AUTHORITY, "a", "b", limit=1),
        impatient.keys(TASKS_OF_AUTHORITY, "a", "b", limit=1),
        impatient.ping(),
        impatient.time(),
    )
    outcomes = await asyncio.gather(*reads, return_exceptions=True)
    assert {type(each) for each in outcomes} == {Unavailable}, "a read has no outcome that could be unknown"


async def test_what_was_surely_not_sent_is_unavailable_and_not_unknown(
    impatient: MongoDatabase, own_server: OwnServer
) -> None:
    await own_server.kill()
    outcomes = []
    for id in ("a", "b", "c"):
        with pytest.raises(Unavailable) as told:
            await impatient.insert("cases", {"_id": id, "version": 1})
        outcomes.append(told.type)
    assert outcomes[1:] == [Unavailable, Unavailable], "the first may have been cut off in the middle"
    with pytest.raises(Unavailable):
        await impatient.ping()


async def test_a_restarted_server_is_found_again_with_all_it_had(
    impatient: MongoDatabase, own_server: OwnServer
) -> None:
    await impatient.insert("cases", {"_id": "a", "version": 1})
    await own_server.kill()
    await own_server.start()
    await _wait_for(impatient)
    assert await impatient.get("cases", "a") == {"_id": "a", "version": 1}


async def test_the_store_runs_on_pymongos_own_asynchronous_client(database_uri: str, database_name: str) -> None:
    database = MongoDatabase(pymongo.AsyncMongoClient(database_uri), database_name, queries=QUERIES)
    await database.prepare()
    assert await database.insert_many("cases", [{"_id": "a", "version": 1}, {"_id": "a", "version": 2}]) == {1}
    with pytest.raises(Duplicate):
        await database.insert("cases", {"_id": "a", "version": 3})
    assert await database.replace("cases", {"_id": "a", "version": 2}, version=1)
    assert await database.mark("cases", Mark("a", {"relay": "done"}, version=2))
    assert await database.mark_many("cases", [Mark("a", {"relayed": 4}), Mark("b", {"relayed": 4})]) == 1
    await database.insert("tasks", {"_id": "t", "key": "d|open|t1"})
    assert await database.between(TASKS_OF_AUTHORITY, "d|", "d}", limit=3) == [{"_id": "t", "key": "d|open|t1"}]
    assert await database.equal(CATALOGUES, "h1", limit=3) == []
    assert await database.get("cases", "a") == {"_id": "a", "version": 2, "relay": "done", "relayed": 4}
    await database.delete("cases", ["a"])
    assert await database.get_many("cases", ["a"]) == {}
    await database.ping()
    await database.close()
