"""Visits over HTTP (跑动): an officer records that somebody came, and both sides see how often, where and for what."""

import asyncio
from typing import Any

import pytest

from server.domain.case.visits import MOST_VISITS
from tests.http.asking import Sweeper, crossed, in_a_session, opened, pointers, refused
from tests.nodes import MOTHER, Caller, Places
from tests.world import JIANGSU, ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")
HALL, TOWN, THEIRS = "320102-hall", "320102-town", "330106-hall"
CAME = {"window": HALL, "purpose": "提交原件"}
PLACE = "provider/health/320102"


def door(case: str) -> str:
    return f"/desk/v1/cases/{case}/visits"


async def case_of(places: Places, citizen: Caller, wish: dict[str, Any], **change: Any) -> str:
    return await opened(places, citizen, {**wish, **change})


def noted(places: Places, sweeper: Sweeper, case: str) -> list[dict[str, Any]]:
    """What the audit of Jiangsu says of visits for this case, straight from the database."""
    found = sweeper[places.nodes[JIANGSU].node.settings.database]["audit"].find({"kind": "visit.recorded"})
    return [in_a_session(entry["about"]) for entry in found if entry["about"]["case"] == f"{JIANGSU}/{case}"]


async def test_citizens_and_those_without_a_part_record_nothing(
    places: Places, mother: Caller, wish: dict[str, Any], database_sweeper: Sweeper
):
    case = await case_of(places, mother, wish)
    tax = await places.officer("taxation")
    assert (await places.caller().post(door(case), CAME)).status == 401
    assert (await mother.post(door(case), CAME)).status == 401
    refused(await tax.post(door(case), CAME), 404, "no_such_case")
    refused(await tax.post(door("no-such-case"), CAME), 404, "no_such_case")
    assert (await mother.get(f"/api/v1/cases/{case}/timeline")).body["visits"] == []
    assert noted(places, database_sweeper, case) == []


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        ({"window": HALL}, 422, "body_faulty", "/purpose"),
        ({"window": HALL, "purpose": "  "}, 422, "body_faulty", "/purpose"),
        ({"window": HALL, "purpose": "x" * 501}, 422, "body_faulty", "/purpose"),
        ({**CAME, "visitor": "neighbour"}, 422, "body_faulty", "/visitor"),
        ({**CAME, "window": "no-such-window"}, 422, "window_unknown", "/window"),
        ({**CAME, "window": THEIRS}, 422, "window_unknown", "/window"),
        ({"purpose": "提交原件"}, 422, "window_unknown", "/window"),  # and the applicant chose none
        ({**CAME, "visitor": "agent"}, 422, "visitor_unknown", "/visitor"),
    ],
)
async def test_what_is_no_visit_is_refused_by_pointer(
    places: Places,
    mother: Caller,
    health: Caller,
    wish: dict[str, Any],
    *,
    body: dict[str, Any],
    status: int,
    code: str,
    pointer: str,
):
    case = await case_of(places, mother, wish)
    problem = refused(await health.post(door(case), body), status, code)
    assert list(pointers(problem)) == [pointer]
    assert (await mother.get(f"/api/v1/cases/{case}/timeline")).body["visit_count"] == 0


async def test_a_request_needs_a_key_and_the_key_is_for_one_visit(
    places: Places, mother: Caller, health: Caller, wish: dict[str, Any]
):
    case = await case_of(places, mother, wish)
    refused(await health.post(door(case), CAME, key=None), 400, "idempotency_key_missing")
    first, again = [await health.post(door(case), CAME, key="k1") for _ in range(2)]
    assert (first.status, again.status) == (201, 201)
    assert first.body == again.body
    other = await health.post(door(case), CAME | {"purpose": "领取证照"}, key="k1")
    refused(other, 409, "idempotency_key_reused")
    assert (await mother.get(f"/api/v1/cases/{case}/timeline")).body["visit_count"] == 1


async def test_of_two_requests_at_once_with_one_key_there_is_one_visit(
    places: Places, mother: Caller, health: Caller, wish: dict[str, Any]
):
    case = await case_of(places, mother, wish)
    answers = await asyncio.gather(*(health.post(door(case), CAME, key="k1") for _ in range(4)))
    assert {(each.status, each.body["id"]) for each in answers} == {(201, answers[0].body["id"])}
    assert (await mother.get(f"/api/v1/cases/{case}/timeline")).body["visit_count"] == 1


async def test_both_sides_see_who_came_where_when_and_for_what(
    places: Places, mother: Caller, health: Caller, wish: dict[str, Any], database_sweeper: Sweeper
):
    case = await case_of(places, mother, wish, window=HALL)
    at_chosen = await health.post(door(case), {"purpose": "提交原件"})
    elsewhere = await health.post(door(case), {"window": TOWN, "visitor": "other", "purpose": "代交照片"})
    assert (at_chosen.status, elsewhere.status) == (201, 201), elsewhere.body
    told = (await mother.get(f"/api/v1/cases/{case}/timeline")).body
    assert told["visit_count"] == 2
    assert [(each["window"], each["visitor"], each["purpose"]) for each in told["visits"]] == [
        (HALL, "applicant", "提交原件"),
        (TOWN, "other", "代交照片"),
    ]
    assert told["visits"][0]["window_name"] == "玄武区综合窗口（示例）"
    assert [each["id"] for each in told["visits"]] == [at_chosen.body["id"], elsewhere.body["id"]]
    assert {"officer", "authority"}.isdisjoint(told["visits"][0])
    seen = (await health.get(f"/desk/v1/cases/{case}")).body["visits"]
    assert seen == [at_chosen.body, elsewhere.body]
    assert [(each["officer"], each["authority"]) for each in seen] == [("health", PLACE)] * 2
    node = places.nodes[JIANGSU].node
    about = {"case": f"{JIANGSU}/{case}", "person": node.keys.owner("person", MOTHER.id_number), "officer": "health"}
    about |= {"authority": PLACE, "post": f"health:{PLACE}:window"}
    assert noted(places, database_sweeper, case) == [
        about | {"window": HALL, "visitor": "applicant"},
        about | {"window": TOWN, "visitor": "other"},
    ]


async def test_a_stranger_sees_no_visits_of_others(
    places: Places, mother: Caller, stranger: Caller, health: Caller, wish: dict[str, Any]
):
    case = await case_of(places, mother, wish)
    await health.post(door(case), CAME)
    refused(await stranger.get(f"/api/v1/cases/{case}/timeline"), 404, "no_such_case")


async def test_a_visit_at_the_deciders_stays_there(
    places: Places, mother: Caller, health: Caller, police: Caller, wish: dict[str, Any]
):
    case = await crossed(places, mother, wish)
    came = await police.post(door(f"{JIANGSU}:{case}"), {"window": THEIRS, "visitor": "agent", "purpose": "领取户口簿"})
    assert came.status == 201, came.body
    await places.settle()
    seen = (await police.get(f"/desk/v1/cases/{JIANGSU}:{case}")).body["visits"]
    assert seen == [came.body]
    assert (await health.get(f"/desk/v1/cases/{case}")).body["visits"] == []
    assert (await mother.get(f"/api/v1/cases/{case}/timeline")).body["visit_count"] == 0
    refused(await police.post(door(f"{JIANGSU}:{case}"), CAME), 422, "window_unknown")
    stored = await places.nodes[ZHEJIANG].node.store.visits.find(came.body["id"])
    assert stored
    assert stored.person == ""


async def test_at_home_a_visit_knows_by_key_who_came(
    places: Places, mother: Caller, health: Caller, wish: dict[str, Any]
):
    case = await case_of(places, mother, wish)
    node, record = places.nodes[JIANGSU].node, await places.nodes[JIANGSU].node.store.cases.case(case)
    came = [await health.post(door(case), {**CAME, "visitor": visitor}) for visitor in ("applicant", "other")]
    stored = [await node.store.visits.find(each.body["id"]) for each in came]
    assert record.case.applicant
    assert [each.person for each in stored if each] == [record.case.applicant.key, ""]


async def test_a_case_has_no_more_than_a_hundred(places: Places, mother: Caller, health: Caller, wish: dict[str, Any]):
    case = await case_of(places, mother, wish)
    store = places.nodes[JIANGSU].node.store.visits
    first = await health.post(door(case), CAME, key="k1")
    known = await store.find(first.body["id"])
    assert known
    for number in range(MOST_VISITS - 1):
        await store.add(known.model_copy(update={"id": f"{case}-{number}"}))
    refused(await health.post(door(case), CAME), 409, "too_many_visits")
    assert (await health.post(door(case), CAME, key="k1")).body == first.body
