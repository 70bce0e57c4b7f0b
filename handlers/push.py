"""The door of those who watch their cases over a WebSocket (RFC 6455)."""

import asyncio
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress

import orjson
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from handlers.admission import AdmissionControl, ClientGone, group_of
from handlers.base import Handler, Operation, Role
from handlers.bodies import read_model
from handlers.in_flight import InFlight
from handlers.problems import answer_to, problem_of
from server.desk.citizen import watchers
from server.desk.citizen.pushing import FirstMessage, Pushes, UnexpectedMessage
from server.desk.citizen.watchers import Watcher
from server.domain.errors import Malformed, NotAuthentic, Refusal, WrittenByNewer
from server.node import Node

MOST_MESSAGE_BYTES = 1024
BUFFER_BYTES = 8192  # that the kernel keeps for a watcher who does not read
REFUSED = 4000  # and the HTTP status of the refusal, as a code of closing
RESTARTING = 1012
STOPPING = orjson.dumps({"code": "server_stopping"}).decode()
TOLD = ("code", "cursor", "retry_after_seconds")
UPGRADE = {"Upgrade": "websocket", "Connection": "upgrade", "Sec-WebSocket-Version": "13"}


class WebSocketNeeded(Malformed):
    """This door is opened as a WebSocket only (RFC 6455, version 13)."""

    code = "websocket_needed"
    title = "此接口只接受 WebSocket 连接"


class PushHandler(Handler, WebSocketHandler):
    """Watch one's own cases. Who comes says so in the first message: a WebSocket of a phone carries no headers."""

    path = "/api/v1/push"
    role = Role.WATCHER
    operations = {"GET": Operation(watchers.watch, "以 WebSocket 接收本人办件的变化通知", status=101)}
    lasts = True
    max_message_size = MOST_MESSAGE_BYTES
    ping_interval = 0.0  # Tornado would have a task for each connection

    def initialize(self, node: Node, in_flight: InFlight) -> None:
        super().initialize(node, in_flight)
        self.pushes: Pushes = self.settings["pushes"]
        self.admission: AdmissionControl = self.settings["admission"]
        self.watcher: Watcher | None = None

    async def get(self) -> None:
        _check_upgrades(self.request.headers)
        self.watcher = watchers.watch(self)
        await WebSocketHandler.get(self)

    def check_origin(self, _origin: str) -> bool:
        """From any: nothing that a browser adds by itself lets anybody in, only the token in the first message."""
        return True

    def open(self) -> None:
        stream = self.ws_connection.stream if self.ws_connection else None
        if self.watcher and stream:
            stream.set_nodelay(True)
            stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
            self.pushes.audience.arrive(self.watcher)

    async def on_message(self, message: str | bytes) -> None:
        watcher = self.watcher
        if watcher is None or watcher.is_over:
            return
        try:
            if watcher.has_spoken or isinstance(message, bytes):
                raise UnexpectedMessage
            watcher.has_spoken = True
            first = read_model(FirstMessage, message.encode())
            async with self.admission.turn(group_of(self.path), lambda: watcher.is_over):
                await self.pushes.let_in(watcher, first)
        except ClientGone:
            return
        except Refusal as refusal:
            self.pushes.audience.refuse(watcher, refusal)
        except (NotAuthentic, WrittenByNewer) as fault:
            self.log_exception(type(fault), fault, fault.__traceback__)
            self.pushes.audience.refuse(watcher, answer_to(fault))

    def on_pong(self, _data: bytes) -> None:
        if self.watcher:
            self.watcher.unanswered = 0

    def on_close(self) -> None:
        if self.watcher:
            self.pushes.audience.leave(self.watcher)
            self.watcher = None  # or each would keep the other

    def send(self, text: str, then: Callable[[], object]) -> None:
        """Send a text; `then` is called unless the connection is gone before the kernel has all of it."""

        def sent(written: "asyncio.Future[None]") -> None:
            if not written.cancelled() and written.exception() is None:
                then()

        with suppress(WebSocketClosedError):
            self.write_message(text).add_done_callback(sent)
            self.node.metrics.push_messages.inc()

    def ping(self, data: str | bytes = b"") -> None:
        """Ask for a pong; on a connection that is gone nothing happens."""
        with suppress(WebSocketClosedError, StreamClosedError):
            super().ping(data)

    def refuse(self, refusal: Refusal) -> None:
        """Close with 4000 and the HTTP status of the refusal; the reason is JSON with its code."""
        status, problem = problem_of(refusal, 500)
        self.close(REFUSED + status, orjson.dumps({name: problem[name] for name in TOLD if name in problem}).decode())

    def part(self) -> None:
        """Close with 1012: the process ends, and another one is there or soon will be."""
        self.close(RESTARTING, STOPPING)


def _check_upgrades(headers: Mapping[str, str]) -> None:
    asked = {name: [part.strip().lower() for part in headers.get(name, "").split(",")] for name in UPGRADE}
    if not headers.get("Sec-WebSocket-Key") or any(UPGRADE[name] not in parts for name, parts in asked.items()):
        raise WebSocketNeeded("请使用 WebSocket 连接。")
