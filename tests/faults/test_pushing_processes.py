"""Watching over several processes: each tells of what any of them has done, and says when it is replaced."""

import asyncio
import json
import signal
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial

import aiohttp
import pytest

from tests.faults.provinces import Province
from tests.faults.test_many_processes import has_told, home, started
from tests.http.watching import PATH, Watch
from tests.nodes import newborn_wish, until

__all__ = ["home"]  # the fixture
ENDED = (1012, "server_stopping")
CONNECTIONS = 14  # over which two processes have some each, all but once in eight thousand times


@pytest.mark.soak
async def test_all_processes_tell_what_one_has_done_and_say_when_they_are_replaced(home: Province):
    several = replace(home, settings=home.settings.model_copy(update={"push_connections_each": 20}), children={})
    await started(several)
    mother = await several.citizen()
    wish = await newborn_wish(mother)
    async with AsyncExitStack() as stack:
        watches = [await watched(stack, several, mother.token) for _ in range(CONNECTIONS)]
        spans = []
        for _ in range(3):  # the quickest counts, as the machine may be busy
            case = (await mother.post("/api/v1/cases", wish)).body["id"]
            answered_at = time.monotonic()
            for watch in watches:
                while (await watch.hear())["case"] != case:
                    continue
            spans.append(time.monotonic() - answered_at)
        assert min(spans) < 1.0
        several.children["serve"].process.send_signal(signal.SIGHUP)
        assert set(await asyncio.gather(*map(closed, watches))) == {ENDED}
        await until(partial(has_told, several, "restart.finished"), seconds=60)
        again = [await watched(stack, several, mother.token) for _ in range(CONNECTIONS)]
        several.children["serve"].process.terminate()
        assert set(await asyncio.gather(*map(closed, again))) == {ENDED}
    assert await several.stop("serve") == 0


async def watched(stack: AsyncExitStack, province: Province, token: str) -> Watch:
    """A connection over which the citizen of the token watches."""
    url = f"http://127.0.0.1:{province.settings.port}{PATH}"
    watch = Watch(await stack.enter_async_context(province.http.ws_connect(url, autoclose=False)))
    await watch.say(token=token)
    assert (await watch.hear())["type"] == "watching"
    return watch


async def closed(watch: Watch) -> tuple[int, str]:
    """How it is closed in the end, whatever is told before."""
    while (message := await watch.socket.receive(timeout=60)).type is aiohttp.WSMsgType.TEXT:
        continue
    return int(message.data), str(json.loads(message.extra or "{}").get("code"))
