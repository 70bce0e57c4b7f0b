"""The two edges of a running node that no rule can compute: the present moment and chance."""

import secrets
from datetime import UTC, datetime
from typing import Protocol

from server.domain.values import in_milliseconds


class Clock(Protocol):
    """Tells the present moment."""

    def now(self) -> datetime:
        """The present moment in UTC, cut to whole milliseconds."""


class Chance(Protocol):
    """Makes what nobody can guess."""

    def token(self, length: int) -> bytes:
        """So many unpredictable bytes."""


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        return in_milliseconds(datetime.now(UTC))


class SystemChance:
    """The random source of the machine."""

    def token(self, length: int) -> bytes:
        return secrets.token_bytes(length)
