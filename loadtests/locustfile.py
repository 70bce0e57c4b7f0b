"""Two journeys by HTTP only: a citizen who applies and watches, and an officer who works the list of one county.

The applications come from a hundred counties: half of them hand in, the other half register the households.
"""

import json
import os
import random
import time
import uuid
from pathlib import Path
from typing import Any

from locust import HttpUser, between, task

PNG = b"\x89PNG\r\n\x1a\n" + b"a made-up picture for load tests"
DEMO = json.loads(Path(os.environ["TONGBAN_TEST_DEMO"]).read_text())
HOME = DEMO["nodes"][0]
COUNTY_OFFICER = "county-"
NEXT_ACT = {"sent": "receive", "received": "accept", "accepted": "approve"}


def county_officers(node: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The officer of each county of a node, by the county's code."""
    found = {officer["name"]: officer for officer in node["officers"] if officer["name"].startswith(COUNTY_OFFICER)}
    return {name.removeprefix(COUNTY_OFFICER): officer for name, officer in found.items()}


OFFICERS = county_officers(HOME)
HERE, THERE = list(OFFICERS), list(county_officers(DEMO["nodes"][1]))


class ApiUser(HttpUser):
    """Someone with a bearer token."""

    abstract = True
    host = HOME["base_url"]

    def ask(
        self, method: str, path: str, *, name: str = "", expected: tuple[int, ...] = (200, 201), **more: Any
    ) -> Any:
        """One request; any other status than those expected counts as a failure."""
        headers = more.pop("headers", {}) | getattr(self, "bearer", {})
        if method == "POST":
            headers["Idempotency-Key"] = uuid.uuid4().hex
        with self.client.request(
            method, path, name=f"{method} {name or path}", headers=headers, catch_response=True, **more
        ) as answer:
            if answer.status_code not in expected:
                answer.failure(f"{answer.status_code} {answer.text[:200]}")
                return None
            answer.success()
            return answer.json() if answer.status_code < 300 else None


class CitizenUser(ApiUser):
    """Log in once, then: guide, upload, submit, watch."""

    weight = 4
    wait_time = between(0.2, 1.0)

    def on_start(self) -> None:
        person = random.choice(DEMO["citizens"])  # which citizen it is needs no secrecy
        session = self.ask("POST", "/api/v1/sessions", json={"app_id": DEMO["app_id"], "code": person["code"]})
        self.bearer = {"Authorization": f"Bearer {session['access_token']}"}
        proof = {name: person[name] for name in ("name", "id_number", "face_token")}
        session = self.ask("POST", "/api/v1/identity", json=proof)
        self.bearer = {"Authorization": f"Bearer {session['access_token']}"}
        self.person = person
        self.cases: list[str] = []

    @task(1)
    def apply(self) -> None:
        """Read the guide, hand in the materials it asks for, submit."""
        answers = {"household": random.choice(THERE), "maternity_insurance": "no"}  # where it is needs no secrecy
        place = {"division": random.choice(HERE), "answers": answers}
        guide = self.ask("POST", "/api/v1/bundles/newborn/guide", json=place)
        if guide is None:
            return
        upload = self.ask("POST", "/api/v1/materials", files={"file": ("photo.png", PNG, "image/png")})
        if upload is None:
            return
        form = {name: self.value_of(field) for name, field in guide["form"]["properties"].items()}
        needed = [each["code"] for each in guide["materials"] if each["is_required"]]
        wish = {
            "bundle": "newborn",
            **place,
            "form": form,
            "materials": [{"code": code, "id": upload["id"]} for code in needed],
        }
        case = self.ask("POST", "/api/v1/cases", json=wish)
        if case:
            self.cases.append(case["id"])

    @task(3)
    def watch(self) -> None:
        """Look at the latest case."""
        if self.cases:
            self.ask("GET", f"/api/v1/cases/{self.cases[-1]}", name="/api/v1/cases/{id}")
            self.ask("GET", f"/api/v1/cases/{self.cases[-1]}/timeline", name="/api/v1/cases/{id}/timeline")

    def value_of(self, field: dict[str, Any]) -> str:
        """A right value of a form field, as its schema describes it."""
        if "enum" in field:
            return str(field["enum"][0])
        if field.get("format") == "cn-id-number":
            return str(self.person["id_number"])
        return str(field["examples"][0]) if "examples" in field else "测试内容"


class OfficerUser(ApiUser):
    """Sign in once as the officer of a county, then do the next act on one of the tasks shown."""

    weight = 1
    wait_time = between(0.1, 0.5)

    def on_start(self) -> None:
        county = random.choice(HERE)  # which county it is needs no secrecy
        officer = OFFICERS[county]
        wish = {"name": officer["name"], "password": officer["password"]}
        while not (session := self.ask("POST", "/desk/v1/sessions", json=wish, expected=(201, 429))):
            time.sleep(1)  # many sign in under one name, and one waits for the other
        self.bearer = {"Authorization": f"Bearer {session['access_token']}"}

    @task
    def work(self) -> None:
        """Take a task, look at its case, do the next act; a colleague who was faster is no failure."""
        shown = self.ask("GET", "/desk/v1/tasks")
        open_tasks = [each for each in shown["tasks"] if each["state"] in NEXT_ACT] if shown else []
        if not open_tasks:
            return
        chosen = random.choice(open_tasks)  # any task will do
        act = NEXT_ACT[chosen["state"]]
        self.ask("GET", f"/desk/v1/cases/{chosen['case']}", name="/desk/v1/cases/{id}")
        self.ask(
            "POST",
            f"/desk/v1/cases/{chosen['case']}/steps/{chosen['step']}/{act}",
            name="/desk/v1/cases/{id}/steps/{step}/{act}",
            json={"version": chosen["version"]},
            expected=(200, 409, 412),
        )
