"""On record: what officers do and look at is noted with who, by which post, in which session, and whose data it is."""

import argparse
import asyncio
import sys
from collections.abc import Iterator, Mapping
from typing import Any, get_args

import pytest

from handlers import routes
from handlers.base import Role
from server.cli import build_parser
from server.domain.audit import AuditKind
from server.node import Node
from tests.http.asking import PERSONAL, Sweeper, act, crossed, opened, refused
from tests.http.on_record import COMMANDS, DOORS, OF_DESK, OF_PEERS
from tests.http.test_officers_ended import environ_of
from tests.nodes import MOTHER, Caller, Places
from tests.world import JIANGSU, ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")
FIRST = "birth_certificate"
SESSION_DIGITS = 16


def noted(node: Node, sweeper: Sweeper, kind: AuditKind, **about: str) -> list[dict[str, Any]]:
    """The entries of this kind that say this, the oldest first."""
    found = sweeper[node.settings.database]["audit"].find({"kind": kind}).sort("time_key", 1)
    return [each for each in found if about.items() <= each["about"].items()]


def check_whence(about: Mapping[str, str], officer: str = "health") -> None:
    """It tells who did it, where from and in which session."""
    assert (about["officer"], about["address"], len(about["session"])) == (officer, "127.0.0.1", SESSION_DIGITS)
    assert not [each for each in PERSONAL if each in str(about)]


async def settled(places: Places) -> None:
    """What runs on after an answer is done."""
    await places.nodes[JIANGSU].in_flight.drain()
    places.nodes[JIANGSU].in_flight.is_draining = False


async def quiet(places: Places, officer: Caller) -> None:
    """Nothing more is written by itself: it is known for a minute that the session is used."""
    assert (await officer.get("/desk/v1/tasks")).status == 200
    await settled(places)


# The tables.


def commands(parser: argparse.ArgumentParser, *words: str) -> Iterator[str]:
    """Each command by its words; those with parts of their own by these."""
    inner = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    if not inner:
        yield " ".join(words)
    for action in inner:
        for name, each in action.choices.items():
            yield from commands(each, *words, name)


async def test_each_door_and_each_command_says_what_it_notes_or_why_nothing():
    assert set(DOORS) == {f"{method} {door.path}" for door in routes.DOORS for method in door.operations}
    assert set(COMMANDS) == set(commands(build_parser()))


async def test_each_kind_is_noted_somewhere():
    rows = [row for row in (*DOORS.values(), *COMMANDS.values()) if not isinstance(row, str)]
    assert {kind for row in rows for kind in row} | {OF_DESK, OF_PEERS} == set(get_args(AuditKind))


async def test_what_is_about_somebody_elses_case_is_never_without_a_note():
    """Each door of officers to one case notes something."""
    doors = [
        f"{method} {door.path}" for door in routes.DOORS if door.role is Role.OFFICER for method in door.operations
    ]
    assert [door for door in doors if "/cases/{id}" in door and isinstance(DOORS[door], str)] == []


# Reads.


async def test_a_look_into_a_case_costs_one_insert_and_tells_all(
    places: Places, health: Caller, mother: Caller, wish: dict[str, Any], node: Node, database_sweeper: Sweeper
):
    case = await opened(places, mother, wish)
    await quiet(places, health)
    before = places.nodes[JIANGSU].writes.count
    assert (await health.get(f"/desk/v1/cases/{case}")).status == 200
    assert places.nodes[JIANGSU].writes.count == before + 1
    (entry,) = noted(node, database_sweeper, "case.read", case=f"{JIANGSU}/{case}")
    check_whence(entry["about"])
    assert entry["about"]["person"] == node.keys.owner("person", MOTHER.id_number)
    assert (entry["about"]["authority"], entry["about"]["post"]) == (
        "provider/health/320102",
        "health:provider/health/320102:approver",
    )


async def test_a_search_and_all_that_it_found_are_noted_by_one_insert(
    places: Places, health: Caller, mother: Caller, wish: dict[str, Any], node: Node, database_sweeper: Sweeper
):
    case = await opened(places, mother, wish)
    await quiet(places, health)
    before = places.nodes[JIANGSU].writes.count
    found = (await health.post("/desk/v1/searches", {"kind": "name", "text": MOTHER.name})).body["cases"]
    assert places.nodes[JIANGSU].writes.count == before + 1
    entries = noted(node, database_sweeper, "case.found", officer="health")
    assert {each["about"]["case"] for each in entries} == {each["name"] for each in found}
    assert f"{JIANGSU}/{case}" in {each["about"]["case"] for each in entries}
    for each in entries:
        check_whence(each["about"])


async def test_all_looks_at_the_data_of_a_person_are_found_by_the_person(
    places: Places, health: Caller, mother: Caller, wish: dict[str, Any], node: Node
):
    case = await opened(places, mother, wish)
    await health.get(f"/desk/v1/cases/{case}")
    auditor = await places.administrator("audit", "ann")
    person = node.keys.owner("person", MOTHER.id_number)
    told = (await auditor.get("/desk/v1/audit", params={"person": person, "kind": "case.read"})).body["entries"]
    assert f"{JIANGSU}/{case}" in {each["about"]["case"] for each in told}
    assert {each["about"]["person"] for each in told} == {person}
    other = node.keys.owner("person", "320000199001010011")
    assert (await auditor.get("/desk/v1/audit", params={"person": other})).body["entries"] == []
    refused(await auditor.get("/desk/v1/audit", params={"person": MOTHER.id_number}), 422, "body_faulty")


async def test_the_command_takes_the_number_of_a_person_by_standard_input(
    health: Caller, places: Places, mother: Caller, wish: dict[str, Any], node: Node, database_sweeper: Sweeper
):
    case = await opened(places, mother, wish)
    await health.get(f"/desk/v1/cases/{case}")
    words = ("audit", "show", "--person-id-number", "-", "--case", f"{JIANGSU}/{case}", "--kind", "case.read")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", *words),
        env=environ_of(node),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate(MOTHER.id_number.encode() + b"\n")
    assert out.decode().count("case.read") == 1
    assert MOTHER.id_number not in str(noted(node, database_sweeper, "audit.read"))


# Acts.


async def test_an_act_is_noted_once_with_post_and_session(
    places: Places, health: Caller, mother: Caller, wish: dict[str, Any], node: Node, database_sweeper: Sweeper
):
    case = await opened(places, mother, wish)
    for _ in range(2):
        assert (await health.post(act(case, FIRST, "receive"), {}, key=f"receive {case}")).status == 200
    (entry,) = noted(node, database_sweeper, "step.acted", case=f"{JIANGSU}/{case}")
    about = entry["about"]
    check_whence(about)
    assert (about["step"], about["act"], about["post"]) == (FIRST, "receive", "health:provider/health/320102:window")
    assert about["person"] == node.keys.owner("person", MOTHER.id_number)
    record = await node.store.cases.case(case)
    assert about["id"] == record.events[-1].act_id


async def test_what_is_done_with_a_task_is_noted(
    places: Places, health: Caller, mother: Caller, wish: dict[str, Any], node: Node, database_sweeper: Sweeper
):
    case = await opened(places, mother, wish)
    task = f"/desk/v1/tasks/{case}:{FIRST}"
    await places.officer("health", name="colleague")
    assert (await health.post(f"{task}/claim")).status == 200
    assert (await health.post(f"{task}/heartbeat")).status == 200
    assert (await health.post(f"{task}/hand-over", {"to": "colleague", "note": MOTHER.name})).status == 200
    refused(await health.call("DELETE", f"{task}/claim"), 409, "claimed_by_another")
    entries = [each["about"] for each in noted(node, database_sweeper, "task.changed", case=f"{JIANGSU}/{case}")]
    assert sorted((each["what"], each["to"]) for each in entries) == [
        ("claim", ""),
        ("claim", "health"),
        ("hand_over", "colleague"),
    ]
    for about in entries:
        check_whence(about)
        assert about["post"].startswith("health:provider/health/320102:")


# Refusals.


async def test_what_an_officer_is_refused_is_counted_by_session_code_and_hour(
    places: Places, mother: Caller, wish: dict[str, Any], node: Node, database_sweeper: Sweeper
):
    case = await opened(places, mother, wish)
    curious = await places.officer("public_security", name="curious")
    for _ in range(3):
        refused(await curious.get(f"/desk/v1/cases/{case}"), 404, "no_such_case")
    refused(await curious.get("/desk/v1/audit"), 403, "audit_administrator_only")
    await settled(places)
    entries = noted(node, database_sweeper, "desk.refused", officer="curious")
    assert sorted((each["about"]["code"], each["about"]["door"], each["times"]) for each in entries) == [
        ("audit_administrator_only", "/desk/v1/audit", 1),
        ("no_such_case", "/desk/v1/cases/{id}", 3),
    ]
    for each in entries:
        check_whence(each["about"], "curious")


async def test_what_is_refused_in_a_batch_is_counted_too(places: Places, node: Node, database_sweeper: Sweeper):
    batcher = await places.officer("health", name="batcher")
    items = [{"case": f"nothing{number}", "step": FIRST, "version": 0} for number in range(2)]
    assert (await batcher.post("/desk/v1/batch", {"act": "receive", "items": items})).status == 200
    (entry,) = noted(node, database_sweeper, "desk.refused", officer="batcher")
    assert (entry["about"]["door"], entry["times"]) == ("/desk/v1/batch", 2)


async def test_a_wish_that_cannot_be_read_is_no_refusal_by_right(
    places: Places, health: Caller, node: Node, database_sweeper: Sweeper
):
    before = len(noted(node, database_sweeper, "desk.refused"))
    refused(await health.post("/desk/v1/searches", {"kind": "address", "text": "x"}), 422, "body_faulty")
    await settled(places)
    assert len(noted(node, database_sweeper, "desk.refused")) == before


# Other provinces.


async def test_a_look_in_another_province_names_no_person_whom_only_the_home_knows(
    places: Places, mother: Caller, police: Caller, wish: dict[str, Any], database_sweeper: Sweeper
):
    case = await crossed(places, mother, wish)
    assert (await police.get(f"/desk/v1/cases/{JIANGSU}:{case}")).status == 200
    abroad = places.nodes[ZHEJIANG].node
    (entry,) = noted(abroad, database_sweeper, "case.read", case=f"{JIANGSU}/{case}")
    check_whence(entry["about"], "public_security")
    assert "person" not in entry["about"]
