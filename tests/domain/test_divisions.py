"""A division is valid from day to day, lies inside another, and is no answer where nothing can be decided."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.case.case import Application
from server.domain.catalogue.answers import AnswersIncomplete, answer_faults
from server.domain.catalogue.bundles import Bundle, Question
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.context import Context
from server.domain.catalogue.divisions import NoSuchDivision, parent_of
from server.domain.catalogue.forms import FormFaulty
from server.domain.rules.opening import application_of
from tests.domain.places import CONTEXT, DIVISIONS, TODAY
from tests.world import CATALOGUE, SAMPLE, UPLOADS, person, submission

LAST_DAY, NEXT_DAY = date(2025, 11, 5), date(2025, 11, 6)
BUNDLE = Bundle(
    code="b",
    name="一件事",
    summary="b",
    subject="person",
    stage="s",
    lead="health",
    questions=(
        Question(code="place", name="在哪里办", type="division"),
        Question(code="kind", name="是哪一类", type="choice", choices={"small": "小"}),
    ),
    steps=(),
    legal_days=1,
    promised_days=1,
    **SAMPLE,
)


def codes(parent: str, on: date) -> list[str]:
    return [division.code for division in DIVISIONS.children(parent, on)]


@pytest.mark.parametrize(
    ("code", "around"), [("330000", ""), ("330100", "330000"), ("330102", "330100"), ("419001", "419000")]
)
def test_each_division_lies_right_inside_one_other(code: str, around: str) -> None:
    assert parent_of(code) == around


@given(code=st.from_regex(r"[1-9][0-9]{5}", fullmatch=True))
def test_whoever_goes_upwards_arrives_at_a_province(code: str) -> None:
    steps = [code]
    while around := parent_of(steps[-1]):
        steps.append(around)
    assert steps[-1] == f"{code[:2]}0000"
    assert len(steps) <= 3


def test_a_division_is_valid_on_its_first_and_on_its_last_day() -> None:
    assert DIVISIONS.at("500112", LAST_DAY) is not None
    assert DIVISIONS.at("500112", NEXT_DAY) is None
    assert DIVISIONS.at("500157", LAST_DAY) is None
    assert DIVISIONS.at("500157", NEXT_DAY) is not None
    assert DIVISIONS.at("330102", date(1990, 1, 1)) == DIVISIONS.find("330102")
    assert DIVISIONS.at("990000", TODAY) is None


def test_the_old_code_of_an_old_case_keeps_its_meaning() -> None:
    old = DIVISIONS.find("500112")
    assert old is not None
    assert (old.name, old.successors) == ("渝北区", ("500157", "500109"))
    assert DIVISIONS.name_in_full("500112") == "重庆市渝北区"


def test_the_children_are_those_of_the_day() -> None:
    assert codes("", TODAY) == ["320000", "330000", "500000"]
    assert codes("330000", TODAY) == ["330100"]
    assert codes("330102", TODAY) == []
    assert codes("500100", LAST_DAY) == ["500109", "500112"]
    assert codes("500100", NEXT_DAY) == ["500109", "500157"]


def test_there_are_no_children_of_a_division_that_never_was() -> None:
    with pytest.raises(NoSuchDivision):
        DIVISIONS.children("990000", TODAY)
    with pytest.raises(NoSuchDivision):
        DIVISIONS.name_in_full("990000")


@pytest.mark.parametrize(
    ("code", "name"), [("330000", "浙江省"), ("330102", "浙江省杭州市上城区"), ("500109", "重庆市北碚区")]
)
def test_a_name_in_full_goes_from_the_province_down_and_says_nothing_twice(code: str, name: str) -> None:
    assert DIVISIONS.name_in_full(code) == name


def check(answers: dict[str, str], context: Context) -> None:
    """Raises AnswersIncomplete with whatever is wrong with these answers on that ground."""
    faults = answer_faults(CATALOGUE, BUNDLE, answers, context=context, must_be_complete=True)
    if faults:
        raise AnswersIncomplete(errors=faults)


@pytest.mark.parametrize("code", ["330000", "330100", "330102", "500157"])
def test_a_place_that_decides_may_be_the_answer(code: str) -> None:
    check({"place": code, "kind": "small"}, CONTEXT)


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("990000", "division_unknown"),
        ("500112", "division_not_valid"),
        ("330171", "division_not_routable"),
        ("419000", "division_not_routable"),
        ("Hangzhou", "division"),
    ],
)
def test_a_place_that_cannot_decide_today_is_refused_as_an_answer(code: str, fault: str) -> None:
    with pytest.raises(AnswersIncomplete) as refused:
        check({"place": code, "kind": "small"}, CONTEXT)
    assert [(each.pointer, each.code) for each in refused.value.errors] == [("/answers/place", fault)]


def test_a_place_that_is_not_yet_valid_is_refused_too() -> None:
    before = CONTEXT.model_copy(update={"on": LAST_DAY})
    with pytest.raises(AnswersIncomplete):
        check({"place": "500157", "kind": "small"}, before)
    check({"place": "500112", "kind": "small"}, before)


def test_whoever_names_an_abolished_place_is_told_all_that_took_its_place() -> None:
    with pytest.raises(AnswersIncomplete) as refused:
        check({"place": "500112", "kind": "small"}, CONTEXT)
    assert "重庆市两江新区、重庆市北碚区" in refused.value.errors[0].detail


def test_every_fault_of_the_answers_is_told_at_once() -> None:
    with pytest.raises(AnswersIncomplete) as refused:
        check({"place": "330171", "kind": "huge"}, CONTEXT)
    assert {each.code for each in refused.value.errors} == {"choice", "division_not_routable"}


def applied_with(birth_place: str) -> Application:
    """An application whose `subject_name` asks for a division instead."""
    fields = tuple(
        field.model_copy(update={"type": "division"}) if field.code == "subject_name" else field
        for field in CATALOGUE.fields
    )
    whole = {name: getattr(CATALOGUE, name) for name in Catalogue.model_fields}
    catalogue = Catalogue(**{**whole, "fields": fields})
    wish = submission(form={"subject_name": birth_place})
    return application_of(catalogue, wish, applicant=person(), uploads=UPLOADS, context=CONTEXT)


@pytest.mark.parametrize(("code", "fault"), [("990000", "division_unknown"), ("500112", "division_not_valid")])
def test_a_place_of_the_form_must_exist_today(code: str, fault: str) -> None:
    with pytest.raises(FormFaulty) as refused:
        applied_with(code)
    assert [(each.pointer, each.code) for each in refused.value.errors] == [("/form/subject_name", fault)]


def test_a_place_of_the_form_need_not_decide_anything() -> None:
    assert applied_with("330171").form["subject_name"] == "330171"
