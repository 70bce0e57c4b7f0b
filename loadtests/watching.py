"""Writes down, every few seconds of a run, the memory and the open descriptors of each process of a demo.

Memory is what a process alone has written, and what of it was swapped out (`Private_Dirty`, `SwapPss`). Its resident
memory also counts the pages of libraries, a quarter of a `serve`: they hide a leak, and come and go as the kernel
likes. Its proportional share (`Pss`) rises when another process that uses the same libraries ends.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from loadtests.demos import DIVISION, RunningDemo, environ_of
from loadtests.records import RecordBook

EVERY_SECONDS = 5.0
SAMPLE = "process"
COUNTED = ("Private_Dirty:", "SwapPss:")
ROLES = ("serve", "work", "database")


@dataclass(frozen=True)
class Watch:
    """Who is watched, where it is written down, and the clock that tells when."""

    demo: RunningDemo
    book: RecordBook
    clock: Callable[[], float] = time.monotonic

    def look(self) -> None:
        """Write one line for each process that runs now; one that ends meanwhile has none."""
        at = self.clock()
        for role, pid in self.demo.processes():
            with suppress(FileNotFoundError, ProcessLookupError):
                node = environ_of(pid).get(DIVISION, "")
                told = {"at": round(at, 2), "memory_kib": memory_kib(pid), "descriptors": descriptors(pid)}
                self.book.write(SAMPLE, role=role, process=f"{node} {role}".strip(), pid=pid, **told)


def memory_kib(pid: int | str) -> int:
    """What a process alone has written, in KiB; FileNotFoundError or ProcessLookupError if there is none."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    parts = [line.split() for line in lines[1:]]
    return sum(int(part[1]) for part in parts if part[0] in COUNTED)


def descriptors(pid: int | str) -> int:
    """How many files and connections a process has open; FileNotFoundError or ProcessLookupError if there is none."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


@contextmanager
def watching(watch: Watch, *, seconds: float, every_seconds: float = EVERY_SECONDS) -> Iterator[None]:
    """Look again and again during the block, for so many seconds at most; raises what a look raised."""
    memory_kib("self")  # a kernel that does not tell it is found out before the run
    is_over = threading.Event()
    last = time.monotonic() + seconds  # who is on the way at the end of the run leaves: nothing to compare with

    def look_on() -> None:
        watch.look()
        while not is_over.wait(every_seconds) and time.monotonic() < last:
            watch.look()

    with ThreadPoolExecutor(1, thread_name_prefix="watch") as pool:
        looks = pool.submit(look_on)
        try:
            yield
        finally:
            is_over.set()
        looks.result()
