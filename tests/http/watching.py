"""Somebody who watches their cases over a real WebSocket, and processes beside the one that a test has."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from server.tools.clock import SystemClock
from tests.nodes import Caller, Places, Running, reserved_port, running_node
from tests.world import JIANGSU

PATH = "/api/v1/push"
LONG_SECONDS = 10.0  # nothing takes so long that is not broken


class ElsewhereClock(SystemClock):
    """The clock of another machine: its processes hear no bell of this one."""

    def __init__(self) -> None:
        super().__init__()
        self.machine = "boot:elsewhere"


class Watch:
    """One connection; closing ends it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def say(self, **message: str) -> None:
        """Send a message."""
        await self.socket.send_str(json.dumps(message))

    async def hear(self, *, seconds: float = LONG_SECONDS) -> dict[str, Any]:
        """The next message; TimeoutError."""
        return dict(await self.socket.receive_json(timeout=seconds))

    async def closed(self) -> tuple[int, dict[str, Any]]:
        """The code with which it is closed, and the reason."""
        message = await self.socket.receive(timeout=LONG_SECONDS)
        assert message.type is aiohttp.WSMsgType.CLOSE, message
        return int(message.data), json.loads(message.extra or "{}")


@asynccontextmanager
async def connected(http: aiohttp.ClientSession, running: Running, **more: Any) -> AsyncIterator[Watch]:
    """A connection over which nothing was said yet."""
    async with http.ws_connect(running.base_url + PATH, autoclose=True, **more) as socket:
        yield Watch(socket)


@asynccontextmanager
async def watching(caller: Caller, running: Running, cursor: str = "") -> AsyncIterator[tuple[Watch, dict[str, Any]]]:
    """A citizen who watches, and what they were answered at first."""
    async with connected(caller.http, running) as watch:
        await watch.say(token=caller.token, **({"cursor": cursor} if cursor else {}))
        yield watch, await watch.hear()


@asynccontextmanager
async def beside(places: Places, *, is_elsewhere: bool = False, **settings: Any) -> AsyncIterator[Running]:
    """Another process of the same node, on this machine or on another one."""
    with reserved_port() as port:
        chosen = places.nodes[JIANGSU].node.settings.model_copy(update={"port": port, **settings})
        clock = ElsewhereClock() if is_elsewhere else None
        async with running_node(chosen, clock, is_pushing=True) as running:
            yield running


async def nothing_more(watch: Watch, *, seconds: float) -> bool:
    """Whether nothing comes for so long."""
    try:
        async with asyncio.timeout(seconds):  # that of `receive` begins anew with each ping
            await watch.socket.receive()
    except TimeoutError:
        return True
    return False
