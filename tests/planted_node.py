"""A node of a few lines with the doors of a citizen, in which faults are planted: a harness must find each of them."""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import tornado.httpserver
import tornado.netutil
import tornado.web

CITIZENS = [
    {"code": f"citizen-{number}", "name": "示例", "id_number": "", "face_token": "face"} for number in range(1, 5)
]
GUIDE = {
    "form": {"properties": {"name": {"examples": ["示例"]}}},
    "materials": [{"code": "photo", "is_required": True}],
}
SLOW_SECONDS = 0.7
NO_PATH = " "


@dataclass
class PlantedNode:
    """What it holds, and its faults.

    `slow` and `failing` are paths that answer late, or every seventh time with 500; `busy` ones refuse as often with
    503 and Retry-After, `rude` ones without it. `forgets`: each third case is acknowledged and not kept.
    `doubles`: a key that comes again gets another case.
    """

    slow: str = NO_PATH
    failing: str = NO_PATH
    busy: str = NO_PATH
    rude: str = NO_PATH
    forgets: bool = False
    doubles: bool = False
    cases: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    by_key: dict[str, str] = field(default_factory=dict)
    asked: int = 0

    def submit(self, citizen: str, key: str) -> str:
        """The id of a case."""
        if key in self.by_key and not self.doubles:
            return self.by_key[key]
        id = self.by_key[key] = uuid.uuid4().hex
        if not (self.forgets and len(self.by_key) % 3 == 0):
            self.cases[citizen].append(id)
        return id


class PlantedHandler(tornado.web.RequestHandler):
    """Every door."""

    def initialize(self, node: PlantedNode) -> None:
        self.node = node

    async def prepare(self) -> None:
        node, path = self.node, self.request.path
        node.asked += 1
        if node.slow in path:
            await asyncio.sleep(SLOW_SECONDS)
        for planted, status in ((node.failing, 500), (node.busy, 503), (node.rude, 503)):
            if planted in path and node.asked % 7 == 0:
                self.set_status(status)
                if planted == node.busy:
                    self.set_header("Retry-After", "0")
                self.finish({"code": "planted"})

    def get(self, path: str) -> None:
        ids = self.node.cases[self.citizen]
        parts = path.split("/")
        if path == "cases":
            self.finish({"cases": [{"id": id} for id in reversed(ids)], "next": None})
        elif parts[0] == "cases" and parts[1] not in ids:
            self.set_status(404)
            self.finish({"code": "no_such_case"})
        else:
            self.finish({"id": parts[1] if len(parts) > 1 else ""})

    def post(self, path: str) -> None:
        if path == "sessions":
            self.finish({"access_token": tornado.escape.json_decode(self.request.body)["code"]})
        elif path == "identity":
            self.finish({"access_token": self.citizen})
        elif path == "cases":
            self.set_status(201)
            self.finish({"id": self.node.submit(self.citizen, self.request.headers["Idempotency-Key"])})
        else:
            self.finish(GUIDE if path.endswith("/guide") else {"id": "m1"})

    def put(self, _path: str) -> None:
        self.finish({"version": 1})

    @property
    def citizen(self) -> str:
        """Whose token it is."""
        return self.request.headers.get("Authorization", "").removeprefix("Bearer ")


@asynccontextmanager
async def planted(node: PlantedNode) -> AsyncIterator[dict[str, Any]]:
    """Its description as a target of load tests, while it answers."""
    doors = [(r"/api/v1/(.+)", PlantedHandler, {"node": node})]
    server = tornado.httpserver.HTTPServer(tornado.web.Application(doors, log_function=lambda _: None))
    sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    nodes = [{"base_url": url, "officers": [], "counties": [code]} for code in ("320102", "330102")]
    try:
        yield {"nodes": nodes, "app_id": "planted", "citizens": CITIZENS}
    finally:
        server.stop()
        await server.close_all_connections()
