"""A filled form is told what is wrong with it, by JSON pointer, in words a citizen understands."""

import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.catalogue.formats import uscc_check_character
from server.domain.catalogue.forms import form_faults, schema_of
from server.domain.catalogue.items import Field
from server.domain.catalogue.merging import MergedField, merge
from server.domain.catalogue.plan import make_plan
from tests.catalogue.shipped import CATALOGUE, NEWBORN
from tests.domain.places import IN_COUNTY
from tests.world import MONDAY

PLAN = make_plan(CATALOGUE, NEWBORN, {"household": "330106", "maternity_insurance": "yes"}, context=IN_COUNTY)
FIELDS = merge(CATALOGUE, NEWBORN, PLAN).fields
TODAY = MONDAY.date()
RIGHT = {each.field.code: each.field.example for each in FIELDS}
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def faults_with(**changes: Any) -> list[tuple[str, str, str]]:
    """The faults of the right form after these changes; None removes a field."""
    values = {code: value for code, value in {**RIGHT, **changes}.items() if value is not None}
    return [(fault.pointer, fault.code, fault.detail) for fault in form_faults(FIELDS, values, on=TODAY)]


def test_a_right_form_has_no_fault() -> None:
    assert faults_with() == []


def test_an_optional_field_may_be_left_out() -> None:
    assert faults_with(father_name=None, father_id_number=None) == []


def test_a_missing_field_is_named() -> None:
    assert faults_with(child_name=None) == [("/form/child_name", "required", "请填写：孩子姓名。")]


def test_an_unknown_field_is_named() -> None:
    assert faults_with(colour="red") == [("/form/colour", "unknown", "表单中没有这一项。")]


def test_a_misspelt_field_is_both_unknown_and_missing() -> None:
    faults = faults_with(mobile=None, moblie=RIGHT["mobile"])
    assert [fault[:2] for fault in faults] == [("/form/mobile", "required"), ("/form/moblie", "unknown")]


def test_what_the_session_has_proven_is_not_taken_from_the_form() -> None:
    assert faults_with(applicant_name="别人")[0][:2] == ("/form/applicant_name", "unknown")


def test_what_a_step_yields_is_not_taken_from_the_form() -> None:
    number = CATALOGUE.field_of["child_id_number"].example
    assert faults_with(child_id_number=number)[0][:2] == ("/form/child_id_number", "unknown")


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("child_birth_hospital", "", "text"),
        ("child_birth_hospital", " 示例医院", "text"),
        ("child_birth_hospital", "示例医院 ", "text"),
        ("child_birth_hospital", "　", "text"),
        ("child_birth_hospital", "示例\n医院", "text"),
        ("child_birth_hospital", "院" * 101, "text"),
        ("child_birth_hospital", 7, "text"),
        ("child_birth_hospital", ["示例医院"], "text"),
        ("child_name", "", "person_name_length"),
        ("child_name", "　", "person_name_spaces"),
        ("child_name", "周\n小禾", "person_name_spaces"),
        ("child_name", "禾" * 51, "person_name_length"),
        ("child_name", 7, "person_name"),
        ("child_name", ["周小禾"], "person_name"),
        ("child_birth_date", "2026-02-29", "date_impossible"),
        ("child_birth_date", "2026-11-24", "date_future"),
        ("child_birth_date", 20261102, "date"),
        ("child_birth_date", "20261102", "date"),
        ("child_birth_date", "2026-11-02T08:00:00Z", "date"),
        ("mother_id_number", "320000199203140027", "id_number_check"),
        ("mother_id_number", "320000199202300026", "id_number_birth_date"),
        ("mother_id_number", "32000019920314002", "id_number"),
        ("mobile", "1380000000", "mobile"),
        ("mobile", "+8613800000000", "mobile"),
        ("mobile", "12800000000", "mobile_prefix"),
        ("mobile", "1380000000０", "mobile"),
        ("mobile", 13800000000, "mobile"),
        ("child_sex", "girl", "choice"),
        ("child_sex", "", "choice"),
        ("child_birth_place", "南京市", "division"),
        ("child_birth_place", "3201", "division"),
        ("child_birth_place", "32010０", "division"),
    ],
)
def test_a_wrong_value_is_one_fault_of_its_field(field: str, value: object, kind: str) -> None:
    ((pointer, code, detail),) = faults_with(**{field: value})
    assert (pointer, code) == (f"/form/{field}", kind)
    assert detail.startswith(f"{CATALOGUE.field_of[field].name}：")


def test_a_text_that_is_too_long_is_told_how_long_it_may_be() -> None:
    assert "100个字" in faults_with(child_birth_hospital="院" * 101)[0][2]
    assert faults_with(child_birth_hospital="院" * 100) == []
    assert "200个字" in faults_with(home_address="路" * 201)[0][2]


def test_what_was_in_the_future_yesterday_may_be_filled_in_today() -> None:
    values = {**RIGHT, "child_birth_date": "2026-11-24"}
    assert [fault.code for fault in form_faults(FIELDS, values, on=TODAY)] == ["date_future"]
    assert form_faults(FIELDS, values, on=TODAY + timedelta(days=1)) == []


def test_an_enterprise_is_asked_for_its_name_and_code_like_any_other_field() -> None:
    common: dict[str, Any] = {"group": "企业", "sensitivity": "ordinary", "source": "tests", "status": "sample"}
    asked = [
        MergedField(field=Field(code=code, name=name, type=type, **common), is_required=True, needed_by=())
        for code, name, type in (
            ("name", "企业名称", "enterprise_name"),
            ("uscc", "信用代码", "uscc"),
            ("on", "开业日期", "date"),
        )
    ]
    right = {"name": "示例（江苏）餐饮有限公司", "uscc": "91320000MA0000000H", "on": "2027-01-01"}
    right["uscc"] = right["uscc"][:17] + uscc_check_character(right["uscc"][:17])
    assert form_faults(asked, right, on=TODAY) == []
    wrong = {"name": "示例(江苏)餐饮有限公司", "uscc": "9132", "on": "2027-02-29"}
    assert {fault.pointer: fault.code for fault in form_faults(asked, wrong, on=TODAY)} == {
        "/form/name": "enterprise_name_brackets",
        "/form/uscc": "uscc",
        "/form/on": "date_impossible",
    }


def asked(code: str, *, group: str = "组", field: dict[str, Any] | None = None, **merged: Any) -> MergedField:
    """A field of a form, asked always and never required, where nothing else is said."""
    common: dict[str, Any] = {"name": f"问题{code}", "type": "text", "sensitivity": "ordinary", **(field or {})}
    made = Field(code=code, group=group, source="tests", status="sample", **common)
    return MergedField(**{"field": made, "is_required": False, "needed_by": ("item",), **merged})


MARRIED = asked(
    "married", field={"type": "choice", "choices": {"yes": "是", "no": "否", "once": "曾经"}}, is_required=True
)
HOME = asked("home", field={"type": "choice", "choices": {"own": "自有", "rent": "租住"}})
WITH_SPOUSE, RENTING = {"married": ("yes", "once")}, {"home": ("rent",)}


def told(fields: list[MergedField], **values: Any) -> list[tuple[str, str]]:
    return [(fault.pointer, fault.code) for fault in form_faults(fields, values, on=TODAY)]


def test_what_must_be_filled_in_when_it_is_asked_may_not_be_left_out_then_nor_filled_in_otherwise() -> None:
    form = [MARRIED, asked("spouse", is_required=True, asked_if=(WITH_SPOUSE,))]
    assert told(form, married="yes", spouse="甲") == []
    assert told(form, married="once") == [("/form/spouse", "required")]
    assert told(form, married="no") == []
    assert told(form, married="no", spouse="甲") == [("/form/spouse", "not_asked")]


def test_what_may_be_left_out_when_it_is_asked_may_still_not_be_filled_in_otherwise() -> None:
    form = [MARRIED, asked("spouse", asked_if=(WITH_SPOUSE,))]
    assert told(form, married="yes") == []
    assert told(form, married="yes", spouse="甲") == []
    assert told(form, married="no", spouse="甲") == [("/form/spouse", "not_asked")]


def test_what_is_always_asked_may_be_required_in_some_cases_only() -> None:
    form = [MARRIED, asked("spouse", required_if=(WITH_SPOUSE,))]
    assert told(form, married="no", spouse="甲") == []
    assert told(form, married="no") == []
    assert told(form, married="yes") == [("/form/spouse", "required")]


def test_any_one_of_several_conditions_is_enough() -> None:
    form = [MARRIED, HOME, asked("deed", is_required=True, asked_if=(WITH_SPOUSE, RENTING))]
    assert told(form, married="yes") == [("/form/deed", "required")]
    assert told(form, married="no", home="rent") == [("/form/deed", "required")]
    assert told(form, married="no", home="own", deed="有") == [("/form/deed", "not_asked")]
    assert told(form, married="yes", home="own", deed="有") == []


def test_all_choices_of_one_condition_must_be_those_named() -> None:
    form = [MARRIED, HOME, asked("deed", is_required=True, asked_if=({**WITH_SPOUSE, **RENTING},))]
    assert told(form, married="yes", home="rent") == [("/form/deed", "required")]
    assert told(form, married="yes", home="own") == []
    assert told(form, married="yes", deed="有") == [("/form/deed", "not_asked")]


def test_one_item_may_ask_in_more_cases_than_another_requires() -> None:
    form = [MARRIED, HOME, asked("deed", asked_if=(WITH_SPOUSE, RENTING), required_if=(RENTING,))]
    assert told(form, married="yes") == []
    assert told(form, married="yes", deed="有") == []
    assert told(form, married="no", home="rent") == [("/form/deed", "required")]
    assert told(form, married="no", deed="有") == [("/form/deed", "not_asked")]


def test_a_condition_on_what_is_missing_or_wrong_does_not_hold() -> None:
    form = [MARRIED, asked("spouse", is_required=True, asked_if=(WITH_SPOUSE,))]
    assert told(form) == [("/form/married", "required")]
    assert told(form, married="perhaps") == [("/form/married", "choice")]
    assert told(form, spouse="甲") == [("/form/married", "required"), ("/form/spouse", "not_asked")]


def test_what_is_not_asked_is_told_in_words_whatever_it_holds() -> None:
    form = [MARRIED, asked("since", field={"type": "date"}, asked_if=(WITH_SPOUSE,))]
    (fault,) = form_faults(form, {"married": "no", "since": "2020-01-01"}, on=TODAY)
    assert fault.detail == "问题since：按您的填写不需要这一项，请删去。"
    assert ("/form/since", "not_asked") in told(form, married="no", since=["secret"])


def test_the_schema_says_conditions_in_the_words_of_the_standard() -> None:
    schema = schema_of([MARRIED, asked("spouse", is_required=True, asked_if=(WITH_SPOUSE,))])
    assert schema["required"] == ["married"]
    assert schema["allOf"] == [
        {
            "if": {"properties": {"married": {"enum": ["yes", "once"]}}, "required": ["married"]},
            "then": {"required": ["spouse"]},
            "else": {"properties": {"spouse": False}},
        }
    ]
    assert "allOf" not in schema_of([MARRIED, HOME])


def test_the_fields_of_a_group_stand_together_in_the_order_in_which_groups_begin() -> None:
    form = [asked("a", group="甲"), asked("b", group="乙"), asked("c", group="甲"), asked("d", group="乙")]
    schema = schema_of(form)
    assert schema["x-groups"] == [{"name": "甲", "fields": ["a", "c"]}, {"name": "乙", "fields": ["b", "d"]}]
    assert list(schema["properties"]) == ["a", "c", "b", "d"]


PLATE = {"pattern": "^苏[A-Z][0-9]{5}$", "hint": "江苏号牌，例如 苏A12345", "longest": 7}


def test_a_text_that_keeps_to_its_pattern_is_right() -> None:
    assert told([asked("plate", field=PLATE)], plate="苏A12345") == []
    assert schema_of([asked("plate", field=PLATE)])["properties"]["plate"]["pattern"] == PLATE["pattern"]


@pytest.mark.parametrize(
    "value", ["苏A1234", "苏A123456", " 苏A12345", "苏A12345\n", "", "苏A１２３４５", 12345, None, ["苏A12345"]]
)
def test_a_text_that_breaks_its_pattern_is_one_fault_that_says_the_pattern_in_words(value: object) -> None:
    (fault,) = form_faults([asked("plate", field=PLATE)], {"plate": value}, on=TODAY)
    assert (fault.pointer, fault.code) == ("/form/plate", "pattern")
    assert fault.detail == "问题plate：江苏号牌，例如 苏A12345。"


def test_all_faults_are_told_at_once_in_the_order_of_their_pointers() -> None:
    faults = faults_with(mobile="1", child_name=None, colour="red")
    assert [fault[0] for fault in faults] == ["/form/child_name", "/form/colour", "/form/mobile"]


def test_a_pointer_escapes_what_json_pointers_reserve() -> None:
    assert faults_with(**{"a/b~c": "x"})[0][0] == "/form/a~1b~0c"


def test_a_long_unknown_name_is_not_repeated_whole() -> None:
    assert len(faults_with(**{"x" * 5000: "x"})[0][0]) < 100


def test_no_fault_repeats_what_was_filled_in() -> None:
    faults = faults_with(mother_id_number="320000199203140027", mobile="13800000", child_name="周小禾 ")
    assert len(faults) == 3
    assert not any(secret in str(faults) for secret in ("320000199203140027", "13800000", "周小禾"))


def test_the_schema_shows_a_client_what_to_draw() -> None:
    schema = schema_of(FIELDS)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["additionalProperties"] is False
    assert set(RIGHT) - set(schema["required"]) == {"father_name", "father_id_number"}
    assert schema["properties"]["child_sex"] == {
        "title": "孩子性别",
        "type": "string",
        "enum": ["male", "female"],
        "x-choices": {"male": "男", "female": "女"},
        "examples": ["female"],
        "x-group": "孩子",
        "x-sensitive": True,
        "x-needed-by": [
            "birth_certificate",
            "household_registration",
            "medical_insurance",
            "social_security_card",
            "vaccination_card",
        ],
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=30)
@given(values=st.dictionaries(st.sampled_from([*RIGHT, "colour", ""]) | st.text(), JSON))
def test_whatever_is_filled_in_the_answer_is_a_list_of_faults_in_chinese(values: dict[str, Any]) -> None:
    for fault in form_faults(FIELDS, values, on=TODAY):
        assert fault.pointer.startswith("/form/")
        assert CHINESE.search(fault.detail)
