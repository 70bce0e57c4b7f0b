"""Materials come to the node that decides: part by part, whole or not at all, and the officer sees how far."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pymongo
import pytest

from regions import fetching, outbox
from server.domain.values import moment_text
from tests.http.asking import act, refused
from tests.http.conftest import module_wide, nodes_of_a_module
from tests.http.peer_questions import (
    FAR,
    PART_BYTES,
    Books,
    CutWire,
    LyingWire,
    digest,
    far_case,
    fetch_over,
    fetches_of,
    picture,
)
from tests.nodes import Caller, HandClock, Places, newborn_wish, running_nodes, until
from tests.world import JIANGSU, ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")


@module_wide
async def places(
    tmp_path_factory: pytest.TempPathFactory,
    database_uri: str,
    database_sweeper: pymongo.MongoClient[dict[str, Any]],
    clock: HandClock,
) -> AsyncIterator[Places]:
    """Jiangsu and Zhejiang under a clock that stands still."""
    folder = tmp_path_factory.mktemp("nodes")
    async with nodes_of_a_module(folder, database_uri, database_sweeper, clock=clock) as places:
        yield places


async def desk_materials(officer: Caller, case: str) -> list[dict[str, Any]]:
    answer = await officer.get(f"/desk/v1/cases/{JIANGSU}:{case}")
    (step,) = answer.body["steps"]
    return list(step["materials"])


def path_of(case: str, sha: str) -> str:
    return f"/desk/v1/cases/{JIANGSU}:{case}/materials/{sha}"


def kinds(record: Any) -> list[str]:
    return [event.kind for event in record.events]


async def test_an_officer_opens_a_material_only_when_it_has_come_and_his_look_is_noted(
    places: Places, mother: Caller, police: Caller, audit: Books
):
    content = picture(3000, "opened")
    sha = digest(content)
    case = await far_case(places, mother, content)
    zhejiang = places.nodes[ZHEJIANG].node
    assert [(each["sha256"], each["size"], each["bytes_here"]) for each in await desk_materials(police, case)] == [
        (sha, 3000, 0),
        (sha, 3000, 0),
    ]
    refused(await police.get(path_of(case, sha)), 409, "material_still_coming")
    assert not audit.notes(zhejiang, "material.read", case=f"{JIANGSU}/{case}")
    await places.settle()
    assert {each["bytes_here"] for each in await desk_materials(police, case)} == {3000}
    answer = await police.get(path_of(case, sha))
    assert (answer.status, answer.headers["Content-Type"], answer.body) == (200, "image/png", content)
    (note,) = audit.notes(zhejiang, "material.read", case=f"{JIANGSU}/{case}")
    assert (note["officer"], note["reason"]) == ("public_security", f"decides {FAR}")
    (served, *more) = audit.notes(places.nodes[JIANGSU].node, "content.served", case=f"{JIANGSU}/{case}")
    assert not more  # what is here is not asked for again under another name
    assert (served["peer"], served["step"], served["reason"]) == (ZHEJIANG, FAR, f"decides {FAR}")
    assert sha not in str(note) + str(served)


async def test_nobody_else_opens_a_material(places: Places, mother: Caller, police: Caller, health: Caller):
    content = picture(3001)
    case = await far_case(places, mother, content)
    await places.settle()
    tax = await places.officer("tax", ZHEJIANG)
    refused(await tax.get(path_of(case, digest(content))), 404, "no_such_case")
    refused(await police.get(path_of(case, "0" * 64)), 404, "no_such_material")
    refused(await police.get(path_of("none", digest(content))), 404, "no_such_case")
    at_home = f"/desk/v1/cases/{case}/materials/{digest(content)}"
    assert (await health.get(at_home)).status == 200  # the birth certificate declares it too


async def test_the_five_days_run_from_when_the_last_material_is_here(
    places: Places, mother: Caller, police: Caller, clock: HandClock
):
    case = await far_case(places, mother, picture(2000, "one"), picture(2000, "two"))
    zhejiang = places.nodes[ZHEJIANG].node
    record = await zhejiang.store.cases.case(f"{JIANGSU}:{case}")
    step = record.case.step(FAR)
    assert (step.is_gathering, step.arrived_at, kinds(record)) == (True, None, ["requested"])
    tasks = await police.get("/desk/v1/tasks")
    assert [each["due_on"] for each in tasks.body["tasks"] if each["case"] == record.id] == [""]
    clock.wait(minutes=5)
    await fetching.fetch(zhejiang, JIANGSU)
    record = await zhejiang.store.cases.case(record.id)
    assert kinds(record) == ["requested", "gathered"]
    step = record.case.step(FAR)
    assert (step.is_gathering, moment_text(step.arrived_at)) == (False, moment_text(clock.at))
    assert {each.outcome for each in await fetches_of(zhejiang, case)} == {"kept"}
    await fetching.fetch(zhejiang, JIANGSU)
    assert (await zhejiang.store.cases.case(record.id)).case.version == record.case.version


async def test_what_waits_to_be_fetched_comes_now_if_an_operator_retries_the_peer(places: Places, mother: Caller):
    content = picture(700, "retried")
    case = await far_case(places, mother, content)
    zhejiang = places.nodes[ZHEJIANG].node
    await fetch_over(zhejiang, CutWire(zhejiang.wire, answers=0))
    failed, *_ = [each for each in await fetches_of(zhejiang, case) if each.failures]
    lost = zhejiang.clock.now().replace(year=2126)
    await zhejiang.store.fetches.postpone(failed, until=lost, reason="unreachable")
    await fetching.fetch(zhejiang, JIANGSU)
    assert "" in {each.outcome for each in await fetches_of(zhejiang, case)}
    await outbox.retry(zhejiang, JIANGSU, by="operator")
    await fetching.fetch(zhejiang, JIANGSU)
    assert {each.outcome for each in await fetches_of(zhejiang, case)} == {"kept"}


async def test_a_cut_in_the_middle_resumes_where_it_was(places: Places, mother: Caller, police: Caller):
    content = picture(2 * PART_BYTES + 500_000, "large")
    small = picture(500, "small")
    case = await far_case(places, mother, content, small)
    zhejiang = places.nodes[ZHEJIANG].node
    cut = CutWire(zhejiang.wire, answers=1)
    assert not await fetch_over(zhejiang, cut)
    assert [(each.kept, each.failures) for each in await fetches_of(zhejiang, case)] == [(PART_BYTES, 1), (0, 0)]
    assert [each["bytes_here"] for each in await desk_materials(police, case)] == [PART_BYTES, 0]
    zhejiang.clock.wait(minutes=3)
    whole = CutWire(zhejiang.wire, answers=100)
    await fetch_over(zhejiang, whole)
    ends = [(0, PART_BYTES), (PART_BYTES, 2 * PART_BYTES), (2 * PART_BYTES, len(content))]
    first, second, third = (f"bytes={start}-{end - 1}" for start, end in ends)
    assert cut.ranges == [first, second]
    rest = "bytes=0-499"
    assert sorted(whole.ranges) == sorted([second, third, rest])  # not one byte that was kept is asked for again
    answer = await police.get(path_of(case, digest(content)))
    assert answer.body == content
    assert {each.outcome for each in await fetches_of(zhejiang, case)} == {"kept"}


async def test_parts_lie_sealed_and_are_gone_when_the_whole_is_here(places: Places, mother: Caller):
    content = picture(PART_BYTES + 10, "sealed")
    case = await far_case(places, mother, content)
    zhejiang = places.nodes[ZHEJIANG].node
    folder = zhejiang.settings.data_folder
    before = {path for path in folder.rglob("*") if path.is_file()}
    await fetch_over(zhejiang, CutWire(zhejiang.wire, answers=1))
    (part,) = {path for path in folder.rglob("*") if path.is_file()} - before
    assert content[1000:1100] not in part.read_bytes()
    zhejiang.clock.wait(minutes=3)
    await fetching.fetch(zhejiang, JIANGSU)
    (whole,) = {path for path in folder.rglob("*") if path.is_file()} - before
    assert whole.name == zhejiang.keys.material(digest(content)) != part.name
    assert {each.outcome for each in await fetches_of(zhejiang, case)} == {"kept"}


async def test_bytes_that_are_not_what_was_offered_are_thrown_away_and_asked_for_again(
    places: Places, mother: Caller, police: Caller
):
    content = picture(3002, "true")
    case = await far_case(places, mother, content)
    zhejiang = places.nodes[ZHEJIANG].node
    await fetch_over(zhejiang, LyingWire(places.nodes[JIANGSU].node))
    first, _ = await fetches_of(zhejiang, case)
    assert (first.kept, first.thrown_away, first.failures, first.outcome) == (0, 1, 1, "")
    refused(await police.get(path_of(case, digest(content))), 409, "material_still_coming")
    zhejiang.clock.wait(minutes=3)
    await fetching.fetch(zhejiang, JIANGSU)
    assert (await police.get(path_of(case, digest(content)))).body == content


async def test_what_is_fetched_already_by_another_worker_is_not_taken_twice(places: Places, mother: Caller):
    case = await far_case(places, mother, picture(3004))
    zhejiang = places.nodes[ZHEJIANG].node
    (first, _) = await fetches_of(zhejiang, case)
    until = zhejiang.clock.now()
    assert await zhejiang.store.fetches.take(first, until=until)
    assert not await zhejiang.store.fetches.take(first, until=until)
    await fetching.fetch(zhejiang, JIANGSU)


async def test_nothing_is_fetched_for_a_step_that_has_ended(places: Places, mother: Caller, police: Caller):
    case = await far_case(places, mother, picture(3005))
    answer = await police.post(act(f"{JIANGSU}:{case}", FAR, "receive"))
    assert answer.status == 200
    said = {"decline_as": "not_needed", "grounds": "无需办理"}
    answer = await police.post(act(f"{JIANGSU}:{case}", FAR, "decline"), said)
    assert answer.status == 200, answer.body
    zhejiang = places.nodes[ZHEJIANG].node
    wire = CutWire(zhejiang.wire, answers=100)
    await fetch_over(zhejiang, wire)
    assert wire.ranges == []
    assert {each.outcome for each in await fetches_of(zhejiang, case)} == {"moot"}


async def test_work_fetches_by_itself(tmp_path: Path, database_uri: str, database_name: str):
    async with running_nodes(tmp_path, database_uri, database_name, is_working=True) as places:
        mother, content = await places.citizen(), picture(700)
        wish = await newborn_wish(mother)
        uploaded = await mother.upload(content)
        wish["materials"] = [each | {"id": uploaded.body["id"]} for each in wish["materials"]]
        case = (await mother.post("/api/v1/cases", wish)).body["id"]
        await places.decide(case, "birth_certificate", department="health")
        police = await places.officer("public_security", ZHEJIANG)

        async def opened() -> bool:
            answer = await police.get(path_of(case, digest(content)))
            return answer.status == 200 and answer.body == content

        assert await until(opened)


async def test_a_failed_fetch_is_tried_for_ever_and_never_waits_more_than_ten_minutes(places: Places, mother: Caller):
    case = await far_case(places, mother, picture(3003))
    zhejiang = places.nodes[ZHEJIANG].node
    for failures in range(1, 31):
        zhejiang.clock.wait(minutes=11)
        wire = CutWire(zhejiang.wire, answers=0)
        await fetch_over(zhejiang, wire)
        assert len(wire.ranges) == 1, failures  # one that cannot be reached is not asked for the next
    zhejiang.clock.wait(minutes=11)
    await fetching.fetch(zhejiang, JIANGSU)
    assert {each.outcome for each in await fetches_of(zhejiang, case)} == {"kept"}
