"""The doors of operators: alive, ready, and what is counted."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from handlers import routes
from handlers.application import FOR_OPERATORS, Surroundings
from handlers.base import Handler
from handlers.in_flight import InFlight
from server import main
from server.tools.loops import Loops
from tests.http.asking import refused
from tests.nodes import HERE, Caller, Places, newborn_wish, running_nodes, until
from tests.store.servers import OwnServer
from tests.world import JIANGSU

COUNTED = {
    "http_requests_total",
    "http_request_seconds",
    "refusals_total",
    "requests_dropped_total",
    "cases_opened_total",
    "waiting_tickets_issued_total",
    "waiting_tickets_redeemed_total",
    "notices_total",
    "intake_batch_documents",
    "push_connections",
    "push_messages_total",
    "push_closed_total",
    "effects_relayed_total",
    "letters_sent_total",
    "letters_received_total",
    "letters_settled_total",
    "contents_fetched_total",
    "log_lines_lost_total",
    "log_lines_suppressed_total",
    "loop_failures_total",
    "loop_last_success_timestamp_seconds",
    "things_failed_total",
    "cases_untrue_total",
    "stored_broken_total",
    "clock_state",
    "clock_ahead_seconds",
    "peer_failures_total",
    "peer_backlog",
    "peer_unacknowledged_batches",
    "peer_lag_seconds",
    "peer_breaker",
    "peer_failures_in_row",
    "peer_success_timestamp_seconds",
    "peer_clock_skew_seconds",
    "letters_attention",
    "letters_dead",
    "peer_differences",
}
NO_PAPERS = {"papers": "off", "papers_lack": [], "signing": "off"}


@pytest.fixture
async def places(tmp_path: Path, own_server: OwnServer) -> AsyncIterator[Places]:
    """One node on a database server of its own."""
    brief = {"divisions": (JIANGSU,), "database_timeout_seconds": 0.5}
    async with running_nodes(tmp_path, own_server.uri, "t", **brief) as places:
        yield places


async def local_wish(citizen: Caller) -> dict[str, Any]:
    """A complete application whose steps are all decided here."""
    return await newborn_wish(citizen) | {"answers": {"household": HERE, "maternity_insurance": "no"}}


async def counts(places: Places) -> tuple[dict[str, str], dict[str, float]]:
    """The declared metrics with their types, and every line with its value."""
    answer = await places.caller().get("/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    lines = answer.body.decode().splitlines()
    types = dict(line.removeprefix("# TYPE ").split() for line in lines if line.startswith("# TYPE "))
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return types, {name: float(value) for name, value in values.items()}


async def test_a_node_without_its_database_is_alive_and_not_ready(places: Places, own_server: OwnServer):
    anyone, mother = places.caller(), await places.citizen()
    wish = await local_wish(mother)
    ready = await anyone.get("/ready")
    assert (ready.status, ready.body) == (
        200,
        {"status": "ready", "database": "answers", "clock": "unwatched", "directory_version": 1, **NO_PAPERS},
    )
    await own_server.kill()
    down = await anyone.get("/ready")
    refused(down, 503, "unavailable")
    assert int(down.headers["Retry-After"]) > 0
    assert (await anyone.get("/live")).status == 200
    assert (await anyone.get("/api/v1/bundles")).status == 200
    submitted = await mother.post("/api/v1/cases", wish)
    refused(submitted, 503, submitted.code)
    assert submitted.code in ("unavailable", "outcome_unknown")
    await own_server.start()
    assert (await anyone.get("/ready")).status == 200


@pytest.mark.parametrize("doors", [routes.DOORS, FOR_OPERATORS], ids=["serve", "work"])
async def test_a_process_with_a_loop_that_does_not_succeed_is_alive_and_not_ready(
    places: Places, doors: tuple[type[Handler], ...]
):
    node, now, gate = places.nodes[JIANGSU].node, [0.0], asyncio.Event()
    loops, in_flight = Loops(node.metrics, now=lambda: now[0]), InFlight()

    async def stuck() -> None:
        await gate.wait()

    loops.start("settle", stuck, every_seconds=600, most_seconds=30)
    loops.start("relay", stuck, every_seconds=0.5, most_seconds=30)
    surroundings = Surroundings(overdue=loops.overdue)
    server, port = main.listen(node, in_flight, doors=doors, port=0, surroundings=surroundings)
    anyone = Caller(places.http, f"http://127.0.0.1:{port}")
    assert (await anyone.get("/ready")).status == 200
    now[0] += 91.0
    problem = refused(await anyone.get("/ready"), 503, "not_ready")
    assert problem["detail"] == "后台任务长时间未成功：settle、relay。"
    assert (await anyone.get("/live")).status == 200
    gate.set()
    await until(lambda: is_ready(anyone))
    await loops.stop(5.0)
    await main.stop_listening(server, in_flight, 5.0)


async def is_ready(anyone: Caller) -> bool:
    return (await anyone.get("/ready")).status == 200


async def test_a_submission_that_met_no_database_succeeds_later_under_its_key(places: Places, own_server: OwnServer):
    mother = await places.citizen()
    wish = await local_wish(mother)
    await own_server.kill()
    assert (await mother.post("/api/v1/cases", wish, key="once")).status == 503
    await own_server.start()
    await until(lambda: is_ready(mother))  # a driver finds its server again in its own time
    first = await mother.post("/api/v1/cases", wish, key="once")
    again = await mother.post("/api/v1/cases", wish, key="once")
    assert (first.status, again.status, again.body) == (201, 201, first.body)
    assert len((await mother.get("/api/v1/cases")).body["cases"]) == 1


async def test_what_is_counted_has_fixed_names(places: Places):
    types, _ = await counts(places)
    assert {name for name in types if not name.endswith("_created") and not name.startswith("process_")} == COUNTED


async def test_requests_and_refusals_and_cases_are_counted(places: Places):
    mother = await places.citizen()
    wish = await local_wish(mother)
    for _ in range(2):
        assert (await mother.post("/api/v1/cases", wish, key="counted")).status == 201
        await places.settle()  # the repeat would carry once more what the first has not carried yet
    await mother.get("/api/v1/cases/somebody")
    await mother.get("/nowhere")
    _, values = await counts(places)
    assert values['http_requests_total{door="/api/v1/cases",method="POST",status="201"}'] == 2
    assert values['http_requests_total{door="/api/v1/cases/{id}",method="GET",status="404"}'] == 1
    assert values['refusals_total{code="no_such_case"}'] == 1
    assert values['refusals_total{code="no_such_door"}'] == 1
    assert values["cases_opened_total"] == 1
    assert values['effects_relayed_total{kind="task"}'] == 1
    assert not [line for line in values if "somebody" in line or "nowhere" in line]
