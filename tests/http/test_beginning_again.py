"""A step that belongs elsewhere: its decider names the place, and the applicant begins there again by one act."""

from datetime import timedelta
from typing import Any

import pytest

from server.domain.values import china_day
from tests.http.asking import act, crossed, opened, pointers, refused, step_of
from tests.nodes import AGENT, PNG, Answer, Caller, Places, newborn_wish
from tests.world import JIANGSU, ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST, STEP = "birth_certificate", "household_registration"
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


def again(case: str, step: str = STEP) -> str:
    return f"/api/v1/cases/{case}/steps/{step}/again"


async def declined_here(places: Places, citizen: Caller, wish: dict[str, Any], division: str) -> str:
    """The id of a new case whose first step was declined in Jiangsu as that place's; the others need it."""
    case, health = await opened(places, citizen, wish), await places.officer("health")
    for name, said in (("receive", {}), ("decline", {**WRONG, "division": division})):
        answer = await health.post(act(case, FIRST, name), said)
        assert answer.status == 200, answer.body
    return case


async def submitted(places: Places, citizen: Caller, draft: dict[str, Any]) -> str:
    """The id of the case that the draft becomes."""
    return await opened(places, citizen, {"draft": draft["id"], "version": draft["version"]})


async def states(citizen: Caller, case: str) -> dict[str, str]:
    return {each["step"]: each["state"] for each in (await citizen.get(f"/api/v1/cases/{case}")).body["steps"]}


async def drafts(citizen: Caller) -> list[dict[str, Any]]:
    return list((await citizen.get("/api/v1/drafts")).body["drafts"])


async def test_nobody_begins_another_persons_case_again(
    places: Places, mother: Caller, stranger: Caller, police: Caller, wish: dict[str, Any]
):
    case = await received(places, mother, police, wish)
    await declined(places, police, case, division=BINJIANG)
    theirs = refused(await stranger.post(again(case)), 404, "no_such_case")
    assert theirs == refused(await stranger.post(again("none")), 404, "no_such_case")
    refused(await mother.post(again(case, "no_such_step")), 404, "no_such_step")
    refused(await mother.post(again(case), key=None), 400, "idempotency_key_missing")


async def test_what_was_not_declined_as_another_places_is_not_begun_again(
    places: Places, mother: Caller, police: Caller, wish: dict[str, Any]
):
    case = await received(places, mother, police, wish)
    refused(await mother.post(again(case)), 409, "not_declined")
    refused(await mother.post(again(case, FIRST)), 409, "not_declined")
    await declined(places, police, case)
    refused(await mother.post(again(case)), 409, "no_place_named")


async def test_where_the_item_is_not_taken_from_here_the_applicant_is_told_where_to_go(
    places: Places, mother: Caller, wish: dict[str, Any]
):
    case = await declined_here(places, mother, wish, BINJIANG)
    problem = refused(await mother.post(again(case, FIRST)), 409, "begin_there")
    assert (problem["division"], problem["division_name"]) == (BINJIANG, "浙江省杭州市滨江区")
    assert (problem["node"], problem["origin"]) == ("330000", places.nodes["330000"].base_url)
    assert "浙江省杭州市滨江区" in problem["detail"]


async def test_what_is_not_applied_for_alone_does_not_ask_again_for_what_was_granted(
    places: Places, mother: Caller, wish: dict[str, Any]
):
    case, officer = await crossed(places, mother, wish), await places.officer("disease_control")
    for name, said in (("receive", {}), ("decline", {**WRONG, "division": GULOU})):
        assert (await officer.post(act(case, "vaccination_card", name), said)).status == 200
    before = await drafts(mother)
    refused(await mother.post(again(case, "vaccination_card")), 409, "only_together")
    assert await drafts(mother) == before


async def test_the_mother_begins_again_in_another_county_by_one_act(
    places: Places, mother: Caller, police: Caller, wish: dict[str, Any]
):
    case = await received(places, mother, police, wish)
    await declined(places, police, case, division=BINJIANG)
    before = await states(mother, case)
    begun = await mother.post(again(case), key="begin")
    assert begun.status == 201, begun.body
    draft = begun.body["draft"]
    assert begun.headers["Location"] == f"/api/v1/drafts/{draft['id']}"
    assert (draft["bundle"], draft["division"], draft["answers"]) == (STEP, wish["division"], {"household": BINJIANG})
    assert draft["form"].items() <= wish["form"].items()
    assert {"child_name", "mother_id_number", "home_address"} <= set(draft["form"])
    assert draft["materials"] == wish["materials"]
    assert [each["code"] for each in begun.body["missing"]] == ["birth_certificate"]
    assert begun.body["place"]["authority_name"] == "浙江省杭州市滨江区公安部门"
    assert "出生医学证明" in begun.body["left_out"][0]
    assert begun.body["words"].startswith("已按应当受理的地区（浙江省杭州市滨江区）填好申请，请核对后提交。")

    twice = await mother.post(again(case), key="begin")
    assert (twice.status, twice.body) == (201, begun.body)
    assert [each["id"] for each in await drafts(mother)].count(draft["id"]) == 1
    draft = await with_birth_certificate(mother, draft)
    seen = (await mother.post(again(case), key="begin")).body
    assert (seen["draft"]["version"], seen["missing"]) == (2, [])
    new = await submitted(places, mother, draft)
    refused(await police.post(act(f"{JIANGSU}:{new}", STEP, "receive")), 404, "no_such_case")
    there = await places.officer("public_security", ZHEJIANG, name="police of Binjiang", county=BINJIANG)
    answer = await there.post(act(f"{JIANGSU}:{new}", STEP, "receive"))
    assert answer.status == 200, answer.body
    await places.settle()
    shown = await step_of(mother, new, STEP)
    assert (shown["state"], shown["holder"]["authority_name"]) == ("received", "杭州市公安局滨江分局")
    assert await states(mother, case) == before
    refused(await mother.post(again(case), key="begin"), 404, "draft_gone")


async def with_birth_certificate(citizen: Caller, draft: dict[str, Any]) -> dict[str, Any]:
    """The draft with the one material that no draft can have: the licence that the old case has yielded."""
    upload = (await citizen.upload(PNG + b" of the birth certificate")).body["id"]
    kept = ("bundle", "division", "answers", "form", "deferred", "mandate")
    body = {name: draft[name] for name in kept} | {
        "materials": [*draft["materials"], {"code": "birth_certificate", "id": upload}]
    }
    headers = {"If-Match": str(draft["version"])}
    answer: Answer = await citizen.call("PUT", f"/api/v1/drafts/{draft['id']}", json=body, headers=headers)
    assert answer.status == 200, answer.body
    return dict(answer.body)


async def test_what_belongs_to_the_applicants_own_province_is_decided_there(
    places: Places, mother: Caller, police: Caller, wish: dict[str, Any]
):
    case = await received(places, mother, police, wish)
    await declined(places, police, case, division=GULOU)
    begun = await mother.post(again(case))
    assert begun.body["place"]["authority_name"] == "南京市公安局鼓楼分局"
    new = await submitted(places, mother, await with_birth_certificate(mother, begun.body["draft"]))
    assert (await step_of(mother, new, STEP))["holder"]["authority_name"] == "南京市公安局鼓楼分局"


async def test_a_bundle_of_which_nothing_has_come_is_begun_again_as_a_whole(
    places: Places, mother: Caller, wish: dict[str, Any]
):
    case = await declined_here(places, mother, wish, GULOU)
    begun = (await mother.post(again(case, FIRST))).body
    told = {name: value for name, value in wish.items() if name != "division"}
    assert {name: begun["draft"][name] for name in told} == told
    assert (begun["draft"]["division"], begun["missing"], begun["left_out"]) == (GULOU, [], [])
    new = await submitted(places, mother, begun["draft"])
    assert (await step_of(mother, new, FIRST))["holder"]["authority_name"] == "江苏省南京市鼓楼区医疗卫生机构"


async def test_an_agent_begins_again_only_under_a_mandate_in_force_that_names_it(
    places: Places, mother: Caller, police: Caller
):
    agent = await places.citizen("agent")
    ends_on = china_day(places.nodes[JIANGSU].node.clock.now()) + timedelta(days=30)
    wish = {"agent_name": AGENT.name, "agent_id_number": AGENT.id_number, "bundles": ["newborn"]}
    given = (await mother.post("/api/v1/mandates", wish | {"ends_on": ends_on.isoformat()})).body
    upload = (await agent.upload(PNG + b" of the agent")).body["id"]
    handed_in = await newborn_wish(agent) | {"mandate": given["id"]}
    handed_in["materials"] = [{**each, "id": upload} for each in handed_in["materials"]]
    whole = await declined_here(places, agent, handed_in, GULOU)
    case = await received(places, agent, police, handed_in)
    await declined(places, police, case, division=BINJIANG)
    refused(await agent.post(again(case)), 403, "mandate_too_narrow")
    draft = (await agent.post(again(whole, FIRST))).body["draft"]
    assert (draft["mandate"], len(draft["materials"])) == (given["id"], 2)
    own = (await mother.post(again(whole, FIRST))).body
    assert (own["draft"]["mandate"], own["draft"]["materials"], len(own["missing"])) == ("", [], 2)
    assert (await mother.call("DELETE", f"/api/v1/mandates/{given['id']}")).status < 300
    refused(await agent.post(again(whole, FIRST), key="late"), 403, "mandate_revoked")
