"""How much a door takes, and that a refused caller gets to see his refusal and may go on."""

import asyncio
import io
import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson
import pytest

from handlers.bodies import MOST_READ_BYTES
from server.domain.materials import MOST_BYTES
from tests.http.asking import CHINESE, Sweeper, refused
from tests.nodes import ANSWERS, HERE, PNG, Caller, Places
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")
MEGABYTE = 1 << 20
MULTIPART = {"Content-Type": "multipart/form-data; boundary=line"}
JSON = {"Content-Type": "application/json"}


async def megabytes(count: int) -> AsyncIterator[bytes]:
    """A body of unknown length: aiohttp sends it in chunks."""
    for _ in range(count):
        yield b" " * MEGABYTE


def zeros(size: int, start: bytes = b"") -> io.BytesIO:
    """A file of this size; as a stream, so that no failure prints it."""
    return io.BytesIO(start + bytes(size - len(start)))


async def connected(places: Places) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = places.nodes[JIANGSU].base_url.removeprefix("http://").partition(":")
    return await asyncio.open_connection(host, int(port))


async def answer_of(reader: asyncio.StreamReader) -> tuple[int, str, Any]:
    """The next answer on a bare connection: status, headers in lower case, body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(head.partition("content-length: ")[2].split("\r\n")[0])
    return int(head.split()[1]), head, orjson.loads(await reader.readexactly(length))


async def test_a_declared_body_over_the_limit_is_refused(mother: Caller):
    body = b'{"bundle": "' + b"x" * (256 * 1024) + b'"}'
    problem = refused(await mother.call("POST", "/api/v1/cases", data=body, headers=JSON), 413, "body_too_large")
    assert "256 KB" in problem["detail"]


async def test_a_chunked_body_over_the_limit_is_refused(mother: Caller):
    answer = await mother.call("POST", "/api/v1/cases", data=megabytes(1), headers=JSON)
    refused(answer, 413, "body_too_large")


async def test_a_file_over_ten_megabytes_is_refused(mother: Caller):
    refused(await mother.upload(zeros(MOST_BYTES + 1, PNG)), 413, "material_too_large")
    assert (await mother.upload(zeros(MOST_BYTES, PNG))).status == 201


async def test_a_declared_upload_over_the_limit_is_refused(mother: Caller):
    refused(await mother.upload(zeros(11 * MEGABYTE)), 413, "body_too_large")


async def test_a_chunked_upload_over_the_limit_is_refused(mother: Caller):
    answer = await mother.call("POST", "/api/v1/materials", data=megabytes(11), headers=MULTIPART)
    refused(answer, 413, "body_too_large")


@pytest.mark.parametrize(("value", "code"), [(1, "body_faulty"), ("x", "form_faulty")])
async def test_of_two_hundred_faults_twenty_are_told_and_their_number(mother: Caller, value: object, code: str):
    """Of the wrong kind, which the body's shape refuses, or unknown, which the form does."""
    form = {f"unknown_{place:03}": value for place in range(200)}
    wish = {"bundle": "newborn", "division": HERE, "answers": ANSWERS, "form": form}
    problem = refused(await mother.post("/api/v1/cases", wish), 422, code)
    assert len(problem["errors"]) == 20
    assert re.fullmatch(".*共有2[0-9]{2}处，这里列出前20处。", problem["detail"])


async def test_a_body_with_thousands_of_faults_is_answered_with_their_number_alone(mother: Caller):
    wish = {"bundle": "newborn", "form": {f"a{place}": 0 for place in range(20_000)}}
    problem = refused(await mother.post("/api/v1/cases", wish), 422, "body_faulty")
    assert problem["detail"] == "请求内容共有20000处不正确。"
    assert "errors" not in problem


@pytest.mark.parametrize("megabytes", [33, 65, 10**9])
async def test_a_declared_upload_beyond_all_measure_is_cut_off_with_a_problem(
    places: Places, mother: Caller, megabytes: int
):
    """Tornado alone would answer more than it takes with a bare 400."""
    reader, writer = await connected(places)
    head = f"POST /api/v1/materials HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {mother.token}\r\n"
    writer.write(f"{head}Content-Length: {megabytes * MEGABYTE}\r\n\r\n".encode())
    status, head, problem = await answer_of(reader)
    assert (status, problem["code"]) == (413, "body_too_large")
    assert "content-type: application/problem+json" in head
    assert "connection: close" in head
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


async def test_a_chunked_upload_beyond_all_measure_is_cut_off_with_a_problem(places: Places, mother: Caller):
    reader, writer = await connected(places)
    head = f"POST /api/v1/materials HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {mother.token}\r\n"
    writer.write(f"{head}Content-Type: multipart/form-data\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
    for _ in range(MOST_READ_BYTES // MEGABYTE):
        writer.write(f"{MEGABYTE:x}\r\n".encode() + bytes(MEGABYTE) + b"\r\n")
        await writer.drain()
    writer.write(b"1\r\n-\r\n")
    status, head, problem = await answer_of(reader)
    assert (status, problem["code"]) == (413, "body_too_large")
    assert "connection: close" in head
    writer.close()
    await writer.wait_closed()


async def test_a_large_upload_without_a_token_is_told_to_log_in(places: Places):
    refused(await places.caller().upload(zeros(5 * MEGABYTE)), 401, "token_missing")
    chunked = places.caller().call("POST", "/api/v1/materials", data=megabytes(9), headers=MULTIPART)
    refused(await chunked, 401, "token_missing")


async def test_a_caller_who_sends_first_and_reads_later_sees_his_refusal(places: Places):
    """An answer before the whole body has come would close the connection and be lost with it."""
    reader, writer = await connected(places)
    head = f"POST /api/v1/materials HTTP/1.1\r\nHost: here\r\nContent-Length: {8 * MEGABYTE}\r\n\r\n"
    writer.write(head.encode())
    for _ in range(8):
        await asyncio.sleep(0.01)
        writer.write(bytes(MEGABYTE))
        await writer.drain()
    status, _, problem = await answer_of(reader)
    assert (status, problem["code"]) == (401, "token_missing")
    assert CHINESE.search(problem["title"])
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    ("request_line", "status"),
    [("POST /api/v1/cases", 401), ("POST /nowhere", 404), ("DELETE /api/v1/cases", 405), ("GET /api/v1/cases", 401)],
)
async def test_a_refused_caller_goes_on_with_the_same_connection(places: Places, request_line: str, status: int):
    reader, writer = await connected(places)
    for _ in range(2):
        writer.write(f"{request_line} HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        found, head, _ = await answer_of(reader)
        assert found == status
        assert "connection: close" not in head
    writer.write(b"GET /live HTTP/1.1\r\nHost: here\r\n\r\n")
    assert (await answer_of(reader))[0] == 200
    writer.close()
    await writer.wait_closed()


async def test_a_method_that_nobody_knows_closes_and_says_so(places: Places):
    answer = await places.caller().call("BREW", "/live")
    refused(answer, 405, "method_not_allowed")
    assert answer.headers["Connection"] == "close"


async def test_a_caller_who_hangs_up_in_the_middle_leaves_nothing_behind(
    places: Places, mother: Caller, database_sweeper: Sweeper
):
    running = places.nodes[JIANGSU]
    materials = database_sweeper[running.node.settings.database]["materials"]
    before = materials.count_documents({})
    _, writer = await connected(places)
    head = f"POST /api/v1/materials HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {mother.token}\r\n"
    writer.write(f"{head}Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000\r\n\r\nhalf".encode())
    await writer.drain()
    while not _requests_under_way():
        await asyncio.sleep(0.01)
    writer.close()
    await writer.wait_closed()
    while _requests_under_way():
        await asyncio.sleep(0.01)
    async with asyncio.timeout(20):
        await running.in_flight.drain()
    running.in_flight.is_draining = False
    assert materials.count_documents({}) == before
    assert (await mother.upload()).status == 201
    assert materials.count_documents({}) == before + 1


def _requests_under_way() -> int:
    return sum("RequestHandler._execute" in repr(task.get_coro()) for task in asyncio.all_tasks())


async def test_a_malformed_multipart_type_on_a_get_does_no_harm(places: Places):
    answer = await places.caller().get("/live", headers={"Content-Type": "multipart/form-data"})
    assert answer.status == 200


async def test_an_upload_must_hold_exactly_one_file(mother: Caller):
    for files in (0, 2):
        form = aiohttp.FormData({"note": "x"}, default_to_multipart=True)
        for _ in range(files):
            form.add_field("file", PNG, filename="photo.png")
        refused(await mother.call("POST", "/api/v1/materials", data=form), 400, "file_missing")
    for body in (b"", b"--line", b"nonsense", PNG):
        answer = await mother.call("POST", "/api/v1/materials", data=body, headers=MULTIPART)
        refused(answer, 400, "file_missing")
    refused(await mother.post("/api/v1/materials"), 415, "wrong_content_type")
