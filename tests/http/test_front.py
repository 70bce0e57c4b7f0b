"""The front answers cached pages as their doors do, and turns away at once who comes when too many are there."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from handlers import catalogue as doors
from handlers import front
from handlers.application import FOR_OPERATORS, Surroundings
from handlers.catalogue import filled
from handlers.in_flight import InFlight
from handlers.routes import DOORS
from server import main
from tests.nodes import JIANGSU, Caller, Places, running_nodes

BUNDLE = "/api/v1/bundles/newborn"
OF_ONE_ANSWER = frozenset({"X-Request-ID", "Date"})


@pytest.fixture
def settings() -> dict[str, Any]:
    """What a test changes of them."""
    return {}


@pytest.fixture
async def places(
    tmp_path: Path, database_uri: str, database_name: str, settings: dict[str, Any]
) -> AsyncIterator[Places]:
    async with running_nodes(
        tmp_path,
        database_uri,
        database_name,
        divisions=(JIANGSU,),
        citizens_at_once=1,
        officers_at_once=1,
        most_wait_seconds=0.001,
        **settings,
    ) as places:
        yield places


@pytest.fixture
async def caller(places: Places) -> AsyncIterator[Caller]:
    """Calls a second server of the node, whose cache is filled."""
    node, in_flight = places.nodes[JIANGSU].node, InFlight()
    around = Surroundings(cache=filled(node))
    server, port = main.listen(node, in_flight, doors=DOORS, port=0, surroundings=around)
    async with aiohttp.ClientSession(auto_decompress=False) as http:
        yield Caller(http, f"http://127.0.0.1:{port}")
    await main.stop_listening(server, in_flight, 5.0)


async def asked(caller: Caller, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    async with caller.http.get(caller.base_url + path, headers=headers) as answer:
        return answer.status, dict(answer.headers), await answer.read()


async def counted(caller: Caller, status: int) -> float:
    _, _, text = await asked(caller, "/metrics", **{"Accept-Encoding": "identity"})
    start = f'http_requests_total{{door="/api/v1/bundles/{{code}}",method="GET",status="{status}"}} '
    found = [line for line in text.decode().splitlines() if line.startswith(start)]
    return float(found[0].removeprefix(start)) if found else 0.0


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_a_page_is_answered_as_its_door_answers(
    caller: Caller, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, headers, body = await asked(caller, BUNDLE, **{"Accept-Encoding": encoding})
    monkeypatch.setattr(front, "_is_plain", lambda *_: False)
    by_door = await asked(caller, BUNDLE, **{"Accept-Encoding": encoding})
    assert (status, body) == (by_door[0], by_door[2])
    assert {name: value for name, value in headers.items() if name not in OF_ONE_ANSWER} == {
        name: value for name, value in by_door[1].items() if name not in OF_ONE_ANSWER
    }
    assert headers.keys() == by_door[1].keys() >= OF_ONE_ANSWER
    plain = gzip.decompress(body) if encoding == "gzip" else body
    assert json.loads(plain)["code"] == "newborn"


async def test_whoever_has_the_page_is_told_so_whether_here_or_by_the_door(caller: Caller) -> None:
    _, headers, _ = await asked(caller, BUNDLE)
    tag = headers["Etag"]
    for tags in (tag, f'"other", {tag}', "*"):
        status, told, body = await asked(caller, BUNDLE, **{"If-None-Match": tags})
        assert (status, body, told["Etag"]) == (304, b"", tag)
        assert "Content-Type" not in told
    assert (await asked(caller, BUNDLE, **{"If-None-Match": '"other"'}))[0] == 200


async def test_a_page_is_answered_only_where_its_door_is(places: Places, caller: Caller) -> None:
    node, in_flight = places.nodes[JIANGSU].node, InFlight()
    around = Surroundings(cache=filled(node))
    server, port = main.listen(node, in_flight, doors=FOR_OPERATORS, port=0, surroundings=around)
    operators = Caller(caller.http, f"http://127.0.0.1:{port}")
    assert (await asked(operators, BUNDLE))[0] == 404
    assert (await asked(operators, "/live"))[0] == 200
    await main.stop_listening(server, in_flight, 5.0)


async def test_of_many_pages_some_are_made_at_the_start_and_the_others_when_they_are_asked_for(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors, "MOST_AT_START", 3)
    cache = filled(places.nodes[JIANGSU].node)
    assert len(cache) == 3
    assert cache.page("/api/v1/bundles") is not None
    assert cache.page("/api/v1/items/household_registration") is None


async def test_pages_are_counted_like_all_requests(caller: Caller) -> None:
    before = await counted(caller, 200), await counted(caller, 304)
    _, headers, _ = await asked(caller, BUNDLE)
    await asked(caller, BUNDLE, **{"If-None-Match": headers["Etag"]})
    assert (await counted(caller, 200), await counted(caller, 304)) == (before[0] + 1, before[1] + 1)


async def test_only_get_without_a_query_or_a_body_is_answered_from_the_page(caller: Caller) -> None:
    async with caller.http.get(f"{caller.base_url}/api/v1/bundles?q=%E6%96%B0%E7%94%9F%E5%84%BF") as answer:
        assert answer.status == 200
    async with caller.http.post(caller.base_url + BUNDLE) as answer:
        assert answer.status == 405
    async with caller.http.get(caller.base_url + BUNDLE, data=b"a body") as answer:
        assert answer.status == 200


@pytest.fixture
async def stormed(places: Places) -> AsyncIterator[Places]:
    """A node on which one citizen's request is worked on, and another one waits."""
    citizen = await places.citizen()
    node = places.nodes[JIANGSU].node
    held, begun, cases = asyncio.Event(), asyncio.Event(), node.store.cases
    listed = cases.lines_of

    async def slow(*given: Any, **more: Any) -> Any:
        begun.set()
        await held.wait()
        return await listed(*given, **more)

    cases.lines_of = slow  # type: ignore[method-assign]
    tasks = [asyncio.create_task(citizen.get("/api/v1/cases")) for _ in range(2)]
    await begun.wait()
    await asyncio.sleep(0.1)
    yield places
    held.set()
    assert {(await task).status for task in tasks} <= {200, 503}


async def test_who_comes_when_too_many_are_there_is_told_when_to_come_again(stormed: Places) -> None:
    caller = stormed.caller()
    answer = await caller.post("/api/v1/sessions", {"app_id": "any", "code": "any"})
    assert (answer.status, answer.code) == (503, "busy")
    assert int(answer.headers["Retry-After"]) == answer.body["retry_after_seconds"] >= 1
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Request-Id"]


async def test_a_refused_caller_may_ask_again_on_the_same_connection(stormed: Places) -> None:
    caller = stormed.caller()
    for _ in range(3):
        answer = await caller.post("/api/v1/sessions", {"app_id": "any", "code": "x" * 5000})
        assert answer.code == "busy"
        assert "Connection" not in answer.headers


async def test_a_long_body_is_read_and_thrown_away_so_that_the_refusal_is_read(stormed: Places) -> None:
    answer = await stormed.caller().upload(BytesIO(b"x" * 9_000_000))
    assert answer.code == "busy"
    assert "Connection" not in answer.headers


async def test_a_body_that_is_sent_only_when_told_so_is_not_asked_for(stormed: Places) -> None:
    answer = await stormed.caller().post("/api/v1/sessions", {}, headers={"Expect": "100-continue"})
    assert (answer.code, answer.headers["Connection"]) == ("busy", "close")


@pytest.mark.parametrize("settings", [{"body_grace_seconds": 0.2}])
async def test_a_body_that_does_not_come_is_not_waited_for(stormed: Places) -> None:
    host, _, port = stormed.caller().base_url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST /api/v1/sessions HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\n{")
    async with asyncio.timeout(10):
        answered = await reader.read()
    assert answered.startswith(b"HTTP/1.1 503 ")
    assert b'"code":"busy"' in answered
    writer.close()


async def test_officers_and_operators_and_readers_of_pages_come_in_meanwhile(stormed: Places, caller: Caller) -> None:
    assert (await stormed.caller().get("/desk/v1/tasks")).status == 401
    assert (await stormed.caller().get("/live")).status == 200
    assert (await asked(caller, BUNDLE))[0] == 200
