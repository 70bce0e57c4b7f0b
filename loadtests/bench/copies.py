"""Rows that ask copies of a node's `serve`: one that turns everybody away, and one and two processes of the same."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from loadtests.baselines.serving import HOST
from loadtests.bench.contestants import Contestant, repeated
from loadtests.bench.loader import HEAD_END, request_bytes
from loadtests.bench.rest import copied
from loadtests.demos import environ_of

CASES, BUNDLE, SESSIONS = "/api/v1/cases", "/api/v1/bundles/newborn", "/api/v1/sessions"
APP_ID = "TONGBAN_PLATFORM_APP_ID"
FULL = {"TONGBAN_CITIZENS_AT_ONCE": "1", "TONGBAN_MOST_WAIT_SECONDS": "0.0001"}
SETTLED_SECONDS = 0.3
AGAIN_SECONDS = 0.01


async def rows_of_copies(
    pid: int, stack: AsyncExitStack, *, count: int, section: str, against: str
) -> list[Contestant]:
    """Three rows of this section, with copies of this `serve` that end with the stack; raises CopyNotReady."""
    silent = await stack.enter_async_context(_silent_platform())
    full = await stack.enter_async_context(copied(pid, "serve", settings=FULL | {"TONGBAN_PLATFORM_URL": silent}))
    await stack.enter_async_context(_held(full.port, environ_of(pid)[APP_ID]))
    one = await stack.enter_async_context(copied(pid, "serve"))
    two = await stack.enter_async_context(copied(pid, "serve", options=("--processes", "2")))
    page, cases = request_bytes("GET", BUNDLE, headers={}), request_bytes("GET", CASES, headers={})
    return [
        Contestant("turned away", section, full.port, (full.pid,), count, 503, repeated(cases), against=against),
        Contestant("one process", section, one.port, (one.pid,), count, 200, repeated(page), against=against),
        Contestant(
            "two processes", section, two.port, _children(two.pid), count, 200, repeated(page), against="one process"
        ),
    ]


@asynccontextmanager
async def _silent_platform() -> AsyncIterator[str]:
    """The address of a platform that takes every call and answers none."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(take, HOST, 0)
    try:
        yield f"http://{HOST}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@asynccontextmanager
async def _held(port: int, app_id: str) -> AsyncIterator[None]:
    """Have a login under way all the time, which waits for a platform that does not answer."""
    body = json.dumps({"app_id": app_id, "code": "any"}).encode()
    login = request_bytes("POST", SESSIONS, headers={"Idempotency-Key": "held"}, body=body)

    async def log_in() -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        while True:
            writer.write(login)
            head = await reader.readuntil(HEAD_END)
            await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]))
            await asyncio.sleep(AGAIN_SECONDS)

    tasks = [asyncio.create_task(log_in()) for _ in range(2)]
    await asyncio.sleep(SETTLED_SECONDS)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def _children(pid: int) -> tuple[int, ...]:
    """The processes that a process has started."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return tuple(map(int, found))
