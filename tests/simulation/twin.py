"""The twin of the database: the same promises over a disk in memory, behind a line that may fail as a real one may."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

from server.domain.values import in_milliseconds
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
from tests.simulation.disk import Disk

Part = Callable[[], Any]


class Line(Protocol):
    """The way to the disk: how long each operation takes, and what becomes of it.

    An operation has parts, which happen one after the other, and others may come in between.
    """

    async def read(self, what: str, parts: Sequence[Part]) -> list[Any]:
        """What the parts answered; raises Unavailable."""

    async def write(self, what: str, parts: Sequence[Part]) -> list[Any]:
        """The same; raises Unavailable if nothing was or will be done, and OutcomeUnknown."""


class SteadyLine:
    """A line on which nothing fails; it remembers what went over it."""

    def __init__(self, sent: list[Any]) -> None:
        self._sent = sent

    async def read(self, what: str, parts: Sequence[Part]) -> list[Any]:
        self._sent.append(what)
        await asyncio.sleep(0)
        return [part() for part in parts]

    write = read


def _true_time() -> datetime:
    return in_milliseconds(datetime.now(UTC))


class Twin:
    """A `Database` over a disk."""

    def __init__(
        self, disk: Disk, line: Line, *, queries: Sequence[Query], now: Callable[[], datetime] = _true_time
    ) -> None:
        self._disk = disk
        self._line = line
        self._queries = frozenset(queries)
        self._now = now

    async def prepare(self) -> None:
        """The disk has its indexes."""

    async def insert(self, collection: str, document: Document) -> None:
        safe_document(document)
        [is_new] = await self._line.write(f"insert {collection}", [lambda: self._disk.insert(collection, document)])
        if not is_new:
            raise Duplicate

    async def insert_many(self, collection: str, documents: Sequence[Document]) -> frozenset[int]:
        if not documents:
            return frozenset()
        parts = [_part(self._disk.insert, collection, safe_document(each)) for each in documents]
        done = await self._line.write(f"insert {collection}", parts)
        return frozenset(place for place, is_new in enumerate(done) if not is_new)

    async def replace(self, collection: str, document: Document, *, version: int) -> bool:
        part = _part(self._disk.replace, collection, safe_document(document), version)
        [is_done] = await self._line.write(f"replace {collection}", [part])
        return bool(is_done)

    async def replace_many(self, collection: str, documents: Sequence[tuple[Document, int]]) -> int:
        if not documents:
            return 0
        parts = [_part(self._disk.replace, collection, safe_document(each), version) for each, version in documents]
        return sum(await self._line.write(f"replace {collection}", parts))

    async def put_newer(self, collection: str, documents: Sequence[Document]) -> frozenset[int]:
        if not documents:
            return frozenset()
        parts = [_part(self._disk.put_newer, collection, safe_document(each)) for each in documents]
        done = await self._line.write(f"put {collection}", parts)
        return frozenset(place for place, is_put in enumerate(done) if not is_put)

    async def mark(self, collection: str, mark: Mark) -> bool:
        [is_done] = await self._line.write(f"mark {collection}", [_part(self._disk.mark, collection, _checked(mark))])
        return bool(is_done)

    async def mark_many(self, collection: str, marks: Sequence[Mark]) -> int:
        if not marks:
            return 0
        parts = [_part(self._disk.mark, collection, _checked(mark)) for mark in marks]
        return sum(await self._line.write(f"mark {collection}", parts))

    async def get(self, collection: str, id: str) -> Document | None:
        [found] = await self._line.read(f"get {collection}", [_part(self._disk.get, collection, safe(id))])
        return found  # type: ignore[no-any-return]

    async def get_many(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        if not ids:
            return {}
        wanted = sorted({safe(id) for id in ids})
        [found] = await self._line.read(f"get {collection}", [_part(self._disk.get_many, collection, wanted)])
        return {document["_id"]: document for document in found}

    async def equal(self, query: Query, value: str, *, limit: int) -> list[Document]:
        self._check(query, limit, is_range=False)
        return await self._found(query, safe(value), value + "\0", limit=limit)

    async def between(
        self, query: Query, low: str, high: str, *, limit: int, is_descending: bool = False
    ) -> list[Document]:
        self._check(query, limit, is_range=True)
        return await self._found(query, safe(low), safe(high), limit=limit, is_descending=is_descending)

    async def keys(self, query: Query, low: str, high: str, *, limit: int, is_descending: bool = False) -> list[str]:
        self._check(query, limit, is_range=True)
        part = partial(self._disk.span, query, safe(low), safe(high), limit=limit, is_descending=is_descending)
        [found] = await self._line.read(f"keys {query.name}", [part])
        return [value for value, _ in found]

    async def pick(self, query: Query, low: str, high: str, *, fields: Sequence[str], limit: int) -> list[Document]:
        shown = {"_id", *fields}
        found = await self.between(query, low, high, limit=limit, is_descending=True)
        return [{name: value for name, value in document.items() if name in shown} for document in found]

    async def walk(self, collection: str, after: str, *, limit: int) -> list[Document]:
        if limit < 1:
            raise UndeclaredQuery(f"a walk without a bound: {collection}")
        [found] = await self._line.read(f"walk {collection}", [_part(self._disk.after, collection, safe(after), limit)])
        return found  # type: ignore[no-any-return]

    async def renew_many(self, collection: str, renewals: Sequence[Renewal]) -> int:
        if not renewals:
            return 0
        parts = [_part(self._disk.renew, collection, safe_renewal(each)) for each in renewals]
        return sum(await self._line.write(f"renew {collection}", parts))

    async def delete(self, collection: str, ids: Sequence[str]) -> None:
        if ids:
            parts = [_part(self._disk.delete, collection, safe(id)) for id in ids]
            await self._line.write(f"delete {collection}", parts)

    async def ping(self) -> None:
        await self._line.read("ping", [lambda: None])

    async def time(self) -> ServerTime:
        [at] = await self._line.read("time", [self._now])
        return ServerTime(at, is_here=False)

    async def close(self) -> None:
        """There is nothing to close."""

    async def _found(
        self, query: Query, low: str, high: str, *, limit: int, is_descending: bool = False
    ) -> list[Document]:
        def look() -> list[Document | None]:
            span = self._disk.span(query, low, high, limit=limit, is_descending=is_descending)
            return [self._disk.get(query.collection, id) for _, id in span]

        [found] = await self._line.read(f"find {query.name}", [look])
        return found  # type: ignore[no-any-return]

    def _check(self, query: Query, limit: int, *, is_range: bool) -> None:
        if query not in self._queries or query.is_range != is_range:
            raise UndeclaredQuery(f"not declared as asked: {query}")
        if limit < 1:
            raise UndeclaredQuery(f"without a bound: {query}")


def _part(do: Callable[..., Any], *operands: Any) -> Part:
    return lambda: do(*operands)


def _checked(mark: Mark) -> Mark:
    safe_mark(mark)
    if not mark.fields:
        raise UnsafeOperand(f"a mark that changes nothing: {mark.id!r:.40}")
    return mark
