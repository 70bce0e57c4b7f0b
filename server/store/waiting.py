"""Waiting rooms in the store: a document of lots for each peak, one of arrivals, and what this process knows of them.

Nothing is written for one person. Lots are kept in memory and put together with those of other processes now and then;
numbers of arrival are taken for all who came since the last ones were, by one command. Documents change by
compare-and-set, and what this process has met before is not undone by putting an older one back.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from secrets import SystemRandom
from typing import Any

from server.domain.errors import NotAuthentic, Unavailable
from server.domain.waiting.lots import Lots, lots_of
from server.store.database import Database, Document, Duplicate

WAITING = "waiting"
LOTS, ARRIVALS = "lots:", "arrivals:"
UNKNOWN = -1  # in the place of how many have drawn, as long as they still may
MOST_TRIES = 20
PAUSE_SECONDS = 0.1  # between two takings of numbers, so that processes do not stand in each other's way
MOST_REMEMBERED = 100_000  # people who came after the hour, in each process

Change = Callable[[Document], dict[str, Any]]


class WaitingRoom:
    """The waiting room of one peak, as a process knows it; `people` have drawn, which is None until it is settled."""

    def __init__(self, database: Database, peak: str, *, most_remembered: int = MOST_REMEMBERED) -> None:
        self._database = database
        self._peak = peak
        self._most_remembered = most_remembered
        self._lots = Lots()
        self._unsaid: set[int] = set()
        self.people: int | None = None
        self._arrivals: Document | None = None  # as this process has left it
        self._next_number = 0
        self._known: OrderedDict[str, int] = OrderedDict()
        self._gathering = _Block()
        self._taking = asyncio.Lock()
        self._free_at = 0.0  # by the clock of the event loop

    @property
    def people_so_far(self) -> int:
        """How many have drawn as far as this process has heard."""
        return self._lots.people if self.people is None else self.people

    def draw(self, lot: int) -> None:
        """Put a lot in; one that was drawn before is the same one."""
        if self._lots.would_keep(lot) and lot not in self._unsaid:
            self._unsaid.add(lot)

    async def tell(self, *, is_over: bool) -> None:
        """Put what was drawn here together with what others have told, and learn it; when it is over, for good.

        Raises Unavailable, also if other processes are faster again and again; it is told next time then.
        """
        if self.people is not None:
            return
        said = frozenset(self._unsaid)

        def change(document: Document) -> dict[str, Any]:
            if document.get("people", UNKNOWN) != UNKNOWN:
                return {}
            before = lots_of(document.get("lots", ""))
            together = self._lots.together([*before.smallest, *said])
            changed = {"lots": together.as_text()} if together != before else {}
            return changed | ({"people": together.people} if is_over else {})

        document = await self._changed(LOTS, change)
        self._lots = self._lots.together([*lots_of(document.get("lots", "")).smallest, *said])
        self._unsaid -= said
        if document.get("people", UNKNOWN) != UNKNOWN:
            self.people = document["people"]

    async def arrive(self, person: str, *, at_least: int) -> int:
        """The number of arrival of a person, from 0 on and none twice; the one they have if it is remembered here.

        Numbers below `at_least` are passed over. Raises Unavailable as `tell` does.
        """
        if person in self._known:
            return self._known[person]
        block = self._gathering
        place = block.count
        block.count += 1
        block.at_least = max(block.at_least, at_least)
        async with self._taking:
            if block.first is None and block.fault is None:
                await self._take_numbers(block)
        if block.fault is not None:
            raise block.fault
        number = self._known.setdefault(person, (block.first or 0) + place)
        if len(self._known) > self._most_remembered:
            self._known.popitem(last=False)
        return number

    async def _take_numbers(self, block: "_Block") -> None:
        """Take as many numbers as have come by now; whoever comes while they are taken is of the next block."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._free_at - loop.time()))
        self._free_at = loop.time() + PAUSE_SECONDS
        if self._gathering is block:
            self._gathering = _Block()
        first = 0

        def change(document: Document) -> dict[str, Any]:
            nonlocal first
            first = max(document.get("next_number", 0), self._next_number, block.at_least)
            return {"next_number": first + block.count}

        try:
            self._arrivals = await self._changed(ARRIVALS, change, known=self._arrivals)
        except (Unavailable, NotAuthentic) as fault:
            self._arrivals, block.fault = None, fault
            return
        block.first = first
        self._next_number = first + block.count

    async def _changed(self, part: str, change: Change, *, known: Document | None = None) -> Document:
        """The document with what `change` makes of it, whatever it is by now; `known` is how it may still be."""
        id = part + self._peak
        for tries in range(MOST_TRIES):
            if tries:
                await asyncio.sleep(SystemRandom().uniform(0, 0.01 * tries))
            stored = known or await self._database.get(WAITING, id)
            known = None
            changes = change(stored or {})
            if not changes:
                return stored or {}
            after = {**(stored or {"_id": id}), **changes, "version": stored["version"] + 1 if stored else 1}
            if await self._put(after, in_place_of=stored):
                return after
        raise Unavailable("排队的人较多，请稍后重试。")

    async def _put(self, document: Document, *, in_place_of: Document | None) -> bool:
        if in_place_of:
            return await self._database.replace(WAITING, document, version=in_place_of["version"])
        try:
            await self._database.insert(WAITING, document)
        except Duplicate:
            return False
        return True


class _Block:
    """People who get their numbers by one command: how many, and the first of the numbers or why there is none."""

    def __init__(self) -> None:
        self.count = 0
        self.at_least = 0
        self.first: int | None = None
        self.fault: Unavailable | NotAuthentic | None = None


class WaitingRooms:
    """The waiting rooms of all peaks, by the peak's id."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rooms: dict[str, WaitingRoom] = {}

    def of(self, peak: str) -> WaitingRoom:
        """The room of this peak; empty if nobody has come yet."""
        if peak not in self._rooms:
            self._rooms[peak] = WaitingRoom(self._database, peak)
        return self._rooms[peak]
