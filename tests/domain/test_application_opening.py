"""From a submission to an application: nothing missing, nothing asked that is known, and every fault at once."""

from datetime import timedelta
from typing import Any

import pytest

from server.domain.case.case import HandedIn
from server.domain.catalogue.catalogue import NoSuchBundle
from server.domain.catalogue.context import Context
from server.domain.catalogue.forms import FormFaulty
from server.domain.catalogue.plan import AnswersIncomplete
from server.domain.catalogue.windows import Window, Windows
from server.domain.exchange.routing import NoNodeFor
from server.domain.people.persons import id_number_fault
from server.domain.rules.opening import MaterialGiven, Submission, application_of, check_places
from tests.domain.places import CONTEXT
from tests.world import (
    CATALOGUE,
    DIRECTORY,
    FORM,
    GIVEN,
    JIANGSU,
    MONDAY,
    UPLOADS,
    is_fictitious,
    person,
    planned,
    submission,
)

YES = {"place": "330102", "extra": "yes"}


def applied(wish: Submission) -> Any:
    """The application that this wish makes at home."""
    return application_of(CATALOGUE, wish, applicant=person(), uploads=UPLOADS, context=CONTEXT)


def faults_of(wish: Submission) -> list[tuple[str, str]]:
    """Where and which the faults of this wish are."""
    with pytest.raises(FormFaulty) as refused:
        applied(wish)
    assert all(fault.detail for fault in refused.value.errors)
    return [(fault.pointer, fault.code) for fault in refused.value.errors]


def given(code: str, id: str) -> MaterialGiven:
    """One material of a submission."""
    return MaterialGiven(code=code, id=id)


def test_the_persons_of_the_tests_are_made_up_and_have_valid_numbers():
    numbers = [person().id_number, person(born="20011231", sequence="012").id_number]
    assert all(not id_number_fault(number, MONDAY.date()) and is_fictitious(number) for number in numbers)
    assert len(set(numbers)) == 2


def test_an_application_holds_the_plan_in_order_and_what_it_was_made_from():
    made = applied(submission())
    assert [step.code for step in made.steps] == ["first", "second", "third"]
    assert [step.division for step in made.steps] == [JIANGSU, "330102", JIANGSU]
    assert (made.bundle, made.bundle_name, made.catalogue) == ("arrival", "新生儿出生", "2026.1")
    assert (made.applicant, made.answers) == (person(), submission().answers)


def test_what_the_proven_person_fills_is_filled_and_not_asked():
    assert dict(applied(submission()).form) == {
        **FORM,
        "applicant_name": person().name,
        "applicant_id": person().id_number,
    }


@pytest.mark.parametrize("code", ["applicant_name", "applicant_id"])
def test_nobody_fills_in_another_name_than_the_proven_one(code: str):
    assert faults_of(submission(form=FORM | {code: "测试乙"})) == [(f"/form/{code}", "unknown")]


def test_nobody_fills_in_what_a_step_yields():
    assert faults_of(submission(form=FORM | {"birth_number": "A1"})) == [("/form/birth_number", "unknown")]


def test_materials_stand_under_their_code_with_what_is_known_of_the_upload():
    made = applied(submission())
    assert [material.code for material in made.materials] == ["proof", "photo", "bank_card"]
    upload = UPLOADS["up-proof"]
    assert made.materials[0] == HandedIn(
        code="proof",
        id="up-proof",
        name=upload.name,
        size=upload.size,
        media_type=upload.media_type,
        sha256=upload.sha256,
    )


def test_a_material_given_twice_is_taken_once():
    once = applied(submission())
    assert applied(submission(materials=(*GIVEN, GIVEN[0], *GIVEN))).materials == once.materials


def test_several_files_of_one_kind_and_one_file_of_several_kinds_are_all_taken():
    materials = (given("proof", "up-proof"), given("proof", "up-photo"), given("bank_card", "up-photo"))
    made = applied(submission(materials=materials))
    assert [(each.code, each.id) for each in made.materials] == [(each.code, each.id) for each in materials]


def test_what_may_be_missing_may_be_missing():
    made = applied(submission(form={"subject_name": "测试宝"}, materials=(GIVEN[0], GIVEN[2])))
    assert "mobile" not in made.form
    assert [material.code for material in made.materials] == ["proof", "bank_card"]


def test_a_step_that_applies_makes_its_field_mandatory():
    assert faults_of(submission(answers=YES, form={"subject_name": "测试宝"})) == [("/form/mobile", "required")]
    assert [step.code for step in applied(submission(answers=YES)).steps].count("fourth") == 1


def test_every_fault_is_named_at_once_by_its_pointer():
    wish = submission(
        answers=YES,
        form={"mobile": "12", "un/known": "x"},
        materials=(given("proof", "up-nothing"), given("passport", "up-photo"), given("photo", "up-photo")),
    )
    assert faults_of(wish) == [
        ("/form/mobile", "mobile"),
        ("/form/subject_name", "required"),
        ("/form/un~1known", "unknown"),
        ("/materials/0/id", "material_unknown"),
        ("/materials/1/code", "unknown"),
        ("/materials", "required"),
    ]


def test_nothing_given_is_refused_for_each_mandatory_material():
    assert faults_of(submission(materials=())) == [("/materials", "required")] * 2


def test_a_material_that_somebody_else_uploaded_is_unknown():
    with pytest.raises(FormFaulty) as refused:
        application_of(CATALOGUE, submission(), applicant=person(), uploads={}, context=CONTEXT)
    assert [fault.code for fault in refused.value.errors] == ["material_unknown"] * 3


def test_a_bundle_that_is_not_in_the_catalogue_is_refused():
    with pytest.raises(NoSuchBundle):
        applied(submission(bundle="nothing"))


def test_questions_come_before_the_form():
    with pytest.raises(AnswersIncomplete) as refused:
        applied(submission(answers={"place": "杭州"}, form={}))
    assert [fault.pointer for fault in refused.value.errors] == ["/answers/place", "/answers/extra"]


def test_a_plan_is_refused_if_no_node_decides_for_one_of_its_steps():
    steps = (planned("one"), planned("two", division="330102"))
    check_places(steps, DIRECTORY)
    with pytest.raises(NoNodeFor):
        check_places((*steps, planned("far", division="510100")), DIRECTORY)


HALL = Window(
    id="hall", name="窗口", kind="hall", division="320102", seen_on=MONDAY.date(), source="tests", status="sample"
)


def with_windows(**change: Any) -> Context:
    """The home, where the hall is like this."""
    return CONTEXT.model_copy(update={"windows": Windows(windows=(HALL.model_copy(update=change),))})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"id": "another"}, "window_unknown"),
        ({"division": "330102"}, "window_unknown"),  # of another province
        ({"to_day": MONDAY.date() - timedelta(days=1)}, "window_unknown"),
        ({"departments": ("fishery",)}, "window_receives_none"),
        ({"items": ("fish_licence",)}, "window_receives_none"),
        ({"authorities": ("health/320102",)}, "window_receives_none"),  # nobody is known to decide there
    ],
)
def test_a_window_that_does_not_receive_it_is_refused(change: dict[str, Any], code: str):
    wish = submission(window="hall")
    with pytest.raises(FormFaulty) as refused:
        application_of(CATALOGUE, wish, applicant=person(), uploads=UPLOADS, context=with_windows(**change))
    assert [(fault.pointer, fault.code) for fault in refused.value.errors] == [("/window", code)]


@pytest.mark.parametrize("change", [{}, {"items": ("second",)}, {"departments": ("health",)}])
def test_a_window_that_receives_one_of_the_items_may_be_chosen(change: dict[str, Any]):
    wish = submission(window="hall")
    made = application_of(CATALOGUE, wish, applicant=person(), uploads=UPLOADS, context=with_windows(**change))
    assert made.window == "hall"
    assert applied(submission()).window == ""
