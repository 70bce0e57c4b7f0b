"""The rows of the measurement: what a node is asked, and what the baselines are asked beside it."""

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

from loadtests.baselines.serving import etag_of
from loadtests.bench.carrying import watched
from loadtests.bench.contestants import (
    BASELINES,
    PAGE,
    WISHES,
    Contestant,
    StartedBaseline,
    body_of,
    repeated,
    started_baseline,
    submissions,
)
from loadtests.bench.copies import rows_of_copies
from loadtests.bench.loader import request_bytes
from loadtests.bench.rounds import MeasuredProcesses
from loadtests.cpu import (
    BearerClient,
    application,
    enter_as_citizen,
    enter_as_officer,
    enter_by_name,
    places_of,
    together,
)
from loadtests.demos import RunningDemo, environ_of

TONGBAN = "tongban"
SUBMISSION, READS = "submission", "reads"
BARE_PAGE, BARE_UNCHANGED = "bare page", "bare page, unchanged"
DATABASE = "bench"
DATABASE_NAME = "TONGBAN_DATABASE"
CASES = "/api/v1/cases"
BUNDLE = "/api/v1/bundles/newborn"
OWN_CASES = 25  # more than one page of them
AT_ONCE = 8
LIGHT = 4  # so many times as often is asked what costs little, for a round to last


@dataclass(frozen=True)
class Preparation:
    """What rows are made of: a demo, its processes, a folder for files, the requests of a round, and the interpreter
    that the baselines run in."""

    demo: RunningDemo
    processes: MeasuredProcesses
    folder: Path
    requests: int
    python: Path

    @property
    def port(self) -> int:
        """The port of the first node."""
        return int(self.demo.base_url.rpartition(":")[2])


@dataclass(frozen=True)
class PageOfBundle:
    """A page of the catalogue as the node answers it: a file with its bytes, and its ETag."""

    file: Path
    etag: str


async def rows_of(ready: Preparation, sections: Sequence[str], stack: AsyncExitStack) -> tuple[list[Contestant], int]:
    """The rows of these sections, and the bytes of a submission's body; what they need ends with the stack.

    Raises BaselineDidNotStart, BodyTooLong and what the demo refuses (aiohttp.ClientError).
    """
    http = await stack.enter_async_context(aiohttp.ClientSession())
    page = await _page(http, ready)
    baselines = _baselines(ready, page, stack, names=BASELINES if SUBMISSION in sections else BASELINES[:1])
    applicant = BearerClient(http, ready.demo.base_url)
    await enter_as_citizen(applicant, ready.demo)
    first, *others = places_of(ready.demo)
    wish = await application(applicant, first)
    bodies = [body_of(wish | place) for place in others]
    name = environ_of(ready.processes.serve[0])[DATABASE_NAME]
    carrying = await stack.enter_async_context(watched(ready.demo.database_uri(), name, ready.processes.serve))
    reads: list[Contestant] = []
    if READS in sections:
        light = ready.requests * LIGHT
        reads = [*_pages(ready, page, baselines[0]), *await _views(ready, http, first)]
        serve = ready.processes.serve[0]
        reads += await rows_of_copies(serve, stack, count=light, section=READS, against=BARE_PAGE)
        await carrying.wait()
    if SUBMISSION not in sections:
        return reads, len(bodies[0])
    made = partial(submissions, bodies=bodies, authorization=applicant.authorization)
    node = Contestant(
        TONGBAN, SUBMISSION, ready.port, ready.processes.serve, ready.requests, 201, made(CASES), carrying.wait
    )
    bare = [
        Contestant(each.name, SUBMISSION, each.port, (each.pid,), ready.requests, 201, made(WISHES))
        for each in baselines
    ]
    return [node, *bare, *reads], len(bodies[0])


def _baselines(
    ready: Preparation, page: PageOfBundle, stack: AsyncExitStack, *, names: Sequence[str]
) -> list[StartedBaseline]:
    """The baselines of these names, started."""
    uri, python = ready.demo.database_uri(), ready.python
    return [stack.enter_context(started_baseline(name, uri, DATABASE, page=page.file, python=python)) for name in names]


async def _page(http: aiohttp.ClientSession, ready: Preparation) -> PageOfBundle:
    async with http.get(ready.demo.base_url + BUNDLE, headers={"Accept-Encoding": "identity"}) as answer:
        answer.raise_for_status()
        file = ready.folder / "page.json"
        await asyncio.to_thread(file.write_bytes, await answer.read())
        return PageOfBundle(file, answer.headers["ETag"])


def _pages(ready: Preparation, page: PageOfBundle, bare: StartedBaseline) -> list[Contestant]:
    """What costs little: a page of the catalogue and `/live`, and the same bytes from a bare Tornado handler."""
    bare_etag = etag_of(page.file.read_bytes())

    def row(name: str, path: str, *, against: str = "", etag: str = "") -> Contestant:
        headers = {"If-None-Match": etag} if etag else {}
        requests = repeated(request_bytes("GET", path, headers=headers))
        port, pids = (ready.port, ready.processes.serve) if against else (bare.port, (bare.pid,))
        status = 304 if etag else 200
        return Contestant(name, READS, port, pids, ready.requests * LIGHT, status, requests, against=against)

    return [
        row(BARE_PAGE, PAGE),
        row(BARE_UNCHANGED, PAGE, etag=bare_etag),
        row("bundle", BUNDLE, against=BARE_PAGE),
        row("bundle, unchanged", BUNDLE, against=BARE_UNCHANGED, etag=page.etag),
        row("live", "/live", against=BARE_PAGE),
    ]


async def _views(ready: Preparation, http: aiohttp.ClientSession, place: dict[str, Any]) -> list[Contestant]:
    """What is made for who asks: the guide, cases of a citizen who has 25, the worklists of the county they lie in."""
    citizen, officer, hospital = (BearerClient(http, ready.demo.base_url) for _ in range(3))
    await enter_as_citizen(citizen, ready.demo, 1)
    await enter_as_officer(officer, ready.demo, place["division"])
    await enter_by_name(hospital, ready.demo, f"provider-health-{place['division']}")
    cases = await _hand_in(citizen, place)

    def row(name: str, made: Callable[[int], Sequence[bytes]]) -> Contestant:
        pids = ready.processes.serve
        return Contestant(name, READS, ready.port, pids, ready.requests, 200, made, against=BARE_PAGE)

    def read(by: BearerClient, path: str) -> Callable[[int], Sequence[bytes]]:
        return repeated(request_bytes("GET", path, headers={"Authorization": by.authorization}))

    return [
        row("guide", repeated(request_bytes("POST", f"{BUNDLE}/guide", headers={}, body=json.dumps(place).encode()))),
        row("one case", read(citizen, f"{CASES}/{cases[0]}")),
        row("my cases", read(citizen, CASES)),
        row("worklist", read(officer, "/desk/v1/tasks")),
        row("worklist of one desk", read(hospital, "/desk/v1/tasks")),
    ]


async def _hand_in(citizen: BearerClient, place: dict[str, Any]) -> list[str]:
    """The ids of the cases that the citizen has then."""
    wish = await application(citizen, place)
    ids: list[str] = []

    async def submit() -> None:
        ids.append((await citizen.ask("POST", CASES, json=wish))["id"])

    await together(AT_ONCE, [submit] * OWN_CASES)
    return ids
