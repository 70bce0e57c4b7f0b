"""A step that belongs elsewhere: its decider names the place, and the applicant begins there again by one act."""

from typing import Any

import pytest

from tests.http.asking import act, crossed, pointers, refused, step_of
from tests.nodes import Caller, Places
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")

STEP = "household_registration"
BINJIANG, GULOU = "330108", "320106"  # another county of Zhejiang, and one of Jiangsu
WRONG = {"decline_as": "wrong_agency", "grounds": "孩子父亲的户口不在西湖区。", "agency": "当地公安机关"}


async def received(places: Places, mother: Caller, police: Caller, wish: dict[str, Any]) -> str:
    """The id of a new case whose household registration an officer of Zhejiang has received."""
    case = await crossed(places, mother, wish)
    answer = await police.post(act(f"{JIANGSU}:{case}", STEP, "receive"))
    assert answer.status == 200, answer.body
    return case


async def declined(places: Places, police: Caller, case: str, **said: Any) -> None:
    """Zhejiang does not take the step up, and the home knows."""
    answer = await police.post(act(f"{JIANGSU}:{case}", STEP, "decline"), {**WRONG, **said})
    assert answer.status == 200, answer.body
    await places.settle()


@pytest.mark.parametrize(
    ("division", "reason", "fault"),
    [
        ("330106", "wrong_agency", "same_division"),
        ("330108", "unfixed", "not_asked"),
        ("999999", "wrong_agency", "division_unknown"),
        ("330100", "wrong_agency", "place_too_broad"),
        ("320000", "wrong_agency", "place_too_broad"),
    ],
)
async def test_only_another_place_that_is_deep_enough_is_named_as_the_right_one(
    places: Places, mother: Caller, police: Caller, wish: dict[str, Any], division: str, reason: str, fault: str
):
    case = await received(places, mother, police, wish)
    said = {**WRONG, "decline_as": reason, "division": division}
    answer = await police.post(act(f"{JIANGSU}:{case}", STEP, "decline"), said)
    assert pointers(refused(answer, 422, "right_division_unfit")) == {"/division": fault}
    answer = await police.post(act(f"{JIANGSU}:{case}", STEP, "decline"), {**said, "division": "滨江区"})
    assert pointers(refused(answer, 422, "body_faulty")) == {"/division": "type"}


async def test_the_applicant_sees_the_right_place_and_who_decides_there(
    places: Places, mother: Caller, police: Caller, wish: dict[str, Any]
):
    case = await received(places, mother, police, wish)
    assert (await step_of(mother, case, STEP))["right_place"] is None
    await declined(places, police, case, division=GULOU)
    assert (await step_of(mother, case, STEP))["right_place"] == {
        "division": GULOU,
        "division_name": "江苏省南京市鼓楼区",
        "authority": f"public_security/{GULOU}",
        "authority_name": "南京市公安局鼓楼分局",
    }
    timeline = (await mother.get(f"/api/v1/cases/{case}/timeline")).body["timeline"]
    (told,) = (each["words"] for each in timeline if each["act"] == "decline")
    assert "请向当地公安机关申请。可以用已填写的内容直接在那里重新申请。" in told


async def test_who_decides_in_another_province_is_told_by_place_and_department(
    places: Places, mother: Caller, police: Caller, wish: dict[str, Any]
):
    case = await received(places, mother, police, wish)
    await declined(places, police, case, division=BINJIANG)
    shown = (await step_of(mother, case, STEP))["right_place"]
    assert (shown["authority"], shown["authority_name"]) == ("", "浙江省杭州市滨江区公安部门")
