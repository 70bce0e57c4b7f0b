"""Runs Locust on a plan, headless, and reads what it counted."""

import csv
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtests.plan import RunPlan

ROOT = Path(__file__).parents[1]
LOCUST = ROOT / ".venv-load/bin/locust"
FILE = ROOT / "loadtests/locustfile.py"
STOP_SECONDS, GRACE_SECONDS = 20, 120
POLL_SECONDS = 0.1
OVERDUE = 124  # as `timeout` has it
ROWS = "rows"


@dataclass(frozen=True)
class Driven:
    """What Locust told: a row for each door (its JSON), a sentence for each kind of error, exit code and last line."""

    rows: Sequence[Mapping[str, Any]]
    errors: Sequence[str]
    code: int
    last_line: str = ""

    @property
    def requests(self) -> int:
        """How many came to an end."""
        return sum(row["num_requests"] for row in self.rows)


def drive(plan: RunPlan) -> Driven:
    """Drive the journeys of the plan; its folder has the report, the figures and Locust's log afterwards."""
    plan.kept.mkdir(parents=True, exist_ok=True)
    options = ["--headless", "--only-summary", "--stop-timeout", str(STOP_SECONDS), "--exit-code-on-error", "0"]
    options += ["--html", str(plan.kept / "report.html"), "--csv", str(plan.kept / "figures"), "--csv-full-history"]
    options += ["--json-file", str(plan.kept / ROWS)]
    options += ["--processes", str(plan.workers)] if plan.workers > 1 else []
    return told_in(plan.kept, code=_ended([str(LOCUST), "-f", str(FILE), *options], plan))


def told_in(folder: Path, *, code: int = 0) -> Driven:
    """What Locust has left in this folder."""
    log = folder / "locust.log"
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if log.exists() else []
    return Driven(_rows_in(folder), _errors_in(folder), code, lines[-1] if lines else "")


def _ended(command: Sequence[str], plan: RunPlan) -> int:
    """The exit code of Locust, when all of its processes are gone: a worker may still submit when its master ends."""
    last = time.monotonic() + plan.seconds + STOP_SECONDS + GRACE_SECONDS
    environ = {**os.environ, **plan.environ(), "PYTHONPATH": str(ROOT)}
    with (plan.kept / "locust.log").open("wb") as log:
        process = subprocess.Popen(
            command, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        while (code := process.poll()) is None or _is_alive(process.pid):
            if time.monotonic() > last:
                return OVERDUE
            time.sleep(POLL_SECONDS)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return code


def _is_alive(group: int) -> bool:
    """Whether a process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _rows_in(folder: Path) -> list[dict[str, Any]]:
    """None if Locust did not come as far as that: its log says why."""
    found = sorted(folder.glob(f"{ROWS}*.json"))
    return list(json.loads(found[0].read_text(encoding="utf-8"))) if found else []


def _errors_in(folder: Path) -> list[str]:
    """The commonest first."""
    path = folder / "figures_failures.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: -int(row["Occurrences"]))
    return [f"{row['Occurrences']} times {row['Method']} {row['Name']}: {row['Error']}" for row in rows]
