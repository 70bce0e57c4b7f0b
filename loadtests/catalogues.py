"""Measures what a large catalogue costs: a `serve` with the shipped bundles beside one with many more, in a demo.

python -m loadtests.catalogues --bundles 500

The large one is the shipped one with copies of its bundles and items. Both are started once and told apart, for the
first start with a catalogue reads and judges its files; then they take turns. What a process uses at rest is taken off.
Exit 1 if the large one misses a target.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote

import bson
import pymongo

from loadtests.bench.figures import Spread
from loadtests.bench.loader import LoadUnanswered, load, request_bytes
from loadtests.bench.rest import CopyNotReady, StartedCopy, copied, resident_mb
from loadtests.bench.rounds import at_rest
from loadtests.catalogue_copies import TooManyBundles, enlarge
from loadtests.demos import DatabaseNotItsOwn, DemoDidNotStart, RunningDemo, cpu_seconds_of, running_demo

ROOT = Path(__file__).parents[1]
CATALOGUE, DIVISIONS = ROOT / "config/catalogue", ROOT / "config/regions/divisions.csv"
FOLDER = "TONGBAN_CATALOGUE_FOLDER"
SHIPPED, LARGE = "shipped", "large"
FEWEST, MOST = 18, 1400  # few more would fit into one document of MongoDB
MOST_ROUNDS = 10
REQUESTS, CONNECTIONS = 200, 8
WARMING, TURNS = 20, 10
AGAIN = 5  # times as many of what costs little
WORDS = "上户口"
SEARCH, FILTERED = f"/api/v1/search?q={quote(WORDS)}", f"/api/v1/bundles?q={quote(WORDS)}"
MOST_START, MOST_GUIDE = 2.0, 1.1  # times what it is with the shipped catalogue
MOST_MEMORY_MB = 40.0  # more than with the shipped catalogue
MEASURED, MISSED, NOT_STARTED = 0, 1, 3
Figures = dict[str, float]
FIGURES = {
    "start_cpu_seconds": "CPU seconds until ready",
    "start_wall_seconds": "seconds until ready",
    "ready_mb": "resident memory when ready, MB",
    "guide_cpu_us": "a guide nobody has asked for, µs of CPU",
    "guide_again_cpu_us": "a guide that was asked for, µs of CPU",
    "search_cpu_us": "a search, µs of CPU",
    "filtered_cpu_us": "bundles found by words, µs of CPU",
    "used_mb": "resident memory after all of that, MB",
}


class RequestFailed(RuntimeError):
    """A request of a measurement was not answered with 200."""


@dataclass(frozen=True)
class MeasuredCatalogue:
    """One of the two: its name, its folder, and how many bundles and items it has."""

    name: str
    folder: Path
    bundles: int
    items: int

    @property
    def settings(self) -> dict[str, str]:
        """What a process is given so that it has this catalogue."""
        return {FOLDER: str(self.folder)}


async def measure(demo: RunningDemo, catalogues: Sequence[MeasuredCatalogue], *, rounds: int) -> dict[str, Any]:
    """First starts and rounds of each catalogue, by its name; raises CopyNotReady, RequestFailed, LoadUnanswered."""
    pid = demo.serving()[0]
    first: dict[str, Figures] = {}
    found: dict[str, list[Figures]] = {each.name: [] for each in catalogues}
    for each in catalogues:
        async with copied(pid, "serve", settings=each.settings) as started:
            first[each.name] = _start(started)
    for number in range(rounds):
        async with AsyncExitStack() as stack:
            running: dict[str, StartedCopy] = {}
            for each in catalogues if number % 2 else reversed(catalogues):
                running[each.name] = await stack.enter_async_context(copied(pid, "serve", settings=each.settings))
                found[each.name].append(_start(running[each.name]))
            for name, figures in (await _asked(running)).items():
                found[name][-1] |= figures
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    return {"first": first, "rounds": found}


def _start(started: StartedCopy) -> Figures:
    return {
        "start_cpu_seconds": started.cpu_seconds,
        "start_wall_seconds": started.wall_seconds,
        "ready_mb": resident_mb(started.pid),
    }


async def _asked(running: Mapping[str, StartedCopy]) -> dict[str, Figures]:
    """What requests cost processes that have just started, by name, and their memory then.

    They are asked in turns, some requests each: what else the machine does meets all of them.
    """
    rest = await at_rest([started.pid for started in running.values()])
    warming, guides = guide_requests()[:WARMING], guide_requests()[WARMING : WARMING + REQUESTS]
    asked = {
        "guide_cpu_us": guides,
        "guide_again_cpu_us": guides * AGAIN,
        "search_cpu_us": [request_bytes("GET", SEARCH, headers={})] * REQUESTS,
        "filtered_cpu_us": [request_bytes("GET", FILTERED, headers={})] * REQUESTS,
    }
    for started in running.values():
        await _seconds(started, warming, rest=rest[started.pid])  # the first ones make look-ups that stay
    costs: dict[str, Figures] = {name: dict.fromkeys(asked, 0.0) for name in running}
    for figure, requests in asked.items():
        for turn in range(TURNS):
            for name, started in running.items():
                seconds = await _seconds(started, requests[turn::TURNS], rest=rest[started.pid])
                costs[name][figure] += seconds / len(requests) * 1e6
    return {name: costs[name] | {"used_mb": resident_mb(started.pid)} for name, started in running.items()}


async def _seconds(started: StartedCopy, requests: Sequence[bytes], *, rest: float) -> float:
    """The seconds of CPU that these requests cost; `rest` is the part of a core that the process uses anyway."""
    used, began = cpu_seconds_of(started.pid), time.monotonic()
    result = await load(started.port, requests, status=200, connections=CONNECTIONS)
    if result.failed:
        raise RequestFailed(f"{result.failed} of {len(requests)} failed: {result.first_failure}")
    return cpu_seconds_of(started.pid) - used - rest * (time.monotonic() - began)


def guide_requests() -> list[bytes]:
    """Requests for guides of the newborn, each with other answers, in an order of chance that is always the same.

    The answers are the county of the household, in two provinces, and whether there is an insurance.
    """
    rows = (line.split(",") for line in DIVISIONS.read_text(encoding="utf-8").splitlines()[1:])
    counties = [row[0] for row in rows if row[0][:2] in ("32", "33") and row[2] == "county" and not any(row[3:])]
    pairs = list(product(counties, ("yes", "no")))
    random.Random(1).shuffle(pairs)
    answers = [{"household": county, "maternity_insurance": is_insured} for county, is_insured in pairs]
    path = "/api/v1/bundles/newborn/guide"
    bodies = [json.dumps({"answers": each}).encode() for each in answers]
    return [request_bytes("POST", path, headers={}, body=body) for body in bodies]


def result_of(found: Mapping[str, Any], *, bundles: int) -> dict[str, Any]:
    """Medians and spreads by catalogue, how the large one compares, and which targets it misses."""
    rounds: Mapping[str, Sequence[Figures]] = found["rounds"]
    spreads = {
        name: {figure: vars(Spread.of([one[figure] for one in its])) for figure in FIGURES}
        for name, its in rounds.items()
    }
    pairs = list(zip(rounds[SHIPPED], rounds[LARGE], strict=True))
    ratios = {
        figure: Spread.of([large[figure] / max(shipped[figure], 1e-9) for shipped, large in pairs]).median
        for figure in FIGURES
    }
    more_mb = {
        figure: Spread.of([large[figure] - shipped[figure] for shipped, large in pairs]).median
        for figure in ("ready_mb", "used_mb")
    }
    missed = [
        *(["start_cpu_seconds"] if ratios["start_cpu_seconds"] > MOST_START else []),
        *(figure for figure, more in more_mb.items() if more > MOST_MEMORY_MB),
        *(figure for figure in ("guide_cpu_us", "guide_again_cpu_us") if ratios[figure] > MOST_GUIDE),
    ]
    told = {"bundles": bundles, "first": found["first"], "figures": spreads, "ratios": ratios}
    return told | {"more_mb": more_mb, "missed": missed, "passed": not missed}


def table_of(result: Mapping[str, Any]) -> list[str]:
    """The figures as lines of a Markdown table: medians, with the least and the most of the rounds."""
    sizes = result["catalogues"]
    head = (f"{each['bundles']} bundles, {each['items']:,} items" for each in sizes.values())
    lines = [f"| | {' | '.join(head)} | ratio |", "|---|---|---|---|"]
    documents = [each["document_bytes"] for each in sizes.values()]
    lines.append(f"| the document, bytes | {documents[0]:,} | {documents[1]:,} | {documents[1] / documents[0]:.2f} |")
    for figure, what in FIGURES.items():
        cells = (
            f"{_short(spread['median'])} ({_short(spread['least'])} to {_short(spread['most'])})"
            for spread in (result["figures"][name][figure] for name in (SHIPPED, LARGE))
        )
        lines.append(f"| {what} | {' | '.join(cells)} | {result['ratios'][figure]:.2f} |")
    for figure in ("start_cpu_seconds", "ready_mb"):
        once = [result["first"][name][figure] for name in (SHIPPED, LARGE)]
        what = f"the first start with it: {FIGURES[figure]}"
        lines.append(f"| {what} | {_short(once[0])} | {_short(once[1])} | {once[1] / once[0]:.2f} |")
    verdict = f"missed: {', '.join(result['missed'])}" if result["missed"] else "no target missed"
    return [*lines, "", f"{result['more_mb']['ready_mb']:+.1f} MB when ready; {verdict}"]


def _short(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"


def documents_of(demo: RunningDemo) -> dict[str, int]:
    """The bytes of the document of each version that the first node keeps; raises DatabaseNotItsOwn."""
    division = demo.described["nodes"][0]["division"]
    with pymongo.MongoClient[dict[str, Any]](demo.database_uri()) as client:
        name = next(name for name in client.list_database_names() if name.endswith(f"_{division}"))
        found = client[name]["catalogues"].find({"kind": "published"})
        return {document["_id"].removeprefix("version:"): len(bson.encode(document)) for document in found}


def run(bundles: int, *, rounds: int) -> dict[str, Any]:
    """All of it, in a demo and a folder of its own, both gone in the end; raises what `measure` and a demo raise."""
    with tempfile.TemporaryDirectory(prefix="tongban-catalogues-") as name:
        sizes = {SHIPPED: 0, LARGE: bundles}
        catalogues, documents = [], {}
        for which, wanted in sizes.items():
            folder = Path(name) / which
            version, has, items = enlarge(CATALOGUE, folder, bundles=wanted)
            catalogues.append(MeasuredCatalogue(which, folder, has, items))
            documents[which] = version
        with running_demo(counties=1) as demo:
            result = result_of(asyncio.run(measure(demo, catalogues, rounds=rounds)), bundles=bundles)
            bytes_of = documents_of(demo)
    told = {
        each.name: {"bundles": each.bundles, "items": each.items, "document_bytes": bytes_of[documents[each.name]]}
        for each in catalogues
    }
    return {"catalogues": told} | result


def main(argv: Sequence[str] | None = None) -> int:
    """0: measured, and no target missed; 1: a target was missed or a request failed; 3: something did not start."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.catalogues", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--bundles", type=int, default=500, choices=range(FEWEST, MOST + 1), metavar="N", help=f"{FEWEST} to {MOST}"
    )
    parser.add_argument("--rounds", type=int, default=3, choices=range(1, MOST_ROUNDS + 1), metavar="N")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    chosen = parser.parse_args(argv)
    try:
        result = run(chosen.bundles, rounds=chosen.rounds)
    except (DemoDidNotStart, DatabaseNotItsOwn, CopyNotReady, TooManyBundles) as fault:
        print(f"catalogues: {fault}", file=sys.stderr)
        return NOT_STARTED
    except (RequestFailed, LoadUnanswered) as fault:
        print(f"catalogues: {fault}", file=sys.stderr)
        return MISSED
    print(json.dumps(result) if chosen.json else "\n".join(table_of(result)))
    return MEASURED if result["passed"] else MISSED


if __name__ == "__main__":
    sys.exit(main())
