"""Rounds in which every row is measured once, each round beginning with another one."""

import asyncio
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from loadtests.bench.contestants import Contestant
from loadtests.bench.loader import load
from loadtests.demos import DIVISION, RunningDemo, cpu_seconds_of, environ_of

REST_SECONDS = 2.0
QUIET_SECONDS = 0.3
QUIET_PART = 0.05  # of a core: less than this is what a process uses that carries nothing


@dataclass(frozen=True)
class MeasuredProcesses:
    """The processes of a demo whose CPU time is told beside that of who answers; those of the first node come first."""

    serve: tuple[int, ...]
    work: tuple[int, ...]
    database: tuple[int, ...]

    @classmethod
    def of(cls, demo: RunningDemo) -> "MeasuredProcesses":
        """Those of a running demo; raises DatabaseNotItsOwn."""
        demo.database_uri()
        first = demo.described["nodes"][0]["division"]
        found = sorted(demo.processes(), key=lambda each: environ_of(each[1]).get(DIVISION) != first)
        return cls(*(tuple(pid for role, pid in found if role == own) for own in ("serve", "work", "database")))


def total(pids: Iterable[int]) -> float:
    """The CPU seconds that these processes have used so far."""
    return sum(map(cpu_seconds_of, pids))


async def at_rest(pids: Iterable[int]) -> dict[int, float]:
    """The part of a core that each of these processes uses while nobody asks, measured for two seconds."""
    before, began = {pid: cpu_seconds_of(pid) for pid in pids}, time.monotonic()
    await asyncio.sleep(REST_SECONDS)
    passed = time.monotonic() - began
    return {pid: (cpu_seconds_of(pid) - used) / passed for pid, used in before.items()}


async def settled(pids: Sequence[int], *, seconds: float = QUIET_SECONDS) -> None:
    """Wait until these processes have used next to nothing for so long."""
    while True:
        before = total(pids)
        await asyncio.sleep(seconds)
        if total(pids) - before <= QUIET_PART * seconds * len(pids):
            return


async def measured(
    row: Contestant, processes: MeasuredProcesses, *, connections: int, rest: Mapping[int, float]
) -> dict[str, float]:
    """The figures of one row in one round; times in microseconds for each request, without those at rest."""
    groups = {"app": row.pids, "work": processes.work, "db": processes.database}
    requests = row.requests(row.count)
    before, began = {name: total(pids) for name, pids in groups.items()}, time.monotonic()
    result = await load(row.port, requests, status=row.status, connections=connections)
    if row.settle is not None:
        await row.settle()
    after, passed = {name: total(pids) for name, pids in groups.items()}, time.monotonic() - began
    if result.failed:
        print(f"{row.name}: {result.failed} of {row.count} failed: {result.first_failure}", file=sys.stderr)
    used = {name: after[name] - before[name] - sum(rest[pid] for pid in groups[name]) * passed for name in groups}
    return {
        "rps": result.rps,
        "p50_ms": result.percentile_ms(50),
        "p99_ms": result.percentile_ms(99),
        **{f"{name}_cpu_us": max(seconds, 0.0) / row.count * 1e6 for name, seconds in used.items()},
        "busy": result.busy,
        "failed": float(result.failed),
    }


async def one_round(
    number: int, rows: Sequence[Contestant], processes: MeasuredProcesses, *, connections: int
) -> dict[str, dict[str, float]]:
    """The figures of each row, beginning with another row in each round; what is used at rest is measured before."""
    everybody = {*processes.serve, *processes.work, *processes.database, *(pid for row in rows for pid in row.pids)}
    rest = await at_rest(everybody)
    turn = number % len(rows) if rows else 0
    found: dict[str, dict[str, float]] = {}
    for row in [*rows[turn:], *rows[:turn]]:
        found[row.name] = await measured(row, processes, connections=connections, rest=rest)
    return found
