"""Taking a case back: at once where this node decides, by asking where another one does."""

from typing import Any

import pytest

from tests.http.asking import act, crossed, opened, refused, state_of, step_of
from tests.nodes import Caller, Places
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")
ABROAD = "household_registration"


def withdrawal(case: str) -> str:
    return f"/api/v1/cases/{case}/withdrawal"


async def test_a_case_that_nobody_has_decided_is_closed_as_withdrawn(
    places: Places, mother: Caller, health: Caller, wish: dict[str, Any]
):
    case = await opened(places, mother, wish)
    answer = await mother.post(withdrawal(case))
    assert answer.status == 200
    assert (answer.body["state"], answer.body["outcome"]) == ("closed", "withdrawn")
    assert {step["state"] for step in answer.body["steps"]} == {"withdrawn"}
    assert answer.body["closed_at"].endswith("+08:00")
    await places.settle()
    assert case not in [task["case"] for task in (await health.get("/desk/v1/tasks")).body["tasks"]]
    refused(await health.post(act(case, "birth_certificate", "receive")), 409, "state_forbids")
    refused(await mother.post(withdrawal(case)), 409, "nothing_to_withdraw")


async def test_a_step_abroad_is_asked_back_and_let_go(
    places: Places, mother: Caller, police: Caller, wish: dict[str, Any]
):
    case = await crossed(places, mother, wish)
    answer = await mother.post(withdrawal(case))
    asked = next(step for step in answer.body["steps"] if step["step"] == ABROAD)
    assert (asked["state"], asked["is_withdrawal_asked"], answer.body["state"]) == ("sent", True, "open")
    refused(await mother.post(withdrawal(case)), 409, "nothing_to_withdraw")
    await places.settle()
    shown = (await mother.get(f"/api/v1/cases/{case}")).body
    states = {step["step"]: step["state"] for step in shown["steps"]}
    assert states[ABROAD] == "withdrawn"
    assert states["birth_certificate"] == "approved"
    assert (shown["state"], shown["outcome"]) == ("closed", "completed")
    told = [
        (each["step"], each["act"]) for each in (await mother.get(f"/api/v1/cases/{case}/timeline")).body["timeline"]
    ]
    assert told.index((ABROAD, "ask_withdrawal")) < told.index((ABROAD, "withdraw"))
    refused(await police.post(act(f"{JIANGSU}:{case}", ABROAD, "receive")), 409, "state_forbids")


async def test_a_decision_that_came_first_stands(places: Places, mother: Caller, police: Caller, wish: dict[str, Any]):
    case = await crossed(places, mother, wish)
    abroad = f"{JIANGSU}:{case}"
    for name in ("receive", "accept", "approve"):
        assert (await police.post(act(abroad, ABROAD, name))).status == 200
    assert (await mother.post(withdrawal(case))).status == 200
    assert (await step_of(mother, case, ABROAD))["is_withdrawal_asked"]
    await places.settle()
    assert await state_of(mother, case, ABROAD) == "approved"


async def test_a_withdrawal_of_a_stale_version_is_refused(places: Places, mother: Caller, health: Caller, wish: Any):
    case = await opened(places, mother, wish)
    seen = (await mother.get(f"/api/v1/cases/{case}")).headers["ETag"]
    assert (await health.post(act(case, "birth_certificate", "receive"))).status == 200
    refused(await mother.post(withdrawal(case), headers={"If-Match": seen}), 412, "stale_version")
    assert await state_of(mother, case, "birth_certificate") == "received"
    now = (await mother.get(f"/api/v1/cases/{case}")).headers["ETag"]
    answer = await mother.post(withdrawal(case), headers={"If-Match": now})
    assert answer.body["outcome"] == "withdrawn"
    assert answer.headers["ETag"] == f'"{answer.body["version"]}"'


@pytest.mark.parametrize("tag", ["", "abc", 'W/"3"', '"1", "2"', "-1", '"²"', '"99999999999"'])
async def test_an_if_match_that_is_no_version_is_refused(places: Places, mother: Caller, wish: Any, tag: str):
    case = await opened(places, mother, wish)
    answer = await mother.post(withdrawal(case), headers={"If-Match": tag})
    refused(answer, 400, "if_match_unreadable")


async def test_a_withdrawal_is_done_once_under_its_key(places: Places, mother: Caller, wish: dict[str, Any]):
    case = await opened(places, mother, wish)
    etag = (await mother.get(f"/api/v1/cases/{case}")).headers["ETag"]
    first = await mother.post(withdrawal(case), key="one-withdrawal")
    again = await mother.post(withdrawal(case), key="one-withdrawal")
    assert (first.status, again.status, again.body) == (200, 200, first.body)
    other = await mother.post(withdrawal(case), key="one-withdrawal", headers={"If-Match": etag})
    refused(other, 409, "idempotency_key_reused")
