"""Urging a step: the officer who has it sees it, in another province too, and it may be done once in three days."""

from datetime import date
from typing import Any

import pytest

from tests.http.asking import act, crossed, opened, refused, step_of
from tests.nodes import Caller, Places
from tests.world import JIANGSU, ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")
HERE, ABROAD = "birth_certificate", "household_registration"


def urgings(case: str, step: str) -> str:
    return f"/api/v1/cases/{case}/steps/{step}/urgings"


async def at_desk(officer: Caller, case: str) -> dict[str, Any]:
    """How the officer who decides it sees the only step of a case that concerns them."""
    (part,) = (await officer.get(f"/desk/v1/cases/{case}")).body["steps"]
    step: dict[str, Any] = part["step"]
    return step


async def test_a_case_that_is_not_ones_own_is_not_found(
    places: Places, mother: Caller, stranger: Caller, wish: dict[str, Any]
):
    case = await opened(places, mother, wish)
    refused(await stranger.post(urgings(case, HERE)), 404, "no_such_case")
    refused(await mother.post(urgings(case, "no_such_step")), 404, "no_such_step")
    refused(await mother.post(urgings(case, HERE), key=None), 400, "idempotency_key_missing")


async def test_a_step_that_has_not_begun_or_is_taken_up_cannot_be_urged(
    places: Places, mother: Caller, health: Caller, wish: dict[str, Any]
):
    case = await opened(places, mother, wish)
    assert (await step_of(mother, case, ABROAD))["may_urge_on"] is None
    refused(await mother.post(urgings(case, ABROAD)), 409, "state_forbids")
    for name in ("receive", "accept"):
        assert (await health.post(act(case, HERE, name))).status == 200
    refused(await mother.post(urgings(case, HERE)), 409, "state_forbids")


async def test_the_applicant_sees_since_when_it_is_urged_and_when_they_may_again(
    places: Places, mother: Caller, wish: dict[str, Any]
):
    case = await opened(places, mother, wish)
    before = await step_of(mother, case, HERE)
    assert before["urged_at"] is None
    today = date.fromisoformat(before["may_urge_on"])
    answer = await mother.post(urgings(case, HERE), key="press")
    assert answer.status == 200
    after = next(step for step in answer.body["steps"] if step["step"] == HERE)
    assert after["urged_at"].startswith(today.isoformat())
    assert date.fromisoformat(after["may_urge_on"]) > today
    assert after["version"] == before["version"]
    again = await mother.post(urgings(case, HERE))
    refused(again, 409, "urged_recently")
    assert "可以再次催办" in again.body["detail"]
    repeat = await mother.post(urgings(case, HERE), key="press")
    assert (repeat.status, repeat.body["version"]) == (200, answer.body["version"])
    timeline = (await mother.get(f"/api/v1/cases/{case}/timeline")).body["timeline"]
    assert [each["act_name"] for each in timeline if each["act"] == "urge"] == ["催办"]


async def test_the_officer_in_the_other_province_sees_it_and_still_acts_on_what_they_saw(
    places: Places, mother: Caller, police: Caller, wish: dict[str, Any]
):
    case = await crossed(places, mother, wish)
    abroad = f"{JIANGSU}:{case}"
    seen = await at_desk(police, abroad)
    assert seen["urged_at"] is None
    assert (await mother.post(urgings(case, ABROAD))).status == 200
    await places.settle()
    assert (await at_desk(police, abroad))["urged_at"]
    tasks = (await police.get("/desk/v1/tasks")).body["tasks"]
    assert [bool(each["urged_at"]) for each in tasks if each["case"] == abroad] == [True]
    received = await police.post(act(abroad, ABROAD, "receive"), {"version": seen["version"]})
    assert (received.status, received.body["state"]) == (200, "received")


async def test_a_withdrawal_that_follows_an_urge_is_answered(
    places: Places, mother: Caller, police: Caller, wish: dict[str, Any]
):
    case = await crossed(places, mother, wish)
    abroad = f"{JIANGSU}:{case}"
    for name in ("receive", "accept"):
        assert (await police.post(act(abroad, ABROAD, name))).status == 200
    assert (await mother.post(urgings(case, ABROAD))).status == 200  # the acceptance is still on its way
    assert (await mother.post(f"/api/v1/cases/{case}/withdrawal")).status == 200
    await places.settle()
    assert (await step_of(mother, case, ABROAD))["state"] == "withdrawn"
    assert await places.nodes[JIANGSU].node.store.letters_out.dead(limit=9) == []
    kept = await places.nodes[ZHEJIANG].node.store.letters_in.in_attention(limit=9)
    assert [each for each in kept if each.letter.kind == "step.urged"] == []
