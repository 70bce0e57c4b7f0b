"""The outage table: the wire between two provinces is cut for so long under a steady flow of cases, and healed.

python -m tests.faults.outages --seconds 10,60,300 --json
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from server.demo.database import database_server
from server.demo.proxy import Mode
from tests.faults.ground import NODE_DEFAULTS, PATIENCE_SECONDS, Ground, ground, say, with_progress
from tests.faults.nursery import nursery
from tests.faults.reckoning import Reckoning
from tests.nodes import until

LONGEST_SECONDS = 3600.0
BEFORE_SECONDS = 5.0
HEAD = "| wire cut for | cases | letters | delivered | lost | doubled | alarms | waiting at healing | drained after |"
RULE = "|---:|---:|---:|---:|---:|---:|---:|---:|---:|"


@dataclass(frozen=True)
class Outage:
    """One outage: how long, the books afterwards, and how long it took.

    `waiting` letters were not settled when the wire healed; `drain_seconds` later all of them were, on both sides;
    `quiet_seconds` after healing everything was decided, and both nodes had told each other all of it.
    """

    seconds: float
    reckoning: Reckoning
    waiting: int
    drain_seconds: float
    quiet_seconds: float

    def row(self) -> str:
        """As a row of the Markdown table."""
        books = self.reckoning
        counts = [books.cases, books.letters, books.delivered, books.lost, books.doubled, books.alarms]
        cells = [f"{self.seconds:g} s", *counts, self.waiting, f"{self.drain_seconds:.1f} s"]
        return "| " + " | ".join(map(str, cells)) + " |"


async def cut(field: Ground, seconds: float, *, before_seconds: float = BEFORE_SECONDS) -> Outage:
    """Let the flow run, cut the wire for so long, heal it, and wait until everything that waited has arrived."""
    await asyncio.sleep(before_seconds)
    await field.switch(Mode.CUT)
    await asyncio.sleep(seconds)
    await field.switch(Mode.OPEN)
    healed = time.monotonic()
    waiting = await field.waiting()
    ending = asyncio.create_task(field.end())
    await until(partial(field.are_settled, waiting), seconds=PATIENCE_SECONDS)
    drained = time.monotonic()
    reckoning = await ending
    letters = sum(len(ids) for ids in waiting.values())
    return Outage(seconds, reckoning, letters, drained - healed, time.monotonic() - healed)


async def measure(seconds: Sequence[float], *, a_second: float) -> list[Outage]:
    """One outage after the other, each with nodes and databases of its own, as a node is set by default."""
    outages = []
    for each in seconds:
        with TemporaryDirectory(prefix="tongban-outage-") as name:
            folder = Path(name)
            async with (
                database_server(folder / "database", None) as uri,
                nursery(folder / "nursery.log", {}) as forks,
                ground(folder, uri, launch=forks.start, a_second=a_second, database="outage", **NODE_DEFAULTS) as field,
            ):
                say(f"wire cut for {each:g} s: the flow begins")
                outages.append(await with_progress(cut(field, each), say, field.flow.told))
                say(outages[-1].row())
    return outages


def described(outage: Outage) -> dict[str, Any]:
    """As it stands in the JSON: one flat object."""
    told = asdict(outage)
    return {**told.pop("reckoning"), **told}


def seconds_from(text: str) -> list[float]:
    """The lengths of the outages; argparse tells the person what is wrong with them."""
    try:
        lengths = [float(each) for each in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"seconds with commas between them, not {text!r}") from None
    if not all(0 < each <= LONGEST_SECONDS for each in lengths):
        raise argparse.ArgumentTypeError(f"each more than 0 and at most {LONGEST_SECONDS:.0f} seconds, not {text!r}")
    return lengths


def rate_from(text: str) -> float:
    """A bounded number of cases a second."""
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0.1 <= rate <= 10:
        raise argparse.ArgumentTypeError(f"from 0.1 to 10 cases a second, not {text!r}")
    return rate


def main() -> int:
    """Print the rows; 1 if anything was lost or doubled, or alarmed somebody."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.outages", description=__doc__)
    parser.add_argument("--seconds", type=seconds_from, default="10,60", metavar="S,S", help="default %(default)s")
    rate = "cases a second in each direction (default %(default)s)"
    parser.add_argument("--rate", type=rate_from, default="1", metavar="N", help=rate)
    parser.add_argument("--json", action="store_true", help="print a JSON list instead of Markdown rows")
    chosen = parser.parse_args()
    outages = asyncio.run(measure(chosen.seconds, a_second=chosen.rate))
    if chosen.json:
        sys.stdout.write(json.dumps([described(outage) for outage in outages]) + "\n")
    else:
        sys.stdout.write("\n".join([HEAD, RULE, *(outage.row() for outage in outages)]) + "\n")
    return 0 if all(outage.reckoning.is_clean for outage in outages) else 1


if __name__ == "__main__":
    sys.exit(main())
