"""Citizens outside of Locust, who hold out while a node is busy or starts again: they seed, and look after a run."""

import asyncio
import uuid
from collections.abc import Mapping
from typing import Any

import aiohttp

from loadtests.plan import Target

TRIES, PAUSE_SECONDS, MOST_WAIT_SECONDS = 30, 1.0, 30.0
LATER = (429, 503)
GONE = 404


class NeverAnswered(RuntimeError):
    """The node did not do what it must be able to do, however often it was asked."""


class PatientCaller:
    """A citizen at the first node of a target."""

    def __init__(self, http: aiohttp.ClientSession, target: Target, person: Mapping[str, str]) -> None:
        self._http = http
        self._target = target
        self.person = person
        self._token = ""

    async def enter(self) -> None:
        """Log in and prove the name; raises NeverAnswered."""
        self._token = ""
        wish = {"app_id": self._target.described["app_id"], "code": self.person["code"]}
        self._token = (await self.ask("POST", "/api/v1/sessions", json=wish))["access_token"]
        proof = {name: self.person[name] for name in ("name", "id_number", "face_token")}
        self._token = (await self.ask("POST", "/api/v1/identity", json=proof))["access_token"]

    async def ask(self, method: str, path: str, **more: Any) -> Any:
        """What is answered, {} for 404; asked again, under the same key, while the node is busy or does not answer.

        Raises NeverAnswered.
        """
        headers = {"Idempotency-Key": uuid.uuid4().hex} if method == "POST" else {}
        headers |= {"Authorization": f"Bearer {self._token}"} if self._token else {}
        answered = ""
        for _ in range(TRIES):
            wait = PAUSE_SECONDS
            try:
                url = self._target.base_url() + path
                async with self._http.request(method, url, headers=headers, **more) as answer:
                    if answer.status < 300:
                        return await answer.json()
                    if answer.status == GONE:
                        return {}
                    answered = f"{answer.status} {(await answer.text())[:200]}"
                    if answer.status not in LATER:
                        break
                    wait = _seconds_in(answer.headers.get("Retry-After", ""))
            except (aiohttp.ClientError, TimeoutError) as fault:
                answered = repr(fault)
            await asyncio.sleep(wait)
        raise NeverAnswered(f"{method} {path}: {answered}")


def _seconds_in(text: str) -> float:
    return min(float(text), MOST_WAIT_SECONDS) if text.isascii() and text.isdigit() else PAUSE_SECONDS
