"""Measures a node beside bare servers that keep the same, in interleaved rounds of one run, on one database server.

make bench
make bench ARGS="--only submission --rounds 3"

Sections: submission, reads, idle, start. Figures are the medians of the rounds, with the least and the most of them.
What the processes use while nobody asks is measured at the beginning of each round and taken off. A submission of the
node counts until what follows its answer is carried.
"""

import argparse
import json
import shlex
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import uvloop

from loadtests.bench.carrying import NotCarried
from loadtests.bench.contestants import LOAD_PYTHON, ROOT, BaselineDidNotStart, Contestant
from loadtests.bench.figures import BOUND, Round, busiest, failures, ratios, summary
from loadtests.bench.loader import LoadUnanswered
from loadtests.bench.machine import described_machine
from loadtests.bench.page import put_on_page, text_of
from loadtests.bench.rest import CopyNotReady, StartedCopy, copied, idle, told_memory, told_starts
from loadtests.bench.rounds import MeasuredProcesses, one_round
from loadtests.bench.rows import READS, SUBMISSION, TONGBAN, Preparation, rows_of
from loadtests.demos import DatabaseNotItsOwn, DemoDidNotStart, RunningDemo, running_demo

IDLE, START = "idle", "start"
SECTIONS = (SUBMISSION, READS, IDLE, START)
LATEST = ROOT / "var/bench/latest.json"
PERFORMANCE = ROOT / "docs/performance.md"
COUNTIES = 10
MOST_ROUNDS, MOST_CONNECTIONS, MOST_REQUESTS = 50, 512, 5000
MEASURED, SOME_FAILED, NOT_STARTED = 0, 1, 3
"""Exit codes; 2 is that of a wrong command line."""


@dataclass(frozen=True)
class BenchPlan:
    """What is measured how often; `requests` are those of a row in a round, of what costs little four times as many."""

    sections: tuple[str, ...]
    rounds: int
    requests: int
    connections: int


@dataclass(frozen=True)
class MeasuredRun:
    """What the rounds that count have found, and the starts of `serve` and a second at rest beside them."""

    rows: Sequence[Contestant]
    rounds: Sequence[Round]
    starts: Sequence[StartedCopy]
    idle: dict[str, Any]
    memory: dict[str, float]
    body_bytes: int


async def measure(demo: RunningDemo, plan: BenchPlan, folder: Path) -> MeasuredRun:
    """All of it; the first round is not counted, for whatever is asked first costs more."""
    processes = MeasuredProcesses.of(demo)
    rounds: list[Round] = []
    starts: list[StartedCopy] = []
    async with AsyncExitStack() as stack:
        rows: list[Contestant] = []
        body_bytes = 0
        if {SUBMISSION, READS} & set(plan.sections):
            ready = Preparation(demo, processes, folder, plan.requests, LOAD_PYTHON)
            rows, body_bytes = await rows_of(ready, plan.sections, stack)
        for number in range(plan.rounds + 1):
            if rows:
                found = await one_round(number, rows, processes, connections=plan.connections)
                rounds += [found] if number else []
            if START in plan.sections and number:
                async with copied(processes.serve[0], "serve") as started:
                    starts.append(started)
            print(f"round {number} of {plan.rounds}" + ("" if number else ", not counted"), file=sys.stderr)
    memory = told_memory(processes) if START in plan.sections else {}
    at_rest = await idle(processes) if IDLE in plan.sections else {}
    return MeasuredRun(rows, rounds, starts, at_rest, memory, body_bytes)


def result_of(found: MeasuredRun, plan: BenchPlan, *, machine: dict[str, Any], command: str) -> dict[str, Any]:
    """The result as JSON has it; a section that was not measured is empty."""
    names = {section: [row.name for row in found.rows if row.section == section] for section in (SUBMISSION, READS)}
    beside = [name for name in names[SUBMISSION] if name != TONGBAN]
    against = {row.name: row.against for row in found.rows if row.against}
    busy = busiest(found.rounds)
    return {
        "at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "command": command,
        "machine": machine,
        "rounds": plan.rounds,
        "connections": plan.connections,
        "requests": plan.requests,
        "body_bytes": found.body_bytes,
        "loader_busy": round(busy, 3),
        "loader_bound": busy > BOUND,
        "failed": failures(found.rounds),
        "servers": summary(found.rounds, names[SUBMISSION]),
        "reads": summary(found.rounds, names[READS]),
        "ratios": {
            SUBMISSION: {name: ratios(found.rounds, TONGBAN, name) for name in beside},
            READS: {name: ratios(found.rounds, name, other) for name, other in against.items()},
        },
        "idle": found.idle,
        "start": told_starts(found.starts) if found.starts else {},
        "memory": found.memory,
    }


def main(argv: Sequence[str] | None = None) -> int:
    """0: measured; 1: some requests failed, so that the figures are not to be believed; 3: something did not start."""
    chosen = _parser().parse_args(argv)
    plan = BenchPlan(tuple(chosen.only), chosen.rounds, chosen.requests, chosen.connections)
    signal.signal(signal.SIGTERM, _end)
    machine, command = described_machine(), _command(sys.argv[1:] if argv is None else argv)
    try:
        with tempfile.TemporaryDirectory() as folder, running_demo(counties=COUNTIES) as demo:
            found = uvloop.run(measure(demo, plan, Path(folder)))
    except (DemoDidNotStart, DatabaseNotItsOwn, BaselineDidNotStart, CopyNotReady) as fault:
        print(f"bench: {fault}", file=sys.stderr)
        return NOT_STARTED
    except (NotCarried, LoadUnanswered) as fault:
        print(f"bench: {fault}", file=sys.stderr)
        return SOME_FAILED
    result = result_of(found, plan, machine=machine, command=command)
    LATEST.parent.mkdir(parents=True, exist_ok=True)
    LATEST.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    text = text_of(result)
    if chosen.page:
        put_on_page(PERFORMANCE, text)
    print(json.dumps(result) if chosen.json else text)
    return SOME_FAILED if result["failed"] else MEASURED


def sections_from(text: str) -> list[str]:
    """The sections that a list with commas names, in our order; ArgumentTypeError for one that there is not."""
    asked = text.split(",")
    if unknown := [name for name in asked if name not in SECTIONS]:
        raise argparse.ArgumentTypeError(f"no section {unknown[0]!r:.40}; there are {', '.join(SECTIONS)}")
    return [name for name in SECTIONS if name in asked]


def _end(number: int, _frame: FrameType | None) -> None:
    """Leave by way of all that is to be ended: a demo and baselines would go on without us."""
    sys.exit(128 + number)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only", type=sections_from, default=list(SECTIONS), help="sections, with commas (default all)"
    )
    for name, default, most, text in (
        ("--rounds", 5, MOST_ROUNDS, "that count"),
        ("--requests", 300, MOST_REQUESTS, "to each server in a round"),
        ("--connections", 32, MOST_CONNECTIONS, "that are kept open"),
    ):
        parser.add_argument(name, type=_count(most), default=default, help=f"{text} (default {default}, most {most})")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.add_argument("--page", action="store_true", help="write the tables to docs/performance.md")
    return parser


def _count(most: int) -> Callable[[str], int]:
    """What reads a number from 1 to this one; ArgumentTypeError for others."""

    def count(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"not a number from 1 to {most}: {text!r:.40}")
        return int(text)

    return count


def _command(words: Sequence[str]) -> str:
    """The command that makes the same again."""
    given = shlex.join(words)
    return f'make bench ARGS="{given}"' if given else "make bench"


if __name__ == "__main__":
    sys.exit(main())
