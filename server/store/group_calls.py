"""Group calls: reads by `_id`, and inserts, gather while earlier ones of their collection are under way, and go as one.

Where nobody else calls, a call goes at once and alone: there is no timer.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

MOST_ITEMS = 100
MOST_IN_FLIGHT = 2
Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


@dataclass(eq=False)
class _Asked(Generic[Item, Outcome]):
    """What one caller asked for, and what comes of it."""

    items: Sequence[Item]
    outcome: asyncio.Future[Outcome]


@dataclass(eq=False)
class _Lane(Generic[Item, Outcome]):
    """The calls of one collection: how many are under way, and who waits."""

    in_flight: int = 0
    waiting: list[_Asked[Item, Outcome]] = field(default_factory=list)

    def next_group(self) -> list[_Asked[Item, Outcome]]:
        """Those who waited longest, as far as they have room in one call; the first has room in any case."""
        here = [asked for asked in self.waiting if not asked.outcome.done()]  # who went away asks for nothing
        room, taken = MOST_ITEMS, 0
        for asked in here:
            room -= len(asked.items)
            if room < 0 and taken:
                break
            taken += 1
        self.waiting = here[taken:]
        return here[:taken]


class GroupCalls(Generic[Item, Outcome]):
    """Calls of one kind to one database.

    `call` makes one, for a collection and some items; `part` gives of its outcome that of some of the items, which
    begin at this place. A call that waited begins after it was asked for, so that everybody reads what they have
    written; what waits is not sent any more for a caller who has gone.
    """

    def __init__(
        self,
        call: Callable[[str, Sequence[Item]], Awaitable[Outcome]],
        part: Callable[[Outcome, Sequence[Item], int], Outcome],
    ) -> None:
        self._call = call
        self._part = part
        self._lanes: defaultdict[str, _Lane[Item, Outcome]] = defaultdict(_Lane)
        self._running: set[asyncio.Task[None]] = set()

    async def of(self, collection: str, items: Sequence[Item]) -> Outcome:
        """The outcome for these items, by a call of its own or with others; raises what the call raises."""
        lane = self._lanes[collection]
        if lane.in_flight < MOST_IN_FLIGHT:
            lane.in_flight += 1
            try:
                return await self._call(collection, items)
            finally:
                self._landed(collection, lane)
        asked: _Asked[Item, Outcome] = _Asked(items, asyncio.get_running_loop().create_future())
        lane.waiting.append(asked)
        return await asked.outcome

    def _landed(self, collection: str, lane: _Lane[Item, Outcome]) -> None:
        lane.in_flight -= 1
        if group := lane.next_group():
            lane.in_flight += 1
            task = asyncio.get_running_loop().create_task(self._call_for(collection, lane, group))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _call_for(
        self, collection: str, lane: _Lane[Item, Outcome], group: Sequence[_Asked[Item, Outcome]]
    ) -> None:
        try:
            outcome = await self._call(collection, [item for asked in group for item in asked.items])
            place = 0
            for asked in group:
                if not asked.outcome.done():
                    asked.outcome.set_result(self._part(outcome, asked.items, place))
                place += len(asked.items)
        except Exception as fault:  # noqa: BLE001 # whatever it is, it is theirs who asked
            for asked in group:
                if not asked.outcome.done():
                    asked.outcome.set_exception(fault)
        finally:
            for asked in group:
                asked.outcome.cancel()  # of one that was cut off, nobody waits for ever; else it has its outcome
            self._landed(collection, lane)
