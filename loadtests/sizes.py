"""Measures what requests cost in CPU time when few and when many cases are stored, by HTTP against a demo.

python -m loadtests.sizes --cases 1000,100000

The cases are made by the product's own `seed`, and go the way of any submission; measuring begins when all that
follows them is done. At each size a citizen asks who has 50 cases. The officer whose worklist is read has posts in
three roles at each desk of a county, that of the hospitals at one desk alone; their page is full at each size. What the
processes use while nothing happens is taken off; each figure is the median of several rounds after a first one that
does not count, so that a loop that runs now and then does not spoil it. What was measured of a size is told on stderr
at once, as JSON.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from functools import partial
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp

from loadtests.bench.carrying import Carrying, NotCarried, watched
from loadtests.bench.rest import held
from loadtests.bench.rounds import MeasuredProcesses
from loadtests.bench.rows import DATABASE_NAME
from loadtests.cpu import (
    BearerClient,
    application,
    enter_as_citizen,
    enter_as_officer,
    enter_by_name,
    places_of,
    spent,
    together,
)
from loadtests.demos import DatabaseNotItsOwn, DemoDidNotStart, RunningDemo, environ_of, running_demo
from loadtests.growing import CASES, NotSeeded, SeedRun, fill_desks, grow

OWN_CASES = 50  # of the citizen who reads
OF_EACH_BUNDLE = 17  # in the county whose worklist is read
FEWEST_CASES, MOST_CASES = 400, 1_000_000
JUDGED_CASES = 100_000  # what is larger is told only
MOST_SIZES = 5
ROUNDS, MOST_ROUNDS = 7, 50
REQUESTS = 60
SUBMISSIONS = 40
AT_ONCE = 8
IDLE_SECONDS = 2.0
FREE_SECONDS = 1.0
REST_SECONDS = 120.0
CASES_A_SECOND = 50  # so many come to rest at the least
ROLES = ("serve", "database")
SUBMISSION = "submission"
TASKS = "/desk/v1/tasks"
Costs = dict[str, dict[str, int]]
Work = Callable[[], Awaitable[None]]


class PageNotFull(RuntimeError):
    """A list does not have a full page, so that it would cost more only because more stands on it."""


@dataclass(frozen=True)
class Door:
    """What is measured: a name, what is done in a round, and how many requests that is."""

    name: str
    work: Work
    requests: int = REQUESTS


@dataclass
class Grown:
    """A demo and its folder, what tells of its rest, and how many cases it has been given."""

    demo: RunningDemo
    folder: Path
    processes: MeasuredProcesses
    carrying: Carrying
    cases: int = 0

    async def seed(self, cases: int) -> SeedRun:
        """Make so many cases; raises NotSeeded."""
        made = await grow(self.processes.serve[0], cases)
        self.cases += cases
        return made

    async def rest(self) -> None:
        """Wait until nothing is to be done for any case; raises NotCarried."""
        everything = (*self.processes.serve, *self.processes.work, *self.processes.database)
        await self.carrying.rest(everything, within_seconds=REST_SECONDS + self.cases / CASES_A_SECOND)

    def folder_mb(self) -> float:
        """What the files of the database take, those of the other node too, in MB of a million bytes."""
        return round(sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file()) / 1e6, 1)


async def measure(demo: RunningDemo, folder: Path, *, sizes: Sequence[int], rounds: int) -> dict[str, Any]:
    """The figures, in microseconds of CPU time, of each size and each door, and how each size compares with the first.

    `folder` has the demo's database. Raises NotSeeded, NotCarried and PageNotFull.
    """
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        processes = MeasuredProcesses.of(demo)
        name = environ_of(processes.serve[0])[DATABASE_NAME]
        carrying = await stack.enter_async_context(watched(demo.database_uri(), name, processes.serve))
        grown = Grown(demo, folder, processes, carrying)
        filler = BearerClient(http, demo.base_url)
        await enter_as_citizen(filler, demo, -1)
        grown.cases = await fill_desks(filler, places_of(demo)[0]["division"], each=OF_EACH_BUNDLE)
        measured: list[dict[str, Any]] = []
        for number, cases in enumerate(sizes):
            made = await grown.seed(max(cases - OWN_CASES - grown.cases, 1))
            doors = await _doors(http, grown, number)
            await grown.rest()
            size: dict[str, Any] = {"cases": cases, "stored": grown.cases, "folder_mb": grown.folder_mb()}
            print(f"measuring with {grown.cases} cases ...", file=sys.stderr)
            size |= {"seeded": asdict(made), **await _costs(grown, doors, rounds=rounds)}
            if measured:
                size["ratios"] = ratios_of(measured[0]["doors"], size["doors"])
            measured.append(size)
            print(json.dumps(size), file=sys.stderr)
            grown.cases += SUBMISSIONS * (1 + rounds)
    return {"sizes": measured}


async def _doors(http: aiohttp.ClientSession, grown: Grown, number: int) -> list[Door]:
    """What is measured at this size, by people who have what those of the other sizes have."""
    demo = grown.demo
    citizen, applicant, officer, hospital = (BearerClient(http, demo.base_url) for _ in range(4))
    first, *others = places_of(demo)
    await enter_as_citizen(citizen, demo, number)
    await enter_as_citizen(applicant, demo, -2 - number)
    await enter_as_officer(officer, demo, first["division"])
    await enter_by_name(hospital, demo, f"provider-health-{first['division']}")
    wish = await application(citizen, first)
    for _ in range(OWN_CASES - await _count_of(citizen)):  # `seed` has given them a few
        await citizen.ask("POST", CASES, json=wish)
        grown.cases += 1
    await grown.carrying.wait()
    for who, path, members in ((citizen, CASES, "cases"), (officer, TASKS, "tasks"), (hospital, TASKS, "tasks")):
        page = await who.ask("GET", path)
        if not page["next"]:
            raise PageNotFull(f"{path} has no more than {len(page[members])} {members}")
    newest = (await citizen.ask("GET", CASES))["cases"][0]["id"]
    wish, places = await application(applicant, first), cycle(others)

    async def submit_one() -> None:
        await applicant.ask("POST", CASES, json=wish | next(places))

    async def submit() -> None:
        await together(AT_ONCE, [submit_one] * SUBMISSIONS)
        await grown.carrying.wait()

    return [
        Door("worklist", partial(_ask, officer, TASKS)),
        Door("worklist of one desk", partial(_ask, hospital, TASKS)),
        Door("my cases", partial(_ask, citizen, CASES)),
        Door("one case", partial(_ask, citizen, f"{CASES}/{newest}")),
        Door(SUBMISSION, submit, SUBMISSIONS),  # the last of a round: what it leaves to `work` is waited for
    ]


async def _count_of(citizen: BearerClient) -> int:
    """How many cases a citizen has."""
    count, before = 0, ""
    while True:
        page = await citizen.ask("GET", CASES, params={"before": before} if before else {})
        count += len(page["cases"])
        if not page["next"]:
            return count
        before = page["next"]


async def _costs(grown: Grown, doors: Sequence[Door], *, rounds: int) -> dict[str, Any]:
    """What a second costs in which nobody asks, with `work` too, and what one request costs at each door.

    While a door is measured the processes of `work` are held: they do for many cases together what is left to them, and
    how much of it falls into a round would be chance.
    """
    at_rest: list[dict[str, float]] = []
    quiet: list[dict[str, float]] = []
    found: dict[str, list[dict[str, float]]] = {door.name: [] for door in doors}
    for number in range(1 + rounds):
        at_rest.append(await _used(grown.demo, partial(asyncio.sleep, IDLE_SECONDS)))
        for door in doors:
            with held(grown.processes.work):  # not longer: what they have asked the database times out
                quiet.append(await _used(grown.demo, partial(asyncio.sleep, IDLE_SECONDS)))
                found[door.name].append(await _used(grown.demo, door.work))
            await asyncio.sleep(FREE_SECONDS)
        if number == 0:  # the first look at anything costs more
            for kept in (at_rest, quiet, *found.values()):
                kept.clear()
        await grown.rest()
    idle = medians([a_second(one) for one in quiet])
    return {
        "at_rest_a_second": {role: round(used * 1e6) for role, used in medians(list(map(a_second, at_rest))).items()},
        "doors": {door.name: cost_of(found[door.name], idle, requests=door.requests) for door in doors},
    }


def a_second(used: Mapping[str, float]) -> dict[str, float]:
    """The CPU seconds of each role in a second, from those in the seconds that passed."""
    return {role: seconds / used["passed"] for role, seconds in used.items() if role != "passed"}


def cost_of(found: Sequence[Mapping[str, float]], idle: Mapping[str, float], *, requests: int) -> dict[str, int]:
    """The microseconds of one request by role: the median of these rounds, without what is used at rest."""
    cost = medians([{role: one[role] - idle[role] * one["passed"] for role in ROLES} for one in found])
    return {role: round(used / requests * 1e6) for role, used in cost.items()}


async def _used(demo: RunningDemo, work: Work) -> dict[str, float]:
    """The CPU seconds by role while the work was done, and how many seconds passed."""
    began = time.monotonic()
    used = await spent(demo, {}, work)
    return {**used, "passed": time.monotonic() - began}


async def _ask(caller: BearerClient, path: str) -> None:
    async def once() -> None:
        await caller.ask("GET", path)

    await together(AT_ONCE, [once] * REQUESTS)


def medians(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The median of each figure."""
    return {name: statistics.median(one[name] for one in found) for name in found[0]}


def ratios_of(small: Costs, large: Costs) -> dict[str, float]:
    """How much more a request at each door costs in all with many cases than with few."""
    return {door: round(sum(large[door].values()) / max(sum(small[door].values()), 1), 2) for door in large}


def has_passed(sizes: Sequence[Mapping[str, Any]], *, most_ratio: float) -> bool:
    """Whether no door costs more than so many times as much at the largest size that is judged.

    Sizes above 100,000 are not judged, and the first is what others are compared with.
    """
    judged = [size["ratios"] for size in sizes[1:] if size["cases"] <= JUDGED_CASES]
    return not judged or max(judged[-1].values()) <= most_ratio


def table_of(figures: Mapping[str, Any]) -> list[str]:
    """The figures for people, line by line."""
    lines = [f"{'cases':>8}  {'door':<20}  {'µs serve':>9}  {'µs database':>11}  {'ratio':>6}"]
    for size in figures["sizes"]:
        for door, cost in size["doors"].items():
            ratio = f"{size['ratios'][door]:.2f}" if "ratios" in size else ""
            line = f"{size['cases']:>8}  {door:<20}  {cost['serve']:>9}  {cost['database']:>11}  {ratio:>6}"
            lines.append(line.rstrip())
    for size in figures["sizes"]:
        made = size["seeded"]
        rates = f", {made['first_a_second']} a second at first and {made['last_a_second']} at last"
        lines.append(
            f"{made['cases']} cases of {made['people']} people seeded in {made['seconds']} s"
            f"{rates if made['last_a_second'] else ''};"
            f" then {size['stored']} stored, {size['folder_mb']} MB of database"
        )
    return lines


def sizes_from(text: str) -> tuple[int, ...]:
    """The sizes, which grow; ArgumentTypeError if they are not such."""
    sizes = tuple(int(part) if part.isdecimal() else 0 for part in text.split(","))
    if not 2 <= len(sizes) <= MOST_SIZES or list(sizes) != sorted(set(sizes)):
        raise argparse.ArgumentTypeError(f"not 2 to {MOST_SIZES} numbers that grow: {text!r:.40}")
    if sizes[0] < FEWEST_CASES or sizes[-1] > MOST_CASES:
        raise argparse.ArgumentTypeError(f"not between {FEWEST_CASES} and {MOST_CASES}: {text!r:.40}")
    return sizes


def _rounds(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= MOST_ROUNDS:
        return int(text)
    raise argparse.ArgumentTypeError(f"from 1 to {MOST_ROUNDS} rounds, not {text!r:.40}")


def main() -> int:
    """Print the figures; 0 when no door costs much more with many cases than with few, 1 otherwise.

    2 if they could not be measured.
    """
    parser = argparse.ArgumentParser(prog="python -m loadtests.sizes", description=__doc__)
    bounds = f"{FEWEST_CASES} to {MOST_CASES}; what is above {JUDGED_CASES} is told and not judged"
    parser.add_argument(
        "--cases", type=sizes_from, default="1000,100000", help=f"sizes that grow, {bounds} (default %(default)s)"
    )
    parser.add_argument("--most-ratio", type=float, default=1.3, help="that may be reached (default %(default)s)")
    parser.add_argument("--rounds", type=_rounds, default=ROUNDS, help="at each size (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    chosen = parser.parse_args()
    try:
        with TemporaryDirectory(prefix="tongban-sizes-") as folder, running_demo(options=["--keep", folder]) as demo:
            database = Path(folder) / "database"
            figures = asyncio.run(measure(demo, database, sizes=chosen.cases, rounds=chosen.rounds))
    except (DemoDidNotStart, DatabaseNotItsOwn, NotSeeded, NotCarried, PageNotFull) as fault:
        print(f"loadtests.sizes: {fault}", file=sys.stderr)
        return 2
    passed = has_passed(figures["sizes"], most_ratio=chosen.most_ratio)
    figures |= {"most_ratio": chosen.most_ratio, "passed": passed}
    print(json.dumps(figures) if chosen.json else "\n".join(table_of(figures)))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
