"""An outage of hours in virtual time: two provinces go on receiving cases while nothing passes between them."""

from dataclasses import dataclass
from typing import Any

from server.domain.exchange.letters import unique_id
from server.store.database import Document
from tests.simulation.founding import NODES
from tests.simulation.people import People, StepStory, Story
from tests.simulation.places import Place
from tests.simulation.reckoning import is_quiet, reckon
from tests.simulation.scheduler import Owner
from tests.simulation.weather import HOUR, Cut, Weather
from tests.simulation.world import World

WARM_SECONDS = 600.0
LOOKED_AT_EVERY = 0.5
MOST_HEALING = 6 * HOUR
DOES = ("receive", "accept", "approve")


@dataclass(frozen=True)
class Outage:
    """What came of it; `waiting` letters were not settled when the wire was healed, and were after `drained` seconds.

    `doubled` counts letters that stand in more than one batch. `invariant` is what did not hold, if anything.
    """

    hours: float
    cases: int
    letters: int
    delivered: int
    doubled: int
    waiting: int
    drained: float
    invariant: str

    @property
    def lost(self) -> int:
        """The letters that were written and never settled."""
        return self.letters - self.delivered

    def row(self) -> str:
        """The row of the table of outages in docs/reliability.md."""
        return (
            f"| {self.hours:g} h (virtual) | {self.cases} | {self.letters} | {self.delivered} | {self.lost} |"
            f" {self.doubled} | {self.waiting} | {self.drained:.1f} s |\n"
        )


def measure(hours: float, *, every_seconds: float, seed: int = 1) -> Outage:
    """Cut the wire for so many hours while each province receives a case every so many seconds."""
    return _Run(hours, every_seconds, seed).whole()


def _step(decider: str) -> StepStory:
    return StepStory("first", decider, (), DOES, 60.0)


def _came(place: Place) -> list[Document]:
    """The letters in all batches that this place has kept."""
    kept = [entry for entry in place.disk.all("log") if entry["_id"].startswith("in|")]
    return [letter for entry in kept for letter in entry["letters"]]


class _Run:
    def __init__(self, hours: float, every_seconds: float, seed: int) -> None:
        nodes = NODES[:2]
        self._hours, self._until = hours, WARM_SECONDS + hours * HOUR
        cut = Cut((nodes[0], nodes[1]), WARM_SECONDS, self._until)
        self._world = World(seed, Weather(ends_at=float("inf"), cuts=[cut]))
        doors: dict[str, Any] = {}
        self._places = {each: Place(self._world, each, nodes, doors) for each in nodes}
        self._world.places.update(self._places)
        self._people = People(self._world, self._places)
        self._stories = [
            Story(home, f"{home}-{number}", number * every_seconds, [_step(decider)], None, None)
            for home, decider in (nodes, nodes[::-1])
            for number in range(int(self._until // every_seconds))
        ]

    def whole(self) -> Outage:
        world, scheduler = self._world, self._world.scheduler
        for place in self._places.values():
            place.start()
        for story in self._stories:
            self._people.live(story)
        scheduler.run(self._is_broken, most_seconds=self._until)
        waiting = self._unsettled()
        drained = self._drained(set(waiting))
        self._until_looked(lambda: self._people.are_waiting and is_quiet(self._places), every=60.0)
        task = scheduler.start(reckon(world, self._places), Owner("reckoning"), "reckoning")
        scheduler.run(lambda: task.over.is_there, most_seconds=float("inf"))
        letters = [letter for place in self._places.values() for letter in place.disk.all("letters_out")]
        kept = [letter for place in self._places.values() for letter in place.disk.all("letters_in")]
        delivered = {letter["_id"] for letter in kept if letter["state"] == "settled"}
        came = [letter["_id"] for place in self._places.values() for letter in _came(place)]
        for place in self._places.values():
            place.stop()
        scheduler.kill(self._people.owner)
        faults = [f"{name}: {fault!r}" for name, fault in scheduler.faults]
        return Outage(
            hours=self._hours,
            cases=len(self._stories),
            letters=len(letters),
            delivered=len(delivered),
            doubled=len(came) - len(set(came)),
            waiting=len(waiting),
            drained=drained,
            invariant=str(world.broken) if world.broken else "".join(faults[:1]),
        )

    def _is_broken(self) -> bool:
        return self._world.broken is not None or bool(self._world.scheduler.faults)

    def _unsettled(self) -> list[str]:
        """The letters that are written and not settled where they go."""
        return [
            letter["_id"]
            for here, place in self._places.items()
            for other in (self._other(here),)
            for letter in place.disk.all("letters_out")
            if not self._is_settled(other, letter["_id"])
        ]

    def _drained(self, left: set[str]) -> float:
        """How long it takes until all of these are settled, in seconds since the healing."""

        def is_drained() -> bool:
            left.difference_update([id for id in left if any(self._is_settled(each, id) for each in self._places)])
            return not left

        self._until_looked(is_drained, every=LOOKED_AT_EVERY)
        return self._world.scheduler.now - self._until

    def _until_looked(self, is_so: Any, *, every: float) -> None:
        looked_at = -every

        def looked() -> bool:
            nonlocal looked_at
            if self._is_broken():
                return True
            if self._world.scheduler.now < looked_at + every:
                return False
            looked_at = self._world.scheduler.now
            return bool(is_so())

        self._world.scheduler.run(looked, most_seconds=self._until + MOST_HEALING)

    def _other(self, here: str) -> str:
        return next(each for each in self._places if each != here)

    def _is_settled(self, node: str, id: str) -> bool:
        letter = self._places[node].disk.get("letters_in", unique_id(self._other(node), id))
        return letter is not None and letter["state"] == "settled"
