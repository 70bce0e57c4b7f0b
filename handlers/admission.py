"""Admission: how many requests of each group are worked on at once, how many wait, and who is turned away at once.

A process that takes on all that comes serves nobody in time. Citizens, officers and other nodes have their shares, so
that a storm of one group leaves the others theirs. How long somebody would wait is told by how long requests have taken
here lately, and whoever would wait too long is told at once when to come again.
"""

import asyncio
import itertools
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from math import ceil

from server.domain.errors import Unavailable
from server.node import Node

GROUPS: Mapping[str, str] = {"api": "citizens", "check": "citizens", "desk": "officers", "peer": "peers"}
OPEN = ""  # the group of doors where nobody is turned away: those of operators
FIRST_SECONDS = 0.02  # what a request is taken to need before any was measured
LEAST_AT_ONCE = 4
GOAL = 0.6  # of the longest wait: longer a request should not take once it is its turn
WEIGHT = 1 / 16  # of the newest request in what a request is taken to need
LATE = 1.5  # times the longest wait: who waited so long is gone, or has tried again
SPREAD_SECONDS = 4  # over which those come again who were turned away in one moment


def group_of(path: str) -> str:
    """The group of the door at this path, or OPEN."""
    return GROUPS.get(path[1:].partition("/")[0], OPEN)


class Busy(Unavailable):
    """So many are being served that this one would wait too long; `retry_after_seconds` tells when to come again."""

    code = "busy"
    title = "当前使用人数较多，请稍后重试"


def busy_for(seconds: int) -> Busy:
    """The refusal of who is to come again in so many seconds."""
    return Busy("请稍后再试，已填写的内容不会丢失。", more={"retry_after_seconds": seconds})


class ClientGone(Exception):  # nobody is told of it
    """Whoever asked has closed the connection: nothing needs to be done."""


@dataclass(eq=False)
class _Group:
    """The requests of one group: how many are worked on, who waits, and how long one takes.

    At most `most_at_once` are worked on, and fewer while one takes longer than `goal_seconds`: a process that is
    saturated gets no more done by working on more, and only makes all wait longer.
    """

    name: str
    most_at_once: int
    goal_seconds: float
    at_once: float = 0.0
    running: int = 0
    seconds: float = FIRST_SECONDS
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.at_once = float(self.most_at_once)

    @property
    def is_full(self) -> bool:
        """Whether as many are worked on as are good for all."""
        return self.running >= round(self.at_once)

    def wait_seconds(self) -> float:
        """How long one that comes now would wait."""
        return (len(self.waiting) + 1) * self.seconds / self.at_once if self.is_full else 0.0

    def measure(self, seconds: float) -> None:
        """Learn from one that has taken so long; where it took longer than the goal, fewer at once get done as many."""
        self.seconds += (seconds - self.seconds) * WEIGHT
        if self.is_full:
            wanted = self.running * self.goal_seconds / max(seconds, 1e-6)
            bounded = min(max(wanted, LEAST_AT_ONCE), self.most_at_once)
            self.at_once += (bounded - self.at_once) * WEIGHT

    def leave(self) -> None:
        """One is done, and those who waited longest have the places that are free."""
        self.running -= 1
        while self.waiting and not self.is_full:
            following = self.waiting.popleft()
            if not following.done():
                self.running += 1
                following.set_result(None)


class AdmissionControl:
    """The groups of one process, as its settings bound them; `now` tells seconds that pass, from any beginning."""

    def __init__(self, node: Node, *, now: Callable[[], float] = time.monotonic) -> None:
        most = node.settings
        at_once = {"citizens": most.citizens_at_once, "officers": most.officers_at_once, "peers": most.peers_at_once}
        self._most_wait_seconds = most.most_wait_seconds
        self._groups = {name: _Group(name, at_once[name], GOAL * self._most_wait_seconds) for name in GROUPS.values()}
        self._dropped = node.metrics.requests_dropped
        self._now = now
        self._spread = itertools.cycle(range(SPREAD_SECONDS))

    def retry_after_seconds(self, group: str) -> int:
        """When one that comes now should come again, in whole seconds; 0: it may stay."""
        if group == OPEN:
            return 0
        wait_seconds = self._groups[group].wait_seconds()
        if wait_seconds <= self._most_wait_seconds:
            return 0
        self._dropped.labels(group, "full").inc()
        return ceil(wait_seconds) + next(self._spread)

    @asynccontextmanager
    async def turn(self, group: str, is_gone: Callable[[], bool]) -> AsyncIterator[None]:
        """Work inside of it when it is one's turn; raises Busy if that comes too late, and ClientGone."""
        if group == OPEN:
            yield
            return
        here, came_at = self._groups[group], self._now()
        await self._place(here)
        began_at = self._now()
        try:
            self._check(here, began_at - came_at, is_gone=is_gone())
            try:
                yield
            finally:
                here.measure(self._now() - began_at)
        finally:
            here.leave()

    async def _place(self, group: _Group) -> None:
        if not group.is_full:
            group.running += 1
            return
        turn = asyncio.get_running_loop().create_future()
        group.waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                group.leave()
            raise

    def _check(self, group: _Group, waited_seconds: float, *, is_gone: bool) -> None:
        if is_gone:
            self._dropped.labels(group.name, "gone").inc()
            raise ClientGone
        if waited_seconds > LATE * self._most_wait_seconds:
            self._dropped.labels(group.name, "late").inc()
            raise busy_for(ceil(group.wait_seconds()) + next(self._spread) + 1)
