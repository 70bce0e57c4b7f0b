"""A demo for the time of a measurement, and what its processes cost."""

import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GRACE_SECONDS = 60
COUNTIES = 50  # of each province have an officer: a hundred in two
CLOCK_OF_PROCESS = 2  # CPUCLOCK_SCHED of Linux: the id of such a clock is made of the process id and this
COUNTY_OFFICER = "county-"
DIVISION = "TONGBAN_DIVISION"  # the setting by which the processes of one node know which it is
ROLES = {"serve": "serve", "work": "work", "embedded.py": "database", "mongod": "database"}


class DemoDidNotStart(RuntimeError):
    """The demo ended before it was ready; what was wrong stands on stderr."""


class DatabaseNotItsOwn(ValueError):
    """The demo uses a database server that was given to it (MONGODB_URI): what that one costs cannot be seen."""


@dataclass(frozen=True)
class RunningDemo:
    """A running demo: what it printed of itself, and its process id."""

    described: dict[str, Any]
    pid: int

    @property
    def base_url(self) -> str:
        """The address of the first node."""
        return str(self.described["nodes"][0]["base_url"])

    def officers(self, place: int = 0) -> dict[str, dict[str, Any]]:
        """The officer of each county of a node, by the county's code: `{"320102": {"name": ..., "password": ...}}`."""
        found = self.described["nodes"][place]["officers"]
        by_name = {officer["name"]: officer for officer in found if officer["name"].startswith(COUNTY_OFFICER)}
        return {name.removeprefix(COUNTY_OFFICER): officer for name, officer in by_name.items()}

    def cpu_seconds(self) -> dict[str, float]:
        """The CPU time that the demo's processes have used so far, by role (serve, work, database)."""
        used: dict[str, float] = defaultdict(float)
        for role, pid in self.processes():
            used[role] += cpu_seconds_of(pid)
        return used

    def processes(self) -> list[tuple[str, int]]:
        """The role (serve, work, database) and the process id of each process of the demo."""
        return [(_role(words), int(child)) for child, words in self._children()]

    def database_uri(self) -> str:
        """The address of the database server that the demo has started; raises DatabaseNotItsOwn."""
        for _, words in self._children():
            if _role(words) == "database":
                return f"mongodb://127.0.0.1:{words[words.index('--port') + 1]}"
        raise DatabaseNotItsOwn("the demo has no database server of its own: unset MONGODB_URI")

    def serving(self) -> list[int]:
        """The process ids of each `serve` that runs now."""
        return [int(child) for child, words in self._children() if _role(words) == "serve"]

    def _children(self) -> Iterator[tuple[str, list[str]]]:
        """The process ids and the words of the commands of the demo's processes."""
        for child in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split():
            with suppress(FileNotFoundError, ProcessLookupError):  # it was killed meanwhile
                yield child, Path(f"/proc/{child}/cmdline").read_text().split("\0")


def cpu_seconds_of(pid: int) -> float:
    """The CPU time that a process has used in all its threads, ended ones too; OSError if there is no such process.

    The kernel's clock of the process counts nanoseconds; `/proc/PID/stat` has hundredths of a second, which is
    more than some requests take in a whole round.
    """
    return time.clock_gettime(~pid << 3 | CLOCK_OF_PROCESS)


def environ_of(pid: int) -> dict[str, str]:
    """The environment that a process was started with."""
    parts = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(part.split("=", 1) for part in parts if "=" in part)


def _role(words: list[str]) -> str:
    return next((ROLES[Path(word).name] for word in words if Path(word).name in ROLES), "other")


@contextmanager
def running_demo(
    tree: Path | None = None, *, counties: int = COUNTIES, options: Sequence[str] = ()
) -> Iterator[RunningDemo]:
    """Two nodes on free ports, ended with the block; raises DemoDidNotStart. `tree`: a checkout other than this one.

    `options` are more of those of `python -m server demo`.
    """
    command = [sys.executable, "-m", "server", "demo", "--json", "--port", "0", "--counties", str(counties), *options]
    print("starting a demo ...", file=sys.stderr)
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=tree) as process:
        try:
            line = process.stdout.readline() if process.stdout else b""
            if not line:
                raise DemoDidNotStart("the demo did not start")
            yield RunningDemo(json.loads(line), process.pid)
        finally:
            process.terminate()
            process.wait(GRACE_SECONDS)
