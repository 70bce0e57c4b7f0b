"""Those who watch their cases: who they are, over which connection, and what could not be told to them yet."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal, Protocol

from server.desk.steps import LocalMoment
from server.domain.case.watching import Cursor, MovedCase
from server.domain.errors import Refusal, TooSlow
from server.domain.values import Value, moment_of_key

MOST_WAITING = 32  # cases of one connection that have moved and could not be told yet
MOST_UNANSWERED = 2


class WatcherTooSlow(TooSlow):
    """More has moved than the watcher took in; what they missed is told when they come back with the cursor."""

    code = "watcher_too_slow"
    title = "接收过慢，请重新连接"


class WatcherSilent(TooSlow):
    """The watcher answered two pings in a row with nothing."""

    code = "watcher_silent"
    title = "连接已失去响应"


class Watching(Value):
    """The answer to the first message; if not `is_whole`, more was missed than is told: the list is to be read anew."""

    type: Literal["watching"] = "watching"
    cursor: Cursor
    is_whole: bool


class CaseMoved(Value):
    """A case has moved: it is at this version now, or at a later one."""

    type: Literal["case.moved"] = "case.moved"
    case: str
    version: int
    at: LocalMoment
    cursor: Cursor


class Socket(Protocol):
    """The connection of somebody who watches; on one that is gone nothing happens."""

    def send(self, text: str, then: Callable[[], object]) -> None:
        """Send a text, and call back once all of it has left this process."""

    def ping(self) -> None:
        """Ask for a sign of life."""

    def refuse(self, refusal: Refusal) -> None:
        """Close the connection, and say why."""

    def part(self) -> None:
        """Close the connection, as the process ends."""


class Watcher:
    """Somebody who watches: nobody yet, until `person` is known. Of each case only the newest move waits."""

    __slots__ = (
        *("_is_sending", "_waiting", "cursor", "expires_at", "has_spoken", "is_over", "person", "session", "socket"),
        *("turn", "unanswered"),
    )

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.person = self.session = ""
        self.expires_at: datetime | None = None
        self.cursor = ""
        self.turn = self.unanswered = 0
        self.has_spoken = self.is_over = False
        self._waiting: dict[str, MovedCase] = {}
        self._is_sending = True  # until it is known what they missed

    def begin(self, watching: Watching, missed: Sequence[MovedCase]) -> None:
        """Answer the first message, then tell what was missed (the oldest first), then what has moved meanwhile.

        Raises WatcherTooSlow.
        """
        meanwhile, self._waiting = tuple(self._waiting.values()), {}
        self.cursor = watching.cursor
        for moved in (*missed, *meanwhile):
            self._put(moved)
        self.socket.send(watching.model_dump_json(), self._sent)

    def tell(self, moved: MovedCase) -> None:
        """Tell of a move, as soon as the one before has gone; raises WatcherTooSlow if too many wait."""
        self._put(moved)
        if not self._is_sending:
            self._send()

    def ping(self) -> None:
        """Ask for a sign of life; raises WatcherSilent if there was none for too long."""
        if self.unanswered >= MOST_UNANSWERED:
            raise WatcherSilent
        self.unanswered += 1
        self.socket.ping()

    def _put(self, moved: MovedCase) -> None:
        """Last in the row, so that no cursor is ahead of what still waits."""
        known = self._waiting.pop(moved.id, moved)
        self._waiting[moved.id] = max(moved, known, key=lambda each: each.version)
        if len(self._waiting) > MOST_WAITING:
            raise WatcherTooSlow(more={"cursor": self.cursor})

    def _send(self) -> None:
        moved = self._waiting.pop(next(iter(self._waiting)))
        at, self.cursor, self._is_sending = moment_of_key(moved.moved_at), moved.moved_at, True
        told = CaseMoved(case=moved.id, version=moved.version, at=at, cursor=moved.moved_at)
        self.socket.send(told.model_dump_json(), self._sent)

    def _sent(self) -> None:
        self._is_sending = False
        if self._waiting and not self.is_over:
            self._send()


def watch(socket: Socket) -> Watcher:
    """Somebody who has opened a connection and not said yet who they are."""
    return Watcher(socket)
