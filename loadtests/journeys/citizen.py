"""The way of a citizen: log in, read the guide, keep a draft, hand in materials, submit, watch."""

import itertools
import random
import uuid
from collections.abc import Iterator
from typing import Any, ClassVar

from loadtests.journeys.asking import SERVED, JourneyReply
from loadtests.journeys.journey import Journey, log_in, new_key

PNG = b"\x89PNG\r\n\x1a\n" + b"a made-up picture for load tests"
BUNDLE = "newborn"
CASES = "POST /api/v1/cases"
REPEATED = 10  # the first submission of a process and each tenth is sent once more under the same key
LOOKS = 2
OLD_AFTER = 20  # rounds, after which one logs in again


class CitizenJourney(Journey):
    """A citizen with a newborn child, who applies for all of its papers; a new one logs in now and then."""

    name = "citizen"
    _submitted: ClassVar[Iterator[int]] = itertools.count()

    def __init__(self, stage: Any, client: Any) -> None:
        super().__init__(stage, client)
        self._asker = self.asker()
        self._person: dict[str, str] = {}
        self._rounds = 0

    def go(self) -> None:
        """From the login (or the guide, for who is logged in) to the look at the case."""
        if self._rounds % OLD_AFTER == 0 or not self._asker.token:
            self._person = random.choice(self.stage.target.citizens)
            if not log_in(self._asker, self.stage.target, self._person).is_served:
                return
            self.pause(0.3, 1.0)
        self._rounds += 1
        wish = self._filled_in()
        case = self._submit(wish) if wish else None
        if case:
            self._watch(case)

    def _filled_in(self) -> dict[str, Any] | None:
        """What is to be handed in, after reading and filling in; None if a request failed."""
        ask, counties = self._asker.ask, self.stage.target.counties
        ask("GET /api/v1/bundles")
        self.pause(0.3, 1.0)
        ask("GET /api/v1/bundles/{code}", f"/api/v1/bundles/{BUNDLE}")
        answers = {"household": random.choice(counties(1)), "maternity_insurance": "no"}
        place = {"division": random.choice(counties(0)), "answers": answers}
        guide = ask("POST /api/v1/bundles/{code}/guide", f"/api/v1/bundles/{BUNDLE}/guide", json=place)
        if not guide.is_served:
            return None
        self.pause(0.5, 2.0)
        form = {name: self._value_of(field) for name, field in guide.body["form"]["properties"].items()}
        wish: dict[str, Any] = {"bundle": BUNDLE, **place, "form": form, "materials": []}
        draft = f"load-{uuid.uuid4().hex[:12]}"
        kept = ask("PUT /api/v1/drafts/{id}", f"/api/v1/drafts/{draft}", json=wish)
        self.pause(0.3, 1.0)
        body, kind = multipart("photo.png", PNG, "image/png")
        upload = ask("POST /api/v1/materials", data=body, headers={"Content-Type": kind, **new_key()})
        if not kept.is_served or not upload.is_served:
            return None
        needed = [each["code"] for each in guide.body["materials"] if each["is_required"]]
        wish["materials"] = [{"code": code, "id": upload.body["id"]} for code in needed]
        tag = {"If-Match": f'"{kept.body["version"]}"'}
        kept = ask("PUT /api/v1/drafts/{id}", f"/api/v1/drafts/{draft}", json=wish, headers=tag)
        self.pause(0.3, 1.0)
        return {"draft": draft, "version": kept.body["version"]} if kept.is_served else None

    def _submit(self, wish: dict[str, Any]) -> str:
        """The id of the case; empty if the node has not acknowledged it."""
        key = new_key()
        about = {"key": key["Idempotency-Key"], "citizen": self._person["code"]}
        self.stage.book.write("asked", **about)
        case = self._acknowledged(self._asker.ask(CASES, json=wish, headers=key), about)
        if case and next(self._submitted) % REPEATED == 0:
            self._acknowledged(self._asker.ask(CASES, json=wish, headers=key), about)
        return case

    def _acknowledged(self, reply: JourneyReply, about: dict[str, str]) -> str:
        if not reply.is_served:
            return ""
        self.stage.book.write("acknowledged", id=reply.body["id"], **about)
        return str(reply.body["id"])

    def _watch(self, case: str) -> None:
        for _ in range(LOOKS):
            self.pause(0.3, 1.5)
            self._asker.ask("GET /api/v1/cases/{id}", f"/api/v1/cases/{case}")
            self._asker.ask("GET /api/v1/cases/{id}/timeline", f"/api/v1/cases/{case}/timeline")
        self._asker.ask("GET /api/v1/cases")

    def _value_of(self, field: dict[str, Any]) -> str:
        """A right value of a form field, as its schema describes it."""
        if "enum" in field:
            return str(field["enum"][0])
        if field.get("format") == "cn-id-number":
            return self._person["id_number"]
        return str(field["examples"][0]) if "examples" in field else "测试内容"


class LoginJourney(Journey):
    """One of many who log in at the same moment, and at once ask for their cases."""

    name = "login"

    def go(self) -> None:
        """Log in anew, look, and go."""
        asker = self.asker()
        if log_in(asker, self.stage.target, random.choice(self.stage.target.citizens)).is_served:
            asker.ask("GET /api/v1/cases")
            self.pause(0.1, 0.5)
            # One whose answer was cut off was heard: asked again, there is no such session any more.
            left = (*SERVED, 401) if self.stage.plan.has_kills else SERVED
            asker.ask("DELETE /api/v1/sessions/current", headers=new_key(), expected=left)


def multipart(name: str, content: bytes, kind: str) -> tuple[bytes, str]:
    """The body of a form with one file, and its type."""
    bound = uuid.uuid4().hex
    head = (
        f'--{bound}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: {kind}\r\n\r\n'
    )
    return head.encode() + content + f"\r\n--{bound}--\r\n".encode(), f"multipart/form-data; boundary={bound}"
