"""Measures what a submission, an act and a read cost in two checkouts, in turns, by HTTP against a demo of each.

git worktree add ../before <commit>
python -m loadtests.costs --before ../before

In each round both hand in some applications, work off their first step (receive, accept, approve; the last sends a
letter to the other province) and read; what the processes use while nothing happens is taken off. Each figure is the
median of the rounds, in microseconds of CPU time.
"""

import argparse
import asyncio
import json
import statistics
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

from loadtests.cpu import (
    ACTS,
    BearerClient,
    application,
    enter_as_citizen,
    enter_as_officer,
    places_of,
    spent,
    together,
)
from loadtests.demos import RunningDemo, running_demo

AT_ONCE = 8
IDLE_SECONDS = 3.0
CARRIED_SECONDS = 4.0
READS = 60
ROLES = ("serve", "work", "database")
Figures = dict[str, float]


class MeasuredTree:
    """A demo of one checkout, with a citizen and an officer of its first county."""

    def __init__(self, demo: RunningDemo, http: aiohttp.ClientSession) -> None:
        self._demo = demo
        self._citizen, self._officer = (BearerClient(http, demo.base_url) for _ in range(2))
        self._wish: dict[str, Any] = {}

    async def enter(self) -> None:
        """Log in and sign in, and make what is handed in again and again."""
        await enter_as_citizen(self._citizen, self._demo)
        place = places_of(self._demo)[0]
        await enter_as_officer(self._officer, self._demo, place["division"])
        self._wish = await application(self._citizen, place)

    async def round(self, cases: int) -> Figures:
        """The figures of one round: microseconds for each request."""
        idle = await spent(self._demo, {}, lambda: asyncio.sleep(IDLE_SECONDS))
        idle = {role: used / IDLE_SECONDS for role, used in idle.items()}
        ids: list[str] = []

        async def submit() -> None:
            ids.append((await self._citizen.ask("POST", "/api/v1/cases", json=self._wish))["id"])

        figures = await self._cost("submission", idle, [submit] * cases)
        works = [partial(self._work_off, case) for case in ids]
        figures |= await self._cost("act", idle, works, each=len(ACTS))
        reads = {
            "my cases": (self._citizen, "/api/v1/cases"),
            "one case": (self._citizen, f"/api/v1/cases/{ids[0]}"),
            "case at the desk": (self._officer, f"/desk/v1/cases/{ids[0]}"),
        }
        for name, (caller, path) in reads.items():
            figures |= await self._cost(name, idle, [partial(caller.ask, "GET", path)] * READS)
        return figures

    async def _cost(
        self, name: str, idle: dict[str, float], works: Sequence[Callable[[], Awaitable[Any]]], *, each: int = 1
    ) -> Figures:
        async def all_of_it() -> None:
            await together(AT_ONCE, list(works))
            if name in ("submission", "act"):
                await asyncio.sleep(CARRIED_SECONDS)  # what follows is carried, and letters go

        used = await spent(self._demo, idle, all_of_it)
        return {f"{name}, {role}": used[role] / len(works) / each * 1e6 for role in ROLES}

    async def _work_off(self, case: str) -> None:
        for act in ACTS:
            await self._officer.ask("POST", f"/desk/v1/cases/{case}/steps/birth_certificate/{act}", json={})


async def measure(demos: Mapping[str, RunningDemo], *, rounds: int, cases: int) -> dict[str, dict[str, float]]:
    """The medians, by figure and checkout."""
    found: dict[str, list[Figures]] = {name: [] for name in demos}
    async with aiohttp.ClientSession() as http:
        trees = {name: MeasuredTree(demo, http) for name, demo in demos.items()}
        for tree in trees.values():
            await tree.enter()
        for number in range(rounds + 1):
            for name, tree in trees.items():
                figures = await tree.round(cases)
                if number:  # the first round of a process costs more than the later ones
                    found[name].append(figures)
            print(f"round {number} of {rounds}", file=sys.stderr)
    return {
        figure: {name: statistics.median(one[figure] for one in all) for name, all in found.items()}
        for figure in found["after"][0]
    }


def table_of(medians: Mapping[str, Mapping[str, float]]) -> list[str]:
    """The figures for people, line by line."""
    lines = [f"{'':<28}  {'before':>8}  {'after':>8}  {'ratio':>6}"]
    for name, of in medians.items():
        ratio = f"{of['after'] / of['before']:.2f}" if of["before"] > 0 else ""
        lines.append(f"{name:<28}  {of['before']:>8.0f}  {of['after']:>8.0f}  {ratio:>6}".rstrip())
    return lines


def main() -> int:
    """Print the figures; 0 when they could be measured."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.costs", description=__doc__)
    parser.add_argument("--before", type=Path, required=True, help="the other checkout")
    parser.add_argument("--rounds", type=int, default=5, help="how many count (default %(default)s)")
    parser.add_argument("--cases", type=int, default=40, help="in each round (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    chosen = parser.parse_args()
    with ExitStack() as stack:
        demos = {
            name: stack.enter_context(running_demo(tree, counties=1))
            for name, tree in {"before": chosen.before, "after": None}.items()
        }
        medians = asyncio.run(measure(demos, rounds=chosen.rounds, cases=chosen.cases))
    print(json.dumps(medians) if chosen.json else "\n".join(table_of(medians)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
