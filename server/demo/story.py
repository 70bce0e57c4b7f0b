"""The story of a demo: a child is born, and one case of its parent goes from one province to another and back."""

import asyncio
import base64
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiohttp

from server.demo.people import Family, Officer
from server.demo.processes import together
from server.demo.provinces import APP_ID, Demo, Province

BUNDLE = "newborn"
HOUSEHOLD = "330100"
ANSWERS = {"household": HOUSEHOLD, "maternity_insurance": "no"}
ABROAD, WAITING = "household_registration", "social_security_card"
NEXT_ACT = {"sent": "receive", "received": "accept", "accepted": "approve"}
PAUSE_SECONDS = 0.05
REQUEST_SECONDS = 30.0
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


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


@dataclass
class Caller:
    """Somebody who calls the doors of one node."""

    http: aiohttp.ClientSession
    base_url: str
    token: str = ""

    async def call(self, method: str, path: str, **body: Any) -> Any:
        """What the door answers; raises StoryFailed if it refuses."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if method == "POST":
            headers["Idempotency-Key"] = uuid.uuid4().hex
        async with self.http.request(method, self.base_url + path, headers=headers, **body) as answer:
            if answer.status >= 400:
                raise StoryFailed(f"{method} {path} was answered {answer.status}: {await answer.text()}")
            return await answer.json()

    async def get(self, path: str) -> Any:
        """GET."""
        return await self.call("GET", path)

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """POST with a JSON body."""
        return await self.call("POST", path, json=body)


@dataclass
class Desk:
    """An officer at work on what his worklist shows of one case; of what he `forgives` he only tries again."""

    caller: Caller
    result: Mapping[str, str]
    forgives: tuple[type[Exception], ...] = ()

    async def work(self, numbers: frozenset[str]) -> bool:
        """Do the next act on each open task of these cases; whether there was any."""
        with suppress(*self.forgives):
            return await self._work(numbers)
        return False

    async def _work(self, numbers: frozenset[str]) -> bool:
        tasks = [task for task in await self._tasks() if task["case"] in numbers and task["state"] in NEXT_ACT]
        for task in tasks:
            shown = await self.caller.get(f"/desk/v1/cases/{task['case']}")
            said: dict[str, Any] = {"version": task["version"]}
            act = NEXT_ACT[task["state"]]
            if act == "approve":
                said["result"] = self._result(shown, task["step"])
            await self.caller.post(f"/desk/v1/cases/{task['case']}/steps/{task['step']}/{act}", said)
        return bool(tasks)

    async def _tasks(self) -> list[dict[str, Any]]:
        """All open tasks, page by page: an earlier demo may have left many."""
        page = await self.caller.get("/desk/v1/tasks")
        tasks = list(page["tasks"])
        while page["next"]:
            page = await self.caller.call("GET", "/desk/v1/tasks", params={"after": page["next"]})
            tasks += page["tasks"]
        return tasks

    def _result(self, shown: Mapping[str, Any], step: str) -> dict[str, str]:
        """What the step may yield, as far as it is known."""
        (wanted,) = [each["yields_fields"] for each in shown["steps"] if each["step"]["step"] == step]
        return {each["code"]: self.result[each["code"]] for each in wanted if each["code"] in self.result}


class BirthStory:
    """The birth story, told as it happens; afterwards `case` is the number of its case."""

    def __init__(
        self, http: aiohttp.ClientSession, demo: Demo, family: Family, *, forgives: tuple[type[Exception], ...] = ()
    ) -> None:
        self._http = http
        self._provinces = demo.provinces
        self._family = family
        self._forgives = forgives
        self._parent = Caller(http, demo.provinces[0].base_url)
        self._steps: list[dict[str, Any]] = []
        self.case = ""

    async def tell(self) -> AsyncGenerator[Row | str, None]:
        """Each thing that happens: a row of the timeline, or a sentence on what stands in none.

        Raises StoryFailed.
        """
        async for sentence in self._apply():
            yield sentence
        desks = await self._desks()
        numbers = frozenset({self.case, f"{self._provinces[0].division}:{self.case}"})
        told = 0
        while True:
            rows = await self._timeline()
            for row in rows[told:]:
                yield row
                if (row.step, row.act) == (ABROAD, "send"):
                    yield await self._who_waits()
            told = len(rows)
            if rows[-1].act == "close":
                break
            if not any([await desk.work(numbers) for desk in desks]):
                await asyncio.sleep(PAUSE_SECONDS)
        await self._check_end(rows)

    async def _apply(self) -> AsyncIterator[str]:
        parent, mother = self._parent, self._family.mother
        admitted = await parent.post("/api/v1/sessions", {"app_id": APP_ID, "code": mother.code})
        parent.token = admitted["access_token"]
        proof = {"name": mother.name, "id_number": mother.id_number, "face_token": mother.face_token}
        parent.token = (await parent.post("/api/v1/identity", proof))["access_token"]
        yield f"A parent logs in by mini-program code {mother.code} and proves her name ({mother.name}, made up)."
        bundle = await parent.get(f"/api/v1/bundles/{BUNDLE}")
        yield f"She reads the bundle {bundle['name']}: {len(bundle['items'])} items, one case."
        guide = await parent.post(f"/api/v1/bundles/{BUNDLE}/guide", {"answers": ANSWERS})
        fields, materials = guide["form"]["properties"], [each for each in guide["materials"] if each["is_required"]]
        self._steps = guide["steps"]
        yield f"One form: {len(fields)} fields, {guide['saved']['fields']} fewer than item by item."
        given = [{"code": each["code"], "id": await self._hand_in(each["code"])} for each in materials]
        yield f"She hands in {len(given)} materials, each once, and submits."
        form = {code: self._family.form[code] for code in fields if code in self._family.form}
        wish = {"bundle": BUNDLE, "answers": ANSWERS, "form": form, "materials": given}
        self.case = (await parent.post("/api/v1/cases", wish))["id"]

    async def _hand_in(self, code: str) -> str:
        upload = aiohttp.FormData()
        upload.add_field("file", PICTURE, filename=f"{code}.png", content_type="image/png")
        answer = await self._parent.call("POST", "/api/v1/materials", data=upload)
        return str(answer["id"])

    async def _desks(self) -> list[Desk]:
        """Every officer of every province whom the case may need, signed in."""
        places = dict.fromkeys((step["node"], step["department"]) for step in self._steps)
        provinces = {province.division: province for province in self._provinces}
        return await together(
            *(self._desk(provinces[node], provinces[node].officer(department)) for node, department in places)
        )

    async def _desk(self, province: Province, officer: Officer) -> Desk:
        caller = Caller(self._http, province.base_url)
        answer = await caller.post("/desk/v1/sessions", {"name": officer.name, "password": officer.password})
        caller.token = answer["access_token"]
        return Desk(caller, {"child_id_number": self._family.child_id_number}, self._forgives)

    async def _timeline(self) -> list[Row]:
        answer = await self._parent.get(f"/api/v1/cases/{self.case}/timeline")
        return [Row(**{name: entry[name] for name in Row.__dataclass_fields__}) for entry in answer["timeline"]]

    async def _who_waits(self) -> str:
        """That the step at home waits until the other province has decided; no officer acts before this is told."""
        steps = {each["step"]: each for each in (await self._parent.get(f"/api/v1/cases/{self.case}"))["steps"]}
        abroad, waiting = steps[ABROAD], steps[WAITING]
        if waiting["state"] != "waiting" or ABROAD not in waiting["needs"]:
            raise StoryFailed(f"{waiting['name']} should wait for {abroad['name']}, and is {waiting['state_name']}.")
        return f"{waiting['name']} waits until {abroad['name']} is decided by {abroad['holder']['node_name']}."

    async def _check_end(self, rows: list[Row]) -> None:
        case = await self._parent.get(f"/api/v1/cases/{self.case}")
        if (case["state"], case["outcome"]) != ("closed", "completed"):
            raise StoryFailed(f"The case ended as {case['state']}, {case['outcome']}.")
        places = {(row.step, row.act): number for number, row in enumerate(rows)}
        if places[(WAITING, "send")] < places[(ABROAD, "approve")]:
            raise StoryFailed(f"{WAITING} went on before {ABROAD} was decided.")
