"""The story of a demo, told as it happens: one case goes from one province to another and back."""

import asyncio
import base64
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp

from server.demo.people import DemoOfficer
from server.demo.plots import DIVISION, HOME, Cast, Plot
from server.demo.provinces import Demo, Province

NEXT_ACT = {"sent": "receive", "received": "accept", "accepted": "approve"}
OK = 200
CHANGED = 412  # somebody has moved the step since it was looked at
PAUSE_SECONDS = 0.05
REQUEST_SECONDS = 30.0
PICTURE_TEXT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PICTURE = base64.b64decode(PICTURE_TEXT)


class StoryFailed(RuntimeError):
    """Something in the story went otherwise than it should."""


@dataclass(frozen=True)
class Row:
    """One thing that happened, as the case's timeline tells it to the applicant."""

    at: str
    node: str
    node_name: str
    step: str | None
    step_name: str | None
    act: str
    act_name: str
    state: str
    by: str


class SeenTooEarly(StoryFailed):
    """The step changed between an officer's look and act."""


@dataclass
class ApiClient:
    """Somebody who calls the doors of one node."""

    http: aiohttp.ClientSession
    base_url: str
    token: str = ""

    async def call(self, method: str, path: str, **body: Any) -> Any:
        """What the door answers; raises StoryFailed if it refuses, SeenTooEarly if the step has moved on meanwhile."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if method == "POST":
            headers["Idempotency-Key"] = uuid.uuid4().hex
        async with self.http.request(method, self.base_url + path, headers=headers, **body) as answer:
            if answer.status >= 400:
                kind = SeenTooEarly if answer.status == CHANGED else StoryFailed
                raise kind(f"{method} {path} was answered {answer.status}: {await answer.text()}")
            return await answer.json()

    async def is_there(self, path: str) -> bool:
        """Whether what the door gives can be had now."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with self.http.get(self.base_url + path, headers=headers) as answer:
            return answer.status == OK

    async def get(self, path: str) -> Any:
        """GET."""
        return await self.call("GET", path)

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """POST with a JSON body."""
        return await self.call("POST", path, json=body)


@dataclass
class Desk:
    """An officer at work on the tasks of one case.

    `leg` is the direction in which originals reach the officer; refusals in `forgives` are tried again.
    """

    caller: ApiClient
    plot: Plot
    result: Mapping[str, str]
    leg: str
    forgives: tuple[type[Exception], ...] = ()

    async def work(self, numbers: frozenset[str]) -> bool:
        """Do the next act on each open task of these cases; whether there was any."""
        with suppress(SeenTooEarly, *self.forgives):  # and look again
            return await self._work(numbers)
        return False

    async def _work(self, numbers: frozenset[str]) -> bool:
        has_worked = False
        for task in [task for task in await self._tasks() if task["case"] in numbers and self._may_be_due(task)]:
            shown = await self.caller.get(f"/desk/v1/cases/{task['case']}")
            (seen,) = [each for each in shown["steps"] if each["step"]["step"] == task["step"]]
            if act := self._next(task, seen["step"]):
                path = f"/desk/v1/cases/{task['case']}/steps/{task['step']}/{act}"
                await self.caller.post(path, {"version": seen["step"]["version"], **self._said(act, seen)})
                has_worked = True
        return has_worked

    def _may_be_due(self, task: Mapping[str, Any]) -> bool:
        """Whether it is worth a look at the case: what is approved is done with, unless originals go back."""
        return self.plot.has_paper or task["part"] != "decide" or task["state"] in NEXT_ACT

    def _next(self, task: Mapping[str, Any], step: Mapping[str, Any]) -> str:
        """The act that is due; empty if another hand has to do something first."""
        here = {paper["leg"]: paper["arrived_at"] for paper in step["papers"]}
        if task["part"] == "check":
            return "check" if step["state"] == "checking" else ""
        if task["part"] == "paper":
            is_first = self.leg == "back" and "out" not in here
            is_coming = here.get(self.leg, "arrived") is None
            return "post-paper" if is_first else "confirm-paper" if is_coming else ""
        if not (step["part"] and step["part"]["has_paper"]):
            return NEXT_ACT.get(step["state"], "")
        if step["state"] == "received" and not here.get(self.leg):
            return ""  # it is taken up when the originals are there
        return "post-paper" if step["state"] == "approved" and "back" not in here else NEXT_ACT.get(step["state"], "")

    def _said(self, act: str, seen: Mapping[str, Any]) -> dict[str, Any]:
        """What is said with this act."""
        if act == "check":
            return {"grounds": self.plot.finding}
        if act == "post-paper":
            return {"courier": self.plot.courier, "number": f"DEMO-{uuid.uuid4().hex[:8]}"}
        codes = [each["code"] for each in seen["yields_fields"]] if act == "approve" else []
        return {"result": {code: self.result[code] for code in codes if code in self.result}} if codes else {}

    async def _tasks(self) -> list[dict[str, Any]]:
        """All open tasks, page by page: an earlier demo may have left many."""
        page = await self.caller.get("/desk/v1/tasks")
        tasks = list(page["tasks"])
        while page["next"]:
            page = await self.caller.call("GET", "/desk/v1/tasks", params={"after": page["next"]})
            tasks += page["tasks"]
        return tasks


class Story:
    """A story, told as it happens; afterwards `case` is the number of its case."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        demo: Demo,
        plot: Plot,
        *,
        cast: Cast,
        forgives: tuple[type[Exception], ...] = (),
    ) -> None:
        self._http = http
        self._provinces = demo.provinces
        self._app_id = demo.app_id
        self._plot = plot
        self._cast = cast
        self._forgives = forgives
        self._parent = ApiClient(http, demo.provinces[0].base_url)
        self._desks: dict[tuple[str, str], Desk] = {}
        self.case = ""

    @property
    def applicant(self) -> ApiClient:
        """Whoever applies, at home."""
        return self._parent

    async def tell(self) -> AsyncGenerator[Row | str, None]:
        """Each thing that happens: a row of the timeline, or a sentence on what stands in none.

        Raises StoryFailed.
        """
        async for sentence in self._apply():
            yield sentence
        numbers = frozenset({self.case, f"{self._provinces[0].division}:{self.case}"})
        told: list[Row] = []
        while True:
            rows = await self._timeline()
            for row in rows:
                if row in told:  # a later row may stand before one of an earlier look
                    continue
                told.append(row)
                yield row
                if (row.step, row.act) == (self._plot.abroad, "send") and self._plot.waiting:
                    yield await self._who_waits()
                if row.act == "ask_check":
                    yield await self._who_checks()
            if self._is_over(rows):
                break
            with suppress(*self._forgives):
                await self._sign_in_holders()
            if not any([await desk.work(numbers) for desk in self._desks.values()]):
                await asyncio.sleep(PAUSE_SECONDS)
        await self._check_end()

    async def _apply(self) -> AsyncIterator[str]:
        parent, mother, plot = self._parent, self._cast.applicant, self._plot
        admitted = await parent.post("/api/v1/sessions", {"app_id": self._app_id, "code": mother.code})
        parent.token = admitted["access_token"]
        proof = {"name": mother.name, "id_number": mother.id_number, "face_token": mother.face_token}
        parent.token = (await parent.post("/api/v1/identity", proof))["access_token"]
        yield f"{plot.who} logs in by mini-program code {mother.code} and proves her name ({mother.name}, made up)."
        if plot.waiting:
            bundle = await parent.get(f"/api/v1/bundles/{plot.bundle}")
            yield f"She reads the bundle {bundle['name']}: {len(bundle['items'])} items, one case."
        place = {"division": DIVISION, "answers": plot.answers}
        guide = await parent.post(f"/api/v1/bundles/{plot.bundle}/guide", place)
        fields, materials = guide["form"]["properties"], [each for each in guide["materials"] if each["is_required"]]
        yield f"One form: {len(fields)} fields, {guide['saved']['fields']} fewer than item by item."
        given = [{"code": each["code"], "id": await self._hand_in(each["code"])} for each in materials]
        yield f"She hands in {len(given)} materials, each once, and submits."
        form = {code: self._cast.form[code] for code in fields if code in self._cast.form}
        wish = {"bundle": plot.bundle, **place, "form": form, "materials": given}
        self.case = (await parent.post("/api/v1/cases", wish))["id"]

    async def _hand_in(self, code: str) -> str:
        upload = aiohttp.FormData()
        upload.add_field("file", PICTURE, filename=f"{code}.png", content_type="image/png")
        answer = await self._parent.call("POST", "/api/v1/materials", data=upload)
        return str(answer["id"])

    async def _sign_in_holders(self) -> None:
        """Sign in an officer of each authority that has a step in hand by now.

        At home the case names them. In another province only its own node knows the authority: there the officers of
        the department look into their worklists, and whoever finds the step there decides it.
        """
        shown = await self._parent.get(f"/api/v1/cases/{self.case}")
        holders = [each["holder"] for each in shown["steps"] if each["holder"]]
        new = {seat: None for holder in holders for seat in self._seats_of(holder) if seat not in self._desks}
        provinces = {province.division: province for province in self._provinces}
        for node, name in new:
            officer = next(each for each in provinces[node].officers if each.name == name)
            self._desks[node, name] = await self._desk(provinces[node], officer)

    def _seats_of(self, holder: Mapping[str, Any]) -> list[tuple[str, str]]:
        """The node and the name of each officer who may have the step of this holder; raises StoryFailed."""
        node = holder["node"]
        seats = [each for province in self._provinces if province.division == node for each in province.officers]
        names = [each.name for each in seats if _is_theirs(holder, each) and not each.is_head]
        if not names:
            name = holder["authority_name"]
            raise StoryFailed(f"This demo has no officers of {name}; tell this story in another folder.")
        return [(node, name) for name in names]

    async def _desk(self, province: Province, officer: DemoOfficer) -> Desk:
        caller = ApiClient(self._http, province.base_url)
        answer = await caller.post("/desk/v1/sessions", officer.proof(datetime.now(UTC)))
        caller.token = answer["access_token"]
        leg = "back" if province is self._provinces[HOME] else "out"
        return Desk(caller, self._plot, self._cast.result, leg, self._forgives)

    async def _timeline(self) -> list[Row]:
        answer = await self._parent.get(f"/api/v1/cases/{self.case}/timeline")
        return [Row(**{name: entry[name] for name in Row.__dataclass_fields__}) for entry in answer["timeline"]]

    async def _who_waits(self) -> str:
        """That the step at home waits until the other province has decided; no officer acts before this is told."""
        steps = {each["step"]: each for each in (await self._parent.get(f"/api/v1/cases/{self.case}"))["steps"]}
        abroad, waiting = steps[self._plot.abroad], steps[self._plot.waiting]
        if waiting["state"] != "waiting" or abroad["step"] not in waiting["needs"]:
            raise StoryFailed(f"{waiting['name']} should wait for {abroad['name']}, and is {waiting['state_name']}.")
        return f"{waiting['name']} waits until {abroad['name']} is decided by {abroad['holder']['node_name']}."

    async def _who_checks(self) -> str:
        """That the home does its own part first, and no decision moves."""
        (step,) = (await self._parent.get(f"/api/v1/cases/{self.case}"))["steps"]
        decider = self._provinces[1].name
        return (
            f"{step['holder']['node_name']} checks first ({step['part']['name']}); the decision stays with {decider}."
        )

    def _is_over(self, rows: list[Row]) -> bool:
        """Whether all of the plot has happened; raises StoryFailed if it did so in another order."""
        done = [(row.node, row.step, row.act) for row in rows]
        beats = [(self._provinces[place].division, step, act) for place, step, act in self._plot.order]
        if set(beats) - set(done):
            if "close" in {row.act for row in rows} and beats[-1][2] == "close":
                raise StoryFailed(f"The case was closed, and these have not been: {sorted(set(beats) - set(done))}")
            return False
        places = [done.index(beat) for beat in beats]
        if places != sorted(places):
            raise StoryFailed(f"It should have gone in this order, and has not: {beats}")
        return True

    async def _check_end(self) -> None:
        case = await self._parent.get(f"/api/v1/cases/{self.case}")
        if (case["state"], case["outcome"]) != ("closed", "completed"):
            raise StoryFailed(f"The case ended as {case['state']}, {case['outcome']}.")


def _is_theirs(holder: Mapping[str, Any], officer: DemoOfficer) -> bool:
    """Whether the officer sits at the desk that has a step, or at one of its department if no more is known."""
    known: str = holder["authority"] or holder["department"]
    return any(known in (desk.id, desk.department) for desk in officer.desks)
