"""The procedures of a step on its way to a decision, over HTTP, where another province decides it."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest

from server.desk.background.clockwork import tick
from server.domain.time.calendar import DAY
from tests.catalogue.shipped import copy_small
from tests.http.asking import Sweeper, act, crossed, looks, opened, pointers, refused, state_of, step_of
from tests.http.conftest import module_wide, nodes_of_a_module
from tests.nodes import HOSPITALS, Caller, HandClock, Places, newborn_wish
from tests.world import JIANGSU, ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOME, ABROAD = "birth_certificate", "household_registration"
MONTH_SECONDS = 2_592_000
ITEM = "items/public_security.toml"
PROCEDURES = """special_steps = [
  { name = "现场核查", days = 5, basis = "行政许可法第四十五条" },
]
opinions = { rule = "all", departments = ["health"], days = 3 }
legal_days = 5
"""


@module_wide
async def places(
    tmp_path_factory: pytest.TempPathFactory,
    database_uri: str,
    database_sweeper: Sweeper,
    clock: HandClock,
) -> AsyncIterator[Places]:
    """Two nodes whose household registration asks for an opinion, may stop, and lets a material come later."""
    folder = tmp_path_factory.mktemp("procedures")
    copy_small(folder / "catalogue")
    item = folder / "catalogue" / ITEM
    text = item.read_text(encoding="utf-8").replace("legal_days = 5\n", PROCEDURES, 1)
    text = text.replace('"mother_household_register" }', '"mother_household_register", may_be_deferred = true }')
    item.write_text(text, encoding="utf-8")
    bundle = folder / "catalogue/bundles/newborn.toml"
    text = bundle.read_text(encoding="utf-8").replace('closing = "all"', 'closing = "undertaking"')
    bundle.write_text(text, encoding="utf-8")
    more = {
        "access_token_seconds": MONTH_SECONDS,
        "desk_session_seconds": MONTH_SECONDS,
        "desk_idle_seconds": MONTH_SECONDS,
    }
    more |= {"catalogue_folder": folder / "catalogue", "clock": clock}
    async with nodes_of_a_module(folder, database_uri, database_sweeper, **more) as places:
        yield places


@module_wide
async def wish(mother: Caller) -> dict[str, Any]:
    """What the mother hands in: complete, with one step that Zhejiang decides."""
    return await newborn_wish(mother)


async def taken_up(places: Places, citizen: Caller, wish: dict[str, Any], *, until: str = "accept") -> str:
    """The id in Zhejiang of a case whose household registration is received or accepted there."""
    abroad = f"{JIANGSU}:{await crossed(places, citizen, wish)}"
    police = await places.officer("public_security", ZHEJIANG)
    for name in ("receive", "accept")[: 1 if until == "receive" else 2]:
        await done(police, abroad, name)
    await places.settle()
    return abroad


async def done(officer: Caller, case: str, name: str, said: dict[str, Any] | None = None) -> dict[str, Any]:
    """An act on the household registration that succeeds: the step after it."""
    answer = await officer.post(act(case, ABROAD, name), said)
    assert answer.status == 200, answer.body
    return dict(answer.body)


async def file_of(officer: Caller, case: str) -> dict[str, dict[str, Any]]:
    """What an officer is shown of each step in which an authority of theirs has a part."""
    answer = await officer.get(f"/desk/v1/cases/{case}")
    assert answer.status == 200, answer.body
    return {each["step"]["step"]: each for each in answer.body["steps"]}


async def words(citizen: Caller, case: str, name: str) -> str:
    """What the applicant's timeline says of this act on the household registration."""
    timeline = (await citizen.get(f"/api/v1/cases/{case}/timeline")).body["timeline"]
    found = [entry["words"] for entry in timeline if (entry["step"], entry["act"]) == (ABROAD, name)]
    assert len(found) == 1, timeline
    return str(found[0])


async def signature(citizen: Caller, kind: str) -> dict[str, str]:
    """What a phone sends when the applicant has signed the undertaking of this kind."""
    texts = (await citizen.get("/api/v1/undertakings")).body["undertakings"]
    text = next(each for each in texts if each["kind"] == kind)
    return {name: text[name] for name in ("kind", "version", "sha256")}


def at_home(abroad: str) -> str:
    """The id of the same case in Jiangsu."""
    return abroad.partition(":")[2]


async def test_a_supplement_asked_abroad_is_answered_at_home_and_both_versions_are_kept(
    places: Places, mother: Caller, police: Caller, wish: dict[str, Any]
):
    abroad = await taken_up(places, mother, wish, until="receive")
    case = at_home(abroad)
    gaps = [
        {"kind": "field", "code": "home_address", "reason": "请写明门牌号"},
        {"kind": "material", "code": "mother_identity_card", "reason": "照片不清楚"},
    ]
    asked = await done(police, abroad, "ask-supplement", {"gaps": gaps})
    assert asked["state"] == "supplementing"
    await places.settle()
    shown = await step_of(mother, case, ABROAD)
    assert (shown["state"], shown["asked"]["due_on"]) == ("supplementing", "2026-12-14")
    assert [gap["name"] for gap in shown["asked"]["gaps"]] == ["家庭住址", "母亲居民身份证"]
    assert "请写明门牌号" in await words(mother, case, "ask_supplement")
    assert await words(mother, case, "tell") == "请在2026年12月14日前一次补齐。"
    card = (await mother.upload(b"%PDF-1.7 clearer", name="card.pdf")).body["id"]
    half = {"step": ABROAD, "form": {"home_address": "测试路2号"}}
    problem = refused(await mother.post(f"/api/v1/cases/{case}/supplements", half), 422, "supplement_incomplete")
    assert pointers(problem) == {"/materials": "required"}
    more = half | {"materials": [{"code": "mother_identity_card", "id": card}]}
    extra = {**more, "form": {"home_address": "测试路2号", "mobile": "13900000000"}}
    problem = refused(await mother.post(f"/api/v1/cases/{case}/supplements", extra), 422, "supplement_incomplete")
    assert pointers(problem) == {"/form/mobile": "unknown"}
    answer = await mother.post(f"/api/v1/cases/{case}/supplements", more, key="once")
    assert answer.status == 200, answer.body
    assert (await mother.post(f"/api/v1/cases/{case}/supplements", more, key="once")).status == 200
    await places.settle()
    assert await state_of(mother, case, ABROAD) == "received"
    for node, id in ((JIANGSU, case), (ZHEJIANG, abroad)):
        supplement = (await places.nodes[node].node.store.cases.case(id)).case.step(ABROAD).supplement
        assert supplement
        assert dict(supplement.form_before) == {"home_address": "测试路1号"}
        assert dict(supplement.form_after) == {"home_address": "测试路2号"}
        assert [each.code for each in supplement.materials_before] == ["mother_identity_card"]
        assert supplement.materials_before[0].sha256 != supplement.materials_after[0].sha256
    again = await police.post(act(abroad, ABROAD, "ask-supplement"), {"gaps": gaps})
    refused(again, 409, "supplement_asked_already")
    await done(police, abroad, "accept")


async def test_only_an_approver_who_did_not_accept_extends_the_time_and_only_once(
    places: Places, mother: Caller, police: Caller, wish: dict[str, Any]
):
    abroad = await taken_up(places, mother, wish)
    said = {"days": 2, "grounds": "案情复杂，需要核实。"}
    refused(await police.post(act(abroad, ABROAD, "extend"), said), 403, "approver_is_officer")
    handler = await places.officer("public_security", ZHEJIANG, name="police-handler", roles=("window", "handler"))
    problem = refused(await handler.post(act(abroad, ABROAD, "extend"), said), 403, "role_forbids")
    assert problem["roles"] == ["approver", "head"]
    head = await places.officer("public_security", ZHEJIANG, name="police-head", roles=("head",))
    assert (await police.post(f"/desk/v1/tasks/{abroad}:{ABROAD}/claim")).status == 200, "which hinders no head"
    refused(await head.post(act(abroad, ABROAD, "extend"), {"days": 2}), 422, "decision_incomplete")
    refused(await head.post(act(abroad, ABROAD, "extend"), {**said, "days": 11}), 422, "too_many_days")
    await done(head, abroad, "extend", said)
    refused(await head.post(act(abroad, ABROAD, "extend"), said), 409, "extended_already")
    await places.settle()
    assert (await step_of(mother, at_home(abroad), ABROAD))["due_on"] == "2026-11-26"
    assert await words(mother, at_home(abroad), "extend") == "办理期限延长2个工作日：案情复杂，需要核实。"


async def test_no_approval_before_the_opinion_that_must_be_heard(
    places: Places, mother: Caller, police: Caller, wish: dict[str, Any]
):
    abroad = await taken_up(places, mother, wish)
    refused(await police.post(act(abroad, ABROAD, "approve")), 409, "opinions_open")
    heard = await places.officer("health", ZHEJIANG)
    tasks = (await heard.get("/desk/v1/tasks")).body["tasks"]
    assert [task["part"] for task in tasks if task["case"] == abroad] == ["opinion"]
    refused(await heard.post(act(abroad, ABROAD, "approve")), 403, "not_your_post")
    await done(heard, abroad, "opinion", {"answer": "object", "grounds": "出生信息待核"})
    refused(await police.post(act(abroad, ABROAD, "approve")), 409, "opinions_open")
    await done(police, abroad, "return-opinion", {"department": "health", "grounds": "已补充核实材料"})
    await done(heard, abroad, "opinion", {"answer": "agree"})
    await places.settle()
    assert abroad not in [task["case"] for task in (await heard.get("/desk/v1/tasks")).body["tasks"]]
    assert (await done(police, abroad, "approve"))["state"] == "approved"


async def test_a_refusal_says_why_and_how_to_appeal_and_what_needs_it_is_skipped(
    places: Places, mother: Caller, police: Caller, wish: dict[str, Any]
):
    abroad = await taken_up(places, mother, wish)
    refused(await police.post(act(abroad, ABROAD, "refuse")), 422, "decision_incomplete")
    await done(police, abroad, "refuse", {"grounds": "父母户口均不在本地。"})
    await places.settle()
    case = at_home(abroad)
    shown = await step_of(mother, case, ABROAD)
    assert (shown["state"], shown["grounds"]) == ("refused", "父母户口均不在本地。")
    assert "行政复议" in shown["appeal"]
    skipped = {step["step"]: step["waits_on"] for step in (await mother.get(f"/api/v1/cases/{case}")).body["steps"]}
    assert skipped["social_security_card"] == skipped["medical_insurance"] == ABROAD
    assert await words(mother, case, "refuse") == shown["grounds"] + shown["appeal"]


async def test_who_is_at_the_wrong_agency_is_told_the_right_one(
    places: Places, mother: Caller, police: Caller, wish: dict[str, Any]
):
    abroad = await taken_up(places, mother, wish, until="receive")
    said = {"decline_as": "wrong_agency", "grounds": "不属于本机关职权范围。"}
    refused(await police.post(act(abroad, ABROAD, "decline"), said), 422, "agency_missing")
    await done(police, abroad, "decline", said | {"agency": "杭州市公安局"})
    await places.settle()
    shown = await step_of(mother, at_home(abroad), ABROAD)
    assert (shown["state"], shown["state_name"], shown["agency"]) == ("declined", "不予受理", "杭州市公安局")
    assert (await words(mother, at_home(abroad), "decline")).startswith("不属于本机关职权范围。请向杭州市公安局申请。")
    assert "行政复议" in shown["appeal"]


async def test_against_an_undertaking_a_case_closes_before_its_last_step_which_is_followed_up(
    places: Places, mother: Caller, police: Caller, health: Caller, wish: dict[str, Any]
):
    signed = await signature(mother, "closing")
    abroad = await taken_up(places, mother, wish | {"undertakings": [signed]})
    case = at_home(abroad)
    await places.decide(case, "parenting_guidance", department="health")
    shown = (await mother.get(f"/api/v1/cases/{case}")).body
    assert (shown["state"], shown["outcome"]) == ("closed", "completed")
    timeline = (await mother.get(f"/api/v1/cases/{case}/timeline")).body["timeline"]
    assert "户口登记" in timeline[-1]["words"]
    assert timeline[-1]["act"] == "close"
    await done(police, abroad, "refuse", {"grounds": "父母户口均不在本地。"})
    await places.settle()
    assert (await mother.get(f"/api/v1/cases/{case}")).body["closed_at"] == shown["closed_at"]
    wanted = [("follow_up", ABROAD)]
    tasks = [task for task in (await health.get("/desk/v1/tasks")).body["tasks"] if task["case"] == case]
    assert [(task["part"], task["step"]) for task in tasks if task["part"] == "follow_up"] == wanted
    assert (await health.post(act(case, ABROAD, "follow-up"), {"grounds": "已通知家长"})).status == 200
    refused(await health.post(act(case, ABROAD, "follow-up"), {"grounds": "再次通知"}), 409, "state_forbids")
    await places.settle()
    tasks = [task for task in (await health.get("/desk/v1/tasks")).body["tasks"] if task["case"] == case]
    assert [task["step"] for task in tasks if task["part"] == "follow_up"] == []


async def test_without_an_undertaking_the_same_case_stays_open_to_the_last_step(
    places: Places, mother: Caller, wish: dict[str, Any]
):
    case = at_home(await taken_up(places, mother, wish))
    await places.decide(case, "parenting_guidance", department="health")
    assert (await mother.get(f"/api/v1/cases/{case}")).body["state"] == "open"


async def test_a_deferred_material_is_promised_handed_in_later_and_awaited(
    places: Places, mother: Caller, police: Caller, wish: dict[str, Any]
):
    signed = await signature(mother, "deferral")
    given = [each for each in wish["materials"] if each["code"] != "mother_household_register"]
    later = {**wish, "materials": given, "deferred": ["mother_household_register"]}
    refused(await mother.post("/api/v1/cases", later), 422, "undertaking_missing")
    abroad = await taken_up(places, mother, later | {"undertakings": [signed]})
    case = at_home(abroad)
    shown = await step_of(mother, case, ABROAD)
    assert [gap["code"] for gap in shown["asked"]["gaps"]] == ["mother_household_register"]
    assert shown["asked"]["due_on"] == "2026-11-30"
    heard = await places.officer("health", ZHEJIANG)
    await done(heard, abroad, "opinion", {"answer": "agree"})
    refused(await police.post(act(abroad, ABROAD, "approve")), 409, "deferred_material_missing")
    register = (await mother.upload(b"%PDF-1.7 register", name="register.pdf")).body["id"]
    supply = {"step": ABROAD, "materials": [{"code": "mother_household_register", "id": register}]}
    assert (await mother.post(f"/api/v1/cases/{case}/supplements", supply)).status == 200
    await places.settle()
    assert (await step_of(mother, case, ABROAD))["asked"] is None
    assert (await done(police, abroad, "approve"))["state"] == "approved"
    refused(await mother.post(f"/api/v1/cases/{case}/supplements", supply), 409, "nothing_asked")


async def test_a_licence_is_seen_by_its_holder_once_it_is_delivered_electronically(
    places: Places, mother: Caller, stranger: Caller, health: Caller, wish: dict[str, Any]
):
    case = await opened(places, mother, wish)
    await places.decide(case, HOME, department="health")
    licence = f"/api/v1/cases/{case}/licences/1"
    refused(await mother.get(licence), 404, "no_such_licence")
    lines = (await mother.get(f"/api/v1/cases/{case}")).body["licences"]
    assert [(line["number"], line["name"], line["method"]) for line in lines] == [(1, "出生医学证明", None)]
    delivered = await health.post(act(case, HOME, "deliver"), {"delivery": {"method": "electronic"}})
    assert (delivered.status, delivered.body["state"]) == (200, "delivered")
    shown = (await mother.get(licence)).body
    assert (shown["name"], shown["issued_on"], shown["issued_by"]) == (
        "出生医学证明",
        "2026-11-23",
        HOSPITALS,
    )
    refused(await stranger.get(licence), 404, "no_such_case")
    refused(await mother.get(f"/api/v1/cases/{case}/licences/2"), 404, "no_such_licence")
    assert await state_of(mother, case, ABROAD) == "sent"


async def test_an_on_site_inspection_stops_the_clock_until_it_is_over(
    places: Places, mother: Caller, police: Caller, wish: dict[str, Any], clock: HandClock
):
    abroad = await taken_up(places, mother, wish)
    case = at_home(abroad)
    before = await step_of(mother, case, ABROAD)
    assert (before["due_on"], before["is_due_confirmed"]) == ("2026-11-24", True)
    said = {"procedure": "听证", "grounds": "需要听证。", "days": 3}
    refused(await police.post(act(abroad, ABROAD, "suspend"), said), 409, "procedure_not_declared")
    said = {"procedure": "现场核查", "grounds": "民警将于三日内上门核查。", "days": 3}
    await done(police, abroad, "suspend", said)
    await places.settle()
    shown = await step_of(mother, case, ABROAD)
    assert (shown["state"], shown["is_due_confirmed"]) == ("suspended", False)
    assert shown["stopped"] == {"procedure": "现场核查", "notice": "民警将于三日内上门核查。", "days": 3}
    assert "期间不计入办理时限" in await words(mother, case, "suspend")
    refused(await police.post(act(abroad, ABROAD, "approve")), 409, "state_forbids")
    clock.wait(days=2)
    await done(police, abroad, "resume")
    await places.settle()
    after = await step_of(mother, case, ABROAD)
    assert (after["state"], after["due_on"]) == ("accepted", "2026-11-26")


async def test_a_deferred_material_that_never_comes_ends_in_a_refusal_once_the_home_has_nothing_on_its_way(
    places: Places, mother: Caller, wish: dict[str, Any], clock: HandClock
):
    given = [each for each in wish["materials"] if each["code"] != "mother_household_register"]
    later = {"materials": given, "deferred": ["mother_household_register"]}
    signed = await signature(mother, "deferral")
    abroad = await taken_up(places, mother, wish | later | {"undertakings": [signed]})
    case = at_home(abroad)
    too_late = date.fromisoformat((await step_of(mother, case, ABROAD))["asked"]["due_on"]) + DAY
    home, decider = (places.nodes[node].node for node in (JIANGSU, ZHEJIANG))
    clock.to(too_late.month, too_late.day, 0, 12)
    for node in (home, decider):
        await tick(node)
    await places.settle()
    assert await state_of(mother, case, ABROAD) == "accepted"
    clock.to(too_late.month, too_late.day, 0, 23)
    await tick(decider)
    await places.settle()
    shown = await step_of(mother, case, ABROAD)
    assert (shown["state"], shown["grounds"]) == ("refused", "逾期未补交容缺材料。")
    register = (await mother.upload(b"%PDF-1.7 register", name="register.pdf")).body["id"]
    supply = {"step": ABROAD, "materials": [{"code": "mother_household_register", "id": register}]}
    refused(await mother.post(f"/api/v1/cases/{case}/supplements", supply), 409, "nothing_asked")


async def test_an_authority_that_is_heard_reads_what_the_decider_reads_and_the_audit_says_why(
    places: Places, mother: Caller, police: Caller, wish: dict[str, Any], database_sweeper: Sweeper
):
    abroad = await taken_up(places, mother, wish, until="receive")
    heard = await places.officer("health", ZHEJIANG)
    refused(await heard.get(f"/desk/v1/cases/{abroad}"), 404, "no_such_case")
    await done(police, abroad, "accept")
    seen, own = await file_of(heard, abroad), await file_of(police, abroad)
    assert [(code, each["part"]) for code, each in seen.items()] == [(ABROAD, "opinion")]
    assert own[ABROAD]["part"] == "decide"
    assert "home_address" in {field["code"] for field in seen[ABROAD]["form"]}
    assert [each["code"] for each in seen[ABROAD]["materials"]] == ["mother_identity_card", "mother_household_register"]
    its_own = {name: own[ABROAD][name] for name in ("part", "authority", "authority_name")}
    assert seen[ABROAD]["authority"] == "health/330106"
    assert seen[ABROAD] | its_own == own[ABROAD]
    noted = [each for each in looks(places, database_sweeper, ZHEJIANG) if each["case"] == abroad.replace(":", "/")]
    assert [(each["authority"], each["reason"]) for each in noted] == [
        ("health/330106", f"is heard on {ABROAD}"),
        ("public_security/330106", f"decides {ABROAD}"),
    ]


async def test_an_authority_without_a_part_in_a_case_is_not_shown_it(
    places: Places, mother: Caller, wish: dict[str, Any], database_sweeper: Sweeper
):
    abroad = await taken_up(places, mother, wish)
    before = looks(places, database_sweeper, ZHEJIANG)
    insurance = await places.officer("medical_insurance_bureau", ZHEJIANG)
    refused(await insurance.get(f"/desk/v1/cases/{abroad}"), 404, "no_such_case")
    assert looks(places, database_sweeper, ZHEJIANG) == before


async def test_the_decider_sees_what_was_answered_both_versions_of_it_and_the_special_procedures(
    places: Places, mother: Caller, police: Caller, wish: dict[str, Any]
):
    abroad = await taken_up(places, mother, wish, until="receive")
    assert (await file_of(police, abroad))[ABROAD]["supplement"] is None
    gaps = [
        {"kind": "field", "code": "home_address", "reason": "请写明门牌号"},
        {"kind": "material", "code": "mother_identity_card", "reason": "照片不清楚"},
    ]
    await done(police, abroad, "ask-supplement", {"gaps": gaps})
    await places.settle()
    content = b"%PDF-1.7 clearer still"
    card = (await mother.upload(content, name="card.pdf")).body["id"]
    given = {"form": {"home_address": "测试路2号"}, "materials": [{"code": "mother_identity_card", "id": card}]}
    answer = await mother.post(f"/api/v1/cases/{at_home(abroad)}/supplements", {"step": ABROAD, **given})
    assert answer.status == 200, answer.body
    await places.settle()
    await done(police, abroad, "accept")
    heard = await places.officer("health", ZHEJIANG)
    await done(heard, abroad, "opinion", {"answer": "object", "grounds": "出生信息待核"})
    shown = (await file_of(police, abroad))[ABROAD]
    supplement = shown["supplement"]
    assert [(each["code"], each["reason"]) for each in supplement["gaps"]] == [
        ("home_address", "请写明门牌号"),
        ("mother_identity_card", "照片不清楚"),
    ]
    assert supplement["asked_at"] < supplement["answered_at"]
    both = [supplement[name] for name in ("form_before", "form_after")]
    assert [[(each["code"], each["value"]) for each in version] for version in both] == [
        [("home_address", "测试路1号")],
        [("home_address", "测试路2号")],
    ]
    both = [supplement[name] for name in ("materials_before", "materials_after")]
    assert [[(each["code"], each["media_type"]) for each in version] for version in both] == [
        [("mother_identity_card", "image/png")],
        [("mother_identity_card", "application/pdf")],
    ]
    assert both[1][0]["size"] == len(content)
    [opinion] = shown["opinions"]
    assert (opinion["department"], opinion["answer"], opinion["reason"]) == ("health", "object", "出生信息待核")
    assert opinion["name"] == "杭州市西湖区卫生健康局"
    assert opinion["given_at"]
    assert [(each["name"], each["days"]) for each in shown["special_steps"]] == [("现场核查", 5)]


async def test_the_lead_sees_of_a_step_to_follow_up_only_where_it_stands(
    places: Places, mother: Caller, police: Caller, health: Caller, wish: dict[str, Any], database_sweeper: Sweeper
):
    signed = await signature(mother, "closing")
    abroad = await taken_up(places, mother, wish | {"undertakings": [signed]})
    case = at_home(abroad)
    await places.decide(case, "parenting_guidance", department="health")
    assert ABROAD not in await file_of(health, case)
    await done(police, abroad, "refuse", {"grounds": "父母户口均不在本地。"})
    await places.settle()
    seen = await file_of(health, case)
    parts = {HOME: "decide", "parenting_guidance": "decide", ABROAD: "follow_up"}
    assert {code: each["part"] for code, each in seen.items()} == parts
    left = seen[ABROAD]
    assert (left["step"]["state"], left["step"]["grounds"]) == ("refused", "父母户口均不在本地。")
    assert not any(value for name, value in left.items() if name not in ("part", "step", "authority", "authority_name"))
    reason = f"decides {HOME}, parenting_guidance; follows up {ABROAD}"
    assert looks(places, database_sweeper, JIANGSU)[-1]["reason"] == reason
