"""Measures what reading costs in CPU time when few and when many cases are stored, by HTTP against a demo.

python -m loadtests.sizes --cases 1000,100000

A few cases are handed in; the rest are copies of them in the demo's database, with ids, owners, moments and due days
of their own. All their tasks are open. The county whose worklist is read keeps its own cases; the copies are of those
of the other counties. Its officer has posts in three roles at each desk of the county, that of the hospitals at one
desk alone. What the processes use while nothing happens is taken off; each figure is the median of several
rounds, so that a loop that runs now and then does not spoil it.
"""

import argparse
import asyncio
import hashlib
import json
import random
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import aiohttp
import pymongo

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
from loadtests.demos import RunningDemo, running_demo

HANDED_IN = 50  # in the county whose worklist is read, and one in each of the other counties
FEWEST_CASES, MOST_CASES = 100, 200_000
MOST_SIZES = 5
ROUNDS = 7
REQUESTS = 60
AT_ONCE = 8
IDLE_SECONDS = 2.0
FIRST_SECONDS = 4.0
RELAY_SECONDS = 60.0
BATCH = 500
TOLD_EVERY = 10_000
CASES_OF_ONE = 3
DAYS = 60
DAY_SECONDS = 86_400
ROLES = ("serve", "database")
Document = dict[str, Any]
Costs = dict[str, dict[str, int]]


@dataclass(frozen=True)
class MeasuredRequest:
    """A door, and who asks there for what."""

    door: str
    caller: BearerClient
    path: str


class Planting:
    """The stored cases of a node: those that were handed in, and the copies that make them many.

    Those whose ids are in `own` are not copied.
    """

    def __init__(self, database: Any, *, handed_in: int, own: frozenset[str]) -> None:
        self._cases = database.get_collection("cases")
        self._tasks = database.get_collection("tasks")
        self._chance = random.Random(1)
        self._handed_in = handed_in
        self._own = own
        self._models: list[tuple[Document, list[Document]]] = []
        self._planted = 0

    def learn(self) -> None:
        """Take what was handed in for models, as soon as its tasks are there; TimeoutError if they do not come."""
        last = time.monotonic() + RELAY_SECONDS
        while self._cases.count_documents({"relay": "done"}) < self._handed_in:
            if time.monotonic() > last:
                raise TimeoutError("the cases that were handed in did not reach the worklist")
            time.sleep(0.2)
        for case in self._cases.find({"relay": "done", "_id": {"$nin": sorted(self._own)}}):
            self._models.append((case, list(self._tasks.find({"case": case["_id"]}))))

    def grow(self, cases: int) -> None:
        """Plant copies until there are so many cases."""
        while (missing := cases - self._handed_in - self._planted) > 0:
            made = [self._copies(self._planted + place) for place in range(min(missing, BATCH))]
            self._cases.insert_many([case for case, _ in made], ordered=False)
            self._tasks.insert_many([task for _, tasks in made for task in tasks], ordered=False)
            self._planted += len(made)
            if self._planted % TOLD_EVERY < BATCH:
                print(f"{self._planted} cases planted ...", file=sys.stderr)

    def _copies(self, number: int) -> tuple[Document, list[Document]]:
        case, tasks = self._models[number % len(self._models)]
        id, owner = _digest("case", number), _digest("owner", number // CASES_OF_ONE)
        at = datetime.now(UTC) - timedelta(seconds=self._chance.randrange(DAYS * DAY_SECONDS))
        opened = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        due = (at + timedelta(days=self._chance.randrange(DAYS))).date()
        copy = case_copy(case, id, owner=owner, opened=opened)
        return copy, [task_copy(task, id, opened=opened, due=due) for task in tasks]


def case_copy(case: Mapping[str, Any], id: str, *, owner: str, opened: str) -> Document:
    """The document of a case under another id, as if another person had handed it in at another moment."""
    return {**case, "_id": id, "owner_key": f"{owner}|t{opened}|{id}", "request": id}


def task_copy(task: Mapping[str, Any], case: str, *, opened: str, due: date) -> Document:
    """The document of a task as one of another case, that has been opened and is due at other times."""
    id = f"{case}:{task['step']}"
    place = f"d{due}|t{opened}|{id}"
    told = [name for name in ("place", "node_key", "key", "window_key") if task[name]]
    keys = {name: task[name].removesuffix(task["place"]) + place for name in told}
    return {**task, **keys, "_id": id, "case": case, "opened_at": opened, "since": opened, "due_on": str(due)}


def _digest(what: str, number: int) -> str:
    """Ids and owners are random in the product: their order tells nothing of when they came."""
    return hashlib.sha256(f"{what} {number}".encode()).hexdigest()


async def measure(demo: RunningDemo, database: Any, *, sizes: Sequence[int]) -> dict[str, Any]:
    """The figures, in microseconds of CPU time, of each size and each door, and how the last size compares."""
    async with aiohttp.ClientSession() as http:
        citizen, officer, hospital = (BearerClient(http, demo.base_url) for _ in range(3))
        await enter_as_citizen(citizen, demo)
        first, *others = places_of(demo)
        wish = await application(citizen, first)
        ids = [await _hand_in(citizen, wish) for _ in range(HANDED_IN)]
        for place in others:
            await _hand_in(citizen, wish | place)
        planting = Planting(database, handed_in=HANDED_IN + len(others), own=frozenset(ids))
        await asyncio.to_thread(planting.learn)
        doors = [
            MeasuredRequest("worklist", officer, "/desk/v1/tasks"),
            MeasuredRequest("worklist of one desk", hospital, "/desk/v1/tasks"),
            MeasuredRequest("my cases", citizen, "/api/v1/cases"),
            MeasuredRequest("one case", citizen, f"/api/v1/cases/{ids[0]}"),
        ]
        measured = []
        for cases in sizes:
            await asyncio.to_thread(planting.grow, cases)
            await enter_as_citizen(citizen, demo)  # tokens do not live as long as the planting of many takes
            await enter_as_officer(officer, demo, first["division"])
            await enter_by_name(hospital, demo, f"provider-health-{first['division']}")
            await asyncio.sleep(FIRST_SECONDS)
            measured.append({"cases": cases, **await _costs(demo, doors)})
    return {"sizes": measured, "ratios": ratios_of(measured[0]["doors"], measured[-1]["doors"])}


async def _hand_in(citizen: BearerClient, wish: dict[str, Any]) -> str:
    return str((await citizen.ask("POST", "/api/v1/cases", json=wish))["id"])


async def _costs(demo: RunningDemo, doors: Sequence[MeasuredRequest]) -> dict[str, Any]:
    """What a second costs in which nobody asks, and what one request costs at each door."""
    print("measuring ...", file=sys.stderr)
    quiet: list[dict[str, float]] = []
    rounds: dict[str, list[dict[str, float]]] = {asked.door: [] for asked in doors}
    for _ in range(ROUNDS):
        for asked in doors:
            quiet.append(await _used(demo, lambda: asyncio.sleep(IDLE_SECONDS)))
            rounds[asked.door].append(await _used(demo, partial(_ask, asked)))
    idle = medians([{role: one[role] / one["passed"] for role in ROLES} for one in quiet])
    costs = {
        door: medians([{role: one[role] - idle[role] * one["passed"] for role in ROLES} for one in found])
        for door, found in rounds.items()
    }
    return {
        "idle_a_second": {role: round(used * 1e6) for role, used in idle.items()},
        "doors": {
            door: {role: round(used / REQUESTS * 1e6) for role, used in cost.items()} for door, cost in costs.items()
        },
    }


async def _used(demo: RunningDemo, work: Callable[[], Awaitable[None]]) -> dict[str, float]:
    """The CPU seconds by role while the work was done, and how many seconds passed."""
    began = time.monotonic()
    used = await spent(demo, {}, work)
    return {**used, "passed": time.monotonic() - began}


async def _ask(asked: MeasuredRequest) -> None:
    async def once() -> None:
        await asked.caller.ask("GET", asked.path)

    await together(AT_ONCE, [once] * REQUESTS)


def medians(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The median of each figure."""
    return {name: statistics.median(one[name] for one in found) for name in found[0]}


def ratios_of(small: Costs, large: Costs) -> dict[str, float]:
    """How much more a request at each door costs in all with many cases than with few."""
    return {door: round(sum(large[door].values()) / max(sum(small[door].values()), 1), 2) for door in large}


def table_of(figures: Mapping[str, Any]) -> list[str]:
    """The figures for people, line by line."""
    lines = [f"{'cases':>8}  {'door':<9}  {'µs serve':>9}  {'µs database':>11}  {'ratio':>6}"]
    sizes = figures["sizes"]
    for size in sizes:
        for door, cost in size["doors"].items():
            ratio = f"{figures['ratios'][door]:.2f}" if size is sizes[-1] else ""
            lines.append(
                f"{size['cases']:>8}  {door:<9}  {cost['serve']:>9}  {cost['database']:>11}  {ratio:>6}".rstrip()
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


def main() -> int:
    """Print the figures; 0 when no door costs much more with many cases than with few, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.sizes", description=__doc__)
    bounds = f"{FEWEST_CASES} to {MOST_CASES}"
    parser.add_argument(
        "--cases", type=sizes_from, default="1000,100000", help=f"sizes that grow, {bounds} (default %(default)s)"
    )
    parser.add_argument("--most-ratio", type=float, default=1.5, help="that may be reached (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    chosen = parser.parse_args()
    with running_demo() as demo, _database(demo) as database:
        figures = asyncio.run(measure(demo, database, sizes=chosen.cases))
    has_passed = max(figures["ratios"].values()) <= chosen.most_ratio
    figures |= {"most_ratio": chosen.most_ratio, "passed": has_passed}
    print(json.dumps(figures) if chosen.json else "\n".join(table_of(figures)))
    return 0 if has_passed else 1


@contextmanager
def _database(demo: RunningDemo) -> Iterator[Any]:
    """The database of the demo's first node."""
    with pymongo.MongoClient[Document](demo.database_uri()) as client:
        division = demo.described["nodes"][0]["division"]
        name = next(name for name in client.list_database_names() if name.endswith(f"_{division}"))
        yield client.get_database(name)


if __name__ == "__main__":
    sys.exit(main())
