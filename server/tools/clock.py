"""The two edges of a running node that no rule can compute: the present moment and chance."""

import secrets
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from server.domain.values import in_milliseconds

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """Tells the present moment."""

    machine: str  # whose clock it is: all processes of one machine share it

    def now(self) -> datetime:
        """The present moment in UTC, cut to whole milliseconds."""


class Chance(Protocol):
    """Makes what nobody can guess."""

    def token(self, length: int) -> bytes:
        """So many unpredictable bytes."""


class SystemClock:
    """The clock of the machine."""

    def __init__(self) -> None:
        self.machine = _this_machine()

    def now(self) -> datetime:
        return in_milliseconds(datetime.now(UTC))


class SystemChance:
    """The random source of the machine, or a faster one that draws on it."""

    def __init__(self, source: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._source = source

    def token(self, length: int) -> bytes:
        return self._source(length)


def _this_machine() -> str:
    """The kernel that runs: containers on it share its clock and its id, and after a reboot the clock may be another.

    Where there is no Linux, the name of the host.
    """
    try:
        return f"boot:{BOOT_ID.read_text(encoding='ascii').strip()}"
    except OSError:
        return f"host:{socket.gethostname()}"
