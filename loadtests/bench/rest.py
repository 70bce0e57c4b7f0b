"""What the processes of a node cost without requests: their start, their memory, and a second in which nobody asks."""

import asyncio
import os
import signal
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from loadtests.baselines.serving import HOST, bound
from loadtests.bench.figures import Spread
from loadtests.bench.rounds import REST_SECONDS, MeasuredProcesses, at_rest
from loadtests.demos import cpu_seconds_of, environ_of

READY_WITHIN_SECONDS = 60.0
POLL_SECONDS = 0.02
FIRST_SECONDS = 4.0  # a process's first rounds cost more than the later ones
WINDOWS = 5
PORTS = {"serve": "TONGBAN_PORT", "work": "TONGBAN_WORK_PORT"}
HASTE = ("TONGBAN_POLL_SECONDS",)  # a demo looks more often than a node does


class CopyNotReady(RuntimeError):
    """The copy of a demo's process ended, or did not become ready in time."""


@dataclass(frozen=True)
class StartedCopy:
    """One more process of a node, as like another as can be, and what it took until it was ready."""

    pid: int
    port: int
    cpu_seconds: float
    wall_seconds: float


@asynccontextmanager
async def copied(
    pid: int, role: str, *, settings: Mapping[str, str] | None = None, options: Sequence[str] = ()
) -> AsyncIterator[StartedCopy]:
    """One more process like this one of a demo, at a port of its own, ready; ended with the block.

    It has the settings that a node has by default where a demo hastens, those given here (`TONGBAN_...`), and these
    options in its command. Raises CopyNotReady.
    """
    with bound() as taken:
        port = taken.getsockname()[1]
    environ = {name: value for name, value in environ_of(pid).items() if name not in HASTE}
    environ |= {PORTS[role]: str(port)} | dict(settings or {})
    began = time.monotonic()
    folder = os.readlink(f"/proc/{pid}/cwd")
    process = await asyncio.create_subprocess_exec(
        *command_of(pid), *options, env=environ, cwd=folder, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        await _ready(process, f"http://{HOST}:{port}/ready")
        yield StartedCopy(process.pid, port, cpu_seconds_of(process.pid), time.monotonic() - began)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def command_of(pid: int) -> list[str]:
    """The words of the command that a process was started with."""
    return [word for word in Path(f"/proc/{pid}/cmdline").read_text().split("\0") if word]


def resident_mb(pid: int) -> float:
    """The resident memory of a process, in MB of a million bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def told_memory(processes: MeasuredProcesses) -> dict[str, float]:
    """The resident memory of a `serve` and a `work` of the first node, in MB."""
    return {role: round(resident_mb(getattr(processes, role)[0]), 1) for role in PORTS}


def told_starts(starts: Sequence[StartedCopy]) -> dict[str, Any]:
    """CPU and wall seconds of a `serve` until it is ready: medians, and their spread."""
    spreads = {name: Spread.of([getattr(one, name) for one in starts]) for name in ("cpu_seconds", "wall_seconds")}
    told: dict[str, Any] = {name: spread.median for name, spread in spreads.items()}
    return told | {"spread": {name: [spread.least, spread.most] for name, spread in spreads.items()}}


async def idle(processes: MeasuredProcesses) -> dict[str, Any]:
    """Milliseconds of CPU a second while nobody asks: a `work` and a `serve` with a node's defaults, and the database.

    The demo's own `work` processes, which hasten, are held meanwhile. So the database answers one `work` here, and the
    rounds of three `serve`.
    """
    async with copied(processes.work[0], "work") as work, copied(processes.serve[0], "serve") as serve:
        with held(processes.work):
            await asyncio.sleep(FIRST_SECONDS)
            found = [await at_rest([work.pid, serve.pid, *processes.database]) for _ in range(WINDOWS)]
    return told_idle({"work": (work.pid,), "serve": (serve.pid,), "database": processes.database}, found)


def told_idle(pids: Mapping[str, Sequence[int]], found: Sequence[Mapping[int, float]]) -> dict[str, Any]:
    """Parts of a core by process as milliseconds a second by role: medians, and their spread."""
    spreads = {
        f"{role}_ms": Spread.of([sum(one[pid] for pid in own) * 1000 for one in found]) for role, own in pids.items()
    }
    told: dict[str, Any] = {name: spread.median for name, spread in spreads.items()}
    told["spread"] = {name: [spread.least, spread.most] for name, spread in spreads.items()}
    return told | {"windows": len(found), "window_seconds": REST_SECONDS}


@contextmanager
def held(pids: Sequence[int]) -> Iterator[None]:
    """Stop these processes for the time of the block."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def _ready(process: Process, url: str) -> None:
    last = time.monotonic() + READY_WITHIN_SECONDS
    async with aiohttp.ClientSession() as http:
        while process.returncode is None and time.monotonic() < last:
            with suppress(aiohttp.ClientError):
                async with http.get(url) as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(POLL_SECONDS)
    raise CopyNotReady(f"not ready at {url}, exit code {process.returncode}")
