"""Places: one simulated node each, with its disk, its clock and its processes, which die and come back."""

import random
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from regions import outbox, settling
from server.desk import relay
from server.desk.background import clockwork
from server.desk.relay import Relays
from server.domain.effects.records import CaseRecord
from server.domain.errors import Refusal, Unavailable
from server.domain.exchange.wire import WireRequest
from server.node import Node
from server.store.database import Document
from server.store.queries import QUERIES
from tests.simulation.disk import Disk
from tests.simulation.doors import answered
from tests.simulation.founding import DrawnChance, VirtualClock, node_of
from tests.simulation.line import FaultyLine, StillLine
from tests.simulation.scheduler import Killed, Later, Owner
from tests.simulation.twin import Twin
from tests.simulation.versions import of_before
from tests.simulation.watching import Watcher
from tests.simulation.wire import Door, SimulatedWire
from tests.simulation.world import TracedLog, World

WORKERS = 2
SERVERS = 2
SLOW_SECONDS = 1200.0
POLL_SECONDS = 0.5
AFTER_FAULT_SECONDS = 1.0
UPGRADE_SECONDS = 20.0
MOMENT = re.compile(r"t(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)")
PEER = re.compile(r"\b[1-9]\d{5}\b")
NOTHING_DUE = frozenset({"text", "event_key"})  # what stands there tells what was
AT_ONCE = 0.8  # a server carries what follows a commit itself, unless it dies before


@dataclass(eq=False)
class Job:
    """One loop of `work`."""

    name: str
    run: Callable[[], Awaitable[bool]]
    is_woken: bool = False
    waiting: Later | None = None

    def wake(self) -> None:
        """End its pause."""
        self.is_woken = True
        if self.waiting:
            self.waiting.give()


@dataclass(eq=False)
class Process:
    """One process with a node value and a memory of its own."""

    owner: Owner
    node: Node
    relays: Relays
    jobs: dict[str, Job] = field(default_factory=dict)


class Place:
    """One node."""

    def __init__(self, world: World, here: str, nodes: Sequence[str], doors: dict[str, Door]) -> None:
        self.world = world
        self.here = here
        self.clock = VirtualClock(lambda: world.scheduler.now)
        self.disk = Disk(QUERIES)
        self.watcher = Watcher(world, self)
        self.is_away = False
        self.is_of_before = False
        self.waiting: dict[str, list[Later]] = {}
        self.processes: dict[str, Process] = {}
        self.nodes = nodes
        self._doors = doors
        doors[here] = self.receive
        self.take(self.disk)

    def take(self, disk: Disk) -> None:
        """Have this disk from now on; whatever is still on its way to the one before is lost with it."""
        self.disk.seen = None
        self.disk, disk.seen = disk, self._seen
        self.still = self.node(f"{self.here}/reader", line=StillLine())

    def start(self) -> None:
        """Start all processes."""
        self.is_away = False
        for number in range(WORKERS):
            self._start(f"work{number}")
        for number in range(SERVERS):
            self._start(f"serve{number}")

    def serve(self) -> None:
        """Start one process that serves, and nothing else."""
        self.is_away = False
        self._start("serve0")

    def stop(self) -> None:
        """End all processes where they stand."""
        self.is_away = True
        for name in list(self.processes):
            self._kill(name)

    def upgrade(self) -> None:
        """Start the processes anew with the release of today, one after the other: for a while both are at work."""
        self.is_of_before = False
        for number, name in enumerate(list(self.processes)):
            self.world.scheduler.after(number * UPGRADE_SECONDS, partial(self._restart, name))

    def node(self, who: str, line: Any = None) -> Node:
        """A node value over this place's disk."""
        wire = SimulatedWire(self.world, self.here, self._doors)
        wire.attempt = partial(self.watcher.attempts.attempt, who)
        line = line or FaultyLine(self.world, who)
        database = Twin(self.disk, line, queries=QUERIES, now=VirtualClock(lambda: self.world.scheduler.now).now)
        chance = DrawnChance(random.Random(self.world.chance.random()))  # noqa: S311 # repeatable on purpose
        log = TracedLog(self.world, who)
        edges = {"clock": self.clock, "chance": chance, "wire": wire, "log": log}
        node = node_of(self.here, self.nodes, database, batch_letters=self.world.batch_letters, **edges)
        return of_before(node) if self.is_of_before else node

    def server(self) -> Process | None:
        """A process that serves, if any lives."""
        alive = [process for name, process in self.processes.items() if name.startswith("serve")]
        return self.world.chance.choice(alive) if alive else None

    def receive(self, request: WireRequest, whole: Later) -> None:
        """A request of a peer comes to one of the servers."""
        process = self.server()
        if process is None:
            whole.give(fault=Killed(self.here))
            return
        task = self.world.scheduler.start(answered(process.node, self.watcher, request), process.owner, "peer")
        task.over.waiting = lambda: whole.give(task.over.result, fault=task.over.fault)

    async def ask(self, do: Callable[[Node], Awaitable[Any]]) -> Any:
        """Somebody asks a server for something; raises Unavailable if the answer does not come."""
        scheduler = self.world.scheduler
        while (process := self.server()) is None:
            await scheduler.sleep(self.world.chance.uniform(1, 20))
        task = scheduler.start(self._done(process, do), process.owner, "door")
        try:
            outcome = await task.over
        except Killed as fault:
            raise Unavailable from fault
        if isinstance(outcome, Refusal):
            raise outcome
        return outcome

    def changed(self, case: str) -> Later:
        """What is given with the next write to this case."""
        later = Later()
        self.waiting.setdefault(case, []).append(later)
        return later

    def wake(self, name: str) -> None:
        """Wake this job in all processes."""
        for process in self.processes.values():
            if name in process.jobs:
                process.jobs[name].wake()

    def wake_all(self) -> None:
        """Wake every job."""
        for process in self.processes.values():
            for job in process.jobs.values():
                job.wake()

    async def _done(self, process: Process, do: Callable[[Node], Awaitable[Any]]) -> Any:
        """What a door does: the wish, and after the answer what follows from the commit."""
        try:
            record = await do(process.node)
        except Refusal as refusal:
            return refusal
        if isinstance(record, CaseRecord) and self.world.chance.random() < AT_ONCE:
            self.world.scheduler.start(process.relays.carry([record]), process.owner, "relay")
        return record

    def _start(self, name: str) -> None:
        if self.is_away or name in self.processes:
            return
        who = f"{self.here}/{name}"
        owner = Owner(who)
        owner.may_die = lambda: self._may_die(name)
        node = self.node(who)
        process = self.processes[name] = Process(owner, node, Relays(node))
        if name.startswith("work"):
            for job in self._jobs(who, process.node):
                process.jobs[job.name] = job
                self.world.scheduler.start(self._loop(job), owner, job.name)

    def _jobs(self, who: str, node: Node) -> list[Job]:
        jobs = [
            Job("relay", partial(relay.sweep, node)),
            Job("settle", partial(settling.settle, node)),
            Job("clockwork", partial(clockwork.tick, node)),
        ]
        for peer in node.directory.peers_of(self.here):
            jobs.append(Job(f"courier:{peer.node}", partial(self._deliver, who, node, peer)))
            jobs.append(Job(f"spread:{peer.node}", partial(_spread, node, peer.node)))
        return jobs

    async def _deliver(self, who: str, node: Node, peer: Any) -> bool:
        self.watcher.attempts.begins(who, peer.node)
        return await outbox.deliver(node, peer)

    async def _loop(self, job: Job) -> None:
        world = self.world
        while True:
            job.is_woken = False
            try:
                if await job.run():
                    continue
            except Refusal as refusal:
                world.note(self.here, "loop.failed", {"job": job.name, "code": refusal.code})
                world.scheduler.after(AFTER_FAULT_SECONDS, job.wake)
            if not job.is_woken:
                job.waiting = Later()
                world.scheduler.after(world.chance.uniform(0.8, 1.2) * SLOW_SECONDS, job.waiting.give)
                await job.waiting
                job.waiting = None
            await world.scheduler.sleep(world.chance.uniform(0, POLL_SECONDS))

    def _may_die(self, name: str) -> bool:
        world = self.world
        if not world.happens(world.weather.crashes):
            return False
        world.note(self.here, "process.killed", {"process": name})
        self._kill(name)
        pause = world.chance.choice((0.05, 1.0, 60.0))
        world.scheduler.after(world.chance.uniform(0, pause), lambda: self._start(name))
        return True

    def _restart(self, name: str) -> None:
        self._kill(name)
        self._start(name)

    def _kill(self, name: str) -> None:
        process = self.processes.pop(name, None)
        if process:
            self.world.scheduler.kill(process.owner)

    def _seen(self, collection: str, before: Document | None, now: Document) -> None:
        """Look whether the write is allowed, and wake who has something to do because of it, now or at its time."""
        self.watcher.seen(collection, before, now)
        if collection == "cases":
            for later in self.waiting.pop(now["_id"], ()):
                later.give()
        for name in _concerned(collection, now):
            self.wake(name)
            for moment in self._moments(now):
                self.world.scheduler.after(moment, partial(self.wake, name))

    def _moments(self, document: Mapping[str, Any]) -> list[float]:
        """In how many seconds each moment comes that stands in a text of the document."""
        texts = (value for name, value in document.items() if isinstance(value, str) and name not in NOTHING_DUE)
        found = [match[1] for text in texts if (match := MOMENT.search(text))]
        now = self.clock.now()
        away = [(datetime.fromisoformat(moment) - now).total_seconds() + 0.002 for moment in found]
        return [seconds for seconds in away if seconds > 0]


async def _spread(node: Node, peer: str) -> bool:
    return await settling.unpack(node, peer)


def _concerned(collection: str, document: Document) -> Sequence[str]:
    """The jobs that a write concerns."""
    if collection == "letters_out":
        return [f"courier:{document['to']}"] if document["key"].startswith("unlogged") else []
    if collection in ("peers", "log"):
        found = PEER.search(document["_id"])
        job = "spread" if document["_id"].startswith("in") else "courier"
        return [f"{job}:{found[0]}"] if found else []
    return {"letters_in": ["settle"], "cases": ["relay", "clockwork"], "rungs": ["clockwork"]}.get(collection, [])
