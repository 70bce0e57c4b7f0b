"""Bells between the processes of one node on one host: each hears at once that another has done something.

A bell is a datagram socket in a folder that the processes share. What rings is a hint and may be lost: whoever hears
nothing finds out by looking, a little later. So a full or broken bell is passed over, and nobody waits for anybody.
"""

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from server.tools.logs import log

FOLDER = "bells"
KNOWN_SECONDS = 1.0  # for so long the bells that were found are those that there are
SOON_SECONDS = 0.02
MOST_HEARD = 100  # rings that are taken in one turn

Heard = Callable[[], object]


class Bells:
    """The bells below one folder of this machine (`machine`: what tells it from others that may share the folder)."""

    def __init__(self, folder: Path, machine: str) -> None:
        self._folder = folder / FOLDER
        self._machine = "".join(sign for sign in machine if sign.isalnum())[-16:]
        self._own: set[str] = set()
        self._found: tuple[str, ...] = ()
        self._found_at = 0.0
        self._soon: asyncio.TimerHandle | None = None

    @contextmanager
    def hung(self, heard: Heard) -> Iterator[None]:
        """Hear what rings until the block ends; in a folder that takes no bell nothing is heard, which is logged."""
        # Numbers of processes come again, also at the same time in containers that share the folder.
        loop, own = asyncio.get_running_loop(), f"{self._machine}-{secrets.token_hex(8)}"
        with _bell() as bell:
            try:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                with self._open() as folder:
                    bell.bind(_within(folder, own))
            except OSError as fault:
                log.warning("bell.unhung", folder=self._folder, reason=fault.strerror)
            self._own.add(own)
            loop.add_reader(bell.fileno(), _take, bell, heard)
            try:
                yield
            finally:
                loop.remove_reader(bell.fileno())
                self._own.discard(own)
                with suppress(OSError):
                    (self._folder / own).unlink()

    def ring(self) -> None:
        """Let all other processes here hear, as far as they can now; whatever hinders it hinders nothing else."""
        with suppress(OSError):
            if names := self._others():
                with self._open() as folder, _bell() as ringing:
                    for name in names:
                        _ring_one(ringing, folder, name)

    def ring_soon(self) -> None:
        """Ring once for all that is done in the next moments."""
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(SOON_SECONDS, self._ring_now)

    def _ring_now(self) -> None:
        self._soon = None
        self.ring()

    def _others(self) -> tuple[str, ...]:
        now = time.monotonic()
        if now - self._found_at > KNOWN_SECONDS:
            with suppress(FileNotFoundError):
                found = os.listdir(self._folder)  # names are all that is wanted
                self._found = tuple(name for name in found if name.startswith(f"{self._machine}-"))
            self._found_at = now
        return tuple(name for name in self._found if name not in self._own)

    @contextmanager
    def _open(self) -> Iterator[int]:
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield folder
        finally:
            os.close(folder)


def _bell() -> socket.socket:
    bell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    bell.setblocking(False)
    return bell


def _ring_one(ringing: socket.socket, folder: int, name: str) -> None:
    try:
        ringing.sendto(b"", _within(folder, name))
    except ConnectionRefusedError:  # nobody hears it any more
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)
    except OSError:  # full, or just gone
        return


def _within(folder: int, name: str) -> str:
    """An address below an open folder: one by its whole path may be longer than the 107 bytes that a socket takes."""
    return f"/proc/self/fd/{folder}/{name}"


def _take(bell: socket.socket, heard: Heard) -> None:
    """However often it rang meanwhile, it is heard once."""
    with suppress(BlockingIOError, InterruptedError):
        for _ in range(MOST_HEARD):
            bell.recv(1)
    heard()
