"""Every bundle can be applied for: whoever follows the guide hands in a complete application, in both provinces."""

from typing import Any

import jsonschema_rs
import pytest

from server.domain.catalogue.bundles import Bundle
from tests.catalogue.shipped import CATALOGUE
from tests.nodes import HERE, THERE, Caller, Places, newborn_wish
from tests.world import JIANGSU, ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")

ABROAD = {JIANGSU: ZHEJIANG, ZHEJIANG: JIANGSU}
DEPTHS = {
    JIANGSU: {"province": JIANGSU, "city": "320100", "county": HERE},
    ZHEJIANG: {"province": ZHEJIANG, "city": "330100", "county": THERE},
}
KIND = jsonschema_rs.ValidationErrorKind


async def guided(citizen: Caller, code: str, *, elsewhere: str) -> tuple[dict[str, str], dict[str, Any]]:
    """The answers of somebody who takes the first question each time, wants everything, and lives in that province.

    A place is named just as deep as the guide says.
    """
    answers: dict[str, str] = {}
    for _ in range(40):
        answer = await citizen.post(f"/api/v1/bundles/{code}/guide", {"answers": answers})
        assert answer.status == 200, answer.body
        guide = answer.body
        if not guide["questions"]:
            return answers, guide
        question = guide["questions"][0]
        places = DEPTHS[elsewhere]
        is_place = question["type"] == "division"
        answers[question["code"]] = places[question["level"]] if is_place else next(iter(question["choices"]))
    raise AssertionError(f"{code} never stops asking")


def filled(schema: dict[str, Any]) -> dict[str, str]:
    """The form as a phone fills it in with the examples: what is required, and what that makes required."""
    form: dict[str, str] = {}
    validator = jsonschema_rs.Draft202012Validator(schema)
    for _ in schema["properties"]:
        missing = [
            error.kind.property for error in validator.iter_errors(form) if isinstance(error.kind, KIND.Required)
        ]
        if not missing:
            return form
        for name in missing:
            field = schema["properties"][name]
            form[name] = field["enum"][0] if "enum" in field else field["examples"][0]
    return form


async def wish_for(citizen: Caller, bundle: Bundle, *, home: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A complete application, and the guide it follows: of one who lives in the other province, if it takes any."""
    answers, guide = await guided(citizen, bundle.code, elsewhere=ABROAD[home])
    if not guide["steps"]:
        assert "尚未开通跨省通办" in " ".join(verdict["why"] for verdict in guide["verdicts"])
        empty = {"bundle": bundle.code, "answers": answers, "form": {}, "materials": []}
        refused = await citizen.post("/api/v1/cases", empty)
        assert (refused.status, refused.body["code"]) == (422, "nothing_to_apply_for")
        answers, guide = await guided(citizen, bundle.code, elsewhere=home)
    return await followed(citizen, bundle, answers, guide, home=home), guide


async def followed(
    citizen: Caller, bundle: Bundle, answers: dict[str, str], guide: dict[str, Any], *, home: str
) -> dict[str, Any]:
    """The application that a guide asks for after these answers."""
    material = (await citizen.upload()).body["id"]
    codes = [each["code"] for each in guide["materials"] if each["is_required"]]
    materials = [{"code": code, "id": material} for code in codes]
    told = {"bundle": bundle.code, "division": DEPTHS[home][guide["level"]], "answers": answers}
    return {**told, "form": filled(guide["form"]), "materials": materials}


@pytest.mark.parametrize("bundle", CATALOGUE.bundles, ids=[bundle.name for bundle in CATALOGUE.bundles])
async def test_whoever_follows_the_guide_submits_a_case(places: Places, bundle: Bundle):
    for home in (JIANGSU, ZHEJIANG):
        citizen = await places.citizen("mother", home)
        wish, guide = await wish_for(citizen, bundle, home=home)
        opened = await citizen.post("/api/v1/cases", wish)
        assert opened.status == 201, opened.body
        case = (await citizen.get(opened.headers["Location"])).body
        assert [step["step"] for step in case["steps"]] == [step["step"] for step in guide["steps"]]
        begun = {step["step"]: step["state"] for step in case["steps"] if step["state"] in ("sent", "checking")}
        assert begun == {
            step["step"]: "checking" if step["part"] else "sent" for step in guide["steps"] if not step["needs"]
        }
        assert case["bundle_name"] == bundle.name


@pytest.mark.parametrize("bundle", CATALOGUE.bundles, ids=[bundle.name for bundle in CATALOGUE.bundles])
async def test_what_the_guide_requires_is_what_a_submission_is_refused_for(places: Places, bundle: Bundle):
    citizen = await places.citizen("mother")
    wish, guide = await wish_for(citizen, bundle, home=JIANGSU)
    refused = await citizen.post("/api/v1/cases", {**wish, "form": {}, "materials": []})
    assert (refused.status, refused.body["code"]) == (422, "form_faulty")
    missing = {each["pointer"] for each in refused.body["errors"] if each["code"] == "required"}
    assert missing == {f"/form/{name}" for name in guide["form"]["required"]} | (
        {"/materials"} if wish["materials"] else set()
    )


async def test_a_place_that_is_too_broad_is_refused_at_its_pointer_with_the_level_to_choose(places: Places):
    mother, guide = await places.citizen("mother"), "/api/v1/bundles/newborn/guide"
    wish = await newborn_wish(mother)
    answers = {**wish["answers"], "household": "330100"}
    broad = {"/answers/household": "place_too_broad", "/division": "place_too_broad"}
    for division in ("", JIANGSU, "320100"):
        refused = await mother.post("/api/v1/cases", {**wish, "division": division, "answers": answers})
        assert (refused.status, refused.body["code"]) == (422, "answers_incomplete")
        assert {each["pointer"]: each["code"] for each in refused.body["errors"]} == broad
        assert all("请选择到县（市、区）。" in each["detail"] for each in refused.body["errors"])
    refused = await mother.post(guide, {"division": "320100", "answers": answers})
    assert {each["pointer"]: each["code"] for each in refused.body["errors"]} == broad
    refused = await mother.post(guide, {"answers": answers})
    assert [each["pointer"] for each in refused.body["errors"]] == ["/answers/household"]


async def test_the_guide_says_how_deep_each_place_must_be(places: Places):
    guide = (await places.caller().post("/api/v1/bundles/newborn/guide")).body
    assert guide["level"] == "county"
    assert {each["code"]: each["level"] for each in guide["questions"]} == {
        "household": "county",
        "maternity_insurance": "",
    }


async def test_a_plan_differs_where_the_provinces_do(places: Places):
    answers = {"household": THERE, "maternity_insurance": "yes"}
    here, there = [
        (await places.caller(home).post("/api/v1/bundles/newborn/guide", {"answers": answers})).body
        for home in (JIANGSU, ZHEJIANG)
    ]
    assert [each["code"] for each in here["shared"]] == ["hospital_invoice"]
    assert "hospital_invoice" in {each["code"] for each in there["materials"]}
    register = next(each for each in here["materials"] if each["code"] == "mother_household_register")
    assert register["may_be_deferred"]


async def test_answers_refine_the_plan_and_tell_why(places: Places):
    anyone, path = places.caller(), "/api/v1/bundles/newborn/guide"
    first = (await anyone.post(path)).body
    assert [question["code"] for question in first["questions"]] == ["household", "maternity_insurance"]
    verdicts = {each["step"]: each for each in first["verdicts"]}
    assert verdicts["maternity_reimbursement"]["applies"] == "open"
    assert "请先回答" in verdicts["maternity_reimbursement"]["why"]
    household = next(step for step in first["steps"] if step["step"] == "household_registration")
    assert (household["division"], household["node"]) == ("", "")
    answers = {"household": THERE, "maternity_insurance": "no"}
    last = (await anyone.post(path, {"answers": answers})).body
    assert last["questions"] == []
    verdicts = {each["step"]: each for each in last["verdicts"]}
    assert verdicts["maternity_reimbursement"]["applies"] == "no"
    assert "“否”" in verdicts["maternity_reimbursement"]["why"]
    assert last["days"]["critical"] <= last["days"]["one_by_one"]
    assert last["days"]["path"][0] == "birth_certificate"
    assert last["yields"][0]["licence_name"] == "出生医学证明"


async def test_a_place_inside_the_province_decides_what_is_decided_at_home(places: Places):
    wish = {"answers": {"household": THERE, "maternity_insurance": "no"}, "division": HERE}
    steps = (await places.caller().post("/api/v1/bundles/newborn/guide", wish)).body["steps"]
    assert {step["division_name"] for step in steps} == {"江苏省南京市玄武区", "浙江省杭州市西湖区"}


@pytest.mark.parametrize(
    ("division", "code"),
    [("330100", "division_elsewhere"), ("999999", "division_unknown"), ("320171", "division_unknown")],
)
async def test_a_place_that_cannot_be_here_is_refused(places: Places, division: str, code: str):
    answer = await places.caller().post("/api/v1/bundles/newborn/guide", {"division": division})
    assert (answer.status, answer.body["code"]) == (422, "answers_incomplete")
    assert [(each["pointer"], each["code"]) for each in answer.body["errors"]][:1] == [("/division", code)]


async def test_what_another_province_does_not_take_from_here_is_left_out_with_the_reason(places: Places):
    _, guide = await guided(places.caller(), "retirement", elsewhere=ABROAD[JIANGSU])
    left_out = {each["step"] for each in guide["verdicts"] if "尚未开通跨省通办" in each["why"]}
    assert left_out
    assert left_out.isdisjoint(step["step"] for step in guide["steps"])
    assert all(step["mode"] != "local" for step in guide["steps"] if step["node"] == ZHEJIANG)


@pytest.mark.parametrize(
    "bundle", CATALOGUE.bundle_of.values(), ids=[each.name for each in CATALOGUE.bundle_of.values()]
)
async def test_whoever_has_everything_where_they_live_names_their_place_as_deep_as_the_guide_says(
    places: Places, bundle: Bundle
):
    citizen = await places.citizen("mother", JIANGSU)
    answers, guide = await guided(citizen, bundle.code, elsewhere=JIANGSU)
    opened = await citizen.post("/api/v1/cases", await followed(citizen, bundle, answers, guide, home=JIANGSU))
    assert opened.status == 201, opened.body


async def test_a_place_too_broad_for_anybody_to_lead_is_refused_with_how_deep_it_must_be(places: Places):
    citizen = await places.citizen("mother", JIANGSU)
    bundle = CATALOGUE.bundle("housing_fund_purchase")
    answers, guide = await guided(citizen, bundle.code, elsewhere=JIANGSU)
    assert guide["level"] == "city"
    wish = await followed(citizen, bundle, answers, guide, home=JIANGSU)
    refused = await citizen.post("/api/v1/cases", {**wish, "division": JIANGSU})
    assert (refused.status, refused.body["code"]) == (422, "answers_incomplete")
    (fault,) = refused.body["errors"]
    assert (fault["pointer"], fault["code"]) == ("/division", "place_too_broad")
    assert "请选择到设区的市" in fault["detail"]
