"""A delivery can be followed from one node's log into the other's, a case by its id, and nobody's data stands there."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.faults.books import Client, is_quiet
from tests.faults.lives import Desks
from tests.faults.nursery import Nursery
from tests.faults.provinces import SECRET, Province, provinces
from tests.nodes import CITIZENS, PASSWORD, newborn_form, until
from tests.world import JIANGSU

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
COMMON = {"child_sex", "child_birth_date", "child_birth_place"}  # what may stand in a log by chance


def lines_of(province: Province) -> list[dict[str, Any]]:
    """The log lines of all processes of a province."""
    logs = (province.log(command) for command in ("serve", "work"))
    return [json.loads(line) for log in logs for line in log.read_text().splitlines()]


def traces(lines: list[dict[str, Any]], event: str) -> set[tuple[int, str]]:
    """The number of the batch and the trace of each such line."""
    return {(line["number"], line["traceparent"].split("-")[1]) for line in lines if line["event"] == event}


@pytest.mark.soak
async def test_logs_follow_a_case_across_nodes_without_personal_data(
    tmp_path: Path, forks: Nursery, database_uri: str, database_name: str, database_sweeper: Client
):
    async with provinces(tmp_path, database_uri, launch=forks.start, database=database_name) as (home, peer):
        await asyncio.gather(home.start("serve", "work"), peer.start("serve", "work"))
        desks = await Desks.manned(home, peer)
        asked = await desks.citizen.post("/api/v1/cases", desks.wish, key="traced", headers={"traceparent": TRACE})
        case = asked.body["id"]
        await desks.finish(case)
        async with home.opened() as node, peer.opened() as other:
            await until(lambda: is_quiet(database_sweeper, node, other), seconds=60)
        refused = await desks.citizen.post("/api/v1/cases", {**desks.wish, "form": newborn_form() | {"mobile": "x"}})
        assert refused.status == 422
    ours, theirs = lines_of(home), lines_of(peer)
    check_deliveries(ours, theirs)
    check_deliveries(theirs, ours)
    [opened] = [line for line in ours if line.get("case") == case and line.get("acts") == ["open", "send"]]
    assert opened["traceparent"].split("-")[1] == TRACE.split("-")[1]
    assert opened["request_id"] == asked.headers["X-Request-Id"]
    moved = [line for line in theirs if line["event"] == "case.moved" and line["case"] == f"{JIANGSU}:{case}"]
    assert {line["acts"][0] for line in moved} >= {"request", "approve"}
    check_nothing_personal(tmp_path, desks)


def check_deliveries(sender: list[dict[str, Any]], receiver: list[dict[str, Any]]) -> None:
    """The receiver logged each batch that was delivered, under the sender's trace, and a request id of its own."""
    delivered = traces(sender, "batch.delivered")
    assert delivered
    assert delivered <= traces(receiver, "batch.kept")
    assert all(line["request_id"] for line in receiver if line["event"] == "batch.kept")


def check_nothing_personal(folder: Path, desks: Desks) -> None:
    """Neither what the form says, nor who is who, nor what opens a door."""
    said = {value for field, value in newborn_form().items() if field not in COMMON}
    tokens = {caller.token for caller in (desks.citizen, desks.abroad, *desks.at_home.values())}
    persons = {value for each in CITIZENS for value in (each.name, each.id_number, each.openid, each.face_token)}
    text = "".join(log.read_text() for log in folder.glob("*.log"))
    assert len(text) > 1000
    assert not [each for each in (*said, *tokens, *persons, PASSWORD, SECRET) if each in text]
