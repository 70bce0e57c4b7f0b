"""The lanes in which attempts to sign in queue up: every process sees the same, and they change by compare-and-set.

Each process remembers the newest lanes that it has met, so that removing a lane, or putting an older one back, gives
nobody another attempt there.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime

from server.domain.errors import StaleVersion
from server.domain.throttle import CLOCKS_APART, Lane
from server.domain.values import moment_key, moment_of_key
from server.store.database import Database, Document, Duplicate
from server.store.queries import hour_bucket

ATTEMPTS = "attempts"
MOST_TRIES = 5
MOST_REMEMBERED = 10_000
MOMENTS = ("tried_at", "free_at", "familiar_until")


class Newest:
    """The newest lane of each id that this process has met, for as long as the store keeps it too."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._met: OrderedDict[str, tuple[Lane, str]] = OrderedDict()

    def lane(self, id: str, at: datetime) -> Lane:
        """The newest one; that which nobody used if none is remembered."""
        lane, bucket = self._met.get(id, (Lane(id=id), ""))
        # The store forgets a lane after its hour, by a clock that may be ahead of ours: that is no removal.
        if bucket < hour_bucket(at + CLOCKS_APART):
            self._met.pop(id, None)
            return Lane(id=id)
        return lane

    def meet(self, lane: Lane, bucket: str) -> None:
        """Remember a lane that stands in the store, in place of the one that was met longest ago."""
        known = self._met.get(lane.id)
        if known is None or known[0].version <= lane.version:
            self._met[lane.id] = (lane, bucket)
        self._met.move_to_end(lane.id)
        if len(self._met) > self._most:
            self._met.popitem(last=False)


class Attempts:
    """Lanes by id, which is a digest: neither a name nor an address stands here.

    `tell_older` is told collection and `_id` of a lane that was removed, or put back as it was before.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changing = asyncio.Lock()  # of one process at most one change is under way, so that few are tried again
        self._newest = Newest()
        self.tell_older: Callable[[str, str], object] = lambda *_: None

    async def lanes(self, ids: Sequence[str], *, at: datetime) -> dict[str, Lane]:
        """These lanes, also those that nobody used."""
        met = {id: self._newest.lane(id, at) for id in ids}
        found = await self._database.get_many(ATTEMPTS, ids)
        return {id: self._as_it_counts(found.get(id), met[id]) for id in ids}

    async def change(self, id: str, change: Callable[[Lane], Lane], *, at: datetime) -> Lane:
        """Change a lane, whatever it is by now; raises StaleVersion if other processes are faster again and again."""
        async with self._changing:
            for _ in range(MOST_TRIES):
                met = self._newest.lane(id, at)
                stored = await self._database.get(ATTEMPTS, id)
                after = change(self._as_it_counts(stored, met))
                document = _written(after, at)
                if await self._put(document, in_place_of=stored):
                    self._newest.meet(after, document["bucket"])
                    return after
        raise StaleVersion("登录人数较多，请稍后重试。")

    def _as_it_counts(self, stored: Document | None, met: Lane) -> Lane:
        """The lane that is stored, or `met` before it was read if that is newer."""
        lane = _lane(stored) if stored else Lane(id=met.id)
        if lane.version < met.version:
            self.tell_older(ATTEMPTS, met.id)
            return met
        if stored:
            self._newest.meet(lane, stored["bucket"])
        return lane

    async def _put(self, document: Document, *, in_place_of: Document | None) -> bool:
        if in_place_of:
            return await self._database.replace(ATTEMPTS, in_place_of | document, version=in_place_of["version"])
        try:
            await self._database.insert(ATTEMPTS, document)
        except Duplicate:
            return False
        return True


def _written(lane: Lane, at: datetime) -> Document:
    moments = {name: getattr(lane, name) for name in MOMENTS}
    return {
        "_id": lane.id,
        "failures": lane.failures,
        "version": lane.version,
        **{name: moment_key(moment) if moment else "" for name, moment in moments.items()},
        "bucket": hour_bucket(lane.kept_until(at)),
    }


def _lane(document: Document) -> Lane:
    moments = {name: moment_of_key(document[name]) if document[name] else None for name in MOMENTS}
    return Lane(id=document["_id"], failures=document["failures"], version=document["version"], **moments)
