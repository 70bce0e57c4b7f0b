"""The database over MongoDB's wire protocol: the only file that imports the driver.

It is written in the common subset of Motor and `pymongo.AsyncMongoClient`. `retryWrites` stays on: MongoDB
carries out a retried write once (by its transaction number), and to a server that is no replica set, like the
embedded one, the driver never retries a write.
"""

import asyncio
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC
from typing import Any, Self

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ASCENDING, DESCENDING, IndexModel, InsertOne, ReadPreference, ReplaceOne, UpdateOne
from pymongo.errors import (
    BulkWriteError,
    DuplicateKeyError,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from server.domain.errors import OutcomeUnknown, Unavailable
from server.store.database import (
    Document,
    Duplicate,
    Mark,
    Query,
    Renewal,
    ServerTime,
    UndeclaredQuery,
    UnsafeOperand,
    safe,
    safe_document,
    safe_mark,
    safe_renewal,
)
from server.store.group_calls import GroupCalls

DUPLICATE_KEY = 11000
HERE = frozenset({"localhost", "::1"})


class _Calls:
    """The collections, and the calls that gather: reads by `_id`, and inserts."""

    def __init__(self, database: Any) -> None:
        self._database = database
        self._collections: dict[str, Any] = {}
        self._reads: GroupCalls[str, dict[str, Document]] = GroupCalls(self._found, _of_these)
        self._inserts: GroupCalls[Document, frozenset[int]] = GroupCalls(self._inserted, _among_these)
        self.tell_written: Callable[[], object] = _tell_nobody

    def _collection(self, name: str) -> Any:
        """The driver's own value of it, which takes the driver longer to make than some calls."""
        if name not in self._collections:
            self._collections[name] = self._database[name]
        return self._collections[name]

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Tell of a write also when its outcome is unknown."""
        try:
            with _writing():
                yield
        finally:
            self.tell_written()

    async def _inserted(self, collection: str, documents: Sequence[Document]) -> frozenset[int]:
        return await self._put(collection, [InsertOne(document) for document in documents])

    async def _put(self, collection: str, puts: Sequence[Any]) -> frozenset[int]:
        """Carry them out in one round trip; the places of those whose `_id` was there already."""
        if not puts:
            return frozenset()
        with self._writing():
            try:
                # Unordered, so that a duplicate does not keep the documents behind it from being stored.
                await self._collection(collection).bulk_write(puts, ordered=False)
            except BulkWriteError as fault:
                return _places_of_duplicates(fault)
        return frozenset()

    async def _found(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        found = await _documents(self._collection(collection).find(_by_id(ids)))
        return {document["_id"]: document for document in found}


class _Walked(_Calls):
    """What whole collections are walked over and written anew by."""

    async def walk(self, collection: str, after: str, *, limit: int) -> list[Document]:
        if limit < 1:
            raise UndeclaredQuery(f"a walk without a bound: {collection}")
        wanted = {"_id": {"$gt": safe(after)}}
        return await _documents(self._collection(collection).find(wanted).sort("_id", ASCENDING).limit(limit))

    async def renew_many(self, collection: str, renewals: Sequence[Renewal]) -> int:
        if not renewals:
            return 0
        updates = [
            UpdateOne({"_id": each.id, "proof": each.proof}, {"$set": dict(each.members)})
            for each in map(safe_renewal, renewals)
        ]
        with self._writing():
            found = await self._collection(collection).bulk_write(updates, ordered=False)
        return int(found.matched_count)


class MongoDatabase(_Walked):
    """The `Database` on one named database of a server."""

    def __init__(self, client: Any, name: str, *, queries: Sequence[Query]) -> None:
        self._client = client
        self._queries = frozenset(queries)
        super().__init__(_safe_database(client, name))

    @classmethod
    def connect(
        cls,
        uri: str,
        name: str,
        *,
        queries: Sequence[Query],
        timeout_seconds: float = 5.0,
        listeners: Sequence[Any] = (),
    ) -> Self:
        """A database that opens its first connection with the first call; each call ends within the timeout."""
        client = AsyncIOMotorClient(uri, event_listeners=list(listeners), **_options(int(timeout_seconds * 1000)))
        return cls(client, name, queries=queries)

    async def prepare(self) -> None:
        """Declare the index of each field that a query reads and that has none: else nothing is written."""
        with _reading():
            there = frozenset(await self._database.list_collection_names())
            for collection, fields in _indexed(self._queries).items():
                known = await self._collection(collection).index_information() if collection in there else {}
                new = sorted(fields - {index["key"][0][0] for index in known.values()})
                if new:
                    await self._collection(collection).create_indexes([IndexModel(field) for field in new])

    async def insert(self, collection: str, document: Document) -> None:
        if await self.insert_many(collection, [document]):
            raise Duplicate

    async def insert_many(self, collection: str, documents: Sequence[Document]) -> frozenset[int]:
        for document in documents:
            safe_document(document)
        return await self._inserts.of(collection, documents) if documents else frozenset()

    async def replace(self, collection: str, document: Document, *, version: int) -> bool:
        safe_document(document)
        with self._writing():
            # The version in the filter makes this a compare-and-set: of two writers one matches.
            found = await self._collection(collection).replace_one(
                {"_id": document["_id"], "version": version}, document
            )
        return bool(found.matched_count)

    async def replace_many(self, collection: str, documents: Sequence[tuple[Document, int]]) -> int:
        return await self._change(
            collection,
            [
                ReplaceOne({"_id": document["_id"], "version": version}, safe_document(document))
                for document, version in documents
            ],
        )

    async def put_newer(self, collection: str, documents: Sequence[Document]) -> frozenset[int]:
        return await self._put(collection, [_newer(safe_document(document)) for document in documents])

    async def mark(self, collection: str, mark: Mark) -> bool:
        with self._writing():
            found = await self._collection(collection).update_one(*_update(mark))
        return bool(found.matched_count)

    async def mark_many(self, collection: str, marks: Sequence[Mark]) -> int:
        return await self._change(collection, [UpdateOne(*_update(mark)) for mark in marks])

    async def get(self, collection: str, id: str) -> Document | None:
        return (await self._reads.of(collection, [safe(id)])).get(id)

    async def get_many(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        return await self._reads.of(collection, [safe(id) for id in ids]) if ids else {}

    async def equal(self, query: Query, value: str, *, limit: int) -> list[Document]:
        _check(self._queries, query, limit=limit, is_range=False)
        return await _documents(self._collection(query.collection).find({query.field: safe(value)}).limit(limit))

    async def between(
        self, query: Query, low: str, high: str, *, limit: int, is_descending: bool = False
    ) -> list[Document]:
        return await _documents(self._range(query, _span(low, high), None, limit=limit, is_descending=is_descending))

    async def pick(self, query: Query, low: str, high: str, *, fields: Sequence[str], limit: int) -> list[Document]:
        shown = dict.fromkeys(fields, 1)
        return await _documents(self._range(query, _span(low, high), shown, limit=limit, is_descending=True))

    async def keys(self, query: Query, low: str, high: str, *, limit: int, is_descending: bool = False) -> list[str]:
        shown = {query.field: 1, "_id": 0}
        found = self._range(query, _span(low, high), shown, limit=limit, is_descending=is_descending)
        return [document[query.field] for document in await _documents(found)]

    async def delete(self, collection: str, ids: Sequence[str]) -> None:
        if not ids:
            return
        # By `_id` alone: by any other field the embedded server reads the whole collection.
        unwanted = {"_id": {"$in": [safe(id) for id in ids]}}
        with self._writing():
            await self._collection(collection).delete_many(unwanted)

    async def ping(self) -> None:
        with _reading():
            await self._client.admin.command("ping")

    async def time(self) -> ServerTime:
        with _reading():
            told = await self._client.admin.command("hello")
        is_here = all(host in HERE or host.startswith(("127.", "/")) for host, _ in self._client.nodes)
        return ServerTime(told["localTime"].replace(tzinfo=UTC), is_here=is_here)

    async def close(self) -> None:
        # Motor ends its sessions in this call, and waits for a server that is gone; pymongo's own client is awaited.
        closing = await asyncio.to_thread(self._client.close)
        if inspect.isawaitable(closing):
            await closing

    async def _change(self, collection: str, changes: Sequence[Any]) -> int:
        """Carry them out in one round trip. The server tells how many matched, not which."""
        if not changes:
            return 0
        with self._writing():
            found = await self._collection(collection).bulk_write(changes, ordered=False)
        return int(found.matched_count)

    def _range(self, query: Query, span: Document, shown: Document | None, *, limit: int, is_descending: bool) -> Any:
        _check(self._queries, query, limit=limit, is_range=True)
        order = DESCENDING if is_descending else ASCENDING
        return self._collection(query.collection).find({query.field: span}, shown).sort(query.field, order).limit(limit)


def _safe_database(client: Any, name: str) -> Any:
    return client.get_database(
        name,
        # An answer tells what a majority has on disk, so that a change of the primary takes nothing back.
        write_concern=WriteConcern("majority", j=True),
        read_concern=ReadConcern("majority"),
        # A secondary may be behind, and an act must be decided on the newest case.
        read_preference=ReadPreference.PRIMARY,
    )


def _check(queries: frozenset[Query], query: Query, *, limit: int, is_range: bool) -> None:
    if query not in queries or query.is_range != is_range:
        raise UndeclaredQuery(f"not declared as asked: {query}")
    if limit < 1:
        raise UndeclaredQuery(f"without a bound: {query}")


def _indexed(queries: Iterable[Query]) -> dict[str, set[str]]:
    """The fields that need an index, by collection.

    One field per index: the embedded server takes `a_b` and `(a, b)` for the same index.
    """
    fields: dict[str, set[str]] = {}
    for query in queries:
        fields.setdefault(query.collection, set()).add(query.field)
    return fields


def _options(milliseconds: int) -> dict[str, Any]:
    return {
        "appname": "tongban",
        # Each stage and the whole call have a bound: a request must not hang with the database.
        "connectTimeoutMS": milliseconds,
        "serverSelectionTimeoutMS": milliseconds,
        "timeoutMS": milliseconds,
    }


async def _documents(cursor: Any) -> list[Document]:
    with _reading():
        documents: list[Document] = await cursor.to_list(None)
    return documents


def _by_id(ids: Sequence[str]) -> Document:
    """One alone by equality: there are servers that read a whole collection for `$in`."""
    return {"_id": ids[0] if len(ids) == 1 else {"$in": list(dict.fromkeys(ids))}}


def _of_these(found: dict[str, Document], ids: Sequence[str], _: int) -> dict[str, Document]:
    """Each caller gets documents of their own."""
    return {id: dict(found[id]) for id in ids if id in found}


def _among_these(taken: frozenset[int], documents: Sequence[Document], place: int) -> frozenset[int]:
    return frozenset(each - place for each in taken if place <= each < place + len(documents))


def _span(low: str, high: str) -> Document:
    return {"$gte": safe(low), "$lt": safe(high)}


def _update(mark: Mark) -> tuple[Document, Document]:
    safe_mark(mark)
    if not mark.fields:
        raise UnsafeOperand(f"a mark that changes nothing: {mark.id!r:.40}")
    wanted: Document = {"_id": mark.id} if mark.version is None else {"_id": mark.id, "version": mark.version}
    return wanted, {"$set": dict(mark.fields)}


def _newer(document: Document) -> Any:
    """What is there and has no lower version does not match, so that it is inserted, which its `_id` forbids."""
    wanted = {"_id": document["_id"], "version": {"$lt": document["version"]}}
    return ReplaceOne(wanted, document, upsert=True)


def _places_of_duplicates(fault: BulkWriteError) -> frozenset[int]:
    details = fault.details
    faults = details["writeErrors"]
    if details["writeConcernErrors"] or not faults or any(one["code"] != DUPLICATE_KEY for one in faults):
        # Something else than duplicates went wrong, so nothing is certain about any document of the batch.
        raise OutcomeUnknown from fault
    return frozenset(one["index"] for one in faults)


def _tell_nobody() -> None:
    """Nobody waits for what is written."""


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except PyMongoError as fault:
        raise Unavailable from fault


@contextmanager
def _writing() -> Iterator[None]:
    """A write was surely not sent only if no server or no connection could be had for it."""
    try:
        yield
    except DuplicateKeyError:
        raise Duplicate from None
    except (ServerSelectionTimeoutError, WaitQueueTimeoutError) as fault:
        raise Unavailable from fault
    except PyMongoError as fault:
        raise OutcomeUnknown from fault
