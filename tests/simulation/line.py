"""The line between a process and its disk: it takes time, and in bad weather nobody knows what became of a write."""

from collections.abc import Sequence
from typing import Any

from server.domain.errors import OutcomeUnknown, Unavailable
from tests.simulation.scheduler import Later
from tests.simulation.twin import Part
from tests.simulation.world import World

SPLIT = 0.2
HELD_BACK = 0.7  # of a bulk write of unknown outcome, each part is done later with this share


class StillLine:
    """A line that takes no time, for whoever only looks."""

    async def read(self, what: str, parts: Sequence[Part]) -> list[Any]:
        return [part() for part in parts]

    write = read


class FaultyLine:
    """What a process asks goes its way even if the process dies meanwhile."""

    def __init__(self, world: World, who: str) -> None:
        self._world = world
        self._who = who

    async def read(self, what: str, parts: Sequence[Part]) -> list[Any]:
        world = self._world
        await world.scheduler.sleep(world.latency())
        if world.happens(world.weather.unavailable):
            world.note(self._who, "disk.unavailable", {"what": what})
            raise Unavailable
        return [part() for part in parts]

    async def write(self, what: str, parts: Sequence[Part]) -> list[Any]:
        world, answer, parts = self._world, Later(), [self._signed(part) for part in parts]
        if world.happens(world.weather.unavailable):
            await world.scheduler.sleep(world.latency())
            world.note(self._who, "disk.unavailable", {"what": what})
            raise Unavailable
        if world.happens(world.weather.unknown):
            self._lose(what, parts, answer)
        else:
            self._carry_out(parts, answer)
        return await answer  # type: ignore[no-any-return]

    def _signed(self, part: Part) -> Part:
        """The part, which says whose it is when its time comes, for the process may be gone by then."""

        def do() -> Any:
            self._world.writer = self._who
            return part()

        return do

    def _carry_out(self, parts: Sequence[Part], answer: Later) -> None:
        world, done = self._world, []

        def do(some: Sequence[Part]) -> None:
            done.extend(part() for part in some)
            if len(done) == len(parts):
                world.scheduler.after(world.latency(), lambda: answer.give(done))

        middle = len(parts)
        if len(parts) > 1 and world.is_stormy and world.chance.random() < SPLIT:
            middle = world.chance.randrange(1, len(parts))
            pause = world.latency()
            world.scheduler.after(pause + world.latency(), lambda: do(parts[:middle]))
            world.scheduler.after(pause + 0.3 + world.latency(), lambda: do(parts[middle:]))
        else:
            world.scheduler.after(world.latency(), lambda: do(parts))

    def _lose(self, what: str, parts: Sequence[Part], answer: Later) -> None:
        """Done at once, never, or later; the asker learns only that he knows nothing."""
        world = self._world
        fate = world.chance.choice(("at once", "never", "later"))
        world.note(self._who, "disk.unknown", {"what": what, "fate": fate})
        for part in parts:
            if fate == "at once":
                world.scheduler.after(world.latency(), part)
            elif fate == "later" and world.chance.random() < HELD_BACK:
                world.scheduler.after(world.chance.uniform(0, world.weather.most_late), part)
        world.scheduler.after(world.latency(), lambda: answer.give(fault=OutcomeUnknown()))
