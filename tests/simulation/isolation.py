"""Isolation: two bad peers, one of them with a long backlog, cost the letters to the other six nothing."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from server import working
from server.domain.exchange.letters import RETRY, Letter, letter_id, letter_salt
from server.domain.values import moment_key
from server.node import Node
from server.store.database import Document
from server.store.sealing import sealed_letter
from server.tools.loops import Loops
from tests.simulation.founding import BEGINS, NODES, keys_of
from tests.simulation.line import FaultyLine
from tests.simulation.places import Place
from tests.simulation.scheduler import Later, Owner
from tests.simulation.twin import Part
from tests.simulation.weather import Weather
from tests.simulation.world import World

HERE = NODES[0]
GOOD = (*NODES[1:6], "360000")
SLOW, DEAD = NODES[6], NODES[7]
SLOW_ANSWER_SECONDS = 2.0
LATENCY_SECONDS = 0.001
LETTERS = 40
EVERY_SECONDS = 7.3
SETTLING_SECONDS = 60.0
MOST_READ = 210  # as much of a backlog as one batch can hold, and a little more


@dataclass(frozen=True)
class Measured:
    """How long letters to the six took from store to store (seconds, virtual), and what their couriers asked the store.

    `looks` is what the one look for all peers asked, `delivered` the number of letters to the six.
    """

    delivered: int
    mean_seconds: float
    most_seconds: float
    calls: int
    looks: int


def measure(*, with_bad: bool, backlog: int = 0) -> Measured:
    """Run the peers' loops of one node for some minutes, with or without the two bad ones."""
    return _Isolation(with_bad=with_bad, backlog=backlog).run()


class _SteadyWorld(World):
    """A world in which everything takes equally long."""

    def latency(self) -> float:
        return LATENCY_SECONDS


class _CountedLine(FaultyLine):
    """A line that counts who asks; a read or a write is one call, however many documents it concerns."""

    def __init__(self, world: World, calls: Counter[str]) -> None:
        super().__init__(world, HERE)
        self._calls = calls

    async def read(self, what: str, parts: Sequence[Part]) -> list[Any]:
        self._calls[self._world.scheduler.current] += 1
        return await super().read(what, parts)

    async def write(self, what: str, parts: Sequence[Part]) -> list[Any]:
        self._calls[self._world.scheduler.current] += 1
        return await super().write(what, parts)


class _VirtualLoops(Loops):
    """The loops of `work` that concern peers, in virtual time; `nudge` ends a pause."""

    def __init__(self, world: World) -> None:
        super().__init__(now=lambda: world.scheduler.now)
        self._world = world
        self._owner = Owner("work")
        self._pauses: dict[str, Later] = {}

    def start(
        self, name: str, run: Callable[[], Awaitable[bool | None]], *, every_seconds: float, **_overdue: float
    ) -> None:
        if name.startswith(("courier:", "spread:", "watch", "clock")) and name != "clockwork":
            self._world.scheduler.start(self._keep_on(name, run, every_seconds), self._owner, name)

    def nudge(self, name: str) -> None:
        if name in self._pauses:
            self._pauses[name].give()

    async def _keep_on(self, name: str, run: Callable[[], Awaitable[bool | None]], every_seconds: float) -> None:
        while True:
            pause = self._pauses[name] = Later()
            if not await run():
                self._world.scheduler.after(every_seconds, pause.give)
                await pause


class _Isolation:
    def __init__(self, *, with_bad: bool, backlog: int) -> None:
        self._world = _SteadyWorld(1, Weather(ends_at=float("inf")))
        self._peers = (*GOOD, SLOW, DEAD) if with_bad else GOOD
        self._doors: dict[str, Any] = {}
        nodes = (HERE, *self._peers)
        self._places = {each: Place(self._world, each, nodes, self._doors) for each in nodes}
        self._calls: Counter[str] = Counter()
        line = _CountedLine(self._world, self._calls)
        self._node: Node = self._places[HERE].node(HERE, line=line)
        self._put_at: dict[str, float] = {}
        self._took: dict[str, float] = {}
        for peer in self._peers:
            self._places[peer].serve()
            self._places[peer].disk.seen = self._kept
        if with_bad:
            self._doors[DEAD] = lambda request, whole: None
            self._doors[SLOW] = partial(self._answer_late, self._doors[SLOW])
            self._plant(backlog)

    def run(self) -> Measured:
        scheduler = self._world.scheduler
        working.start(self._node, _VirtualLoops(self._world))
        scheduler.start(self._write(), Owner("people"), "people")
        scheduler.run(lambda: False, most_seconds=LETTERS * EVERY_SECONDS + SETTLING_SECONDS)
        for name, fault in scheduler.faults:
            raise AssertionError(name) from fault
        times = list(self._took.values())
        return Measured(
            delivered=len(times),
            mean_seconds=sum(times) / len(times),
            most_seconds=max(times),
            calls=sum(self._calls[f"courier:{peer}"] for peer in GOOD),
            looks=self._calls["watch"],
        )

    async def _write(self) -> None:
        """A letter to each peer, again and again; the bad ones come first, the others spread over one look's pause."""
        for number in range(LETTERS):
            for peer in reversed(self._peers):
                letter = self._letter(peer, number)
                self._put_at[letter["_id"]] = self._world.scheduler.now
                await self._node.store.letters_out.put(letter)
                if peer in GOOD:
                    await self._world.scheduler.sleep(self._node.settings.poll_seconds / len(GOOD))
            await self._world.scheduler.sleep(EVERY_SECONDS)

    def _letter(self, peer: str, number: int) -> Document:
        at, id = self._node.clock.now(), letter_id(HERE, peer, "tests", number)
        letter = Letter(
            id=id,
            sender=HERE,
            to=peer,
            after=None,
            about=None,
            kind=RETRY,
            at=at,
            salt=letter_salt(bytes(16), number, 0),
            body={"id": id, "round": 1},
        )
        return sealed_letter(letter, keys_of(HERE).fields.new_key(id), context=id)

    def _plant(self, backlog: int) -> None:
        """Letters to the dead peer that wait; those that no batch has room for have nothing but their keys."""
        disk, fresh = self._places[HERE].disk, {"state": "unlogged", "version": 1, "stream": 0, "entry": 0}
        for number in range(backlog):
            letter: Document = {"_id": f"waiting-{number:09d}", "to": DEAD}
            if number < MOST_READ:
                letter = self._letter(DEAD, LETTERS + number)
            at = moment_key(BEGINS - timedelta(seconds=backlog - number))
            key = "|".join(("unlogged", DEAD, at, letter["_id"]))
            disk.insert("letters_out", {**letter, **fresh, "reason": "", "round": 0, "at": at, "key": key})

    def _answer_late(self, door: Callable[..., None], request: Any, whole: Later) -> None:
        self._world.scheduler.after(SLOW_ANSWER_SECONDS, lambda: door(request, whole))

    def _kept(self, collection: str, before: Document | None, now: Document) -> None:
        """A peer has written something: if it is a batch, its letters are there."""
        if collection == "log" and before is None:
            for letter in now["letters"]:
                if letter["to"] in GOOD:
                    self._took[letter["_id"]] = self._world.scheduler.now - self._put_at[letter["_id"]]


def rows() -> list[tuple[str, Measured]]:
    """Each way of running it, and what was measured."""
    return [
        ("six healthy peers alone", measure(with_bad=False)),
        ("and one that swallows everything, one that answers after 2 s", measure(with_bad=True)),
        ("and 100,000 letters waiting for the one that swallows", measure(with_bad=True, backlog=100_000)),
    ]


def table(measured: Sequence[tuple[str, Measured]]) -> str:
    """The rows as they stand in docs/reliability.md."""
    lines = [
        f"| {name} | {each.delivered} | {each.mean_seconds:.4f} s | {each.most_seconds:.4f} s | {each.calls} |"
        f" {each.looks} |\n"
        for name, each in measured
    ]
    return "".join(lines)
