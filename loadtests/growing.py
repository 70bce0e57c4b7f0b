"""Makes a demo's first node hold many cases: by the product's own `seed`, and by hand-ins at one county's desks."""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import jsonschema_rs

from loadtests.cpu import PNG, BearerClient
from loadtests.demos import environ_of

SEED = ("-m", "server", "seed", "--into-used-data", "--json")
MOST_QUESTIONS = 40
CASES = "/api/v1/cases"
Missing = jsonschema_rs.ValidationErrorKind.Required
Mark = tuple[float, int]


class NotSeeded(RuntimeError):
    """`seed` did not end well; what was wrong stands on stderr."""


@dataclass(frozen=True)
class SeedRun:
    """What one `seed` made: cases, people, seconds; and how many cases a second in its first and last tenth.

    The two rates are None if it told too seldom how far it was.
    """

    cases: int
    people: int
    seconds: float
    first_a_second: int | None
    last_a_second: int | None


async def grow(pid: int, cases: int) -> SeedRun:
    """Make so many made-up cases at the node that this process belongs to, which goes on meanwhile; raises NotSeeded.

    What the command tells of its progress goes to stderr.
    """
    command = (sys.executable, *SEED, "--cases", str(cases))
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(*command, env=environ_of(pid), stdout=pipe, stderr=pipe)
    try:
        told, marks = await asyncio.gather(_all(child.stdout), _passed_on(child.stderr))
        code = await child.wait()
    finally:
        if child.returncode is None:
            child.terminate()
            await child.wait()
    if code:
        raise NotSeeded(f"`seed` ended with {code}")
    (made,) = json.loads(told)
    first, last = rates_of(marks)
    return SeedRun(made["cases"], made["people"], made["seconds"], first, last)


def rates_of(marks: Sequence[Mark]) -> tuple[int | None, int | None]:
    """Cases a second in the first and in the last tenth of these marks, each a moment in seconds and a number of cases.

    None and None if there are fewer than three.
    """
    if len(marks) < 3:
        return None, None
    part = max(len(marks) // 10, 1)
    pairs = ((marks[0], marks[part]), (marks[-1 - part], marks[-1]))
    first, last = (round((now[1] - then[1]) / max(now[0] - then[0], 1e-6)) for then, now in pairs)
    return first, last


async def fill_desks(citizen: BearerClient, division: str, *, each: int) -> int:
    """Hand in so many cases of each bundle that can be applied for at this place; answers how many cases that were.

    A first page of any desk there is full then, and a desk costs no more when more lies on it.
    """
    made = 0
    for bundle in (await citizen.ask("GET", "/api/v1/bundles"))["bundles"]:
        wish = await _application(citizen, bundle["code"], division)
        for _ in range(each):
            try:
                await citizen.ask("POST", CASES, json=wish)
            except aiohttp.ClientResponseError as refused:
                print(f"{bundle['code']} is left out: {refused.status}", file=sys.stderr)
                break
            made += 1
    return made


async def _application(citizen: BearerClient, bundle: str, division: str) -> dict[str, Any]:
    """What is handed in with the first choice of each question and with this place."""
    answers: dict[str, str] = {}
    for _ in range(MOST_QUESTIONS):
        asked = {"division": division, "answers": answers}
        guide = await citizen.ask("POST", f"/api/v1/bundles/{bundle}/guide", json=asked)
        if not guide["questions"]:
            break
        question = guide["questions"][0]
        is_place = question["type"] == "division"
        answers[question["code"]] = (
            at_level(division, question["level"]) if is_place else next(iter(question["choices"]))
        )
    upload = aiohttp.FormData()
    upload.add_field("file", PNG, filename="photo.png")
    picture = (await citizen.ask("POST", "/api/v1/materials", data=upload))["id"]
    materials = [{"code": one["code"], "id": picture} for one in guide["materials"] if one["is_required"]]
    place = at_level(division, guide["level"])
    return {
        "bundle": bundle,
        "division": place,
        "answers": answers,
        "form": filled(guide["form"]),
        "materials": materials,
    }


def filled(schema: dict[str, Any]) -> dict[str, str]:
    """A form with what its schema requires, and with what that makes required in turn, by the schema's examples."""
    form: dict[str, str] = {}
    validator = jsonschema_rs.Draft202012Validator(schema)
    for _ in schema["properties"]:
        missing = [each.kind.property for each in validator.iter_errors(form) if isinstance(each.kind, Missing)]
        if not missing:
            break
        for name in missing:
            field = schema["properties"][name]
            form[name] = str(field["enum"][0] if "enum" in field else field["examples"][0])
    return form


def at_level(county: str, level: str) -> str:
    """The county, or its city or province, by their codes of six digits."""
    return {"province": county[:2] + "0000", "city": county[:4] + "00"}.get(level, county)


async def _all(stream: asyncio.StreamReader | None) -> bytes:
    return await stream.read() if stream else b""


async def _passed_on(stream: asyncio.StreamReader | None) -> list[Mark]:
    """Pass each line on to stderr; answers when it was told how many cases there are."""
    marks: list[Mark] = []
    while stream and (line := (await stream.readline()).decode()):
        sys.stderr.write(line)
        number, _, rest = line.partition(" of ")
        if number.isdecimal() and rest.rstrip().endswith("cases"):
            marks.append((time.monotonic(), int(number)))
    return marks
