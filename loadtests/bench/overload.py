"""Offers a node three times what it can do, for a minute, and tells what became of it.

python -m loadtests.bench.overload

First sixteen connections submit one case after the other: that is the peak. Then submissions come by
the clock, whether or not earlier ones are answered, as people do; none is tried again. A request waits from the moment
at which it was due, so that a busy loader hides nothing. Last, one submission at a time tells when the node has
recovered. The loader shares the machine with the node: where it could not keep its times, the run says so.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import uvloop

from loadtests.bench.contestants import LOAD_PYTHON, Contestant
from loadtests.bench.figures import percentile
from loadtests.bench.loader import HEAD_END, HOST, answer_end, load
from loadtests.bench.rounds import MeasuredProcesses
from loadtests.bench.rows import SUBMISSION, Preparation, rows_of
from loadtests.demos import running_demo

CONNECTIONS = 16  # as many as a node serves without turning any away, and enough to keep it busy
WARM_SECONDS, PEAK_SECONDS = 5.0, 15.0
MOST_CONNECTIONS = 2000
LATE_SECONDS = 0.05  # by which the loader may miss a moment before it counts as late
RECOVERED = 4  # so many answers in a row as quick as before
PROBES, PROBE_EVERY_SECONDS = 200, 0.25
GOODPUT, P99_MS, RECOVERY_SECONDS = 0.9, 1000.0, 10.0
PASSED, FAILED = 0, 1


@dataclass
class Outcome:
    """What became of what was offered: latencies in seconds of the accepted, by when they were due; other statuses."""

    offered: int = 0
    accepted: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    without_retry_after: int = 0
    lost: int = 0
    shed: int = 0
    late: int = 0

    def answer(self, head: bytes, seconds: float) -> None:
        """Count one answer."""
        status = int(head[9:12])
        self.statuses[status] += 1
        if status == 201:
            self.accepted.append(seconds)
        elif status in (429, 503) and b"\r\nretry-after: " not in head.lower():
            self.without_retry_after += 1


class OfferLine(asyncio.Protocol):
    """One kept connection, on which one request at a time waits for its answer."""

    def __init__(self, outcome: Outcome, free: Callable[["OfferLine"], None]) -> None:
        self._outcome = outcome
        self._free = free
        self._received = b""
        self._due: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def send(self, request: bytes, due: float) -> None:
        """Send a request that was due at this moment."""
        self._due = due
        self._transport.write(request)

    def close(self) -> None:
        """End the connection."""
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = answer_end(self._received)
        if self._due is None or end is None or len(self._received) < end:
            return
        head, self._received = self._received[: self._received.find(HEAD_END) + 2], self._received[end:]
        due, self._due = self._due, None
        self._outcome.answer(head, time.perf_counter() - due)
        if b"\r\nconnection: close" in head.lower():
            self._transport.close()
        else:
            self._free(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._outcome.lost += self._due is not None
        self._due = None


async def offer(port: int, requests: Sequence[bytes], *, per_second: float) -> Outcome:
    """Send these requests at this rate, each at its moment; what finds no connection of two thousand is shed."""
    outcome, free, lines = Outcome(), deque[OfferLine](), list[OfferLine]()
    began = time.perf_counter()
    for place, request in enumerate(requests):
        due = began + place / per_second
        wait = due - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        elif place % 50 == 0:
            await asyncio.sleep(0)
        outcome.offered += 1
        outcome.late += time.perf_counter() - due > LATE_SECONDS
        if not free and len(lines) < MOST_CONNECTIONS:
            line = OfferLine(outcome, free.append)
            await asyncio.get_running_loop().create_connection(lambda line=line: line, HOST, port)  # type: ignore[misc]
            lines.append(line)
            free.append(line)
        if free:
            free.popleft().send(request, due)
        else:
            outcome.shed += 1
    await _answered(outcome)
    for line in lines:
        line.close()
    return outcome


async def _answered(outcome: Outcome) -> None:
    """Wait until all that was sent has its answer, but no longer than half a minute."""
    for _ in range(300):
        if sum(outcome.statuses.values()) + outcome.lost + outcome.shed >= outcome.offered:
            return
        await asyncio.sleep(0.1)
    outcome.lost += outcome.offered - sum(outcome.statuses.values()) - outcome.lost - outcome.shed


async def peak(row: Contestant, seconds: float) -> tuple[float, list[float]]:
    """The submissions a second that a closed loop gets through for so long, and the latencies in seconds."""
    ended, answered, latencies = time.perf_counter() + seconds, 0, list[float]()
    began = time.perf_counter()
    while time.perf_counter() < ended:
        result = await load(row.port, row.requests(CONNECTIONS * 4), status=row.status, connections=CONNECTIONS)
        answered += result.answered
        latencies += result.latencies
    return answered / (time.perf_counter() - began), latencies


async def recovery(row: Contestant, usual: float) -> float | None:
    """After how many seconds submissions alone are answered as quickly as usual again; None if not in this time."""
    began, quick = time.perf_counter(), 0
    for _ in range(PROBES):
        result = await load(row.port, row.requests(1), status=row.status, connections=1)
        quick = quick + 1 if result.answered and result.latencies[0] <= usual else 0
        if quick == RECOVERED:
            return round(time.perf_counter() - began, 1)
        await asyncio.sleep(PROBE_EVERY_SECONDS)
    return None


async def measure(*, times: float, seconds: float) -> dict[str, Any]:
    """The figures and whether they are within their bounds."""
    with tempfile.TemporaryDirectory() as folder, running_demo(counties=10) as demo:
        processes = MeasuredProcesses.of(demo)
        async with AsyncExitStack() as stack:
            ready = Preparation(demo, processes, Path(folder), CONNECTIONS, LOAD_PYTHON)
            (row, *_), _ = await rows_of(ready, (SUBMISSION,), stack)
            await peak(row, WARM_SECONDS)
            per_second, latencies = await peak(row, PEAK_SECONDS)
            _tell(f"peak {per_second:.0f} submissions a second; offering {times:g} times as many for {seconds:g} s")
            if row.settle:
                await row.settle()
            alone = await load(row.port, row.requests(20), status=row.status, connections=1)
            requests = row.requests(int(per_second * times * seconds))
            outcome = await offer(row.port, requests, per_second=per_second * times)
            recovered = await recovery(row, 3 * percentile(alone.latencies, 95))
    return _figures(outcome, per_second, latencies, seconds=seconds, recovered=recovered)


def _figures(
    outcome: Outcome, per_second: float, latencies: Sequence[float], *, seconds: float, recovered: float | None
) -> dict[str, Any]:
    goodput = len(outcome.accepted) / seconds / per_second
    p99_ms = percentile(outcome.accepted, 99) * 1000
    refused = sum(number for status, number in outcome.statuses.items() if status in (429, 503))
    within = {
        "goodput": goodput >= GOODPUT,
        "p99": p99_ms <= P99_MS,
        "retry_after": not outcome.without_retry_after,
        "recovery": recovered is not None and recovered <= RECOVERY_SECONDS,
        "no_errors": len(outcome.accepted) + refused == sum(outcome.statuses.values()) and not outcome.lost,
        "loader_kept_time": outcome.late + outcome.shed < outcome.offered / 20,
    }
    return {
        "peak_per_second": round(per_second, 1),
        "peak_p99_ms": round(percentile(latencies, 99) * 1000),
        "offered": outcome.offered,
        "accepted": len(outcome.accepted),
        "refused": refused,
        "refused_without_retry_after": outcome.without_retry_after,
        "statuses": {str(status): number for status, number in sorted(outcome.statuses.items())},
        "lost": outcome.lost,
        "shed_by_the_loader": outcome.shed,
        "late_by_the_loader": outcome.late,
        "goodput_of_peak": round(goodput, 3),
        "accepted_p50_ms": round(percentile(outcome.accepted, 50) * 1000),
        "accepted_p99_ms": round(p99_ms),
        "recovered_after_seconds": recovered,
        "within": within,
    }


def _tell(text: str) -> None:
    print(text, file=sys.stderr)


def main() -> int:
    """0 if all figures are within their bounds."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.bench.overload", description=__doc__)
    parser.add_argument("--times", type=float, default=3.0, help="how many times the peak (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=60.0, help="for how long (default %(default)s)")
    chosen = parser.parse_args()
    figures = uvloop.run(measure(times=min(chosen.times, 10.0), seconds=min(chosen.seconds, 300.0)))
    print(json.dumps(figures, indent=2))
    return PASSED if all(figures["within"].values()) else FAILED


if __name__ == "__main__":
    sys.exit(main())
