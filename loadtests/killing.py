"""Kills one `serve` of a demo every so many seconds (SIGKILL); the demo starts it again."""

import os
import random
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from loadtests.demos import RunningDemo


class Killer:
    """Strikes until it is told to stop; `struck` are the process ids that it has killed."""

    def __init__(self, demo: RunningDemo, every_seconds: float) -> None:
        self._demo = demo
        self._every_seconds = every_seconds
        self._is_over = threading.Event()
        self.struck: list[int] = []

    def strike(self) -> None:
        """Kill any one of those that run."""
        with suppress(IndexError, ProcessLookupError):  # none runs just now
            chosen = random.choice(self._demo.serving())
            os.kill(chosen, signal.SIGKILL)
            self.struck.append(chosen)

    def rage(self) -> None:
        """Strike every so many seconds."""
        while not self._is_over.wait(self._every_seconds):
            self.strike()

    def stop(self) -> None:
        """Strike no more."""
        self._is_over.set()


@contextmanager
def killing(killer: Killer) -> Iterator[Killer]:
    """Let somebody strike during the block."""
    thread = threading.Thread(target=killer.rage, daemon=True)
    thread.start()
    try:
        yield killer
    finally:
        killer.stop()
        thread.join()
