"""The three modes of 跨省通办 over HTTP, each by one real item of the catalogue, from submission to closing."""

from typing import Any

import pytest

from tests.catalogue.shipped import CATALOGUE
from tests.http.asking import act, opened, refused, step_of
from tests.http.test_every_bundle import wish_for
from tests.nodes import Caller, Places
from tests.world import JIANGSU, ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")

ONLINE, HANDOVER, JOINT = (
    "employee_pension_transfer",
    "disability_certificate_renewal",
    "housing_fund_purchase_withdrawal",
)
FOUND = {"grounds": "申请表填写完整，证件与本人一致。"}


async def begun(places: Places, citizen: Caller, item: str) -> str:
    """The id of a new case of one who lives in Jiangsu, about what Zhejiang decides."""
    wish, guide = await wish_for(citizen, CATALOGUE.bundle(item), home=JIANGSU)
    assert [(step["step"], step["node"]) for step in guide["steps"]] == [(item, ZHEJIANG)]
    return await opened(places, citizen, wish)


async def done(officer: Caller, case: str, item: str, does: str, said: Any = None) -> dict[str, Any]:
    """An act that succeeds: the step after it."""
    answer = await officer.post(act(case, item, does), said)
    assert answer.status == 200, answer.body
    return dict(answer.body)


async def decided(places: Places, officer: Caller, case: str, item: str, **said: Any) -> None:
    """Zhejiang receives, accepts and approves."""
    for does in ("receive", "accept", "approve"):
        await done(officer, f"{JIANGSU}:{case}", item, does, said if does == "approve" else None)
    await places.settle()


async def parts(officer: Caller, case: str) -> list[str]:
    """What is to be done in this case where the officer has posts."""
    return [task["part"] for task in (await officer.get("/desk/v1/tasks")).body["tasks"] if task["case"] == case]


async def timeline(citizen: Caller, case: str) -> list[dict[str, Any]]:
    """What the applicant is told of his case."""
    return list((await citizen.get(f"/api/v1/cases/{case}/timeline")).body["timeline"])


async def test_online_a_step_is_sent_at_once_and_decided_elsewhere(places: Places, mother: Caller):
    case = await begun(places, mother, ONLINE)
    shown = await step_of(mother, case, ONLINE)
    assert (shown["mode"], shown["part"], shown["papers"]) == ("online", None, [])
    assert shown["holder"]["node"] == ZHEJIANG
    await decided(places, await places.officer("human_resources", ZHEJIANG), case, ONLINE)
    assert (await mother.get(f"/api/v1/cases/{case}")).body["outcome"] == "completed"
    assert [each["act"] for each in await timeline(mother, case)] == [
        *("open", "send", "receive", "accept", "approve", "close")
    ]


async def test_in_a_handover_the_home_checks_and_both_hands_confirm_the_originals(places: Places, mother: Caller):
    case = await begun(places, mother, HANDOVER)
    abroad = f"{JIANGSU}:{case}"
    here, there = [await places.officer("disabled_federation", node) for node in (JIANGSU, ZHEJIANG)]
    shown = await step_of(mother, case, HANDOVER)
    assert (shown["mode"], shown["state"], shown["state_name"]) == ("handover", "checking", "受理地核验中")
    assert (shown["holder"]["node"], shown["due_on"], shown["part"]["is_done"]) == (JIANGSU, None, False)
    assert (await there.get(f"/desk/v1/cases/{abroad}")).status == 404
    assert await parts(here, case) == ["check"]
    seen = (await here.get(f"/desk/v1/cases/{case}")).body["steps"]
    assert [each["step"]["step"] for each in seen] == [HANDOVER]
    assert seen[0]["form"]
    refused(await here.post(act(case, HANDOVER, "accept")), 409, "state_forbids")
    refused(await here.post(act(case, HANDOVER, "check")), 422, "decision_incomplete")
    parcel = {"courier": "邮政速递", "number": "EX100"}
    refused(await here.post(act(case, HANDOVER, "post-paper"), parcel), 409, "no_paper_due")
    await done(here, case, HANDOVER, "check", FOUND)
    await places.settle()

    (seen,) = (await there.get(f"/desk/v1/cases/{abroad}")).body["steps"]
    assert (seen["finding"], seen["step"]["part"]["is_done"]) == (FOUND["grounds"], True)
    assert FOUND["grounds"] not in str(await mother.get(f"/api/v1/cases/{case}"))
    refused(await there.post(act(abroad, HANDOVER, "check"), FOUND), 409, "not_our_step")
    refused(await here.post(act(case, HANDOVER, "receive")), 409, "not_our_step")
    refused(await here.post(act(case, HANDOVER, "post-paper"), {"courier": "邮政"}), 422, "decision_incomplete")
    refused(await there.post(act(abroad, HANDOVER, "confirm-paper")), 409, "no_paper_on_its_way")
    assert await parts(here, case) == ["paper"]
    await done(here, case, HANDOVER, "post-paper", parcel)
    await places.settle()
    refused(await here.post(act(case, HANDOVER, "confirm-paper")), 409, "no_paper_on_its_way")
    assert sorted(await parts(there, abroad)) == ["decide", "paper"]
    before = {"version": seen["step"]["version"]}
    problem = refused(await there.post(act(abroad, HANDOVER, "receive"), before), 412, "step_changed")
    assert [fault["detail"].partition("，")[2] for fault in problem["errors"]] == ["由江苏省寄出原件。"]
    await done(there, abroad, HANDOVER, "confirm-paper")
    await decided(places, there, case, HANDOVER, result={"disability_certificate_number": "33000019880219004723"})
    closed = (await mother.get(f"/api/v1/cases/{case}")).body
    assert (closed["state"], closed["outcome"]) == ("closed", "completed")

    await done(there, abroad, HANDOVER, "post-paper", {"courier": "邮政速递", "number": "EX200"})
    await done(there, abroad, HANDOVER, "deliver", {"delivery": {"method": "post", "number": "EX200"}})
    await places.settle()
    assert await parts(here, case) == ["paper"]
    await done(here, case, HANDOVER, "confirm-paper")
    await places.settle()
    for officer, id in ((here, case), (there, abroad)):
        assert await parts(officer, id) == []
        (seen,) = (await officer.get(f"/desk/v1/cases/{id}")).body["steps"]
        assert [paper["number"] for paper in seen["step"]["papers"] if paper["arrived_at"]] == ["EX100", "EX200"]
    shown = await step_of(mother, case, HANDOVER)
    assert [paper["leg_name"] for paper in shown["papers"]] == ["受理地寄往办理地", "办理地寄回受理地"]
    told = {(each["act"], each["node"]): each for each in await timeline(mother, case)}
    assert told["post_paper", ZHEJIANG]["words"] == "办理地寄回受理地：邮政速递，单号EX200。"
    assert (told["confirm_paper", ZHEJIANG]["by"], told["confirm_paper", JIANGSU]["by"]) == (
        "浙江省杭州市西湖区残联部门",
        "南京市玄武区残疾人联合会",
    )
    assert (
        told["ask_check", JIANGSU]["words"]
        == "由受理地南京市玄武区残疾人联合会核对申请表、旧证和本人身份，核验通过后转往办理地。"
    )


async def test_what_the_home_turns_back_ends_with_its_grounds(places: Places, mother: Caller):
    case = await begun(places, mother, HANDOVER)
    here = await places.officer("disabled_federation", JIANGSU)
    refused(await here.post(act(case, HANDOVER, "turn-back")), 422, "decision_incomplete")
    await done(here, case, HANDOVER, "turn-back", {"grounds": "照片不是近期免冠照。"})
    await places.settle()
    shown = (await mother.get(f"/api/v1/cases/{case}")).body
    assert (shown["state"], shown["outcome"], shown["steps"][0]["state"]) == ("closed", "withdrawn", "withdrawn")
    assert shown["steps"][0]["grounds"] == "照片不是近期免冠照。"
    last = [each for each in await timeline(mother, case) if each["act"] == "turn_back"]
    assert [each["words"] for each in last] == [
        "受理地核验没有通过，尚未转往办理地：照片不是近期免冠照。改正后可以重新申请。"
    ]


async def test_the_applicant_may_take_it_back_while_it_is_checked(places: Places, mother: Caller):
    case = await begun(places, mother, HANDOVER)
    here = await places.officer("disabled_federation", JIANGSU)
    assert (await mother.post(f"/api/v1/cases/{case}/withdrawal")).status == 200
    await places.settle()
    assert await parts(here, case) == []
    refused(await here.post(act(case, HANDOVER, "check"), FOUND), 404, "no_such_case")


async def test_an_officer_has_a_check_in_hand_alone(places: Places, mother: Caller):
    case = await begun(places, mother, HANDOVER)
    here = await places.officer("disabled_federation", JIANGSU)
    colleague = await places.officer("disabled_federation", JIANGSU, name="colleague")
    task = f"{case}:{HANDOVER}:check:disabled_federation"
    assert (await colleague.post(f"/desk/v1/tasks/{task}/claim")).status == 200
    refused(await here.post(act(case, HANDOVER, "check"), FOUND), 409, "claimed_by_another")
    await done(colleague, case, HANDOVER, "check", FOUND)


async def test_jointly_each_place_does_its_own_part_and_the_case_closes_once(places: Places, mother: Caller):
    case = await begun(places, mother, JOINT)
    here, there = [await places.officer("housing_fund", node) for node in (JIANGSU, ZHEJIANG)]
    shown = await step_of(mother, case, JOINT)
    assert (shown["mode"], shown["state"], shown["part"]["name"]) == ("joint", "checking", "受理并核验购房材料")
    await done(here, case, JOINT, "check", FOUND)
    await places.settle()
    assert await parts(here, case) == []  # no originals travel
    (seen,) = (await there.get(f"/desk/v1/cases/{JIANGSU}:{case}")).body["steps"]
    assert seen["finding"] == FOUND["grounds"]
    await decided(places, there, case, JOINT)
    acts = [(each["act"], each["node"]) for each in await timeline(mother, case)]
    assert acts == [
        *((each, JIANGSU) for each in ("open", "ask_check", "check", "send")),
        *((each, ZHEJIANG) for each in ("receive", "accept", "approve")),
        ("close", JIANGSU),
    ]
