"""Spoken numbers in the store: blocks of places, each of which one process has taken for itself by one insert.

There is no counter. A process takes the block after the last one that it knows of, and what it does not use of it is
lost when it ends: nobody misses a number. The next block is taken while there are numbers left, so that nobody waits.
"""

import asyncio
import re
from collections import deque
from secrets import randbelow

from server.crypto.keyring import NodeKeys
from server.domain.errors import Unavailable
from server.domain.spoken_numbers import PLACES, spoken_number
from server.store.database import Database, Duplicate
from server.store.queries import BLOCKS_TAKEN

BLOCKS = BLOCKS_TAKEN.collection
AT_ONCE = 100  # places in a block; another figure would give places a second time
FEW = AT_ONCE // 2
FOR_CASES = PLACES // 2  # places from here on: a case has one number and many papers, and needs its number more
MOST_TRIES = 20
WRITTEN = re.compile(r"n[0-9]{12}")


class Numbers:
    """The numbers of one node, each given once, by whichever of its processes."""

    def __init__(self, database: Database, keys: NodeKeys) -> None:
        self._database = database
        self._division = keys.division
        self._place_of = keys.places
        self._free: deque[int] = deque()
        self._next_block = 0  # no block below it can be ours to take; 0 while nothing is known
        self._is_used_up = False
        self._taking: asyncio.Task[Unavailable | None] | None = None

    async def take(self) -> str:
        """A number that nobody has, for a case; empty when all have been given. Raises Unavailable."""
        return self.of(await self._take(PLACES))

    def of(self, place: int) -> str:
        """The number of a place that was taken; empty of 0, which is nobody's."""
        return spoken_number(self._division, self._place_of(place)) if place else ""

    async def take_beside(self) -> int:
        """The place of a number for what a case leads to, a licence or a paper; 0 once half of all have been given.

        A place tells the number only to who has the key. Raises Unavailable.
        """
        return await self._take(FOR_CASES)

    async def _take(self, below: int) -> int:
        while not self._free:
            if self._is_used_up:
                return 0
            fault = await asyncio.shield(self._more())
            if fault is not None:
                raise Unavailable from fault
        if self._free[0] >= below:
            return 0
        place = self._free.popleft()
        if len(self._free) < FEW and not self._is_used_up:
            self._more()
        return place

    async def drain(self) -> None:
        """Wait until no block is being taken."""
        if self._taking:
            await asyncio.wait([self._taking])

    def _more(self) -> "asyncio.Task[Unavailable | None]":
        """The one task that takes a block; what it answers is why it could not."""
        if self._taking is None or self._taking.done():
            self._taking = asyncio.create_task(self._take_block())
        return self._taking

    async def _take_block(self) -> Unavailable | None:
        try:
            for tries in range(MOST_TRIES):
                # Who was late skips some, so that processes that start together do not meet again and again.
                block = (self._next_block or await self._after_last()) + (randbelow(8 * tries) if tries else 0)
                if (block + 1) * AT_ONCE > PLACES:
                    self._is_used_up = True
                    return None
                if await self._took(block):
                    self._free.extend(range(block * AT_ONCE, (block + 1) * AT_ONCE))
                    return None
        except Unavailable as fault:
            return fault
        return Unavailable("提交的人较多，请稍后重试。")

    async def _took(self, block: int) -> bool:
        """Whether the block is ours; if its outcome is unknown it is nobody's, and never tried again."""
        self._next_block = block + 1
        name = f"{block:012}"
        try:
            await self._database.insert(BLOCKS, {"_id": f"block:{name}", "place": f"n{name}"})
        except Duplicate:
            self._next_block = max(self._next_block, await self._after_last())
            return False
        return True

    async def _after_last(self) -> int:
        """The block after all that were taken by anybody, the first is 1; one behind all if it is not told by us."""
        found = await self._database.keys(BLOCKS_TAKEN, "n", "o", limit=1, is_descending=True)
        if not found:
            return 1
        return int(found[0][1:]) + 1 if WRITTEN.fullmatch(found[0]) else PLACES
