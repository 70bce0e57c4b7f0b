"""Group reads: reads by `_id` gather while earlier ones of their collection are under way, then go in one command."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from server.store.database import Document, safe

Read = Callable[[str, Sequence[str]], Awaitable[dict[str, Document]]]
MOST_IDS = 100
MOST_IN_FLIGHT = 2


@dataclass(eq=False)
class _Asked:
    """The ids that one caller asked for, and what is found."""

    ids: Sequence[str]
    found: asyncio.Future[dict[str, Document]]


@dataclass(eq=False)
class _Lane:
    """The reads of one collection: how many are under way, and who waits."""

    in_flight: int = 0
    waiting: list[_Asked] = field(default_factory=list)

    def next_group(self) -> list[_Asked]:
        """Those who waited longest, as far as they have room in one command; the first has room in any case."""
        here = [asked for asked in self.waiting if not asked.found.done()]  # who went away asks for nothing
        room, taken = MOST_IDS, 0
        for asked in here:
            room -= len(asked.ids)
            if room < 0 and taken:
                break
            taken += 1
        self.waiting = here[taken:]
        return here[:taken]


class GroupReads:
    """Reads of one database, by what reads there; there is no timer, so a read goes at once where nobody else reads.

    A read that waited begins after it was asked for, so that everybody reads what they have written.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._lanes: defaultdict[str, _Lane] = defaultdict(_Lane)
        self._running: set[asyncio.Task[None]] = set()

    async def get_many(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        """The documents that exist, by `_id`, each for this caller alone; raises UnsafeOperand and Unavailable."""
        for id in ids:
            safe(id)  # or who asks with others would be refused for it
        lane = self._lanes[collection]
        if lane.in_flight < MOST_IN_FLIGHT:
            lane.in_flight += 1
            try:
                return await self._read(collection, ids)
            finally:
                self._landed(collection, lane)
        asked = _Asked(ids, asyncio.get_running_loop().create_future())
        lane.waiting.append(asked)
        return await asked.found

    def _landed(self, collection: str, lane: _Lane) -> None:
        lane.in_flight -= 1
        if group := lane.next_group():
            lane.in_flight += 1
            task = asyncio.get_running_loop().create_task(self._read_for(collection, lane, group))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _read_for(self, collection: str, lane: _Lane, group: Sequence[_Asked]) -> None:
        try:
            found = await self._read(collection, list({id: None for asked in group for id in asked.ids}))
            for asked in group:
                if not asked.found.done():
                    asked.found.set_result({id: dict(found[id]) for id in asked.ids if id in found})
        except Exception as fault:  # noqa: BLE001 # whatever it is, it is theirs who asked
            for asked in group:
                if not asked.found.done():
                    asked.found.set_exception(fault)
        finally:
            self._landed(collection, lane)
