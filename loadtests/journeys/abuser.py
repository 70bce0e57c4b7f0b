"""The way of an abuser: wrong tokens, large and slow bodies, guessed ids, malformed JSON; each gets a clear 4xx."""

import json
import random
import socket
import time
import uuid
from urllib.parse import urlsplit

from loadtests.journeys.asking import Asker
from loadtests.journeys.journey import Journey, log_in, new_key

LARGE_BYTES = 3 << 20
SLOW = "POST /api/v1/sessions slowly"
DRIP_SECONDS, SLOW_SECONDS = 1.0, 40.0
SLOW_SHARE = 0.1
JSON_TYPE = {"Content-Type": "application/json"}
UNREADABLE = ("{", "[" * 5000, '{"bundle": "newborn", "bundle": ', "\x00", "null", '"text"', "[1]", '{"form": 1e999}')


class AbuserJourney(Journey):
    """Somebody who tries what nobody should; a 5xx, a success or a refusal without a code is an error of the node."""

    name = "abuser"

    def go(self) -> None:
        """One of each, and a slow body now and then."""
        asker = self.asker()
        self._without_rights(asker)
        self._with_rights(asker)
        if random.random() < SLOW_SHARE:
            self._slowly()

    def _without_rights(self, asker: Asker) -> None:
        asker.token = random.choice(("nonsense", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "x" * 2000))
        _refused(asker, "GET /api/v1/cases with a wrong token", 401)
        _refused(asker, "GET /desk/v1/tasks with a wrong token", 401)
        asker.token = ""
        _refused(asker, "GET /peer/v1/heads without a signature", 401, query="?way=in")
        self.pause(0.2, 0.8)
        wish = json.dumps({"app_id": "x" * LARGE_BYTES, "code": "x"})
        _refused(asker, "POST /api/v1/sessions too large", 413, data=wish, headers={**JSON_TYPE, **new_key()})
        self.pause(0.2, 0.8)

    def _with_rights(self, asker: Asker) -> None:
        """What somebody may try who is logged in: others' cases, and bodies that nobody can read."""
        person = random.choice(self.stage.target.citizens)
        if not log_in(asker, self.stage.target, person).is_served:
            return
        guessed = random.choice((uuid.uuid4().hex, "0" * 24, "..%2f..%2fetc", "$ne", "%00", "x" * 300))
        _refused(asker, "GET /api/v1/cases/{id} guessed", 404, path=f"/api/v1/cases/{guessed}")
        _refused(asker, "GET /desk/v1/tasks as a citizen", 401, 403)
        self.pause(0.2, 0.8)
        body = random.choice(UNREADABLE)
        headers = {**JSON_TYPE, **new_key()}
        _refused(asker, "POST /api/v1/cases malformed", 400, 413, 422, data=body.encode(), headers=headers)
        _refused(asker, "POST /api/v1/cases without a key", 400, data=b"{}", headers=JSON_TYPE)
        _refused(asker, "PUT /api/v1/cases in no such way", 404, 405, data=b"{}", headers=JSON_TYPE)

    def _slowly(self) -> None:
        """A body that never comes to its end: the node answers 408, and does not wait for ever."""
        address = urlsplit(self.stage.target.base_url())
        began, told = time.perf_counter(), b""
        try:
            with socket.create_connection((address.hostname or "", address.port or 80), timeout=5) as wire:
                head = f"POST /api/v1/sessions HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
                wire.sendall(f"{head}Content-Length: 1000\r\n\r\n".encode())
                wire.settimeout(DRIP_SECONDS)
                while not told and time.perf_counter() - began < SLOW_SECONDS:
                    told = _drip(wire)
        except OSError as broken:
            told = told or repr(broken).encode()
        fault = None if told.startswith(b"HTTP/1.1 408 ") else AssertionError(f"no 408 but {told[:60]!r}")
        is_awaited = self.stage.plan.has_kills and fault is not None
        self.stage.report(
            request_type="broken" if is_awaited else "POST",
            name=SLOW if is_awaited else SLOW.partition(" ")[2],
            response_time=(time.perf_counter() - began) * 1000,
            response_length=len(told),
            exception=None if is_awaited else fault,
            context={},
        )


def _refused(asker: Asker, door: str, *statuses: int, path: str = "", query: str = "", **more: object) -> None:
    """Ask what must be refused with one of these statuses and a code; words after the door's path are no address."""
    shown = door.split(" ")[1]
    asker.ask(door, path or shown + query, expected=statuses, is_refusal_clear=True, is_again=False, **more)


def _drip(wire: socket.socket) -> bytes:
    """One more byte, and what has come meanwhile."""
    wire.sendall(b" ")
    try:
        return wire.recv(4096)
    except TimeoutError:
        return b""
