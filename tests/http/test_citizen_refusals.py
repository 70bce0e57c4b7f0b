"""What a citizen's doors refuse once they know who comes: faulty wishes, and other people's cases."""

from typing import Any

import pytest

from tests.http.asking import opened, pointers, refused
from tests.nodes import PNG, Caller, Places

pytestmark = pytest.mark.asyncio(loop_scope="module")
JSON = {"Content-Type": "application/json"}
ID_CARD, REGISTER = "mother_identity_card", "mother_household_register"
ABSENT = "(absent)"


async def my_cases(citizen: Caller) -> list[Any]:
    return list((await citizen.get("/api/v1/cases")).body["cases"])


def changed(wish: dict[str, Any], part: str, changes: dict[str, Any]) -> dict[str, Any]:
    """The wish with other values in one part; ABSENT leaves one out."""
    merged = {**wish[part], **changes}
    return {**wish, part: {code: value for code, value in merged.items() if value is not ABSENT}}


FORMS: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"child_name": ABSENT}, {"/form/child_name": "required"}),
    ({"child_name": ABSENT, "child_nmae": "测试宝宝"}, {"/form/child_name": "required", "/form/child_nmae": "unknown"}),
    ({"mobile": "12345"}, {"/form/mobile": "mobile"}),
    ({"mother_id_number": "320000199001010021"}, {"/form/mother_id_number": "id_number_check"}),
    ({"child_birth_date": "2026-02-30"}, {"/form/child_birth_date": "date_impossible"}),
    (
        {"child_sex": "boy", "child_name": " 测试宝宝 "},
        {"/form/child_sex": "choice", "/form/child_name": "person_name_spaces"},
    ),
    ({"home/address~": "测试路1号"}, {"/form/home~1address~0": "unknown"}),
]


@pytest.mark.parametrize(("changes", "faults"), FORMS, ids=lambda each: "+".join(each))
async def test_a_faulty_form_is_refused_with_every_fault_by_pointer(
    mother: Caller, wish: dict[str, Any], changes: dict[str, Any], faults: dict[str, str]
):
    before = await my_cases(mother)
    problem = refused(await mother.post("/api/v1/cases", changed(wish, "form", changes)), 422, "form_faulty")
    assert pointers(problem) == faults
    assert await my_cases(mother) == before


async def test_five_faults_of_meaning_are_five_pointers_with_five_sentences(mother: Caller, wish: dict[str, Any]):
    changes = {
        "child_name": "阿依古丽•示例",
        "mother_name": "测试母亲2",
        "mother_id_number": "32000019900101002x",
        "child_birth_date": "2099-01-01",
        "mobile": "12800000000",
    }
    problem = refused(await mother.post("/api/v1/cases", changed(wish, "form", changes)), 422, "form_faulty")
    assert {fault["pointer"]: (fault["code"], fault["detail"]) for fault in problem["errors"]} == {
        "/form/child_name": (
            "person_name_dot",
            "孩子姓名：姓名中的间隔号请用“·”，写在两段名字之间，每处一个，不要用“•”“・”“．”等相近的符号。",
        ),
        "/form/mother_name": ("person_name_digits", "母亲姓名：姓名中不能有数字，请按证件填写。"),
        "/form/mother_id_number": (
            "id_number_small_x",
            "母亲身份证号码：请把身份证号码末位的 x 改为大写字母 X。",
        ),
        "/form/child_birth_date": ("date_future", "孩子出生日期：日期不能晚于今天，请核对。"),
        "/form/mobile": ("mobile_prefix", "联系电话：手机号码应以13至19开头，请核对前两位。"),
    }


@pytest.mark.parametrize("part", ["form", "answers"])
@pytest.mark.parametrize("name", ["孩子", "x" * 101])
async def test_a_name_that_no_field_can_have_is_refused(mother: Caller, wish: dict[str, Any], part: str, name: str):
    problem = refused(await mother.post("/api/v1/cases", changed(wish, part, {name: "x"})), 422, "body_faulty")
    assert pointers(problem) == {f"/{part}/{name[:60]}": "unknown"}


async def test_unanswered_questions_are_asked_again(mother: Caller, wish: dict[str, Any]):
    problem = refused(await mother.post("/api/v1/cases", {**wish, "answers": {}}), 422, "answers_incomplete")
    assert pointers(problem) == {"/answers/household": "required", "/answers/maternity_insurance": "required"}


async def test_a_place_that_no_node_decides_for_is_refused(mother: Caller, wish: dict[str, Any]):
    elsewhere = changed(wish, "answers", {"household": "510106"})
    refused(await mother.post("/api/v1/cases", elsewhere), 422, "no_node_for")
    guide = "/api/v1/bundles/newborn/guide"
    refused(await mother.post(guide, {"answers": elsewhere["answers"]}), 422, "no_node_for")


async def test_an_unknown_bundle_is_missing_at_every_door(mother: Caller, wish: dict[str, Any]):
    refused(await mother.post("/api/v1/cases", {**wish, "bundle": "oldborn"}), 404, "no_such_bundle")
    refused(await mother.get("/api/v1/bundles/oldborn"), 404, "no_such_bundle")
    refused(await mother.get("/api/v1/bundles/2026-11-23"), 404, "no_such_bundle")
    refused(await mother.post("/api/v1/bundles/oldborn/guide"), 404, "no_such_bundle")


async def test_a_guide_names_each_wrong_answer(mother: Caller):
    answers = {"household": "Hangzhou", "maternity_insurance": "perhaps", "weather": "fine"}
    problem = refused(
        await mother.post("/api/v1/bundles/newborn/guide", {"answers": answers}), 422, "answers_incomplete"
    )
    assert pointers(problem) == {
        "/answers/household": "division",
        "/answers/maternity_insurance": "choice",
        "/answers/weather": "unknown",
    }


@pytest.mark.parametrize("id", ["unknown", "2026-11-23", "a\0b", ""])
async def test_a_material_of_an_unknown_id_is_refused(mother: Caller, wish: dict[str, Any], id: str):
    given = [{"code": ID_CARD, "id": id}, wish["materials"][1]]
    problem = refused(await mother.post("/api/v1/cases", {**wish, "materials": given}), 422, "form_faulty")
    assert pointers(problem) == {"/materials/0/id": "material_unknown"}


async def test_another_persons_material_is_as_good_as_unknown(mother: Caller, stranger: Caller, wish: dict[str, Any]):
    theirs = (await stranger.upload(PNG + b" of a stranger")).body["id"]
    given = [wish["materials"][0], {"code": REGISTER, "id": theirs}]
    problem = refused(await mother.post("/api/v1/cases", {**wish, "materials": given}), 422, "form_faulty")
    assert pointers(problem) == {"/materials/1/id": "material_unknown"}


async def test_missing_and_superfluous_materials_are_named(mother: Caller, wish: dict[str, Any]):
    given = [wish["materials"][0], {**wish["materials"][1], "code": "hospital_invoice"}]
    problem = refused(await mother.post("/api/v1/cases", {**wish, "materials": given}), 422, "form_faulty")
    assert pointers(problem) == {"/materials/1/code": "unknown", "/materials": "required"}


BODIES: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"hurry": True}, {"/hurry": "unknown"}),
    ({"form": ABSENT}, {"/form": "required"}),
    ({"form": []}, {"/form": "type"}),
    ({"form": {"mobile": 13800000000}}, {"/form/mobile": "type"}),
    ({"materials": [{"code": ID_CARD}]}, {"/materials/0/id": "required"}),
    ({"materials": [{"code": ID_CARD, "id": "x", "page": 1}]}, {"/materials/0/page": "unknown"}),
    ({"materials": [{"code": ID_CARD, "id": "x"}] * 51}, {"/materials": "type"}),
    ({"form": {"mobile": "1" * 2001}}, {"/form/mobile": "type"}),
    ({"bundle": "x" * 101}, {"/bundle": "type"}),
]


@pytest.mark.parametrize(("changes", "faults"), BODIES, ids=lambda each: "+".join(each))
async def test_a_body_of_another_shape_is_refused_by_pointer(
    mother: Caller, wish: dict[str, Any], changes: dict[str, Any], faults: dict[str, str]
):
    body = {name: value for name, value in {**wish, **changes}.items() if value is not ABSENT}
    assert pointers(refused(await mother.post("/api/v1/cases", body), 422, "body_faulty")) == faults


@pytest.mark.parametrize("body", [b"", b"{", b"nonsense", b"\xff\xfe", b"[" * 100_000])
async def test_what_is_no_json_is_refused(mother: Caller, body: bytes):
    refused(await mother.call("POST", "/api/v1/cases", data=body, headers=JSON), 400, "body_unreadable")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_another_content_type_is_refused(mother: Caller, kind: str):
    answer = await mother.call("POST", "/api/v1/cases", data=b"{}", headers={"Content-Type": kind})
    refused(answer, 415, "wrong_content_type")


@pytest.mark.parametrize("key", [None, "", "x" * 201, "钥匙"])
async def test_a_submission_needs_an_idempotency_key(mother: Caller, wish: dict[str, Any], key: str | None):
    refused(await mother.post("/api/v1/cases", wish, key=key), 400, "idempotency_key_missing")
    refused(await mother.post("/api/v1/cases/some/withdrawal", key=key), 400, "idempotency_key_missing")


async def test_a_key_is_good_for_one_wish_only(places: Places, mother: Caller, stranger: Caller, wish: dict[str, Any]):
    first = await mother.post("/api/v1/cases", wish, key="one-wish")
    assert first.status == 201
    other = changed(wish, "form", {"child_name": "测试贝贝"})
    refused(await mother.post("/api/v1/cases", other, key="one-wish"), 409, "idempotency_key_reused")
    faulty = changed(wish, "form", {"child_name": ABSENT})
    refused(await mother.post("/api/v1/cases", faulty, key="one-wish"), 409, "idempotency_key_reused")
    again = await mother.post("/api/v1/cases", wish, key="one-wish")
    assert (again.status, again.body) == (201, first.body)
    theirs = {**wish, "materials": [{**each, "id": (await stranger.upload()).body["id"]} for each in wish["materials"]]}
    assert (await stranger.post("/api/v1/cases", theirs, key="one-wish")).body["id"] != first.body["id"]


@pytest.mark.parametrize("path", ["", "/timeline"])
async def test_another_persons_case_is_as_good_as_none(
    places: Places, mother: Caller, stranger: Caller, wish: dict[str, Any], path: str
):
    case = await opened(places, mother, wish)
    assert (await mother.get(f"/api/v1/cases/{case}{path}")).status == 200
    theirs = refused(await stranger.get(f"/api/v1/cases/{case}{path}"), 404, "no_such_case")
    assert theirs == refused(await stranger.get(f"/api/v1/cases/none{path}"), 404, "no_such_case")


async def test_nobody_withdraws_another_persons_case(
    places: Places, mother: Caller, stranger: Caller, wish: dict[str, Any]
):
    case = await opened(places, mother, wish)
    theirs = refused(await stranger.post(f"/api/v1/cases/{case}/withdrawal"), 404, "no_such_case")
    assert theirs == refused(await stranger.post("/api/v1/cases/none/withdrawal"), 404, "no_such_case")
    assert (await mother.get(f"/api/v1/cases/{case}")).body["state"] == "open"


@pytest.mark.parametrize("id", ["2026-11-23", "2026-11-23T05:45:00.123Z", "a%00b", "x" * 2000])
async def test_an_id_that_no_case_can_have_is_no_case(mother: Caller, health: Caller, id: str):
    refused(await mother.get(f"/api/v1/cases/{id}"), 404, "no_such_case")
    refused(await mother.post(f"/api/v1/cases/{id}/withdrawal"), 404, "no_such_case")
    refused(await health.get(f"/desk/v1/cases/{id}"), 404, "no_such_case")
