"""Drafts over HTTP: begun on one device and finished on another, never lost between two hands, handed in once."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from server.desk.citizen import drafts
from server.domain.rules.drafts import MOST_DRAFTS
from tests.http.asking import pointers, refused
from tests.http.conftest import module_wide
from tests.nodes import Answer, Caller, Places
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")
BEGUN = {"bundle": "newborn", "form": {"child_name": "测试宝宝"}}


@module_wide
async def tablet(places: Places, mother: Caller) -> Caller:
    """The mother again, with another token on another device."""
    device = await places.citizen("mother")
    assert device.token != mother.token
    return device


@pytest.fixture
def id() -> str:
    """An id that no other test chose."""
    return f"draft-{uuid4().hex[:8]}"


async def put(citizen: Caller, id: str, body: Any, *, version: int | None = None) -> Answer:
    headers = {} if version is None else {"If-Match": f'"{version}"'}
    return await citizen.call("PUT", f"/api/v1/drafts/{id}", json=body, headers=headers)


async def get(citizen: Caller, id: str) -> Answer:
    return await citizen.get(f"/api/v1/drafts/{id}")


async def delete(citizen: Caller, id: str, version: int) -> Answer:
    return await citizen.call("DELETE", f"/api/v1/drafts/{id}", headers={"If-Match": f'"{version}"'})


async def cases_of(citizen: Caller) -> list[str]:
    return [each["id"] for each in (await citizen.get("/api/v1/cases")).body["cases"]]


async def test_a_draft_begun_on_one_device_is_finished_and_handed_in_on_another(
    mother: Caller, tablet: Caller, wish: dict[str, Any], id: str
):
    begun = await put(mother, id, BEGUN)
    assert (begun.status, begun.body["version"], begun.headers["ETag"]) == (200, 1, '"1"')
    assert (begun.body["bundle_name"], begun.body["answers"], begun.body["materials"]) == ("新生儿出生", {}, [])
    found = await get(tablet, id)
    assert (found.status, found.body) == (200, begun.body)
    assert found.headers["ETag"].endswith('"1"')
    finished = await put(tablet, id, wish, version=1)
    assert (finished.status, finished.body["version"]) == (200, 2)
    assert {part: finished.body[part] for part in wish} == wish
    submitted = await tablet.post("/api/v1/cases", {"draft": id, "version": 2})
    assert submitted.status == 201, submitted.body
    shown = await mother.get(f"/api/v1/cases/{submitted.body['id']}")
    assert shown.body["bundle"] == "newborn"
    refused(await get(mother, id), 404, "draft_gone")


async def test_a_draft_expires_thirty_days_after_its_last_change(places: Places, mother: Caller, id: str):
    assert places.nodes[JIANGSU].node.settings.draft_days == 30
    body = (await put(mother, id, BEGUN)).body
    changed_at, expires_at = (datetime.fromisoformat(body[name]) for name in ("changed_at", "expires_at"))
    assert timedelta(0) <= expires_at - changed_at - timedelta(days=30) < timedelta(hours=1)
    assert body["expires_at"].endswith(":00:00.000+08:00")


async def owner_of(places: Places, citizen: Caller) -> str:
    """Under which key the store knows this citizen."""
    node = places.nodes[JIANGSU].node
    claims = node.tokens.verify(citizen.token, audience="citizens", at=node.clock.now())
    session = await node.store.people.session(claims.session, at=node.clock.now())
    return session.person


async def test_a_request_that_is_repeated_is_answered_as_the_first_time(mother: Caller, id: str):
    first, again = await put(mother, id, BEGUN), await put(mother, id, BEGUN)
    assert (again.status, again.body) == (200, first.body)
    more = {**BEGUN, "division": "320100"}
    first, again = await put(mother, id, more, version=1), await put(mother, id, more, version=1)
    assert (again.status, again.body, again.headers["ETag"]) == (200, first.body, '"2"')
    assert first.body["version"] == 2


async def test_repeats_at_the_same_moment_are_one_change(mother: Caller, id: str):
    begun = await asyncio.gather(*(put(mother, id, BEGUN) for _ in range(4)))
    assert {(each.status, each.body["version"]) for each in begun} == {(200, 1)}
    more = {**BEGUN, "division": "320100"}
    changed = await asyncio.gather(*(put(mother, id, more, version=1) for _ in range(4)))
    assert {(each.status, each.body["version"]) for each in changed} == {(200, 2)}


async def test_of_two_devices_the_slower_one_is_told_the_present_version(mother: Caller, tablet: Caller, id: str):
    await put(mother, id, BEGUN)
    bodies = [{**BEGUN, "division": code} for code in ("320100", "320200")]
    answers = await asyncio.gather(put(mother, id, bodies[0], version=1), put(tablet, id, bodies[1], version=1))
    assert sorted(each.status for each in answers) == [200, 412]
    slower = next(each for each in answers if each.status == 412)
    assert refused(slower, 412, "stale_version")["version"] == 2
    kept = next(each for each in answers if each.status == 200)
    assert (await get(tablet, id)).body == kept.body


async def test_a_draft_is_not_overwritten_by_whoever_names_no_version(mother: Caller, id: str):
    await put(mother, id, BEGUN)
    other = {**BEGUN, "division": "320100"}
    assert refused(await put(mother, id, other), 412, "draft_exists")["version"] == 1
    answer = await mother.call("PUT", f"/api/v1/drafts/{id}", json=other, headers={"If-None-Match": "*"})
    refused(answer, 412, "draft_exists")
    assert (await get(mother, id)).body["division"] == ""


async def test_a_version_of_a_draft_that_is_not_there_is_refused(mother: Caller, id: str):
    refused(await put(mother, id, BEGUN, version=1), 404, "draft_gone")
    refused(await get(mother, id), 404, "draft_gone")


async def test_a_deleted_draft_stays_deleted_and_its_versions_are_not_used_again(mother: Caller, id: str):
    await put(mother, id, BEGUN)
    assert [(await delete(mother, id, 1)).status for _ in range(2)] == [204, 204]
    refused(await put(mother, id, BEGUN, version=1), 404, "draft_gone")
    assert (await put(mother, id, {**BEGUN, "division": "320100"})).body["version"] == 3
    assert refused(await delete(mother, id, 1), 412, "stale_version")["version"] == 3
    assert (await get(mother, id)).status == 200


async def test_nothing_is_deleted_without_a_version(mother: Caller, id: str):
    await put(mother, id, BEGUN)
    refused(await mother.call("DELETE", f"/api/v1/drafts/{id}"), 400, "draft_version_missing")
    refused(await mother.call("DELETE", f"/api/v1/drafts/{id}", headers={"If-Match": "x"}), 400, "if_match_unreadable")
    assert (await get(mother, id)).status == 200


async def test_somebody_elses_draft_does_not_exist(mother: Caller, stranger: Caller, id: str):
    mine = await put(mother, id, BEGUN)
    refused(await get(stranger, id), 404, "draft_gone")
    refused(await put(stranger, id, {**BEGUN, "division": "320100"}, version=1), 404, "draft_gone")
    refused(await stranger.post("/api/v1/cases", {"draft": id, "version": 1}), 404, "draft_gone")
    assert (await delete(stranger, id, 1)).status == 204
    assert (await put(stranger, id, {**BEGUN, "division": "320200"})).body["version"] == 1
    assert (await get(mother, id)).body == mine.body


@pytest.mark.parametrize("bad", ["x" * 41, "a.b", "2026%2F11", "%E8%8D%89", "a%0A"])
async def test_an_id_of_other_characters_is_refused(mother: Caller, bad: str):
    refused(await put(mother, bad, BEGUN), 400, "draft_id_unfit")
    refused(await get(mother, bad), 400, "draft_id_unfit")
    refused(await delete(mother, bad, 1), 400, "draft_id_unfit")


async def test_an_id_may_look_like_a_date(mother: Caller):
    assert (await put(mother, "2026-11-23", BEGUN)).status == 200
    assert (await get(mother, "2026-11-23")).body["id"] == "2026-11-23"


async def test_a_draft_of_an_unknown_bundle_is_refused(mother: Caller, id: str):
    refused(await put(mother, id, {"bundle": "oldborn"}), 404, "no_such_bundle")


async def test_a_draft_is_measured_and_not_judged(mother: Caller, id: str):
    odd = {"bundle": "newborn", "form": {"$a.b": "1", "mobile": "no number"}, "answers": {"weather": "fine"}}
    kept = (await put(mother, id, odd)).body
    assert (kept["form"], kept["answers"]) == (odd["form"], odd["answers"])
    faulty = {"form": {"mobile": "1" * 2001}, "answers": {"名": "x"}, "materials": [{"code": "x"}], "hurry": True}
    problem = refused(await put(mother, id, faulty, version=1), 422, "body_faulty")
    assert pointers(problem) == {
        "/bundle": "required",
        "/form/mobile": "type",
        "/answers/名": "unknown",
        "/materials/0/id": "required",
        "/hurry": "unknown",
    }


async def test_drafts_are_listed_with_the_last_change_first_and_limited(places: Places, stranger: Caller):
    for each in (await stranger.get("/api/v1/drafts")).body["drafts"]:
        await delete(stranger, each["id"], each["version"])
    for number in range(MOST_DRAFTS):
        assert (await put(stranger, f"d{number}", BEGUN)).status == 200
    refused(await put(stranger, "one-too-many", BEGUN), 409, "too_many_drafts")
    assert (await put(stranger, "d0", {**BEGUN, "division": "320100"}, version=1)).status == 200
    listed = (await stranger.get("/api/v1/drafts")).body["drafts"]
    assert [each["id"] for each in listed[:1]] == ["d0"]
    assert {each["id"] for each in listed} == {f"d{number}" for number in range(MOST_DRAFTS)}
    assert set(listed[0]) == {"id", "version", "bundle", "bundle_name", "changed_at", "expires_at"}
    await delete(stranger, "d1", 1)
    assert (await put(stranger, "one-too-many", BEGUN)).status == 200


async def test_a_repeated_submission_is_the_same_case_though_its_draft_is_gone(
    mother: Caller, wish: dict[str, Any], id: str
):
    await put(mother, id, wish)
    key = uuid4().hex
    first, again = [await mother.post("/api/v1/cases", {"draft": id, "version": 1}, key=key) for _ in range(2)]
    assert (first.status, again.status) == (201, 201)
    assert again.body == first.body
    refused(await mother.post("/api/v1/cases", {"draft": id, "version": 2}, key=key), 409, "idempotency_key_reused")
    refused(await mother.post("/api/v1/cases", wish, key=key), 409, "idempotency_key_reused")
    refused(await mother.post("/api/v1/cases", {"draft": id, "version": 1}), 404, "draft_gone")


async def test_a_draft_that_was_edited_meanwhile_is_not_handed_in(
    mother: Caller, tablet: Caller, wish: dict[str, Any], id: str
):
    await put(mother, id, wish)
    edited = await put(tablet, id, {**wish, "division": "320100"}, version=1)
    before = await cases_of(mother)
    problem = refused(await mother.post("/api/v1/cases", {"draft": id, "version": 1}), 412, "stale_version")
    assert problem["version"] == 2
    assert await cases_of(mother) == before
    assert (await get(mother, id)).body == edited.body


async def test_an_unfinished_draft_is_refused_with_its_faults_and_kept(mother: Caller, wish: dict[str, Any], id: str):
    form = {name: value for name, value in wish["form"].items() if name != "child_name"}
    await put(mother, id, {**wish, "form": form})
    problem = refused(await mother.post("/api/v1/cases", {"draft": id, "version": 1}), 422, "form_faulty")
    assert pointers(problem) == {"/form/child_name": "required"}
    assert (await get(mother, id)).status == 200


async def test_a_draft_left_by_a_crash_is_forgotten_by_the_repeat(
    places: Places, mother: Caller, wish: dict[str, Any], id: str
):
    """The case is stored and its draft still there, as after a crash between the two."""
    key = uuid4().hex
    first = await crashed_submission(places, mother, wish, id=id, key=key)
    again = await mother.post("/api/v1/cases", {"draft": id, "version": 1}, key=key)
    assert (again.status, again.body) == (201, first.body)
    refused(await get(mother, id), 404, "draft_gone")


async def test_a_draft_left_by_a_crash_and_changed_since_survives_the_repeat(
    places: Places, mother: Caller, wish: dict[str, Any], id: str
):
    key = uuid4().hex
    first = await crashed_submission(places, mother, wish, id=id, key=key)
    changed = await put(mother, id, {**wish, "division": "320100"}, version=1)
    again = await mother.post("/api/v1/cases", {"draft": id, "version": 1}, key=key)
    assert (again.status, again.body) == (201, first.body)
    assert (await get(mother, id)).body == changed.body


async def crashed_submission(places: Places, citizen: Caller, wish: dict[str, Any], *, id: str, key: str) -> Answer:
    """Hand the draft in, then put its document back as it was before: it is as if nobody had forgotten it."""
    await put(citizen, id, wish)
    database = places.nodes[JIANGSU].node.store.database
    place = f"{await owner_of(places, citizen)}:{id}"
    before = await database.get("drafts", place)
    assert before
    submitted = await citizen.post("/api/v1/cases", {"draft": id, "version": 1}, key=key)
    assert submitted.status == 201, submitted.body
    assert await database.replace("drafts", before, version=2)
    assert (await get(citizen, id)).body["version"] == 1
    return submitted


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({"draft": "d", "version": 1, "form": {}}, {"/form": "unknown"}),
        ({"draft": "d"}, {"/version": "required"}),
        ({"draft": "d", "version": 0}, {"/version": "type"}),
        ({"draft": "a b", "version": 1}, {"/draft": "type"}),
        ({"version": 1}, {"/version": "unknown", "/bundle": "required", "/form": "required"}),
        ({}, {"/bundle": "required", "/form": "required"}),
        ([], {"": "type"}),
    ],
)
async def test_a_submission_is_an_application_or_a_draft_and_not_both(
    mother: Caller, body: Any, faults: dict[str, str]
):
    problem = refused(await mother.call("POST", "/api/v1/cases", json=body, key="k"), 422, "body_faulty")
    assert pointers(problem) == faults


async def test_whoever_is_to_be_told_of_expiry_is_found(places: Places, mother: Caller, id: str):
    node = places.nodes[JIANGSU].node
    owner = await owner_of(places, mother)
    await put(mother, id, BEGUN)
    assert id not in [each.id for each in await drafts.expiring(node)]
    near = (await node.store.drafts.draft(owner, id, at=node.clock.now())).model_copy(
        update={"version": 2, "expires_at": node.clock.now() + drafts.SOON / 2}
    )
    await node.store.drafts.keep(owner, near)
    found = [each for each in await drafts.expiring(node) if each.id == id]
    assert [(each.owner, each.bundle_name) for each in found] == [(owner, "新生儿出生")]
