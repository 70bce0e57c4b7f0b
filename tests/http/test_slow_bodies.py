"""A request has its time: headers that trickle and bodies that do not come are ended, and nothing is committed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, ClassVar

import pytest
import pytest_asyncio

from handlers.base import Handler, Operation, Role
from handlers.bodies import seconds_for
from handlers.in_flight import InFlight
from handlers.ops import Alive, alive
from handlers.routes import DOORS
from server import main
from tests.http.asking import Sweeper
from tests.http.test_bodies import answer_of
from tests.nodes import Caller, Places, reserved_port
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")
GRACE = 0.3
MEGABYTE = 1 << 20
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Thinking(Handler):
    """A door that takes longer over its answer than a body may take."""

    path = "/thinking"
    role = Role.ANYONE
    operations: ClassVar[Mapping[str, Operation]] = {"POST": Operation(alive, "接收请求内容", gives=Alive)}

    async def post(self) -> None:
        await asyncio.sleep(2 * GRACE)
        self.answer(alive())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hasty(places: Places) -> AsyncIterator[str]:
    """The address at which Jiangsu waits for next to nothing."""
    running = places.nodes[JIANGSU]
    hurry = {"body_grace_seconds": GRACE, "body_least_rate": 1 << 30, "idle_seconds": 1.0}
    node = replace(running.node, settings=running.node.settings.model_copy(update=hurry))
    with reserved_port() as port:
        server, _ = main.listen(node, running.in_flight, doors=(*DOORS, Thinking), port=port)
        yield f"http://127.0.0.1:{port}"
        await main.stop_listening(server, InFlight(), 5.0)


@asynccontextmanager
async def connected(base_url: str) -> AsyncIterator[Streams]:
    host, _, port = base_url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    yield reader, writer
    writer.close()
    await asyncio.gather(writer.wait_closed(), return_exceptions=True)


async def trickle(writer: asyncio.StreamWriter, drop: bytes) -> None:
    """Send so little again and again, until the other side hangs up."""
    while True:
        writer.write(drop)
        await asyncio.sleep(GRACE / 20)


async def answered_while_trickling(base_url: str, head: str, drop: bytes = b" ") -> tuple[int, str, dict[str, Any]]:
    """The answer to a request whose body comes drop by drop, and after which the connection is closed."""
    async with connected(base_url) as (reader, writer), asyncio.TaskGroup() as group:
        writer.write(head.encode())
        dripping = group.create_task(trickle(writer, drop))
        answer = await answer_of(reader)
        await until_hung_up(reader)
        dripping.cancel()
    return answer


async def until_hung_up(reader: asyncio.StreamReader) -> None:
    """Nothing comes any more: the other side has closed, maybe on a drop that it did not read."""
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""


def head_of(line: str, **headers: str) -> str:
    """The head of a request."""
    named = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"{line} HTTP/1.1\r\nHost: here\r\n{named}\r\n"


@pytest.mark.parametrize(
    ("framing", "drop"),
    [({"Content_Length": "2000"}, b" "), ({"Transfer_Encoding": "chunked"}, b"1\r\n \r\n")],
    ids=["of known length", "in chunks"],
)
async def test_a_body_that_comes_too_slowly_is_cut_off_with_a_problem_and_nothing_is_committed(
    places: Places, hasty: str, mother: Caller, database_sweeper: Sweeper, framing: dict[str, str], drop: bytes
):
    cases = database_sweeper[places.nodes[JIANGSU].node.settings.database]["cases"]
    before = cases.count_documents({})
    sent = {"Authorization": f"Bearer {mother.token}", "Content_Type": "application/json", "Idempotency_Key": "slow"}
    status, head, problem = await answered_while_trickling(
        hasty, head_of("POST /api/v1/cases", **sent, **framing), drop
    )
    assert (status, problem["code"]) == (408, "body_too_slow")
    assert "connection: close" in head
    assert "content-type: application/problem+json" in head
    assert cases.count_documents({}) == before


@pytest.mark.parametrize(
    ("line", "status", "code"),
    [("POST /api/v1/cases", 401, "token_missing"), ("POST /nowhere", 404, "no_such_door"),
     ("DELETE /live", 405, "method_not_allowed"), ("POST /peer/v1/log", 401, "not_signed")],
)  # fmt: skip
async def test_a_refused_caller_who_does_not_finish_is_told_his_refusal_when_the_time_is_over(
    hasty: str, line: str, status: int, code: str
):
    head = head_of(line, Content_Length="2000")
    found, told, problem = await answered_while_trickling(hasty, head)
    assert (found, problem["code"]) == (status, code)
    assert "connection: close" in told


async def test_a_body_that_a_get_brings_has_no_more_time(hasty: str):
    head = head_of("GET /live", Content_Length="2000")
    status, _, problem = await answered_while_trickling(hasty, head)
    assert (status, problem["code"]) == (408, "body_too_slow")


async def test_headers_that_come_byte_by_byte_are_cut_off(hasty: str):
    async with connected(hasty) as (reader, writer), asyncio.TaskGroup() as group:
        writer.write(b"GET /live HTTP/1.1\r\nX-Slow: ")
        dripping = group.create_task(trickle(writer, b"a"))
        await until_hung_up(reader)
        dripping.cancel()


async def test_who_hangs_up_in_a_slow_body_leaves_no_request_behind(places: Places, hasty: str):
    running = places.nodes[JIANGSU]
    async with connected(hasty) as (_, writer):
        writer.write(head_of("POST /nowhere", Content_Length="2000").encode())
        await writer.drain()
    async with asyncio.timeout(20):
        await running.in_flight.drain()
    running.in_flight.is_draining = False


async def test_the_time_ends_with_the_body_and_not_with_the_answer(hasty: str):
    async with connected(hasty) as (reader, writer):
        writer.write(head_of("POST /thinking", Content_Length="2").encode() + b"{}")
        status, _, answer = await answer_of(reader)
    assert (status, answer) == (200, {"status": "alive"})


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"Content-Length": "0"}, 0),
        ({"Content-Length": "1"}, 10),
        ({"Content-Length": str(80 * 1024)}, 20),
        ({"Content-Length": str(MEGABYTE)}, 138),
        ({"Content-Length": str(9 * MEGABYTE)}, 138),
        ({"Transfer-Encoding": "chunked"}, 138),
    ],
    ids=["no body", "an empty one", "a byte", "80 KB", "the most", "more than the most", "of unknown length"],
)
async def test_a_body_has_ten_seconds_and_one_more_for_each_8_kilobytes(headers: dict[str, str], seconds: int):
    settings_of_a_node = {"grace_seconds": 10.0, "least_rate": 8192}
    assert int(seconds_for(headers, most_bytes=MEGABYTE, **settings_of_a_node)) == seconds
