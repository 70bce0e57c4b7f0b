"""One request of a journey: what counts as served, refused, broken or an error, and how a refusal is honoured."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

MOST_TRIES = 30
MOST_WAIT_SECONDS = 30.0
BROKEN_SECONDS = 0.5
REFUSED = (429, 503)
SERVED = (200, 201, 204)


@dataclass(frozen=True)
class JourneyReply:
    """What came: the status (0: no answer), the JSON of the body (empty: none), and the headers."""

    status: int
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_served(self) -> bool:
        """Whether the node did what was asked."""
        return self.status in SERVED


class Asker:
    """Somebody who asks one node, and whose requests Locust counts.

    `client` is a FastHttpSession. With `has_kills`, a broken connection is told apart and no error.
    """

    def __init__(self, client: Any, base_url: str, *, has_kills: bool = False) -> None:
        self._client = client
        self._base_url = base_url
        self._has_kills = has_kills
        self.token = ""

    def ask(
        self,
        door: str,
        path: str = "",
        *,
        expected: tuple[int, ...] = SERVED,
        is_refusal_clear: bool = False,
        is_again: bool = True,
        **more: Any,
    ) -> JourneyReply:
        """One request at a door (`GET /api/v1/cases/{id}`), at `path` where that is not its own.

        Any status but those expected is an error; `is_refusal_clear`: so is a refusal that is no problem document with
        a code. What is refused for now (429, 503) is asked again when Retry-After says so, what broke off soon.
        """
        for _ in range(MOST_TRIES if is_again else 1):
            reply, wait = self._once(door, path, expected=expected, is_refusal_clear=is_refusal_clear, **more)
            if wait < 0:
                break
            time.sleep(wait)
        return reply

    def _once(
        self, door: str, path: str, *, expected: tuple[int, ...], is_refusal_clear: bool, **more: Any
    ) -> tuple[JourneyReply, float]:
        method, _, shown = door.partition(" ")
        headers = {**({"Authorization": f"Bearer {self.token}"} if self.token else {}), **more.pop("headers", {})}
        with self._client.request(
            method, self._base_url + (path or shown), name=shown, headers=headers, catch_response=True, **more
        ) as answer:
            wait = self._judge(answer, door, expected=expected)
            body = _json_of(answer)
            if wait < 0 and is_refusal_clear and not (isinstance(body, dict) and body.get("code")):
                answer.failure(f"{answer.status_code} is no problem document with a code")
            return JourneyReply(answer.status_code, body, dict(answer.headers or {})), wait

    def _judge(self, answer: Any, door: str, *, expected: tuple[int, ...]) -> float:
        """Tell Locust what came; the seconds after which to ask again, below 0: do not."""
        status, meta = answer.status_code, answer.request_meta
        if status in expected:
            answer.success()
        elif status in REFUSED:
            wait = (answer.headers or {}).get("Retry-After", "")
            if wait.isascii() and wait.isdigit():
                meta.update(request_type="refused", name=f"{door} {status}")
                answer.success()
                return min(float(wait), MOST_WAIT_SECONDS) + random.random()
            answer.failure(f"{status} without Retry-After")
        elif status == 0:
            if self._has_kills:
                meta.update(request_type="broken", name=door)
                answer.success()
                return BROKEN_SECONDS
            answer.failure(f"no answer: {meta['exception']!r:.120}")
        else:
            answer.failure(f"{status} {_code_of(answer)}")
        return -1.0


def thinking(think: float) -> Callable[[float, float], None]:
    """How somebody pauses between two requests, so many times as long as they usually do."""

    def pause(least: float, most: float) -> None:
        time.sleep(random.uniform(least, most) * think)

    return pause


def _json_of(answer: Any) -> Any:
    try:
        return answer.json() if answer.content else {}
    except ValueError:
        return {}


def _code_of(answer: Any) -> str:
    body = _json_of(answer)
    return str(body.get("code", "")) if isinstance(body, dict) else ""
