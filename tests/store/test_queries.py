"""The table of queries agrees with the declared indexes, and the witness that guards it has teeth."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.values import moment_key
from server.store.catalogues import Catalogues
from server.store.database import safe
from server.store.exchange.directories import Directories
from server.store.mongo import MongoDatabase
from server.store.queries import CATALOGUES, QUERIES, TASKS_OF_AUTHORITY, hour_bucket, under
from tests.store.witness import Witness
from tests.world import CATALOGUE

SURE = {"writeConcern": {"w": "majority", "j": True}, "maxTimeMS": 500}
WALK: dict[str, Any] = {"filter": {"_id": {"$gt": "a"}}, "sort": {"_id": 1}, "limit": 5}
PROVEN = {"_id": "a", "proof": "x"}
RANGE = {"filter": {"key": {"$gte": "a", "$lt": "b"}}, "sort": {"key": 1}}
FIND = {"readConcern": {"level": "majority"}, "limit": 5, "maxTimeMS": 500}


async def test_each_query_is_served_by_an_index_of_its_one_field(
    database: MongoDatabase, database_sweeper: pymongo.MongoClient[dict[str, Any]], database_name: str
) -> None:
    declared = {
        (collection, tuple(field for field, _ in index["key"]))
        for collection in {query.collection for query in QUERIES}
        for index in database_sweeper[database_name][collection].index_information().values()
    }
    needed = {(query.collection, (query.field,)) for query in QUERIES}
    assert declared - {(query.collection, ("_id",)) for query in QUERIES} == needed


def test_each_query_has_a_name_of_its_own_and_a_plain_field() -> None:
    assert len({query.name for query in QUERIES}) == len(QUERIES)
    assert all(query.field.isidentifier() and query.collection.isidentifier() for query in QUERIES)


def test_a_field_is_asked_in_one_way_only() -> None:
    ways = {(query.collection, query.field, query.is_range) for query in QUERIES}
    assert len({(collection, field) for collection, field, _ in ways}) == len(ways)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 # hypothesis wants naive bounds
def test_a_key_with_a_moment_lies_under_its_parts_and_is_safe(at: datetime) -> None:
    low, high = under("320000", "open")
    assert low <= safe(f"320000|open|{moment_key(at)}") < high
    assert not low <= f"320000|opened|{moment_key(at)}" < high
    assert not low <= f"320001|open|{moment_key(at)}" < high


def test_the_bucket_of_an_hour_is_the_same_in_every_time_zone() -> None:
    at = datetime(2026, 11, 23, 5, 59, 59, tzinfo=UTC)
    assert hour_bucket(at) == safe("h2026-11-23T05")
    assert hour_bucket(at + timedelta(seconds=1)) == "h2026-11-23T06"


async def test_what_a_start_needs_is_written_once_and_then_only_read(database: MongoDatabase, witness: Witness) -> None:
    async def start() -> int:
        await database.prepare()
        await Catalogues(database).keep(CATALOGUE)
        await Directories(database).keep(1, "signed")
        return sum(len(witness.named(name)) for name in ("createIndexes", "insert", "update"))

    written = await start()
    assert await start() == written


PORTABLE = [
    ("insert", {"insert": "cases", "documents": [{"_id": "a"}], **SURE}),
    ("update", {"update": "cases", "updates": [{"q": {"_id": "a"}, "u": {"$set": {"relay": "done"}}}], **SURE}),
    ("delete", {"delete": "cases", "deletes": [{"q": {"_id": {"$in": ["a"]}}}], **SURE}),
    ("find", {"find": "cases", "filter": {"_id": "a"}, **FIND}),
    ("find", {"find": "catalogues", "filter": {"kind": "h1"}, **FIND}),
    ("find", {"find": "tasks", "filter": {"key": {"$gte": "a", "$lt": "b"}}, "sort": {"key": 1}, **FIND}),
    ("find", {"find": "tasks", **RANGE, "projection": {"key": 1, "_id": 0}, **FIND}),
    ("listIndexes", {"listIndexes": "tasks", "cursor": {}, "maxTimeMS": 500}),
    ("listCollections", {"listCollections": 1, "nameOnly": True, "cursor": {}, "maxTimeMS": 500}),
    ("find", {"find": "cases", **WALK, **FIND}),
    ("update", {"update": "log", "updates": [{"q": PROVEN, "u": {"$set": {"letters": [{"x": "y"}]}}}], **SURE}),
]
NOT_PORTABLE = [
    ("insert", {"insert": "cases", "documents": [{"_id": 7}], **SURE}),
    ("insert", {"insert": "cases", "documents": [{"_id": "a"}], **SURE, "writeConcern": {"w": 1}}),
    ("update", {"update": "cases", "updates": [{"q": {"relay": "a"}, "u": {"$set": {"relay": "done"}}}], **SURE}),
    ("update", {"update": "cases", "updates": [{"q": {"_id": "a"}, "u": {"$push": {"events": "x"}}}], **SURE}),
    ("update", {"update": "cases", "updates": [{"q": {"_id": "a"}, "u": {"$set": {"open": True}}}], **SURE}),
    ("update", {"update": "cases", "updates": [{"q": {"_id": "a"}, "u": {"body": "unversioned"}}], **SURE}),
    ("delete", {"delete": "cases", "deletes": [{"q": {"relay": "done"}}], **SURE}),
    ("find", {"find": "cases", "filter": {}, **FIND}),
    ("find", {"find": "cases", "filter": {"_id": "2026-11-23"}, **FIND}),
    ("find", {"find": "cases", "filter": {"_id": {"$gte": "a", "$lt": "b"}}, "sort": {"_id": 1}, **FIND}),
    ("find", {"find": "cases", "filter": {"applicant": "a"}, **FIND}),
    ("find", {"find": "cases", "filter": {"owner_key": "a"}, **FIND}),
    ("find", {"find": "catalogues", "filter": {"kind": {"$ne": "h1"}}, **FIND}),
    ("find", {"find": "catalogues", "filter": {"kind": "h1"}, "readConcern": {"level": "majority"}, "maxTimeMS": 500}),
    ("find", {"find": "catalogues", "filter": {"kind": "h1"}, **FIND, "readConcern": {"level": "local"}}),
    ("find", {"find": "tasks", "filter": {"key": {"$gte": "a", "$lt": "b"}}, "sort": {"since": 1}, **FIND}),
    ("find", {"find": "cases", "filter": {"_id": "a"}, "skip": 5, **FIND}),
    ("find", {"find": "tasks", **RANGE, "projection": {"key": 1}, **FIND}),
    ("find", {"find": "tasks", **RANGE, "projection": {"since": 1, "_id": 0}, **FIND}),
    ("find", {"find": "cases", "filter": {"_id": "a"}, "projection": {"events": 1}, **FIND}),
    ("find", {"find": "catalogues", "filter": {"kind": "h1"}, "projection": {"kind": 1, "_id": 0}, **FIND}),
    ("find", {"find": "cases", "filter": {"_id": "a"}, "limit": 1, "maxTimeMS": 500}),
    ("find", {"find": "cases", "filter": {"_id": "a"}, "readConcern": {"level": "majority"}}),
    ("find", {"find": "tasks", "filter": {"key": {"$gte": "a", "$lt": "b"}}, **FIND}),
    ("insert", {"insert": "cases", "documents": [{"_id": "a"}], "maxTimeMS": 500}),
    ("aggregate", {"aggregate": "cases", "pipeline": [], "maxTimeMS": 500}),
    ("count", {"count": "cases", "maxTimeMS": 500}),
    ("createIndexes", {"createIndexes": "tasks", "indexes": [{"key": {"key": 1, "since": 1}}], **SURE}),
    ("createIndexes", {"createIndexes": "tasks", "indexes": [{"key": {"since": 1}}], **SURE}),
    ("listIndexes", {"listIndexes": "system.users", "cursor": {}, "maxTimeMS": 500}),
    ("listCollections", {"listCollections": 1, "nameOnly": False, "cursor": {}, "maxTimeMS": 500}),
    ("find", {"find": "cases", "filter": WALK["filter"], **FIND}),
    ("find", {"find": "cases", "filter": WALK["filter"], "sort": {"key": 1}, **FIND}),
    ("find", {"find": "cases", **WALK, **FIND, "limit": 0}),
    ("find", {"find": "cases", **WALK, **FIND, "filter": {"_id": {"$gt": "2026-11-23"}}}),
    ("update", {"update": "log", "updates": [{"q": PROVEN, "u": {"letters": []}}], **SURE}),
    ("update", {"update": "log", "updates": [{"q": {"proof": "x"}, "u": {"$set": {"letters": []}}}], **SURE}),
    ("update", {"update": "log", "updates": [{"q": {"_id": "a", "proof": 7}, "u": {"$set": {"x": "y"}}}], **SURE}),
]


@pytest.mark.parametrize(("name", "command"), PORTABLE)
def test_the_witness_lets_portable_commands_pass(name: str, command: dict[str, Any]) -> None:
    assert Witness(QUERIES).is_portable(name, command)


@pytest.mark.parametrize(("name", "command"), NOT_PORTABLE)
def test_the_witness_notices_what_is_not_portable(name: str, command: dict[str, Any]) -> None:
    assert not Witness(QUERIES).is_portable(name, command)


async def test_the_witness_sees_what_a_database_sends(database: MongoDatabase, witness: Witness) -> None:
    await database.insert("tasks", {"_id": "a", "key": "d|open|t1"})
    await database.between(TASKS_OF_AUTHORITY, *under("d", "open"), limit=2)
    await database.equal(CATALOGUES, "h1", limit=2)
    assert [next(iter(command)) for command in witness.sent][-3:] == ["insert", "find", "find"]
    assert {index["key"].popitem()[0] for one in witness.named("createIndexes") for index in one["indexes"]} == {
        query.field for query in QUERIES
    }
