"""A steady flow of cases in both directions between two provinces, at a bounded rate."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from tests.faults.books import ABROAD
from tests.faults.lives import FIRST, Desks

DECIDERS = 4


class OneWay:
    """Cases that begin in one province, of which the other decides one step."""

    def __init__(self, desks: Desks, *, a_second: float) -> None:
        self._desks = desks
        self.citizen = desks.citizen
        self._pause_seconds = 1 / a_second
        self._arrived: asyncio.Queue[str] = asyncio.Queue()
        self._is_ending = asyncio.Event()
        self.cases: list[str] = []
        self.decided = 0

    async def open_cases(self) -> None:
        """One case after the other, each sent to the other province, until the flow ends."""
        number = 0
        while not self._is_ending.is_set():
            number += 1
            case = await self._desks.submit(f"flow-{number}")
            self.cases.append(case)
            await self._desks.decide(case, FIRST)
            self._arrived.put_nowait(case)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause_seconds):
                    await self._is_ending.wait()

    async def decide_cases(self) -> None:
        """Decide what arrives at the other province, until cancelled."""
        while True:
            await self._desks.decide(await self._arrived.get(), ABROAD)
            self.decided += 1

    async def has_decided(self, count: int) -> bool:
        """Whether so many were decided by now."""
        return self.decided >= count

    def end(self) -> None:
        """Begin no more cases."""
        self._is_ending.set()


class Flow:
    """Both directions."""

    def __init__(self, ways: Sequence[OneWay], opening: asyncio.Task[None]) -> None:
        self._opening = opening
        self.ways = ways

    @property
    def cases(self) -> list[list[str]]:
        """The ids of the cases that began in each province."""
        return [way.cases for way in self.ways]

    @property
    def begun(self) -> int:
        """How many cases were acknowledged so far."""
        return sum(len(way.cases) for way in self.ways)

    @property
    def decided(self) -> int:
        """How many of them the other province has decided."""
        return sum(way.decided for way in self.ways)

    def told(self) -> str:
        """How far it is."""
        return f"{self.begun} cases begun, {self.decided} decided abroad"

    async def end(self) -> None:
        """Begin no more cases; return when the last has been sent."""
        for way in self.ways:
            way.end()
        await self._opening

    async def all_decided(self) -> bool:
        """Whether every case has been decided at the other province."""
        return all(way.decided == len(way.cases) for way in self.ways)


@asynccontextmanager
async def flowing(*desks: Desks, a_second: float) -> AsyncIterator[Flow]:
    """A flow between these desks; a failure of anyone in it ends the block."""
    ways = [OneWay(each, a_second=a_second) for each in desks]
    async with asyncio.TaskGroup() as group:
        deciding = [group.create_task(way.decide_cases()) for way in ways for _ in range(DECIDERS)]
        opening = group.create_task(_all(ways))
        yield Flow(ways, opening)
        for task in (opening, *deciding):
            task.cancel()


async def _all(ways: Sequence[OneWay]) -> None:
    await asyncio.gather(*(way.open_cases() for way in ways))
