"""The lanes in which attempts to sign in queue up: every process sees the same, and they change by compare-and-set."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from server.domain.errors import StaleVersion
from server.domain.throttle import Lane
from server.domain.values import moment_key, moment_of_key
from server.store.database import Database, Document, Duplicate
from server.store.queries import hour_bucket

ATTEMPTS = "attempts"
MOST_TRIES = 5
MOMENTS = ("tried_at", "free_at", "familiar_until")


class Attempts:
    """Lanes by id, which is a digest: neither a name nor an address stands here."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changing = asyncio.Lock()  # of one process at most one change is under way, so that few are tried again

    async def lanes(self, ids: Sequence[str]) -> dict[str, Lane]:
        """These lanes, also those that nobody used."""
        found = await self._database.get_many(ATTEMPTS, ids)
        return {id: _lane(id, found.get(id)) for id in ids}

    async def change(self, id: str, change: Callable[[Lane], Lane], *, at: datetime) -> Lane:
        """Change a lane, whatever it is by now; raises StaleVersion if other processes are faster again and again."""
        async with self._changing:
            for _ in range(MOST_TRIES):
                document = await self._database.get(ATTEMPTS, id)
                after = change(_lane(id, document))
                if await self._put(document, _written(after, at)):
                    return after
        raise StaleVersion("登录人数较多，请稍后重试。")

    async def _put(self, before: Document | None, written: Document) -> bool:
        if before:
            return await self._database.replace(ATTEMPTS, {**before, **written}, version=before["version"])
        try:
            await self._database.insert(ATTEMPTS, written)
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


def _lane(id: str, document: Document | None) -> Lane:
    if document is None:
        return Lane(id=id)
    moments = {name: moment_of_key(document[name]) if document[name] else None for name in MOMENTS}
    return Lane(id=id, failures=document["failures"], version=document["version"], **moments)
