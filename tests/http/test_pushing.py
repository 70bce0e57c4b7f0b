"""Watching over a WebSocket: who may, and that a move of a case reaches whom it concerns, wherever it was made."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pymongo
import pytest

from handlers.push import MOST_MESSAGE_BYTES
from server.desk.citizen import audience
from server.desk.citizen.watchers import MOST_WAITING
from server.domain.case.watching import MovedCase
from server.domain.errors import Unavailable
from server.domain.values import china_day, moment_key
from server.tools.bells import KNOWN_SECONDS
from tests.http.asking import PERSONAL, Sweeper, act, opened, refused
from tests.http.conftest import module_wide, nodes_of_a_module
from tests.http.watching import LONG_SECONDS, PATH, Watch, beside, connected, nothing_more, watching
from tests.nodes import AGENT, Caller, Places, Running, newborn_wish, until
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")
FIRST = "birth_certificate"
FAR_TOO_SECONDS = 60.0  # between two polls: what comes sooner comes by a bell


@module_wide
async def places(
    tmp_path_factory: pytest.TempPathFactory,
    database_uri: str,
    database_sweeper: pymongo.MongoClient[dict[str, Any]],
) -> AsyncIterator[Places]:
    """Nodes that look for moves only if they hear of them."""
    folder, more = tmp_path_factory.mktemp("pushing"), {"is_pushing": True}
    many = {"push_poll_seconds": FAR_TOO_SECONDS, "push_connections_each": 3}
    async with nodes_of_a_module(folder, database_uri, database_sweeper, **more, **many) as places:
        yield places


@module_wide
async def jiangsu(places: Places) -> Running:
    """The process that answers."""
    return places.nodes[JIANGSU]


async def acted(health: Caller, case: str, name: str) -> float:
    """When an officer's act was answered."""
    delivery = {"delivery": {"method": "electronic"}} if name == "deliver" else None
    answer = await health.post(act(case, FIRST, name), delivery)
    assert answer.status == 200, answer.body
    return time.monotonic()


# Who may not.


async def test_who_comes_by_plain_http_is_asked_for_a_websocket(places: Places):
    refused(await places.caller().get(PATH), 400, "websocket_needed")


@pytest.mark.parametrize(
    ("said", "code", "why"),
    [
        ({"token": "nonsense"}, 4401, "token_invalid"),
        ({}, 4422, "body_faulty"),
        ({"token": "t", "cursor": "yesterday"}, 4422, "body_faulty"),
        ({"token": "t", "cursor": "t9999-12-31T23:59:59.999Z"}, 4422, "body_faulty"),
        ({"token": "t", "more": "x"}, 4422, "body_faulty"),
    ],
)
async def test_who_does_not_say_who_they_are_is_told_by_the_code(
    places: Places, jiangsu: Running, said: dict[str, str], *, code: int, why: str
):
    async with connected(places.http, jiangsu) as watch:
        await watch.say(**said)
        assert await watch.closed() == (code, {"code": why})


async def test_bytes_and_what_is_no_json_are_refused(places: Places, jiangsu: Running):
    async with connected(places.http, jiangsu) as watch:
        await watch.socket.send_bytes(b"{}")
        assert await watch.closed() == (4400, {"code": "unexpected_message"})
    async with connected(places.http, jiangsu) as watch:
        await watch.socket.send_str("who is there?")
        assert await watch.closed() == (4400, {"code": "body_unreadable"})


async def test_a_message_that_is_too_long_closes(places: Places, jiangsu: Running):
    async with connected(places.http, jiangsu) as watch:
        await watch.socket.send_str("x" * (MOST_MESSAGE_BYTES + 1))
        assert (await watch.socket.receive()).data == 1009


async def test_who_says_nothing_is_not_kept(places: Places, jiangsu: Running, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(audience, "FIRST_SECONDS", 0.1)
    async with connected(places.http, jiangsu) as watch:
        assert await watch.closed() == (4408, {"code": "first_message_late"})


async def test_officers_and_the_nameless_are_refused_as_at_any_door(places: Places, jiangsu: Running, health: Caller):
    nameless = await places.citizen("stranger", is_real_name=False)
    for caller, expected in ((health, (4401, "wrong_audience")), (nameless, (4403, "real_name_needed"))):
        async with connected(places.http, jiangsu) as watch:
            await watch.say(token=caller.token)
            code, reason = await watch.closed()
            assert (code, reason["code"]) == expected


async def test_who_has_signed_out_may_not_watch(places: Places, jiangsu: Running):
    citizen = await places.citizen("stranger")
    assert (await citizen.call("DELETE", "/api/v1/sessions/current")).status == 204
    async with connected(places.http, jiangsu) as watch:
        await watch.say(token=citizen.token)
        assert await watch.closed() == (4401, {"code": "no_such_session"})


async def test_nothing_is_said_after_the_first_message(mother: Caller, jiangsu: Running):
    async with watching(mother, jiangsu) as (watch, _):
        await watch.say(token=mother.token)
        assert await watch.closed() == (4400, {"code": "unexpected_message"})


async def test_one_person_has_few_connections_and_a_process_no_more_than_it_may(places: Places, mother: Caller):
    async with beside(places, push_connections_each=1, push_connections=2) as other:
        async with watching(mother, other), connected(mother.http, other) as second:
            async with connected(mother.http, other) as third:
                assert await third.closed() == (4503, {"code": "watchers_full", "retry_after_seconds": 30})
            await second.say(token=mother.token)
            assert await second.closed() == (4429, {"code": "too_many_watches"})
        async with watching(mother, other) as (_, first):
            assert first["type"] == "watching"


# Who is told.


async def test_an_act_reaches_who_watches_over_the_same_process(
    places: Places, jiangsu: Running, mother: Caller, health: Caller, wish: dict[str, Any]
):
    case = await opened(places, mother, wish)
    async with watching(mother, jiangsu) as (watch, first):
        assert (first["type"], first["is_whole"]) == ("watching", True)
        assert await quickest_seconds(watch, health, case) < 1.0
        before = (await mother.get(f"/api/v1/cases/{case}")).body["version"]
        await acted(health, case, "deliver")
        told = await moved(watch, case, before)
    view = (await mother.get(f"/api/v1/cases/{case}")).body
    assert told == {
        "type": "case.moved",
        "case": case,
        "version": view["version"],
        "at": told["at"],
        "cursor": told["cursor"],
    }
    assert not [each for each in PERSONAL if each in str(told)]


async def quickest_seconds(watch: Watch, health: Caller, case: str) -> float:
    """How soon after its answer an act is told of: the quickest of three, as the machine may be busy."""
    spans, version = [], 0
    for name in ("receive", "accept", "approve"):
        done_at = await acted(health, case, name)
        version = (await moved(watch, case, version))["version"]
        spans.append(time.monotonic() - done_at)
    return min(spans)


async def moved(watch: Watch, case: str, before: int) -> dict[str, Any]:
    """What is told of this case beyond a version; earlier moves may be told once more."""
    while True:
        told: dict[str, Any] = await watch.hear()
        if told["case"] == case and told["version"] > before:
            return told


async def test_what_moved_just_before_is_not_told_to_who_comes_without_a_cursor(
    places: Places, mother: Caller, wish: dict[str, Any]
):
    case = await opened(places, mother, wish)
    async with beside(places, push_poll_seconds=0.2) as other, watching(mother, other) as (watch, _):
        assert await nothing_more(watch, seconds=1.0)
        assert (await mother.post(f"/api/v1/cases/{case}/withdrawal")).status == 200
        assert (await watch.hear())["case"] == case


async def test_an_act_reaches_another_process_on_the_machine_by_its_bell(
    places: Places, mother: Caller, health: Caller, wish: dict[str, Any]
):
    case = await opened(places, mother, wish)
    async with beside(places) as other, watching(mother, other) as (watch, _):
        await asyncio.sleep(KNOWN_SECONDS)  # who rings looks so seldom which bells there are
        assert await quickest_seconds(watch, health, case) < 1.0


async def test_an_act_reaches_another_machine_by_its_poll_alone(
    places: Places, mother: Caller, health: Caller, wish: dict[str, Any]
):
    case = await opened(places, mother, wish)
    async with (
        beside(places, is_elsewhere=True, push_poll_seconds=FAR_TOO_SECONDS) as deaf,
        beside(places, is_elsewhere=True, push_poll_seconds=0.5) as other,
        watching(mother, deaf) as (silent, _),
        watching(mother, other) as (watch, _),
    ):
        assert await quickest_seconds(watch, health, case) < 1.0
        assert await nothing_more(silent, seconds=0.5)


async def test_nobody_else_is_told(
    places: Places, jiangsu: Running, mother: Caller, stranger: Caller, *, health: Caller, wish: dict[str, Any]
):
    case = await opened(places, mother, wish)
    async with watching(mother, jiangsu) as (watch, _), watching(stranger, jiangsu) as (other, _):
        await acted(health, case, "receive")
        assert (await watch.hear())["case"]
        assert await nothing_more(other, seconds=1.0)


async def test_who_writes_to_the_database_has_nobody_told_of_a_strangers_case(
    places: Places,
    jiangsu: Running,
    mother: Caller,
    stranger: Caller,
    *,
    wish: dict[str, Any],
    database_sweeper: Sweeper,
):
    case = await opened(places, mother, wish)
    cases = database_sweeper[jiangsu.node.settings.database]["cases"]
    stored = cases.find_one({"_id": case})
    assert stored is not None
    async with watching(stranger, jiangsu) as (watch, _):
        [[watcher]] = jiangsu.pushes.audience.people.values()
        await jiangsu.pushes.look()
        forged = {"owner_key": f"{watcher.person}|{stored['owner_key'].partition('|')[2]}"}
        cases.update_one({"_id": case}, {"$set": forged | {"version": stored["version"] + 1}})
        await jiangsu.pushes.look()
        assert case in jiangsu.pushes._told  # it was found by the index
        assert await nothing_more(watch, seconds=0.3)
        cases.replace_one({"_id": case}, stored)


async def test_an_agent_is_told_while_the_mandate_holds(
    places: Places, jiangsu: Running, mother: Caller, health: Caller
):
    agent, until_day = await places.citizen("agent"), china_day(jiangsu.node.clock.now()) + timedelta(days=9)
    given = {
        "agent_name": AGENT.name,
        "agent_id_number": AGENT.id_number,
        "bundles": ["newborn"],
        "ends_on": str(until_day),
    }
    mandate = (await mother.post("/api/v1/mandates", given)).body["id"]
    wish = await newborn_wish(agent) | {"mandate": mandate}
    case = await opened(places, agent, wish)
    async with watching(agent, jiangsu) as (watch, _):
        await acted(health, case, "receive")
        await moved(watch, case, 1)
        assert (await mother.call("DELETE", f"/api/v1/mandates/{mandate}")).status in (200, 204)
        async with watching(mother, jiangsu) as (other, _):
            before = (await mother.get(f"/api/v1/cases/{case}")).body["version"]
            await acted(health, case, "accept")
            await moved(other, case, before)
        assert await nothing_more(watch, seconds=0.5)


# Who comes back.


async def test_who_comes_back_with_the_cursor_is_told_what_moved_meanwhile(
    places: Places, jiangsu: Running, mother: Caller, health: Caller, *, wish: dict[str, Any]
):
    case, other = await opened(places, mother, wish), await opened(places, mother, wish)
    async with watching(mother, jiangsu) as (watch, first):
        cursor = first["cursor"]
    await acted(health, case, "receive")
    await acted(health, other, "receive")
    versions = {each: (await mother.get(f"/api/v1/cases/{each}")).body["version"] for each in (case, other)}
    async with watching(mother, jiangsu, cursor) as (watch, first):
        assert (first["cursor"], first["is_whole"]) == (cursor, True)
        told: list[dict[str, Any]] = []
        while not {case, other} <= {each["case"] for each in told}:
            told.append(await watch.hear())
    assert {each["case"]: each["version"] for each in told}.items() >= versions.items()
    assert [each["cursor"] for each in told] == sorted(each["cursor"] for each in told)
    async with watching(mother, jiangsu, told[-1]["cursor"]) as (watch, first):
        assert first["type"] == "watching"


async def test_who_missed_too_much_is_told_to_read_the_list(
    places: Places, jiangsu: Running, mother: Caller, *, wish: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    await opened(places, mother, wish)
    monkeypatch.setattr("server.desk.citizen.pushing.MOST_MISSED", 1)
    cursor = moment_key(jiangsu.node.clock.now() - timedelta(days=1))
    async with watching(mother, jiangsu, cursor) as (_, first):
        assert first["is_whole"] is False
        assert first["cursor"] > cursor


async def test_who_does_not_read_is_closed_with_a_cursor_and_loses_nothing(places: Places, mother: Caller):
    """We hold MOST_WAITING moves of them, and the kernel some kilobytes."""
    async with beside(places) as other, watching(mother, other) as (watch, first):
        [[watcher]] = other.pushes.audience.people.values()
        reader = watch.socket._conn.protocol  # aiohttp reads on by itself
        reader.pause_reading()
        at, sent, most = other.node.clock.now(), 0, 0
        while not watcher.is_over:
            assert sent < 5000
            moment = moment_key(at + timedelta(milliseconds=sent))
            other.pushes._tell_one(watcher, MovedCase(f"C{sent}" + "x" * 900, 1, moment, watcher.person), at)
            sent, most = sent + 1, max(most, len(watcher._waiting))
            await asyncio.sleep(0)
        assert most == MOST_WAITING + 1
        reader.resume_reading()
        told = [first["cursor"]]
        while (message := await watch.socket.receive(timeout=LONG_SECONDS)).type is aiohttp.WSMsgType.TEXT:
            told.append(message.json()["cursor"])
        assert message.data == 4408
        assert json.loads(message.extra or "") == {"code": "watcher_too_slow", "cursor": told[-1]}
        assert told == sorted(told)
        assert len(told) < sent


async def test_what_moved_while_the_database_did_not_answer_is_told_after_that(
    places: Places, mother: Caller, health: Caller, *, wish: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    async def since(*_: object, **__: object) -> None:
        asked.append(time.monotonic())
        raise Unavailable

    asked: list[float] = []
    case = await opened(places, mother, wish)
    async with beside(places, push_poll_seconds=0.2) as other, watching(mother, other) as (watch, _):
        monkeypatch.setattr(other.node.store.cases.moved, "since", since)
        await acted(health, case, "receive")
        assert await nothing_more(watch, seconds=1.0)
        assert asked
        monkeypatch.undo()
        await moved(watch, case, 1)


async def test_when_too_much_has_moved_all_are_sent_away_with_their_cursors(
    places: Places, mother: Caller, health: Caller, *, wish: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    case = await opened(places, mother, wish)
    monkeypatch.setattr("server.desk.citizen.pushing.MOST_LOOKED_AT", 1)
    async with beside(places, push_poll_seconds=0.2) as other, watching(mother, other) as (watch, first):
        await acted(health, case, "receive")
        expected = {"code": "too_much_moved", "cursor": first["cursor"], "retry_after_seconds": 30}
        assert await watch.closed() == (4503, expected)
    monkeypatch.undo()
    async with beside(places) as other, watching(mother, other, first["cursor"]) as (watch, _):
        await moved(watch, case, 1)


# Who is still there.


async def test_the_page_from_which_somebody_comes_makes_no_difference(mother: Caller, jiangsu: Running):
    async with connected(mother.http, jiangsu, origin="https://elsewhere.example") as watch:
        await watch.say(token=mother.token)
        assert (await watch.hear())["type"] == "watching"


async def test_who_watches_takes_no_place_of_those_who_ask(places: Places, mother: Caller):
    async with (
        beside(places, citizens_at_once=1, most_wait_seconds=0.1) as other,
        watching(mother, other),
        watching(mother, other),
    ):
        asking = Caller(mother.http, other.base_url, mother.token)
        assert [(await asking.get("/api/v1/cases")).status for _ in range(3)] == [200, 200, 200]


async def test_who_signs_out_is_closed_and_told_so(places: Places):
    async with beside(places, push_ping_seconds=0.6) as other:
        citizen = await places.citizen("stranger")
        async with watching(citizen, other) as (watch, _):
            caller = Caller(citizen.http, other.base_url, citizen.token)
            assert (await caller.call("DELETE", "/api/v1/sessions/current")).status == 204
            assert await watch.closed() == (4401, {"code": "no_such_session"})


async def test_a_token_that_expires_closes(places: Places):
    async with beside(places, push_ping_seconds=0.6, access_token_seconds=2) as other:
        citizen = await named(places, other)
        async with watching(citizen, other) as (watch, _):
            assert await watch.closed() == (4401, {"code": "token_expired"})


async def named(places: Places, other: Running) -> Caller:
    """A citizen who logged in at this process."""
    nodes = Places(places.http, {JIANGSU: other})
    return await nodes.citizen("stranger")


async def test_who_answers_pings_stays_and_who_does_not_is_closed(places: Places, stranger: Caller):
    async with beside(places, push_ping_seconds=0.3) as other:
        async with watching(stranger, other) as (watch, _):
            assert await nothing_more(watch, seconds=1.5)
        async with connected(stranger.http, other, autoping=False) as watch:
            await watch.say(token=stranger.token)
            messages = [await watch.socket.receive(timeout=5) for _ in range(4)]
            *others, last = (each.type for each in messages)  # where all is slow, a ping may be there before the answer
            kinds = aiohttp.WSMsgType
            assert (Counter(others), last) == (Counter({kinds.TEXT: 1, kinds.PING: 2}), kinds.CLOSE)
            assert (messages[-1].data, messages[-1].extra) == (4408, '{"code":"watcher_silent"}')


async def test_who_has_gone_is_forgotten(places: Places, mother: Caller):
    async with beside(places) as other:
        async with watching(mother, other):
            assert len(other.pushes.audience.people) == 1

        async def is_empty() -> bool:
            return not other.pushes.audience.people and not other.pushes.audience._all

        await until(is_empty)


async def test_a_process_that_stops_says_so_and_does_not_wait_for_who_has_gone_silent(places: Places, mother: Caller):
    async with beside(places) as other, watching(mother, other) as (watch, _), watching(mother, other) as (silent, _):
        silent.socket._conn.protocol.pause_reading()
        began_at = time.monotonic()
        stop = asyncio.create_task(end(other))
        assert await watch.closed() == (1012, {"code": "server_stopping"})
        await stop
        assert time.monotonic() - began_at < audience.END_SECONDS + 1
        silent.socket._conn.protocol.resume_reading()
        async with connected(mother.http, other) as late:
            assert await late.closed() == (1012, {"code": "server_stopping"})


async def end(running: Running) -> None:
    running.in_flight.begin_end()
    await running.in_flight.drain()
