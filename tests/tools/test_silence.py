"""Through a silent session nothing gets out, be it to another node or to the platform."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from server.domain.exchange.wire import NoAnswer, WireRequest
from server.tools import silence
from server.tools.calls import Calls, NotReached
from server.tools.wire import HttpWire

ASKED: list[str] = []


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """A server that notes what it is asked."""

    async def note(request: web.Request) -> web.Response:
        ASKED.append(request.path)
        return web.json_response({})

    ASKED.clear()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", note)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def call_both(session: aiohttp.ClientSession, address: str) -> tuple[str, str]:
    """What comes of a letter to a node and of a call to the platform."""
    outcomes = []
    wire, calls = HttpWire(session), Calls(address, session, total_seconds=5.0)
    try:
        await wire.send(WireRequest("POST", f"{address}/peer", {}, b"letter"))
        outcomes.append("sent")
    except NoAnswer as fault:
        outcomes.append(fault.reason)
    try:
        await calls.ask("GET", "/platform")
        outcomes.append("asked")
    except NotReached:
        outcomes.append("not reached")
    return outcomes[0], outcomes[1]


async def test_a_silent_session_sends_nothing_and_says_that_nobody_was_reached(address: str):
    async with silence.session(is_silent=True) as session:
        assert await call_both(session, address) == ("unreachable", "not reached")
    assert ASKED == []


async def test_another_session_reaches_both(address: str):
    async with silence.session(is_silent=False) as session:
        assert await call_both(session, address) == ("sent", "asked")
    assert ASKED == ["/peer", "/platform"]
