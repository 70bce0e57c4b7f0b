"""Transfers (移送) over HTTP: another province's county hands a step on, the home reads where it went, and why."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from server.desk.background.counting import count
from tests.http.asking import Sweeper, act, crossed, opened, pointers, refused, state_of, step_of
from tests.http.conftest import module_wide, nodes_of_a_module
from tests.nodes import THERE, Caller, HandClock, Places
from tests.world import JIANGSU, ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")
STEP, ELSEWHERE, CITY = "household_registration", "330102", "public_security/330100"
OLD_NAME, NEW_NAME, CITY_NAME = "杭州市公安局西湖分局", "杭州市公安局上城分局", "杭州市公安局"
WHY = "孩子的父亲户口登记在上城区"


@module_wide
async def places(
    tmp_path_factory: pytest.TempPathFactory, database_uri: str, database_sweeper: Sweeper, clock: HandClock
) -> AsyncIterator[Places]:
    """Nodes on a Monday."""
    folder = tmp_path_factory.mktemp("transfers")
    async with nodes_of_a_module(folder, database_uri, database_sweeper, clock=clock) as places:
        yield places


@module_wide
async def xihu(places: Places) -> Caller:
    """An officer of the county that has the step."""
    return await places.officer("public_security", ZHEJIANG, name="xihu")


@module_wide
async def shangcheng(places: Places) -> Caller:
    """An officer of the county that is competent."""
    return await places.officer("public_security", ZHEJIANG, name="shangcheng", county=ELSEWHERE)


async def head_of(places: Places, authority: str, name: str) -> Caller:
    """A head with a post at this authority alone."""
    caller = await places.officer("nothing", ZHEJIANG, name=name)
    await places.appoint(name, authority, ("head",), division=ZHEJIANG)
    return caller


async def received(places: Places, mother: Caller, wish: dict[str, Any], officer: Caller) -> str:
    """A case that is on the desk in the other province, by its name there."""
    case = f"{JIANGSU}:{await crossed(places, mother, wish)}"
    assert (await officer.post(act(case, STEP, "receive"))).status == 200
    await places.settle()
    return case


def to(division: str = ELSEWHERE) -> dict[str, str]:
    return {"division": division, "grounds": WHY}


async def tasks_of(officer: Caller, case: str) -> list[dict[str, Any]]:
    listed = (await officer.get("/desk/v1/tasks")).body["tasks"]
    return [task for task in listed if task["case"] == case and task["step"] == STEP]


async def entries(mother: Caller, case: str, name: str) -> list[dict[str, Any]]:
    """What the timeline tells of one act on the step."""
    timeline = (await mother.get(f"/api/v1/cases/{case.partition(':')[2]}/timeline")).body["timeline"]
    return [each for each in timeline if each["step"] == STEP and each["act"] == name]


@pytest.mark.parametrize(
    ("division", "code", "faults"),
    [
        (JIANGSU, "not_in_this_province", {"/division": "not_in_this_province"}),
        ("320102", "not_in_this_province", {"/division": "not_in_this_province"}),
        (THERE, "same_authority", {"/division": "same_authority"}),
        ("330100", "place_too_broad", {}),
    ],
)
async def test_a_step_goes_to_another_authority_of_the_province_or_nowhere(
    places: Places, mother: Caller, wish: dict[str, Any], xihu: Caller, division: str, code: str, faults: dict[str, str]
):
    case = await received(places, mother, wish, xihu)
    problem = refused(await xihu.post(act(case, STEP, "transfer"), to(division)), 422, code)
    assert pointers(problem) == faults if faults else True
    assert (await tasks_of(xihu, case))[0]["authority"] == f"public_security/{THERE}"


async def test_what_may_not_be_transferred_is_refused(places: Places, mother: Caller, wish: dict[str, Any]):
    case, health = await opened(places, mother, wish), await places.officer("health")
    assert (await health.post(act(case, "birth_certificate", "receive"))).status == 200
    refused(await health.post(act(case, "birth_certificate", "transfer"), to("320106")), 409, "transfer_not_allowed")


async def test_a_transfer_is_told_at_home_and_the_new_officers_act(
    places: Places, mother: Caller, wish: dict[str, Any], xihu: Caller, shangcheng: Caller
):
    case = await received(places, mother, wish, xihu)
    own, (task,) = case.partition(":")[2], await tasks_of(xihu, case)
    assert await tasks_of(shangcheng, case) == []
    assert (await xihu.post(f"/desk/v1/tasks/{task['id']}/claim")).status == 200
    key = "once"
    moved = await xihu.post(act(case, STEP, "transfer"), to(), key=key)
    assert (moved.status, moved.body["state"]) == (200, "received"), moved.body
    assert (await xihu.post(act(case, STEP, "transfer"), to(), key=key)).body == moved.body
    await places.settle()

    refused(await xihu.get(f"/desk/v1/cases/{case}"), 404, "no_such_case")
    refused(await xihu.post(act(case, STEP, "accept")), 404, "no_such_case")
    assert await tasks_of(xihu, case) == []
    (mine,) = [each for each in await tasks_of(shangcheng, case) if each["id"] == task["id"]]
    assert (mine["authority"], mine["holder"]) == (f"public_security/{ELSEWHERE}", "")
    assert (await shangcheng.post(f"/desk/v1/tasks/{task['id']}/claim")).status == 200

    (told,) = await entries(mother, case, "transfer")
    assert told["by"] == OLD_NAME
    assert told["words"] == f"移送{NEW_NAME}办理：{WHY}。办理期限连续计算。"
    assert (await step_of(mother, own, STEP))["holder"]["authority_name"] == NEW_NAME
    for name in ("accept", "approve"):
        assert (await shangcheng.post(act(case, STEP, name))).status == 200
    await places.settle()
    assert await state_of(mother, own, STEP) == "approved"
    assert [each["by"] for each in await entries(mother, case, "receive")] == [OLD_NAME]


async def test_both_authorities_are_counted_anew(
    places: Places, mother: Caller, wish: dict[str, Any], xihu: Caller, shangcheng: Caller
):
    case = await received(places, mother, wish, xihu)

    async def open_tasks() -> list[int]:
        node = places.nodes[ZHEJIANG].node
        node.clock.wait(minutes=10)
        while await count(node):
            pass
        ids = [f"public_security/{code}" for code in (THERE, ELSEWHERE)]
        found = await node.store.counts.counts(ids)
        return [found[id].open if id in found else 0 for id in ids]

    before = await open_tasks()
    assert (await xihu.post(act(case, STEP, "transfer"), to())).status == 200
    await places.settle()
    assert await open_tasks() == [before[0] - 1, before[1] + 1]


async def test_a_second_transfer_goes_to_the_superior_who_sees_no_case(
    places: Places, mother: Caller, wish: dict[str, Any], xihu: Caller, shangcheng: Caller
):
    case = await received(places, mother, wish, xihu)
    head, wanted = await head_of(places, CITY, "head-of-city"), {"case": case, "step": STEP, **to("330105")}
    refused(await head.post("/desk/v1/designations", wanted), 409, "nothing_to_designate")
    assert (await xihu.post(act(case, STEP, "transfer"), to())).status == 200
    problem = refused(await shangcheng.post(act(case, STEP, "transfer"), to("330105")), 409, "transferred_already")
    assert "上级" in problem["detail"]

    for other in (xihu, shangcheng, await head_of(places, "public_security/330200", "head-of-ningbo")):
        refused(await other.post("/desk/v1/designations", wanted), 404, "no_such_case")
    refused(await head.post("/desk/v1/designations", {**wanted, "step": "birth"}), 404, "no_such_case")
    refused(await head.post("/desk/v1/designations", {**wanted, "case": "none"}), 404, "no_such_case")
    refused(await head.post("/desk/v1/designations", wanted | {"division": "330203"}), 409, "not_above_both")
    refused(await head.get(f"/desk/v1/cases/{case}"), 404, "no_such_case")
    done = await head.post("/desk/v1/designations", wanted, key="one")
    assert (done.status, done.body["authority"]) == (200, "public_security/330105"), done.body
    assert set(done.body) == {"case", "step", "item_name", "authority", "authority_name"}
    assert (await head.post("/desk/v1/designations", wanted, key="one")).body == done.body
    await places.settle()
    (deed,) = (await head.get("/desk/v1/done")).body["deeds"]
    assert (deed["act"], deed["authority_name"]) == ("designate", CITY_NAME)
    (told,) = await entries(mother, case, "designate")
    assert told["by"] == CITY_NAME
    assert told["words"].startswith(f"由{CITY_NAME}指定{done.body['authority_name']}办理：{WHY}。")
