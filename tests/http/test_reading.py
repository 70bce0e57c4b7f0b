"""What citizens and officers are shown: the guide, the case, the timeline, the worklist, and the note of each look."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.http.asking import Sweeper, act, crossed, in_a_session, looks, opened, refused, step_of
from tests.http.test_worklist import posted
from tests.nodes import ANSWERS, HOSPITALS, MOTHER, Caller, Places, newborn_form
from tests.world import JIANGSU, ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")
LOCAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+08:00")
FIRST, ABROAD = "birth_certificate", "household_registration"


async def test_bundles_are_listed_and_cached(places: Places):
    anyone = places.caller()
    listed = await anyone.get("/api/v1/bundles")
    assert {"newborn", "retirement", "open_restaurant"} < {line["code"] for line in listed.body["bundles"]}
    bundle = await anyone.get("/api/v1/bundles/newborn")
    assert [question["code"] for question in bundle.body["questions"]] == ["household", "maternity_insurance"]
    assert len(bundle.body["items"]) == 7
    for path, answer in (("/api/v1/bundles", listed), ("/api/v1/bundles/newborn", bundle)):
        assert "max-age" in answer.headers["Cache-Control"]
        again = await anyone.get(path, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status, again.body) == (304, b"")
        assert (await anyone.get(path, headers={"If-None-Match": '"other"'})).status == 200


@pytest.mark.parametrize("year", ["2023", "02024", "next"])
async def test_a_year_without_a_list_is_refused(places: Places, year: str):
    refused(await places.caller().get(f"/api/v1/lists/{year}"), 404, "no_such_list")


async def test_a_yearly_list_says_how_many_of_the_official_number_it_names(places: Places):
    anyone = places.caller()
    answer = await anyone.get("/api/v1/lists/2024")
    first, second = answer.body["batches"]
    assert (answer.body["named_count"], answer.body["official_count"]) == (17, 21)
    assert (second["document"], second["named_count"], second["official_count"]) == ("国办函〔2024〕53号", 4, 8)
    assert "共8项，这里列出4项" in second["notice"]
    assert "official" not in {first["status"], second["status"]}
    again = await anyone.get("/api/v1/lists/2024", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304


async def test_a_name_on_a_list_leads_to_its_bundle(places: Places):
    listed = (await places.caller().get("/api/v1/lists/2024")).body["batches"][0]["entries"]
    bundles = {each["name"]: each["bundle"] for each in listed}
    assert (bundles["新生儿出生"], bundles["企业上市合法合规信息核查"]) == ("newborn", "")


async def test_a_guide_shows_one_form_materials_and_who_decides(places: Places):
    guide = (await places.caller().post("/api/v1/bundles/newborn/guide", {"answers": ANSWERS})).body
    assert set(guide) >= {"bundle", "catalogue", "form", "materials", "steps", "saved"}
    assert set(guide["form"]["properties"]) > set(newborn_form())
    assert set(guide["form"]["required"]) == set(newborn_form())
    assert "applicant_name" not in guide["form"]["properties"]
    assert {each["code"] for each in guide["materials"] if each["is_required"]} == {
        "mother_identity_card",
        "mother_household_register",
    }
    steps = {each["step"]: each for each in guide["steps"]}
    assert "maternity_reimbursement" not in steps
    assert (steps[ABROAD]["node"], steps[ABROAD]["node_name"]) == (ZHEJIANG, "浙江省")
    assert (steps[FIRST]["node"], steps[FIRST]["department_name"]) == (JIANGSU, "卫健")
    assert steps[ABROAD]["needs"] == [FIRST]
    assert guide["saved"]["fields"] > 0


async def test_a_submission_is_answered_alike_even_after_the_case_moved_on(
    places: Places, mother: Caller, health: Caller, wish: dict[str, Any]
):
    first = await mother.post("/api/v1/cases", wish, key="again-and-again")
    case = first.body["id"]
    assert (first.status, first.headers["Location"]) == (201, f"/api/v1/cases/{case}")
    await places.settle()
    assert (await health.post(act(case, FIRST, "receive"))).status == 200
    again = await mother.post("/api/v1/cases", wish, key="again-and-again")
    assert (again.status, again.body, again.headers["Location"]) == (201, first.body, first.headers["Location"])
    assert (await mother.get(first.headers["Location"])).status == 200


async def test_a_case_shows_each_step_with_its_holder(places: Places, mother: Caller, wish: dict[str, Any]):
    case = await crossed(places, mother, wish)
    shown = (await mother.get(f"/api/v1/cases/{case}")).body
    steps = {step["step"]: step for step in shown["steps"]}
    assert (steps[ABROAD]["name"], steps[ABROAD]["state"], steps[ABROAD]["state_name"]) == (
        "户口登记",
        "sent",
        "已转办",
    )
    assert steps[ABROAD]["holder"] == {
        "node": ZHEJIANG,
        "node_name": "浙江省",
        "authority": "",
        "authority_name": "浙江省杭州市西湖区公安部门",
        "department": "public_security",
        "department_name": "公安",
    }
    assert steps["vaccination_card"]["holder"]["department_name"] == "疾控"
    assert (steps[FIRST]["state_name"], steps[FIRST]["holder"]) == ("准予", None)
    assert (steps["medical_insurance"]["state"], steps["medical_insurance"]["holder"]) == ("waiting", None)
    assert steps["medical_insurance"]["needs"] == [ABROAD]
    moments = [shown["opened_at"], *(step["since"] for step in shown["steps"])]
    assert all(LOCAL.fullmatch(moment) for moment in moments)
    now = places.nodes[JIANGSU].node.clock.now()
    assert abs(datetime.fromisoformat(shown["opened_at"]) - now) < timedelta(minutes=10)


async def test_the_applicant_sees_his_own_data_masked(places: Places, mother: Caller, wish: dict[str, Any]):
    shown = (await mother.get(f"/api/v1/cases/{await opened(places, mother, wish)}")).body
    values = {field["code"]: field["value"] for field in shown["form"]}
    assert values["mother_id_number"] == "*" * 14 + MOTHER.id_number[-4:]
    assert values["applicant_id_number"] == values["mother_id_number"]
    assert values["child_name"] == "测***"
    assert values["mobile"].startswith("*******")
    assert MOTHER.id_number not in str(shown)


async def test_a_case_is_cached_until_it_moves(places: Places, mother: Caller, health: Caller, wish: dict[str, Any]):
    path = f"/api/v1/cases/{await opened(places, mother, wish)}"
    etag = (await mother.get(path)).headers["ETag"]
    again = await mother.get(path, headers={"If-None-Match": etag})
    assert (again.status, again.body) == (304, b"")
    assert (await health.post(act(path.rpartition("/")[2], FIRST, "receive"))).status == 200
    moved = await mother.get(path, headers={"If-None-Match": etag})
    assert moved.status == 200
    assert moved.headers["ETag"] != etag


async def test_the_timeline_tells_both_provinces_acts_in_order(
    places: Places, mother: Caller, police: Caller, wish: dict[str, Any]
):
    case = await crossed(places, mother, wish)
    assert (await police.post(act(f"{JIANGSU}:{case}", ABROAD, "receive"))).status == 200
    await places.settle()
    told = (await mother.get(f"/api/v1/cases/{case}/timeline")).body
    assert told["case"] == case
    lines = [(each["step"], each["act_name"], each["by"], each["node"]) for each in told["timeline"]]
    assert lines[0] == (None, "提交申请", "申请人", JIANGSU)
    assert lines.index((FIRST, "准予", HOSPITALS, JIANGSU)) < lines.index((ABROAD, "转办", "系统", JIANGSU))
    assert lines[-1] == (ABROAD, "收件", "杭州市公安局西湖分局", ZHEJIANG)
    (step,) = [each for each in (await mother.get(f"/api/v1/cases/{case}")).body["steps"] if each["step"] == ABROAD]
    assert step["holder"]["authority"] == "public_security/330106"
    moments = [each["at"] for each in told["timeline"]]
    assert all(LOCAL.fullmatch(moment) for moment in moments)
    assert moments == sorted(moments)


async def test_an_officer_sees_what_his_step_declares_and_nothing_else(
    places: Places, mother: Caller, health: Caller, police: Caller, wish: dict[str, Any]
):
    case = await crossed(places, mother, wish)
    shown = (await health.get(f"/desk/v1/cases/{case}")).body
    assert [each["step"]["step"] for each in shown["steps"]] == [FIRST, "parenting_guidance"]
    first = {field["code"]: field["value"] for field in shown["steps"][0]["form"]}
    assert first["mother_id_number"] == MOTHER.id_number
    assert "home_address" not in first
    there = (await police.get(f"/desk/v1/cases/{JIANGSU}:{case}")).body
    assert (there["name"], [each["step"]["step"] for each in there["steps"]]) == (f"{JIANGSU}/{case}", [ABROAD])
    form = {field["code"]: field["value"] for field in there["steps"][0]["form"]}
    assert form["child_name"] == "测试宝宝"
    assert "child_birth_hospital" not in form
    assert [each["code"] for each in there["steps"][0]["yields_fields"]] == ["child_id_number"]


async def test_a_look_is_noted_before_it_is_answered(
    places: Places, mother: Caller, health: Caller, wish: dict[str, Any], database_sweeper: Sweeper
):
    case = await opened(places, mother, wish)
    name = f"{JIANGSU}/{case}"
    for count in (1, 2):
        assert (await health.get(f"/desk/v1/cases/{case}")).status == 200
        mine = [in_a_session(about) for about in looks(places, database_sweeper, JIANGSU) if about["case"] == name]
        place, person = "provider/health/320102", places.nodes[JIANGSU].node.keys.owner("person", MOTHER.id_number)
        by = {"officer": "health", "authority": place, "post": f"health:{place}:approver"}
        assert mine == [{"case": name, "person": person, **by, "reason": "decides " + FIRST}] * count


async def test_a_look_for_several_authorities_is_noted_with_all_of_them(
    places: Places, mother: Caller, wish: dict[str, Any], database_sweeper: Sweeper
):
    case, name = await crossed(places, mother, wish), "both-desks"
    two = ["provider/disease_control/320102", "provider/health/320102"]
    both = await posted(places, name, *((place, "handler") for place in two))
    shown = (await both.get(f"/desk/v1/cases/{case}")).body["steps"]
    assert {each["authority"] for each in shown} == set(two)
    look = next(about for about in looks(places, database_sweeper, JIANGSU) if about["officer"] == name)
    assert sorted(look["authority"].split(", ")) == two
    assert sorted(look["post"].split(", ")) == [f"{name}:{place}:handler" for place in two]


async def test_a_look_that_is_refused_is_no_look(
    places: Places, mother: Caller, insurance: Caller, wish: dict[str, Any], database_sweeper: Sweeper
):
    case = await opened(places, mother, wish)
    before = looks(places, database_sweeper, JIANGSU)
    refused(await insurance.get(f"/desk/v1/cases/{case}"), 404, "no_such_case")
    assert looks(places, database_sweeper, JIANGSU) == before


async def test_the_worklist_shows_tasks_without_personal_data(
    places: Places, mother: Caller, police: Caller, wish: dict[str, Any]
):
    case = f"{JIANGSU}:{await crossed(places, mother, wish)}"
    tasks = (await police.get("/desk/v1/tasks")).body["tasks"]
    task = next(each for each in tasks if each["case"] == case)
    assert (task["step"], task["item_name"], task["bundle_name"], task["state"]) == (
        ABROAD,
        "户口登记",
        "新生儿出生",
        "sent",
    )
    assert LOCAL.fullmatch(task["since"])
    assert not [value for value in newborn_form().values() if value in str(tasks)]
    version = (await police.post(act(case, ABROAD, "receive"), {"version": task["version"]})).body["version"]
    await places.settle()
    tasks = (await police.get("/desk/v1/tasks")).body["tasks"]
    assert [(each["state"], each["version"]) for each in tasks if each["case"] == case] == [("received", version)]


async def test_a_refusal_reaches_the_applicant_with_its_grounds(
    places: Places, mother: Caller, police: Caller, wish: dict[str, Any]
):
    case = await crossed(places, mother, wish)
    abroad = f"{JIANGSU}:{case}"
    for name, body in (("receive", {}), ("accept", {}), ("refuse", {"grounds": "户口簿复印件缺少首页"})):
        assert (await police.post(act(abroad, ABROAD, name), body)).status == 200
    await places.settle()
    step = await step_of(mother, case, ABROAD)
    assert (step["state"], step["grounds"]) == ("refused", "户口簿复印件缺少首页")
    insured = await step_of(mother, case, "medical_insurance")
    assert (insured["state"], insured["waits_on"]) == ("skipped", ABROAD)
