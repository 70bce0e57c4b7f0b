"""Hands in many cases of the newborn's bundle by HTTP, spread over the counties and citizens of a running node.

python -m loadtests seed --cases 100000 --target target.json

Without a target it starts a demo in a folder of its own, which is kept: `--keep DIR`.
"""

import argparse
import asyncio
import itertools
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from loadtests.callers import NeverAnswered, PatientCaller
from loadtests.demos import DemoDidNotStart, running_demo
from loadtests.plan import PlanFaulty, Target, read_target

TOLD_SECONDS = 5.0
MOST_CASES = 10_000_000
MOST_AT_ONCE = 256
AGAIN = 500  # cases, after which a citizen logs in anew
PNG = b"\x89PNG\r\n\x1a\n" + b"a made-up picture of a seeded case"
BUNDLE = "newborn"


@dataclass
class Seeding:
    """How far it has come: the cases that were acknowledged, of how many."""

    cases: int
    begun_at: float = field(default_factory=time.monotonic)
    done: int = 0

    def told(self) -> dict[str, float]:
        """As JSON."""
        seconds = time.monotonic() - self.begun_at
        return {"cases": self.done, "seconds": round(seconds, 1), "a_second": round(self.done / max(seconds, 1e-6), 1)}

    def line(self) -> str:
        """How far, how fast, and how long yet."""
        rate = self.told()["a_second"]
        left = f", {(self.cases - self.done) / rate:.0f} s to go" if rate else ""
        return f"{self.done} of {self.cases} cases, {rate} a second{left}"


async def seed(target: Target, *, cases: int, at_once: int) -> Seeding:
    """Hand in so many cases; raises NeverAnswered. Each citizen of the target hands in some, one after the other."""
    seeding = Seeding(cases)
    people = target.citizens[: max(1, min(len(target.citizens), cases))]
    counties = itertools.cycle(zip(itertools.cycle(target.counties(0)), target.counties(1), strict=False))
    shares = [cases // len(people) + (place < cases % len(people)) for place in range(len(people))]
    places = asyncio.Semaphore(at_once)

    async def one(http: aiohttp.ClientSession, person: dict[str, str], share: int) -> None:
        async with places:
            citizen = PatientCaller(http, target, person)
            for number in range(share):
                if number % AGAIN == 0:
                    await citizen.enter()
                    wish = await _wish(citizen, *next(counties))
                here, there = next(counties)
                answers = {**wish["answers"], "household": there}
                await citizen.ask("POST", "/api/v1/cases", json=wish | {"division": here, "answers": answers})
                seeding.done += 1

    telling = asyncio.create_task(_tell(seeding))
    try:
        timeout = aiohttp.ClientTimeout(total=60)
        async with aiohttp.ClientSession(timeout=timeout) as http, asyncio.TaskGroup() as group:
            for person, share in zip(people, shares, strict=True):
                group.create_task(one(http, person, share))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    finally:
        telling.cancel()
    return seeding


async def _wish(citizen: PatientCaller, here: str, there: str) -> dict[str, Any]:
    """What this citizen hands in again and again, with a picture that is uploaded once."""
    place = {"division": here, "answers": {"household": there, "maternity_insurance": "no"}}
    guide = await citizen.ask("POST", f"/api/v1/bundles/{BUNDLE}/guide", json=place)
    form = {name: _value_of(field, citizen.person) for name, field in guide["form"]["properties"].items()}
    upload = aiohttp.FormData()
    upload.add_field("file", PNG, filename="photo.png", content_type="image/png")
    material = (await citizen.ask("POST", "/api/v1/materials", data=upload))["id"]
    needed = [each["code"] for each in guide["materials"] if each["is_required"]]
    return {"bundle": BUNDLE, **place, "form": form, "materials": [{"code": code, "id": material} for code in needed]}


def _value_of(field: dict[str, Any], person: Any) -> str:
    if "enum" in field:
        return str(field["enum"][0])
    return str(person["id_number"] if field.get("format") == "cn-id-number" else field["examples"][0])


async def _tell(seeding: Seeding) -> None:
    while True:
        await asyncio.sleep(TOLD_SECONDS)
        print(seeding.line(), file=sys.stderr)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--cases", type=_cases, required=True, help=f"how many, at most {MOST_CASES}")
    parser.add_argument("--at-once", type=_at_once, default=32, help="citizens at once (default %(default)s)")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--target", type=Path, help="a running node, as `python -m server demo --json` prints it")
    where.add_argument("--keep", type=Path, metavar="DIR", help="a demo in this folder; it is ended when all is done")
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    parser.set_defaults(run=run, parser=parser)


def run(chosen: argparse.Namespace) -> int:
    """Seed and tell; 0 when every case was acknowledged."""
    try:
        with _target(chosen) as target:
            seeding = asyncio.run(seed(target, cases=chosen.cases, at_once=chosen.at_once))
    except (PlanFaulty, DemoDidNotStart, NeverAnswered) as fault:
        print(f"loadtests: {fault}", file=sys.stderr)
        return 1
    print(json.dumps(seeding.told()) if chosen.json else seeding.line())
    return 0


@contextmanager
def _target(chosen: argparse.Namespace) -> Iterator[Target]:
    if chosen.target:
        yield read_target(chosen.target, mix="citizens")
        return
    with running_demo(options=["--keep", str(chosen.keep.resolve())]) as demo:
        yield Target(demo.described)


def _cases(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= MOST_CASES:
        return int(text)
    raise argparse.ArgumentTypeError(f"from 1 to {MOST_CASES} cases, not {text!r}")


def _at_once(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= MOST_AT_ONCE:
        return int(text)
    raise argparse.ArgumentTypeError(f"from 1 to {MOST_AT_ONCE} at once, not {text!r}")
