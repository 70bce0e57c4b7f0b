"""The wire between two provinces fails in each way it can: cases wait, say where, and arrive once when it is whole."""

import json
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from server.demo.proxy import Mode
from server.domain.effects.commits import Commit
from server.domain.exchange.log import Outbound
from tests.faults.books import ABROAD
from tests.faults.ground import Ground, ground
from tests.faults.nursery import Nursery
from tests.faults.outages import cut
from tests.faults.reckoning import reckon
from tests.nodes import until

CUT_SECONDS = 3.0
SHORT = {"peer_connect_seconds": 0.5, "peer_total_seconds": 1.0}
FAILING: tuple[tuple[Mode, dict[str, Any]], ...] = (
    (Mode.SLOW, {"seconds": 1.5}),
    (Mode.HALF_OPEN, {}),
    (Mode.RESET_REQUEST, {"after_bytes": 700}),
    (Mode.RESET_ANSWER, {"after_bytes": 700}),
)


@pytest.mark.soak
async def test_nothing_is_lost_or_doubled_however_the_wire_fails(
    tmp_path: Path, forks: Nursery, database_uri: str, database_name: str
):
    async with ground(tmp_path, database_uri, launch=forks.start, database=database_name, **SHORT) as field:
        await field.goes_on(seconds=60)
        for mode, how in FAILING:
            before = failures(field)
            await field.switch(mode, **how)
            await until(partial(have_failed, field, before), seconds=60)
            await field.switch(Mode.OPEN)
            await field.goes_on(seconds=60)
        await check_that_the_step_waits_abroad(field)
        outage = await cut(field, CUT_SECONDS, before_seconds=0)
        assert outage.waiting > 0
        books = outage.reckoning
        assert books.cases == field.flow.begun > 0
        assert (books.letters, books.delivered) == (4 * books.cases, 4 * books.cases)
        assert books.is_clean, (books, failures(field))
        for node, other in (field.nodes, reversed(field.nodes)):
            healed = await node.store.peers.outbound(other.here)
            assert (healed.failures, healed.reason, healed.next_attempt_at) == (0, "", None)
        await check_that_the_books_tell_faults(field)


async def check_that_the_step_waits_abroad(field: Ground) -> None:
    """With the wire cut the citizen sees the step sent, and where it is; the operator sees why it does not go on.

    The wire is left cut.
    """
    home, peer = field.nodes
    await field.switch(Mode.CUT)
    count = field.flow.begun

    async def is_sent() -> Any:
        if field.flow.begun <= count + 2:
            return None
        way = field.flow.ways[0]
        steps = (await way.citizen.get(f"/api/v1/cases/{way.cases[-1]}")).body["steps"]
        return next((step for step in steps if step["step"] == ABROAD and step["state"] == "sent"), None)

    async def has_failed() -> Outbound | None:
        state = await home.store.peers.outbound(peer.here)
        return state if state.failures > 1 else None

    shown, state = await until(is_sent, seconds=60), await until(has_failed, seconds=60)
    assert shown["holder"]["node"] == peer.here
    assert state.reason == "unreachable"
    assert state.next_attempt_at is not None


def failures(field: Ground) -> Counter[tuple[str, str]]:
    """How often each node's courier failed so far, and why."""
    counted: Counter[tuple[str, str]] = Counter()
    for province in field.provinces:
        lines = [json.loads(line) for line in province.log("work").read_text().splitlines()]
        counted.update((province.division, line["reason"]) for line in lines if line["event"] == "peer.failed")
    return counted


async def have_failed(field: Ground, before: Counter[tuple[str, str]]) -> bool:
    """Whether the couriers of both nodes have failed since."""
    return {division for division, _ in failures(field) - before} == {node.here for node in field.nodes}


async def check_that_the_books_tell_faults(field: Ground) -> None:
    """A letter that is gone is lost, a case that nobody asked for is doubled, and so is what happened twice."""
    client, (home, peer) = field.client, field.nodes
    cases = dict(zip((home.here, peer.here), field.flow.cases, strict=True))
    letter = client[peer.settings.database]["letters_in"].find_one_and_delete({})
    assert letter is not None
    assert reckon(client, field.nodes, cases).lost == 1
    assert reckon(client, field.nodes, {**cases, home.here: cases[home.here][1:]}).doubled == 1
    record = await home.store.cases.case(cases[home.here][0])
    again = record.events[-1].model_copy(update={"number": record.case.version + 1})
    case = record.case.model_copy(update={"version": again.number})
    await home.store.cases.commit(record, Commit([again], case, (), record.threads, alarm=None))
    assert reckon(client, field.nodes, cases).doubled == 1
