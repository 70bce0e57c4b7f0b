"""Officers' sessions: over when they are signed out, left alone or too old, and then in every process at once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from server.desk.background.forgetting import forget_expired
from server.desk.officer import officers
from server.domain.audit import Doer
from server.domain.values import moment_text
from server.node import Node
from server.store.people.desk_sessions import DESK_SESSIONS
from tests.http.asking import Sweeper, in_a_session, refused
from tests.nodes import Caller, HandClock, Places, reserved_port, running_node, running_nodes
from tests.world import JIANGSU

TASKS, CURRENT = "/desk/v1/tasks", "/desk/v1/sessions/current"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def places(tmp_path: Path, database_uri: str, database_name: str, clock: HandClock) -> AsyncIterator[Places]:
    """One node, whose clock the test holds."""
    async with running_nodes(tmp_path, database_uri, database_name, divisions=(JIANGSU,), clock=clock) as places:
        yield places


@pytest.fixture
async def another(places: Places, node: Node, clock: HandClock) -> AsyncIterator[Caller]:
    """A caller of a second process of the same node."""
    with reserved_port() as port:
        async with running_node(node.settings.model_copy(update={"port": port}), clock):
            yield Caller(places.http, f"http://127.0.0.1:{port}")


def kept(node: Node, sweeper: Sweeper) -> list[dict[str, Any]]:
    """The sessions as the database has them."""
    return list(sweeper[node.settings.database][DESK_SESSIONS].find())


async def test_a_session_that_was_signed_out_is_over_in_every_process(places: Places, another: Caller):
    officer = await places.officer("health")
    another.token = officer.token
    assert (await another.get(TASKS)).status == 200
    assert (await officer.call("DELETE", CURRENT)).status == 204
    refused(await another.get(TASKS), 401, "session_over")
    refused(await officer.get(TASKS), 401, "session_over")
    refused(await officer.call("DELETE", CURRENT), 401, "session_over")


async def test_signing_out_ends_no_other_session(places: Places):
    first = await places.officer("health")
    places.desk_tokens.clear()
    second = await places.officer("health")
    assert (await first.call("DELETE", CURRENT)).status == 204
    assert (await second.get(TASKS)).status == 200


async def test_a_session_is_over_when_nothing_was_asked_for_its_idle_time(places: Places, clock: HandClock):
    officer = await places.officer("health")
    for _ in range(3):
        clock.wait(minutes=29, seconds=59)
        assert (await officer.get(TASKS)).status == 200
    clock.wait(minutes=30)
    assert "30 分钟" in refused(await officer.get(TASKS), 401, "session_idle")["detail"]
    refused(await officer.get(TASKS), 401, "session_idle")


async def test_a_session_is_over_after_its_longest_time_however_busy_it_is(places: Places, clock: HandClock):
    officer = await places.officer("health")
    for _ in range(12 * 60 // 20 - 1):
        clock.wait(minutes=20)
        assert (await officer.get(TASKS)).status == 200
    clock.wait(minutes=20)
    refused(await officer.get(TASKS), 401, "token_expired")


async def test_when_a_session_was_last_used_is_written_once_a_minute(
    places: Places, node: Node, clock: HandClock, database_sweeper: Sweeper
):
    officer = await places.officer("health")
    writes = places.nodes[JIANGSU].writes
    before = writes.count
    await asyncio.gather(*(officer.get(TASKS) for _ in range(5)))
    clock.wait(seconds=59)
    await officer.get(TASKS)
    assert writes.count == before
    clock.wait(seconds=1)
    for _ in range(3):
        await officer.get(TASKS)
    assert writes.count == before + 1
    assert [each["seen_at"] for each in kept(node, database_sweeper)] == [moment_text(clock.now())]


async def test_a_session_that_is_over_is_forgotten(
    places: Places, node: Node, clock: HandClock, database_sweeper: Sweeper
):
    await places.officer("health")
    clock.wait(hours=11)
    await forget_expired(node, clock.now() - timedelta(hours=1))
    assert len(kept(node, database_sweeper)) == 1
    clock.wait(hours=3)
    await forget_expired(node, clock.now() - timedelta(hours=1))
    assert kept(node, database_sweeper) == []


async def test_the_end_of_an_officer_is_seen_at_once_in_every_process(places: Places, node: Node, another: Caller):
    officer = await places.officer("health")
    another.token = officer.token
    assert (await another.get(TASKS)).status == 200
    await officers.end(node, "health", reason="调离", by=Doer(name="operator"))
    refused(await another.get(TASKS), 401, "officer_ended")


async def test_a_session_tells_where_and_when_it_began_and_signing_out_is_on_record(
    places: Places, node: Node, clock: HandClock, database_sweeper: Sweeper
):
    officer = await places.officer("health")
    (session,) = kept(node, database_sweeper)
    assert (session["officer"], session["address"]) == ("health", "127.0.0.1")
    assert session["began_at"] == moment_text(clock.now())
    await officer.call("DELETE", CURRENT)
    (entry,) = database_sweeper[node.settings.database]["audit"].find({"kind": "officer.signed_out"})
    assert in_a_session(entry["about"]) == {"name": "health"}
