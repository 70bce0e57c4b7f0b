"""The audience: those who watch over connections to this process, how many there may be, and who is still there."""

import asyncio
from contextlib import suppress
from datetime import datetime

from server.desk.citizen.watchers import Watcher
from server.domain.errors import Refusal, TooMany, TooSlow, Unavailable
from server.node import Node

FIRST_SECONDS = 10.0
TURNS = 60  # parts of all connections, which are pinged one after the other
RETRY_SECONDS = 30
REST_SECONDS = 30.0  # the longest round of a loop while nobody is there
END_SECONDS, END_LOOK_SECONDS = 2.0, 0.02


class WatchersFull(Unavailable):
    """This process keeps as many connections of those who watch as it may."""

    code = "watchers_full"
    title = "连接数已满，请稍后再试"


class TooManyWatches(TooMany):
    """One person watches over as many connections as they may."""

    code = "too_many_watches"
    title = "同时打开的连接过多，请关闭其他页面后再试"


class FirstMessageLate(TooSlow):
    """Whoever opened the connection did not say in time who they are."""

    code = "first_message_late"
    title = "连接后未及时登录"


class Audience:
    """Those who watch; `people` are those whose name is known, by their keys. `beat` is a round of a loop."""

    def __init__(self, node: Node) -> None:
        self.people: dict[str, tuple[Watcher, ...]] = {}
        self._node = node
        self._all: set[Watcher] = set()
        self._turns: tuple[set[Watcher], ...] = tuple(set() for _ in range(TURNS))
        self._arrivals = self._beats = 0
        self._somebody = asyncio.Event()
        self._is_over = False

    def arrive(self, watcher: Watcher) -> None:
        """Somebody has opened a connection; there may be no place for them, and they have to say soon who they are."""
        self._all.add(watcher)
        self._somebody.set()
        self._node.metrics.push_connections.inc()
        watcher.turn = self._arrivals = (self._arrivals + 1) % TURNS
        self._turns[watcher.turn].add(watcher)
        if self._is_over:
            self._part(watcher)
        elif len(self._all) > self._node.settings.push_connections:
            self.refuse(watcher, WatchersFull(more={"retry_after_seconds": RETRY_SECONDS}))
        else:
            asyncio.get_running_loop().call_later(FIRST_SECONDS, self._expect, watcher)

    def leave(self, watcher: Watcher) -> None:
        """A connection is gone."""
        if watcher in self._all:
            self._all.remove(watcher)
            self._node.metrics.push_connections.dec()
            self._forget(watcher)
            if not self._all and not self._is_over:
                self._somebody.clear()

    def refuse(self, watcher: Watcher, refusal: Refusal) -> None:
        """Close a connection, and say why."""
        if not watcher.is_over:
            self._forget(watcher)
            self._node.metrics.push_closed.labels(refusal.code).inc()
            watcher.socket.refuse(refusal)

    def seat(self, watcher: Watcher, person: str) -> None:
        """It is known now who watches; raises TooManyWatches."""
        others = self.people.get(person, ())
        if len(others) >= self._node.settings.push_connections_each:
            raise TooManyWatches
        watcher.person = person
        self.people[person] = (*others, watcher)

    def check(self, watcher: Watcher, now: datetime) -> None:
        """See that who watches is still logged in, without a read; raises TokenExpired and NoSuchSession."""
        if watcher.expires_at:
            self._node.tokens.check_lasts(watcher.expires_at, at=now)
            self._node.store.people.check_goes_on(watcher.session)

    async def rest(self) -> None:
        """Wait while nobody is there; not for ever, so that the loop that waits is known to be alive."""
        with suppress(TimeoutError):
            async with asyncio.timeout(REST_SECONDS):
                await self._somebody.wait()

    def wake(self) -> None:
        """Let nobody rest any more, as the loops end."""
        self._is_over = True
        self._somebody.set()

    async def beat(self) -> None:
        """Ping the next part of all connections, and close those whose session or token is over, or that are silent."""
        await self.rest()
        self._beats = (self._beats + 1) % TURNS
        now = self._node.clock.now()
        for watcher in tuple(self._turns[self._beats]):
            try:
                self.check(watcher, now)
                watcher.ping()
            except Refusal as refusal:
                self.refuse(watcher, refusal)

    async def end(self) -> None:
        """Close all connections, as the process ends, and wait a moment until those on the other side have."""
        self.wake()
        for watcher in tuple(self._all):
            self._part(watcher)
        loop = asyncio.get_running_loop()
        until = loop.time() + END_SECONDS
        while self._all and loop.time() < until:  # noqa: ASYNC110 # a look now and then is enough, and only at the end
            await asyncio.sleep(END_LOOK_SECONDS)

    def _expect(self, watcher: Watcher) -> None:
        if not watcher.has_spoken:
            self.refuse(watcher, FirstMessageLate())

    def _part(self, watcher: Watcher) -> None:
        if not watcher.is_over:
            self._forget(watcher)
            watcher.socket.part()

    def _forget(self, watcher: Watcher) -> None:
        """Nothing more is told to them; their connection counts until it is gone."""
        watcher.is_over = True
        self._turns[watcher.turn].discard(watcher)
        left = tuple(each for each in self.people.get(watcher.person, ()) if each is not watcher)
        if left:
            self.people[watcher.person] = left
        else:
            self.people.pop(watcher.person, None)
