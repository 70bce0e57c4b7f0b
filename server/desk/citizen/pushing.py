"""Pushing: who watches their cases is told at once that one has moved, over a connection that they keep open.

What has moved is found by one look for all connections of a process: soon after somebody on this machine has written,
and now and then anyway. Who comes back with a cursor is told what they missed. Each move is told at least once.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import StringConstraints

from server.desk import apart, sessions
from server.desk.citizen.audience import RETRY_SECONDS, Audience
from server.desk.citizen.reading import ended_mandates
from server.desk.citizen.watchers import MOST_WAITING, Watcher, Watching
from server.domain.case.watching import LATE, Cursor, MovedCase, cursor_at, since_cursor
from server.domain.errors import Malformed, Refusal, Unavailable
from server.domain.values import Value, moment_key
from server.node import Node

MOST_MISSED = 100  # newest cases of a person, and of an agent, that are looked at when they come back
MOST_LOOKED_AT = 20_000  # cases in one look
READ_AT_ONCE = 100
RECENT = timedelta(seconds=3)  # so far each look goes back behind the last one; now and then one goes back by LATE
FAR_EVERY = timedelta(seconds=10)
SOON_SECONDS, SPACING_SECONDS = 0.01, 0.25  # after a hint, and from one look to the next


class UnexpectedMessage(Malformed):
    """Who watches says one thing, the first message, and nothing after it."""

    code = "unexpected_message"
    title = "不应再发送消息"


class TooMuchMoved(Unavailable):
    """More cases have moved at once than one look takes: all who watch come again with their cursors."""

    code = "too_much_moved"
    title = "更新较多，请稍后重新连接"


class FirstMessage(Value):
    """What who watches says first: their access token, and the last cursor that they were given, if any."""

    token: Annotated[str, StringConstraints(min_length=1, max_length=900)]
    cursor: Cursor = ""


class Pushes:
    """What those are told who watch over connections to this process, the `audience`.

    `look` is a round of a loop, without which nobody is told of anything; `wake` has it run soon, when `hint` says so.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self.audience = Audience(node)
        self._told: dict[str, int] = {}
        self._looked_at: datetime | None = None
        self._far_at = datetime.min.replace(tzinfo=UTC)
        self._began = 0.0
        self._soon: asyncio.TimerHandle | None = None
        self.wake: Callable[[], object] = lambda: None

    async def let_in(self, watcher: Watcher, first: FirstMessage) -> None:
        """Let somebody watch who has said who they are, as a door would let them in, and tell what they missed.

        Raises the refusals of tokens and sessions, RealNameNeeded, TooManyWatches and WatcherTooSlow.
        """
        node, at = self._node, self._node.clock.now()
        claims, expires_at = node.tokens.verify_until(first.token, audience=sessions.CITIZENS, at=at)
        sessions.check_goes_on(node, claims)
        person = await sessions.owner_of(node, claims)
        if watcher.is_over:
            return
        watcher.session, watcher.expires_at = claims.session, expires_at
        self.audience.seat(watcher, person)
        self._looked_at = self._looked_at or at
        missed, is_whole = await self._missed(person, first.cursor, at)
        if not watcher.is_over:
            cursor = first.cursor if missed and is_whole else cursor_at(at)
            watcher.begin(Watching(cursor=cursor, is_whole=is_whole), missed if is_whole else ())

    def hint(self) -> None:
        """Something was written on this machine: look soon, but not all the time."""
        if self.audience.people and self._soon is None:
            loop = asyncio.get_running_loop()
            at = max(loop.time() + SOON_SECONDS, self._began + SPACING_SECONDS)
            self._soon = loop.call_at(at, self._wake)

    async def look(self) -> None:
        """Tell those who watch which of their cases have moved since the last look; raises Unavailable."""
        await self.audience.rest()
        now = self._node.clock.now()
        if not self.audience.people or self._looked_at is None:
            self._looked_at, self._told = None, {}
            return
        self._began = asyncio.get_running_loop().time()
        is_far = now - self._far_at >= FAR_EVERY
        low = moment_key(min(now, self._looked_at) - (LATE if is_far else RECENT))
        seen, is_all = await self._node.store.cases.moved.since(low, people=self.audience.people, most=MOST_LOOKED_AT)
        if is_all:
            new = [each.id for each in reversed(seen) if self._told.get(each.id, 0) < each.version]
            told = {each.id: each.version for each in seen} | await self._tell(new)
            self._told = told if is_far else self._told | told
        else:
            self._send_away()
        self._looked_at, self._far_at = now, now if is_far else self._far_at

    async def _missed(self, person: str, cursor: Cursor, at: datetime) -> tuple[list[MovedCase], bool]:
        """What of theirs has moved since the cursor, the oldest first, and whether that is all.

        Without a cursor nothing: they have yet to read their list, and then know what moved before.
        """
        low = since_cursor(cursor) if cursor else moment_key(at - LATE)
        seen, is_all = await self._node.store.cases.moved.of(person, low, limit=MOST_MISSED)
        if len(self.audience.people.get(person, ())) == 1:  # or others of theirs may not have been told
            self._told |= {each.id: each.version for each in seen}
        if not cursor:
            return [], True
        if not is_all or len(seen) > MOST_WAITING:
            return [], False
        return [each for each, people in await self._read([each.id for each in seen]) if person in people], True

    async def _tell(self, ids: Sequence[str]) -> dict[str, int]:
        """Tell those who watch of these cases; answers the version of each that they were told of."""
        told: dict[str, int] = {}
        for start in range(0, len(ids), READ_AT_ONCE):
            for moved, people in await self._read(ids[start : start + READ_AT_ONCE]):
                told[moved.id] = moved.version
                now = self._node.clock.now()
                for watcher in (each for person in people for each in self.audience.people.get(person, ())):
                    self._tell_one(watcher, moved, now)
        return told

    async def _read(self, ids: Sequence[str]) -> list[tuple[MovedCase, frozenset[str]]]:
        """These cases, the one that moved first in front, each with whom its moves concern."""
        found = await self._node.store.cases.moved.read(ids)
        await apart.set_apart_unread(self._node, found, kind="stored")
        ended = await ended_mandates(self._node, {each.mandate for each in found} - {""})
        return [(each, each.people(ended)) for each in sorted(found, key=lambda each: each.moved_at)]

    def _tell_one(self, watcher: Watcher, moved: MovedCase, now: datetime) -> None:
        try:
            self.audience.check(watcher, now)
            watcher.tell(moved)
        except Refusal as refusal:
            self.audience.refuse(watcher, refusal)

    def _send_away(self) -> None:
        for watcher in [each for watchers in self.audience.people.values() for each in watchers]:
            more = {"cursor": watcher.cursor, "retry_after_seconds": RETRY_SECONDS}
            self.audience.refuse(watcher, TooMuchMoved(more=more))

    def _wake(self) -> None:
        self._soon = None
        self.wake()
