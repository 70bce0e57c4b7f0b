"""Random bytes for keys, nonces and ids, asked of the system some thousands at once."""

import os
import threading

ASKED_AT_ONCE = 4096  # a call to the system costs more than the bytes, and lets other threads run in between


class RandomPool:
    """Bytes of the system's random source, each of which is given out once, to whichever thread asks.

    A process that is forked would give out the same bytes as its parent, so a child takes none of them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bytes = b""
        self._next = 0
        os.register_at_fork(after_in_child=self._forget)

    def take(self, length: int) -> bytes:
        """So many unpredictable bytes."""
        with self._lock:
            if self._next + length > len(self._bytes):
                self._bytes, self._next = os.urandom(max(ASKED_AT_ONCE, length)), 0
            self._next += length
            return self._bytes[self._next - length : self._next]

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._bytes, self._next = b"", 0


POOL = RandomPool()


def random_bytes(length: int) -> bytes:
    """So many unpredictable bytes, from the pool of this process."""
    return POOL.take(length)
