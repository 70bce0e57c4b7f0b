"""A clock that others contradict does nothing by date, says so, and goes on by itself when they agree."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from handlers.application import FOR_OPERATORS, Surroundings
from handlers.in_flight import InFlight
from regions.clocks import NothingAhead, accept_stored
from server import main, working
from server.desk.background.timekeeping import ClockGuard
from server.desk.health import ClockHeld
from server.domain.errors import Unavailable
from server.domain.exchange.log import Outbound
from server.domain.values import moment_text
from server.node import Node
from server.node import Places as Directories
from server.store.clocks import COLLECTION
from server.store.database import ServerTime
from server.store.people.desk_sessions import DESK_SESSIONS
from server.store.store import open_store
from server.tools.clock import SystemClock
from server.tools.loops import Loops, Run
from tests.http.asking import Sweeper, refused
from tests.http.test_clockwork import case_of, lay, told
from tests.nodes import Caller, HandClock, Places, running_nodes
from tests.world import DIRECTORY, GUANGDONG, JIANGSU, ZHEJIANG, later

BY_DATE = {"notices", "clockwork", "drafts", "counts", "succession", "expiry"}
TEN_DAYS = timedelta(days=10)


class Steady:
    """The database of a node, on a server with a clock of its own; unless it is away."""

    def __init__(self, database: Any, clock: HandClock) -> None:
        self._database = database
        self.clock = clock
        self.is_here = False
        self.is_away = False

    async def time(self) -> ServerTime:
        if self.is_away:
            raise Unavailable
        return ServerTime(self.clock.now(), is_here=self.is_here)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)


class HandLoops(Loops):
    """The loops of a process, which a test runs by hand; it remembers which were nudged."""

    def __init__(self, seconds: "Seconds") -> None:
        super().__init__(now=seconds)
        self.runs: dict[str, Run] = {}
        self.nudged: set[str] = set()

    def start(self, name: str, run: Run, **_pauses: float) -> None:
        self.runs[name] = run

    def nudge(self, name: str) -> None:
        self.nudged.add(name)


@dataclass
class Seconds:
    """What passes for every clock alike."""

    passed: float = 0.0

    def __call__(self) -> float:
        return self.passed


@dataclass
class Process:
    """One `work`: its node value, its clock, its loops, and who guards it."""

    node: Node
    clock: HandClock
    loops: HandLoops
    guard: ClockGuard

    async def look(self) -> str:
        """What it finds about its clock now."""
        await self.loops.runs["clock"]()
        assert self.guard.verdict
        return self.guard.verdict.state

    async def round(self) -> None:
        """One round of all that is done by date."""
        for name in BY_DATE:
            await self.loops.runs[name]()

    @property
    def differs(self) -> dict[str, int]:
        """By how much it is ahead of each source that differs."""
        assert self.guard.verdict
        return {each.source: each.ahead_seconds for each in self.guard.verdict.findings}


@dataclass
class Province:
    """A node of which `work` runs on several machines; time passes for all of them alike."""

    places: Places
    server: Steady
    seconds: Seconds = field(default_factory=Seconds)
    processes: list[Process] = field(default_factory=list)

    def process(self, machine: str, *, off: timedelta = timedelta()) -> Process:
        """A new `work` on a machine whose clock is so far off."""
        clock = HandClock(self.server.clock.now() + off)
        clock.machine = machine
        node = self.places.nodes[JIANGSU].node
        more = {"here": node.here, "relay_due_seconds": node.settings.relay_due_seconds}
        store = open_store(self.server, node.keys, node.settings.data_folder, **more)  # type: ignore[arg-type]
        node = replace(node, store=store, clock=clock, places=Directories(DIRECTORY))
        loops = HandLoops(self.seconds)
        process = Process(node, clock, loops, working.start(node, loops))
        self.processes.append(process)
        return process

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds.passed += seconds
        for clock in (self.server.clock, *(process.clock for process in self.processes)):
            clock.wait(seconds=seconds)


@pytest.fixture
async def province(tmp_path: Path, database_uri: str, database_name: str) -> AsyncIterator[Province]:
    async with running_nodes(tmp_path, database_uri, database_name, divisions=(JIANGSU,), clock=HandClock()) as places:
        yield Province(places, Steady(places.nodes[JIANGSU].node.store.database, HandClock()))


def stored(sweeper: Sweeper, node: Node) -> Mapping[str, list[Any]]:
    """Everything that is stored, but for what the machines tell of their clocks."""
    database = sweeper[node.settings.database]
    names = sorted(set(database.list_collection_names()) - {COLLECTION})
    return {name: list(database[name].find().sort("_id")) for name in names}


async def test_ten_days_ahead_nothing_is_accepted_by_law_and_nothing_forgotten_until_the_clocks_agree(
    province: Province, database_sweeper: Sweeper
):
    work = province.process("m:a")
    await province.places.officer("health")
    record = await lay(work.node)
    work.clock.at += TEN_DAYS
    before = stored(database_sweeper, work.node)
    assert await work.look() == "held"
    await work.round()
    assert stored(database_sweeper, work.node) == before, "not a single document was written, changed or deleted"
    assert work.loops.nudged == set()
    province.server.clock.at += TEN_DAYS  # now it was no error: ten days have passed
    assert await work.look() == "agrees"
    assert work.loops.nudged == BY_DATE, "what was held goes on at once"
    await work.round()
    await work.round()
    assert (await case_of(work.node, record)).steps["one"].state == "accepted"
    assert ("deem", "head") in await told(work.node)
    assert before[DESK_SESSIONS]
    assert stored(database_sweeper, work.node)[DESK_SESSIONS] == []


async def test_a_minute_is_no_difference_and_a_second_more_is(province: Province):
    work = province.process("m:a", off=timedelta(seconds=60))
    assert await work.look() == "agrees"
    work.clock.wait(seconds=1)
    assert await work.look() == "held"
    assert work.differs == {"database": 61}
    work.clock.wait(seconds=-1)
    assert await work.look() == "agrees"


async def test_nothing_is_done_before_the_first_look_nor_by_an_old_one(province: Province):
    work = province.process("m:a")
    assert not work.guard.may_act
    await work.look()
    province.wait(30)
    assert work.guard.may_act
    province.wait(1)
    assert not work.guard.may_act
    province.server.is_away = True
    with pytest.raises(Unavailable):
        await work.look()
    assert not work.guard.may_act


async def test_a_clock_that_is_set_between_two_looks_does_nothing_before_the_next(province: Province):
    work = province.process("m:a")
    await work.look()
    for step in (timedelta(days=10), timedelta(days=-10)):
        work.clock.at += step
        assert not work.guard.may_act
        work.clock.at -= step
        assert work.guard.may_act


async def test_a_database_with_our_own_clock_proves_nothing_and_that_is_said(province: Province):
    work = province.process("m:a")
    province.server.is_here = True
    with capture_logs() as lines:
        assert await work.look() == "unproven"
        assert await work.look() == "unproven"
    assert work.guard.may_act
    assert [(line["event"], line["state"]) for line in lines] == [("clock.judged", "unproven")], "once for each change"
    province.server.clock.at -= TEN_DAYS
    assert await work.look() == "held", "what contradicts us counts, wherever it runs"


async def test_a_machine_that_is_ahead_of_another_is_held_and_the_other_only_says_so(province: Province):
    province.server.is_here = True
    good = province.process("m:good")
    await good.look()
    bad = province.process("m:bad", off=TEN_DAYS)
    province.server.clock.at += TEN_DAYS  # it has the database beside it, with the same clock
    assert await bad.look() == "waits", "what the other told may be old: is it there at all?"
    assert not bad.guard.may_act
    province.server.clock.at -= TEN_DAYS
    province.wait(30)
    await good.look()
    province.server.clock.at += TEN_DAYS
    assert await bad.look() == "held"
    assert 863_000 < bad.differs["machine"] < 864_000
    province.server.clock.at -= TEN_DAYS
    province.wait(30)
    assert await good.look() == "agrees"
    assert good.guard.may_act
    assert good.differs["machine"] < -863_000
    bad.clock.at -= TEN_DAYS
    assert await bad.look() == "agrees"


async def test_a_machine_that_is_gone_is_waited_for_as_long_as_it_would_take_to_tell_its_time(province: Province):
    province.server.is_here = True
    await province.process("m:gone").look()
    province.wait(3600)
    work = province.process("m:a")
    assert await work.look() == "waits"
    province.wait(89)
    assert await work.look() == "waits"
    province.wait(2)
    assert await work.look() == "unproven"


async def test_processes_of_one_machine_prove_nothing_to_each_other(province: Province):
    province.server.is_here = True
    first, second = province.process("m:a"), province.process("m:a")
    for _ in range(4):
        assert {await first.look(), await second.look()} == {"unproven"}
        province.wait(30)
    assert len(await first.node.store.clocks.beats()) == 1


async def test_a_clock_behind_what_is_stored_is_held(province: Province):
    work = province.process("m:a")
    await lay(replace(work.node, clock=HandClock(later(seconds=60))))
    assert await work.look() == "agrees"
    await lay(replace(work.node, clock=HandClock(later(seconds=61))))
    assert await work.look() == "held"
    assert work.differs == {"stored": -61}
    province.wait(1)
    assert await work.look() == "agrees"


async def test_what_a_clock_ahead_has_stored_holds_until_an_operator_accepts_it_by_a_right_clock(
    province: Province, database_sweeper: Sweeper
):
    work = province.process("m:a")
    with pytest.raises(NothingAhead):
        await accept_stored(work.node, by="ops", reason="nothing to accept")
    await lay(replace(work.node, clock=HandClock(later(days=10))))
    assert await work.look() == "held"
    province.server.clock.wait(seconds=61)
    with pytest.raises(ClockHeld):
        await accept_stored(work.node, by="ops", reason="our clock is behind")
    province.server.clock.wait(seconds=-61)
    assert await work.look() == "held"
    await accept_stored(work.node, by="ops", reason="serve-2 was ahead")
    assert await work.look() == "agrees"
    (noted,) = database_sweeper[work.node.settings.database]["audit"].find({"kind": "clock.stored_accepted"})
    assert noted["about"] == {"by": "ops", "reason": "serve-2 was ahead", "until": moment_text(later(days=10))}
    assert len(await work.node.store.clocks.beats()) == 1, "it is no machine"
    await lay(replace(work.node, clock=HandClock(later(days=11))))
    assert await work.look() == "held", "what is stored later was not accepted"


async def told_by(peer: str, work: Process, seconds: int, *, by: str = "m:a") -> None:
    """Let this peer have told now that its clock is so far from ours; by a receipt if it is not."""
    at = work.clock.now()
    state = (
        Outbound(failures=1, skew_seconds=seconds, skew_by=by, failed_at=at) if seconds else Outbound(succeeded_at=at)
    )
    await work.node.store.peers.change(peer, lambda now: replace(state, version=now.version))


async def test_a_peer_alone_stops_nobody_and_two_that_agree_do(province: Province):
    work = province.process("m:a")
    await told_by(ZHEJIANG, work, -300)
    assert await work.look() == "agrees"
    assert work.differs == {"peer": 298}
    await told_by(GUANGDONG, work, 0)
    assert await work.look() == "agrees"
    await told_by(GUANGDONG, work, -310)
    assert await work.look() == "held"
    await told_by(GUANGDONG, work, -310, by="m:b")
    assert await work.look() == "agrees", "that was told to another machine, and says nothing of our clock"
    await told_by(GUANGDONG, work, -310)
    assert await work.look() == "held"
    province.wait(15 * 60 + 1)
    assert await work.look() == "agrees", "what a peer told long ago says nothing of today"


async def test_a_held_clock_is_seen_at_the_doors_in_the_log_and_in_the_counts(province: Province):
    work = province.process("boot:1f2e3d4c-aaaa", off=TEN_DAYS)
    surroundings = Surroundings(clock=lambda: work.guard.verdict)
    server, port = main.listen(work.node, InFlight(), doors=FOR_OPERATORS, port=0, surroundings=surroundings)
    anyone = Caller(province.places.http, f"http://127.0.0.1:{port}")
    system = await province.places.administrator("system", "sys")
    assert (await anyone.get("/ready")).body["clock"] == "unwatched"
    with capture_logs() as lines:
        for _ in range(3):
            await work.look()
            province.wait(10)
    assert [(line["log_level"], line["state"], line["differs"]) for line in lines] == [
        ("warning", "held", ["database  +864000"])
    ]
    problem = refused(await anyone.get("/ready"), 503, "clock_held")
    assert problem["detail"] == "本机时钟比数据库快10天。到期处理已暂停。"
    assert (await anyone.get("/live")).status == 200
    (shown,) = (await system.get("/desk/v1/system")).body["clocks"]
    assert (shown["machine"], shown["state"], shown["text"]) == ("boot:1f2e3d4c-aaaa", "held", problem["detail"])
    counts = (await anyone.get("/metrics")).body.decode().splitlines()
    assert {"clock_state 4.0", 'clock_ahead_seconds{source="database"} 864000.0'} <= set(counts)
    work.clock.at -= TEN_DAYS
    with capture_logs() as lines:
        await work.look()
    assert [(line["log_level"], line["state"], line["differs"]) for line in lines] == [("info", "agrees", [])]
    assert (await anyone.get("/ready")).body["clock"] == "agrees"
    assert "clock_state 1.0" in (await anyone.get("/metrics")).body.decode().splitlines()
    await main.stop_listening(server, InFlight(), 5.0)


class Shifted(SystemClock):
    """The clock of this machine, set to another time."""

    def __init__(self, off: timedelta) -> None:
        super().__init__()
        self.off = off

    def now(self) -> Any:
        return super().now() + self.off


async def test_the_clock_of_the_real_server_is_asked(province: Province):
    clock = Shifted(timedelta(seconds=50))
    node = replace(province.places.nodes[JIANGSU].node, clock=clock)
    guard = ClockGuard(node, Loops().now)
    assert (await guard.look(), guard.may_act) == (True, True)
    clock.off = timedelta(seconds=63)
    assert (await guard.look(), guard.may_act) == (False, False)
    assert guard.verdict
    assert [(each.source, each.holds) for each in guard.verdict.findings] == [("database", True)]
