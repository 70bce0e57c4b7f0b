"""Sends a fixed number of requests over a fixed number of kept connections, and tells how long each took.

It is a closed loop in one process: a connection sends its next request when its answer is there. So latencies grow with
the connections, and nothing is faster than this process can ask; `busy` says how near that was.
"""

import asyncio
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from loadtests.bench.figures import percentile

HOST = "127.0.0.1"
WITHIN_SECONDS = 120.0
BODILESS = (204, 304)
HEAD_END = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
SHOWN_BYTES = 300


class LoadUnanswered(RuntimeError):
    """A load was not answered in time."""


class UnreadableAnswer(RuntimeError):
    """An answer without Content-Length: its end cannot be known."""


@dataclass(frozen=True)
class LoadResult:
    """What became of a load: answers as expected and other ones, and what time it took.

    `latencies` in seconds, of the answers that were expected; `cpu_seconds` are those of this process.
    """

    answered: int
    failed: int
    seconds: float
    latencies: Sequence[float]
    cpu_seconds: float
    first_failure: str = ""

    @property
    def rps(self) -> float:
        """Expected answers a second."""
        return self.answered / self.seconds

    @property
    def busy(self) -> float:
        """Which part of a core the loader used while it ran."""
        return self.cpu_seconds / self.seconds

    def percentile_ms(self, percent: int) -> float:
        """The latency in milliseconds that so many of a hundred answers did not exceed; 0.0 without two answers."""
        return percentile(self.latencies, percent) * 1000


def request_bytes(method: str, path: str, *, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """One request of HTTP/1.1 as it goes over a connection that is kept."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", *(f"{name}: {value}" for name, value in headers.items())]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode("ascii") + HEAD_END + body


async def load(port: int, requests: Sequence[bytes], *, status: int, connections: int) -> LoadResult:
    """Send all requests to this port of 127.0.0.1; an answer of another status than this one has failed.

    Raises OSError if nobody listens, UnreadableAnswer, and LoadUnanswered after two minutes. Requests that are left
    when the last connection is lost have failed.
    """
    tally = _Tally(iter(requests), status)
    loop = asyncio.get_running_loop()
    kept = [
        (await loop.create_connection(lambda: _Connection(tally), HOST, port))[1]
        for _ in range(min(connections, len(requests)))
    ]
    began, used = time.perf_counter(), time.process_time()
    for connection in kept:
        connection.send_next()
    try:
        async with asyncio.timeout(WITHIN_SECONDS):
            await asyncio.gather(*(connection.over for connection in kept))
    except TimeoutError:
        raise LoadUnanswered(f"{len(requests)} requests were not answered within {WITHIN_SECONDS:.0f} s") from None
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - used
    answered = len(tally.latencies)
    failed = len(requests) - answered
    return LoadResult(answered, failed, seconds, tally.latencies, cpu_seconds, tally.first_failure)


class _Tally:
    """What the connections of one load share."""

    def __init__(self, requests: Iterator[bytes], status: int) -> None:
        self.requests = requests
        self.status = status
        self.latencies: list[float] = []
        self.first_failure = ""


class _Connection(asyncio.Protocol):
    """One connection: sends, reads the answer, sends again; `over` ends with it."""

    def __init__(self, tally: _Tally) -> None:
        self._tally = tally
        self._received = b""
        self._is_waiting = False
        self._sent = 0.0
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # that of a stream, as uvloop has it, too

    def send_next(self) -> None:
        """Send the next request of the load, or close if there is none."""
        request = next(self._tally.requests, None)
        self._is_waiting = request is not None
        if request is None:
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received = self._received + data if self._received else data
        try:
            end = answer_end(self._received) if self._is_waiting else None
        except UnreadableAnswer as fault:
            self._end(fault)
            return
        if end is not None and len(self._received) >= end:
            self._count(int(self._received[9:12]))
            self._received = self._received[end:]
            self.send_next()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._is_waiting:
            self._failed(f"the connection was lost before the answer: {exc or 'closed'}")
        self._end(None)

    def _count(self, status: int) -> None:
        if status == self._tally.status:
            self._tally.latencies.append(time.perf_counter() - self._sent)
        else:
            self._failed(self._received[:SHOWN_BYTES].decode(errors="replace"))

    def _failed(self, why: str) -> None:
        self._tally.first_failure = self._tally.first_failure or why

    def _end(self, fault: Exception | None) -> None:
        if self.over.done():
            return
        if fault is None:
            self.over.set_result(None)
        else:
            self.over.set_exception(fault)
            self._transport.close()


def answer_end(received: bytes) -> int | None:
    """Where the answer ends whose head is here; None before that. Raises UnreadableAnswer."""
    head_end = received.find(HEAD_END)
    if head_end < 0:
        return None
    return head_end + len(HEAD_END) + (0 if int(received[9:12]) in BODILESS else _length(received[: head_end + 2]))


def _length(head: bytes) -> int:
    found = LENGTH.search(head)
    if found is None:
        raise UnreadableAnswer(head[:SHOWN_BYTES].decode(errors="replace"))
    return int(found[1])
