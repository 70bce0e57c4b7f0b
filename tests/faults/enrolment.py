"""A night of enrolment with real processes: applicants with tickets, and officers who must not wait for them.

python -m tests.faults.enrolment --people 200 --late 40 --per-second 10
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp

from server.demo.processes import ready
from server.desk.citizen import applying, drafts
from server.desk.materials import hand_in
from server.desk.sessions import CITIZENS, REAL_NAME
from server.domain.catalogue.peaks import Peak
from server.domain.people.persons import Person, TokenClaims
from server.domain.rules.drafts import NamedDraft, UnfinishedSubmission
from server.node import Node
from server.tools.logs import configure
from tests.domain.peaks import PEAK, announced_in
from tests.faults.databases import own_database
from tests.faults.nursery import nursery
from tests.faults.provinces import Launch, Province, county_of, provinces
from tests.nodes import ANSWERS, PNG, Answer, Caller, newborn_form, reserved_port
from tests.world import JIANGSU, ZHEJIANG, person

DRAFT = "child"
ATTEMPTS = 300
PAUSE_SECONDS = 0.1
OFFICERS, THINKING_SECONDS = 3, 0.15
CASES_BEFORE = 40
MOST_PEOPLE = 2000


@dataclass
class Applicant:
    """Somebody with a draft, who asks when told and submits at their turn, wherever somebody answers."""

    number: int
    token: str
    ticket: str = ""
    turn_at: str = ""
    place: int = 0
    case: str = ""
    opened_at: str = ""

    async def take(self, http: aiohttp.ClientSession, urls: Sequence[str], peak: str) -> dict[str, Any]:
        """Ask for a ticket, or with it."""
        answer = await self._insist(http, urls, f"/api/v1/peaks/{peak}/ticket", {"ticket": self.ticket})
        assert answer.status == 200, answer
        told = dict(answer.body)
        assert not self.place or told["place"] == self.place
        self.ticket, self.turn_at, self.place = told["ticket"], told["turn_at"], told["place"] or 0
        return told

    async def wait_and_submit(self, http: aiohttp.ClientSession, urls: Sequence[str], peak: str) -> None:
        """Ask when told until it is their turn, and submit the draft."""
        while (told := await self.take(http, urls, peak))["state"] != "open":
            await asyncio.sleep(told["poll_after_seconds"])
        await self.submit(http, urls)

    async def submit(self, http: aiohttp.ClientSession, urls: Sequence[str]) -> None:
        """Hand in the draft."""
        answer = await self._insist(http, urls, "/api/v1/cases", {"draft": DRAFT, "version": 1})
        assert answer.status == 201, answer.body
        self.case, self.opened_at = answer.body["id"], answer.body["opened_at"]

    async def _insist(self, http: aiohttp.ClientSession, urls: Sequence[str], path: str, body: Any) -> Answer:
        headers = {"Waiting-Ticket": self.ticket} if self.ticket else {}
        for attempt in range(ATTEMPTS):
            caller = Caller(http, urls[(self.number + attempt) % len(urls)], self.token)
            try:
                answer = await caller.post(path, body, headers=headers, key=f"child-{self.number}")
            except aiohttp.ClientConnectionError:
                answer = Answer(503, {}, {})
            if answer.status != 503:
                return answer
            await asyncio.sleep(PAUSE_SECONDS)
        raise AssertionError(f"nobody answers at {path}")


def parent(number: int) -> Person:
    """A made-up mother for each number."""
    return person("测试家长", born=f"19{60 + number // 100}0101", sequence=f"{2 * (number % 100) + 100}")


async def prepared(node: Node, number: int) -> Applicant:
    """A citizen whose name is proven, with a draft that lacks nothing."""
    one = parent(number)
    owner = node.keys.owner("person", one.id_number)
    await node.store.people.keep_person(one.model_copy(update={"key": owner}), openid=f"openid-{number}")
    uploaded = await hand_in(node, owner, PNG + b"%d" % number, name="photo.png")
    given = [{"code": code, "id": uploaded.id} for code in ("mother_identity_card", "mother_household_register")]
    form = newborn_form() | {"mother_name": one.name, "mother_id_number": one.id_number}
    answers = ANSWERS | {"household": county_of(ZHEJIANG)}
    wish = {"bundle": "newborn", "division": county_of(JIANGSU), "answers": answers, "form": form, "materials": given}
    submission = UnfinishedSubmission.model_validate(wish)
    await drafts.keep(node, owner, DRAFT, submission=submission, version=None)
    claims = TokenClaims(subject=owner, level=REAL_NAME, session=f"s{number}")
    return Applicant(number, node.tokens.issue(claims, audience=CITIZENS, at=node.clock.now(), seconds=3600))


@dataclass
class Night:
    """A home with two processes that serve, its peak, and those who want to apply in it."""

    home: Province
    urls: Sequence[str]
    peak: Peak
    everybody: Sequence[Applicant]
    late: int
    http: aiohttp.ClientSession
    spans: dict[str, list[float]] = field(default_factory=dict)

    @property
    def early(self) -> Sequence[Applicant]:
        """Who comes before the hour."""
        return self.everybody[: -self.late]

    async def join(self) -> None:
        """Those who come early take their tickets; raises if that takes until the hour."""
        await asyncio.gather(*(each.take(self.http, self.urls, self.peak.id) for each in self.early))
        assert {each.place for each in self.early} == {0}, "the machine was too slow: the hour has come"

    def waiting(self, who: Sequence[Applicant]) -> "asyncio.Future[Any]":
        """These ask when told, and apply at their turn."""
        return asyncio.gather(*(each.wait_and_submit(self.http, self.urls, self.peak.id) for each in who))

    async def after_the_hour(self, seconds: float) -> None:
        """Wait until so many seconds after the hour."""
        await asyncio.sleep((self.peak.opens_at - datetime.now(UTC)).total_seconds() + seconds)

    async def work(self, officer: Caller, phase: Callable[[], str]) -> None:
        """An officer looks at the worklist and at case files, without end; it is kept how long each answer took."""
        while True:
            listed = await self._timed(officer.get("/desk/v1/tasks"), phase())
            tasks = listed.body["tasks"]
            if tasks:
                await self._timed(officer.get(f"/desk/v1/cases/{tasks[0]['case']}"), phase())
            await asyncio.sleep(THINKING_SECONDS)

    async def _timed(self, call: Awaitable[Answer], phase: str) -> Answer:
        began = time.perf_counter()
        answer = await call
        assert answer.status == 200, answer
        self.spans.setdefault(phase, []).append(time.perf_counter() - began)
        return answer


@asynccontextmanager
async def night(
    folder: Path, database_uri: str, *, launch: Launch, people: tuple[int, int], hour: timedelta, **choices: Any
) -> AsyncIterator[Night]:
    """So many who come early and late, each with a draft, and a peak that opens in an hour as short as this.

    `choices`: `per_second` of the peak, and settings of the node. `work` is not started.
    """
    early, late = people
    per_second = choices.pop("per_second")
    regions = announced_in(folder)
    async with provinces(folder, database_uri, launch=launch, regions_folder=regions, **choices) as (home, _):
        async with home.opened() as node:
            everybody = [await prepared(node, number) for number in range(early + late)]
            for number in range(early + late, early + late + CASES_BEFORE):
                await _apply(node, number)
        peak = announce(regions, hour=hour, per_second=per_second)
        with reserved_port() as port:
            await asyncio.gather(home.start("serve"), start_another(home, port))
            urls = [f"http://127.0.0.1:{each}" for each in (home.settings.port, port)]
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
                yield Night(home, urls, peak, everybody, late, http)


async def _apply(node: Node, number: int) -> None:
    """Somebody applied long before the peak."""
    await prepared(node, number)
    owner = node.keys.owner("person", parent(number).id_number)
    await applying.submit(node, owner, NamedDraft(draft=DRAFT, version=1), key="before")


def announce(regions: Path, *, hour: timedelta, per_second: float) -> Peak:
    """The peak of tonight, written where the processes will read it."""
    now = datetime.now(UTC).replace(microsecond=0)
    moments = {"joins_at": now, "opens_at": now + hour, "closes_at": now + timedelta(hours=1)}
    peak = Peak.model_validate({**PEAK.model_dump(), **moments, "id": "tonight", "per_second": per_second})
    lines = [f"{name} = {moment.isoformat()}" for name, moment in moments.items()]
    text = ["[[peak]]", 'id = "tonight"', 'bundle = "newborn"', *lines, f"per_second = {per_second}"]
    (regions / "peaks.toml").write_text("\n".join(text), encoding="utf-8")
    return peak


async def start_another(home: Province, port: int) -> None:
    """One more `serve`, at a port of its own."""
    environ = {**home.environ(), "TONGBAN_PORT": str(port)}
    home.children["another"] = await home.launch("serve", log=home.log("another"), environ=environ)
    await ready(home.children["another"], f"http://127.0.0.1:{port}/ready")


def p95_milliseconds(spans: Sequence[float]) -> float:
    """The span that 95 in 100 do not exceed."""
    return round(sorted(spans)[int(len(spans) * 0.95)] * 1000, 1)


async def measure(folder: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    """What a night was like: how late people were served after their turn, and what officers noticed."""
    people, hour = (chosen.people - chosen.late, chosen.late), timedelta(seconds=chosen.hour)
    async with own_database(folder / "database") as (_, uri), nursery(folder / "nursery.log", {}) as forks:
        more = {"database": "t", "per_second": chosen.per_second}
        async with night(folder, uri, launch=forks.start, people=people, hour=hour, **more) as tonight:
            await tonight.home.start("work")
            desks = [await tonight.home.officer("health") for _ in range(OFFICERS)]
            phase = "joining"
            working = [asyncio.create_task(tonight.work(each, lambda: phase)) for each in desks]
            await tonight.join()
            phase = "before"
            waiting = tonight.waiting(tonight.early)
            await tonight.after_the_hour(0.5)
            phase = "during"
            await asyncio.gather(waiting, tonight.waiting(tonight.everybody[chosen.people - chosen.late :]))
            for each in working:
                each.cancel()
            await asyncio.gather(*working, return_exceptions=True)
            return _told(tonight)


def _told(tonight: Night) -> dict[str, Any]:
    late = [_seconds(each.opened_at) - _seconds(each.turn_at) for each in tonight.everybody]
    spans = {phase: p95_milliseconds(each) for phase, each in tonight.spans.items()}
    opened = sorted(_seconds(each.opened_at) for each in tonight.everybody)
    return {
        "cases": len({each.case for each in tonight.everybody}),
        "before_their_turn": sum(each < 0 for each in late),
        "after_their_turn_p95_milliseconds": p95_milliseconds(late),
        "cases_per_second": round((len(opened) - 1) / (opened[-1] - opened[0]), 1),
        "officers_p95_milliseconds": spans,
        "officers_answers": {phase: len(each) for phase, each in tonight.spans.items()},
        "officers_ratio": round(spans["during"] / spans["before"], 2),
    }


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def main() -> int:
    """Print what the night was like; 1 if anybody was lost, doubled or served before their turn."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.enrolment", description=__doc__)
    parser.add_argument("--people", type=int, default=200, help="how many apply (default %(default)s)")
    parser.add_argument("--late", type=int, default=40, help="how many of them come after the hour")
    parser.add_argument("--per-second", type=float, default=10.0, help="of the peak (default %(default)s)")
    parser.add_argument("--hour", type=float, default=20.0, help="seconds until the hour (default %(default)s)")
    chosen = parser.parse_args()
    if not 0 < chosen.late < chosen.people <= MOST_PEOPLE:
        parser.error(f"some of at most {MOST_PEOPLE} people come late, and not all of them")
    configure("warning")  # what the node does within this process
    with TemporaryDirectory() as folder:
        told = asyncio.run(measure(Path(folder), chosen))
    sys.stdout.write(json.dumps(told, indent=2) + "\n")
    return 0 if told["cases"] == chosen.people and not told["before_their_turn"] else 1


if __name__ == "__main__":
    sys.exit(main())
