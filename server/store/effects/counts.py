"""Counts in the store: one document for each authority that ever had a task, counted anew only when something moved.

Whoever writes a task then says that its authority's counts are stale. A worker says first that it counts; what moves
meanwhile makes them stale again, so that its counts do not stay. When a day begins, what is due presses more.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime

from server.domain.time.counts import AuthorityCounts, ToCount, rest_after
from server.domain.values import moment_key
from server.store.database import Database, Document, Fields, Mark
from server.store.members import read
from server.store.queries import BAR, COUNTS_TO_MAKE

COUNTS = "counts"
STALE, COUNTING, COUNTED, EMPTY = "stale", "counting", "counted", "empty"
ATTEMPTS = 5
AT_ONCE = "t0"  # in the place of a moment t...: before all of them


class Counts:
    """The last counts of each authority."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def counts(self, authorities: Collection[str]) -> dict[str, AuthorityCounts]:
        """The last counts of these authorities, as far as they were ever counted."""
        found = await self._database.get_many(COUNTS, list(authorities))
        counts = {id: _counts(document) for id, document in found.items()}
        return {id: each for id, each in counts.items() if each}

    async def mark_stale(self, authorities: Iterable[str]) -> None:
        """Something moved at these authorities; those that nobody has begun to count since need no write.

        They are counted when they have rested, the longer the more there was to count.
        """
        left = sorted(set(authorities))
        for _ in range(ATTEMPTS):
            found = await self._database.get_many(COUNTS, left) if left else {}
            new = [id for id in left if id not in found]
            if new:
                await self._database.insert_many(COUNTS, [_new(id) for id in new])
            marks = [_stale(each, _counts(each)) for each in found.values() if not each["key"].startswith(STALE)]
            if not marks or await self._database.mark_many(COUNTS, marks) == len(marks):
                return
            left = [mark.id for mark in marks]

    async def to_make(self, *, now: datetime, today: date, limit: int) -> list[ToCount]:
        """Authorities to be counted: stale and rested, or left by a worker that began, or counted on a day before."""
        ranges = (
            (STALE + BAR, BAR.join((STALE, moment_key(now)))),
            (COUNTING + BAR, BAR.join((COUNTING, moment_key(now)))),
            (COUNTED + BAR, BAR.join((COUNTED, f"d{today}"))),
        )
        found: list[Document] = []
        for low, high in ranges:
            if len(found) < limit:
                found += await self._database.between(COUNTS_TO_MAKE, low, high, limit=limit - len(found))
        return [ToCount(document["_id"], document["version"]) for document in found]

    async def begin(self, wanted: ToCount, *, until: datetime) -> ToCount | None:
        """This worker counts; None if another one does, or something moved."""
        version = wanted.version + 1
        key = BAR.join((COUNTING, moment_key(until), wanted.authority))
        mark = Mark(wanted.authority, {"key": key, "version": version}, wanted.version)
        return ToCount(wanted.authority, version) if await self._database.mark(COUNTS, mark) else None

    async def put(self, begun: ToCount, counts: AuthorityCounts, *, today: date) -> bool:
        """Keep what a worker has counted; False if something moved since it began, and it stays stale."""
        key = BAR.join((COUNTED, f"d{today}", begun.authority)) if counts.open else EMPTY
        document = {"_id": begun.authority, **counts.model_dump(mode="json"), "key": key, "version": begun.version + 1}
        return await self._database.replace(COUNTS, document, version=begun.version)


def _counts(document: Document) -> AuthorityCounts | None:
    """What was counted, if it ever was."""
    is_counted = "states" in document
    return read(AuthorityCounts, document) if is_counted else None


def _new(authority: str) -> Document:
    return {"_id": authority, "key": BAR.join((STALE, AT_ONCE, authority)), "version": 1}


def _stale(document: Document, last: AuthorityCounts | None) -> Mark:
    due = moment_key(last.counted_at + rest_after(last)) if last else AT_ONCE
    fields: Fields = {"key": BAR.join((STALE, due, document["_id"])), "version": document["version"] + 1}
    return Mark(document["_id"], fields, document["version"])
