"""Measures what one submission and one letter between nodes cost in CPU time, by HTTP against a demo.

python -m loadtests.cpu --cases 300

The applications come from a hundred counties: half of them hand in, the other half register the households.

What the processes use while nothing happens is measured first and taken off. With each letter goes what `work` does
besides for the step that was decided: two notices to the applicant's phone.
"""

import argparse
import asyncio
import itertools
import json
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import aiohttp

from loadtests.demos import RunningDemo, running_demo

PNG = b"\x89PNG\r\n\x1a\n" + b"a made-up picture for measurements"
IDLE_SECONDS = 4.0
QUIET_SECONDS = 90.0
ACTS = ("receive", "accept", "approve")


class BearerClient:
    """Somebody with a bearer token at one node."""

    def __init__(self, http: aiohttp.ClientSession, base_url: str) -> None:
        self._http = http
        self._base_url = base_url
        self._token = ""

    @property
    def authorization(self) -> str:
        """The header of that name, for whoever asks by other means."""
        return f"Bearer {self._token}"

    async def ask(self, method: str, path: str, **more: Any) -> Any:
        """One request that must succeed."""
        headers = {"Authorization": self.authorization, "Idempotency-Key": uuid.uuid4().hex}
        async with self._http.request(method, self._base_url + path, headers=headers, **more) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def enter(self, path: str, wish: dict[str, str]) -> None:
        """Log in, sign in or prove a name; the token of the answer is used from now on."""
        self._token = (await self.ask("POST", path, json=wish))["access_token"]


async def measure(demo: RunningDemo, *, cases: int, at_once: int) -> dict[str, Any]:
    """The figures, in microseconds of CPU time."""
    async with aiohttp.ClientSession() as http:
        citizen = BearerClient(http, demo.base_url)
        await enter_as_citizen(citizen, demo)
        officers = {county: BearerClient(http, demo.base_url) for county in demo.officers()}
        for county, officer in officers.items():
            await enter_as_officer(officer, demo, county)
        places = itertools.cycle(places_of(demo))
        wish = await application(citizen, next(places))
        await asyncio.sleep(IDLE_SECONDS)  # the processes' first rounds cost more than the later ones
        idle = await spent(demo, {}, lambda: asyncio.sleep(IDLE_SECONDS))
        idle = {role: used / IDLE_SECONDS for role, used in idle.items()}
        ids: dict[str, str] = {}

        async def submit() -> None:
            place = next(places)
            case = (await citizen.ask("POST", "/api/v1/cases", json=wish | place))["id"]
            ids[case] = place["division"]

        submitting = await spent(demo, idle, lambda: together(at_once, [submit] * cases))

        async def work_off() -> None:
            await together(at_once, [partial(_approve, officers[county], case) for case, county in ids.items()])
            last = list(ids)[-1]
            await _until(lambda: _is_abroad(citizen, last))

        letters = await spent(demo, idle, work_off)
    return {
        "cases": cases,
        "at_once": at_once,
        "submission_serve": round(submitting["serve"] / cases * 1e6),
        "submission_database": round(submitting["database"] / cases * 1e6),
        "letter_work": round(letters["work"] / cases * 1e6),
        "idle_work_a_second": round(idle["work"] * 1e6),
    }


async def enter_as_citizen(citizen: BearerClient, demo: RunningDemo, place: int = 0) -> None:
    """Log in as a citizen of the demo, the first or the one at this place, and prove the name."""
    person = demo.described["citizens"][place]
    await citizen.enter("/api/v1/sessions", {"app_id": demo.described["app_id"], "code": person["code"]})
    await citizen.enter("/api/v1/identity", {name: person[name] for name in ("name", "id_number", "face_token")})


async def enter_as_officer(officer: BearerClient, demo: RunningDemo, county: str) -> None:
    """Sign in as the officer of this county, with whom every application lies first that is handed in there."""
    await enter_by_name(officer, demo, demo.officers()[county]["name"])


async def enter_by_name(officer: BearerClient, demo: RunningDemo, name: str) -> None:
    """Sign in as this officer of the first province."""
    seat = next(each for each in demo.described["nodes"][0]["officers"] if each["name"] == name)
    await officer.enter("/desk/v1/sessions", {"name": seat["name"], "password": seat["password"]})


def places_of(demo: RunningDemo) -> list[dict[str, Any]]:
    """Where applications are handed in, each with the answers by which a county of the other province decides, too."""
    pairs = zip(demo.officers(), demo.officers(1), strict=True)
    return [{"division": here, "answers": {"household": there, "maternity_insurance": "no"}} for here, there in pairs]


async def application(citizen: BearerClient, place: dict[str, Any]) -> dict[str, Any]:
    """What a citizen hands in for a newborn child at this place, with its picture uploaded."""
    guide = await citizen.ask("POST", "/api/v1/bundles/newborn/guide", json=place)
    form = {}
    for name, field in guide["form"]["properties"].items():
        form[name] = field["enum"][0] if "enum" in field else field["examples"][0]
    upload = aiohttp.FormData()
    upload.add_field("file", PNG, filename="photo.png")
    material = await citizen.ask("POST", "/api/v1/materials", data=upload)
    needed = [each["code"] for each in guide["materials"] if each["is_required"]]
    materials = [{"code": code, "id": material["id"]} for code in needed]
    return {"bundle": "newborn", **place, "form": form, "materials": materials}


async def _approve(officer: BearerClient, case: str) -> None:
    for act in ACTS:
        await officer.ask("POST", f"/desk/v1/cases/{case}/steps/birth_certificate/{act}", json={})


async def _is_abroad(citizen: BearerClient, case: str) -> bool:
    """Whether the case's step has been sent to the other province."""
    steps = (await citizen.ask("GET", f"/api/v1/cases/{case}"))["steps"]
    return any(step["step"] == "household_registration" and step["state"] != "waiting" for step in steps)


async def together(at_once: int, works: list[Callable[[], Awaitable[None]]]) -> None:
    """Do all of it, so many at a time."""
    places = asyncio.Semaphore(at_once)

    async def one(work: Callable[[], Awaitable[None]]) -> None:
        async with places:
            await work()

    await asyncio.gather(*(one(work) for work in works))


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(QUIET_SECONDS):
        while not await holds():  # noqa: ASYNC110 - what is waited for happens in other processes
            await asyncio.sleep(0.2)
    await asyncio.sleep(IDLE_SECONDS)


async def spent(demo: RunningDemo, idle: dict[str, float], work: Callable[[], Awaitable[None]]) -> dict[str, float]:
    """The CPU seconds by role that the work took, without what would have been used anyway."""
    before, began = demo.cpu_seconds(), time.monotonic()
    await work()
    after, passed = demo.cpu_seconds(), time.monotonic() - began
    return {role: after[role] - before[role] - idle.get(role, 0.0) * passed for role in after}


def main() -> int:
    """Print the figures; 0 when they could be measured."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.cpu", description=__doc__)
    parser.add_argument("--cases", type=int, default=300, help="how many (default %(default)s, at most 5000)")
    parser.add_argument("--at-once", type=int, default=32, help="how many at once (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    chosen = parser.parse_args()
    with running_demo() as demo:
        figures = asyncio.run(measure(demo, cases=min(chosen.cases, 5000), at_once=chosen.at_once))
    if chosen.json:
        print(json.dumps(figures))
        return 0
    print(f"one submission: {figures['submission_serve']} µs in `serve`, {figures['submission_database']} µs stored")
    print(f"one letter, sent and settled, with two notices: {figures['letter_work']} µs in the `work` of both nodes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
