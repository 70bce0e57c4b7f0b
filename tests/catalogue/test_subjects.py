"""Where relatives apply, a bundle names the subject's fields, every step asks for them, and they name somebody else."""

from pathlib import Path
from typing import Any

import pytest

from server.domain.people.persons import SubjectGiven
from server.domain.rules.opening import MaterialGiven, SubjectIsApplicant, Submission, application_of
from server.tools.datafiles import BrokenData
from server.tools.publications import load_catalogue
from tests.catalogue.shipped import CATALOGUE, copy_with
from tests.domain.places import IN_COUNTY
from tests.world import UPLOADS, person

NEWBORN = "bundles/newborn.toml"
ANSWERS = {
    "household": "320102",
    "death_kind": "normal",
    "is_cremated": "no",
    "was_insured": "no",
    "has_housing_fund": "no",
    "has_driving_licence": "no",
}
CODES = ("death_statement", "deceased_identity_card", "kinship_proof", "deceased_household_register")
DECEASED = person("测试逝者", born="19410812", sequence="003")


def after_death(**form: str) -> Submission:
    filled = {
        "mobile": "13800000000",
        "relation_to_deceased": "child",
        "deceased_name": DECEASED.name,
        "deceased_id_number": DECEASED.id_number,
        "death_date": "2026-11-05",
        "death_place_kind": "at_home",
    }
    materials = tuple(MaterialGiven(code=code, id="up-proof") for code in CODES)
    return Submission(bundle="after_death", answers=ANSWERS, form=filled | form, materials=materials)


def applied(wish: Submission) -> Any:
    return application_of(CATALOGUE, wish, applicant=person(), uploads=UPLOADS, context=IN_COUNTY)


def test_a_relative_applies_for_the_deceased_whom_the_form_names():
    made = applied(after_death())
    assert made.applicant == person()
    assert made.subject == SubjectGiven(name=DECEASED.name, id_number=DECEASED.id_number)


def test_nobody_applies_as_the_deceased():
    with pytest.raises(SubjectIsApplicant) as refused:
        applied(after_death(deceased_id_number=person().id_number))
    assert [(fault.pointer, fault.code) for fault in refused.value.errors] == [
        ("/form/deceased_id_number", "subject_is_applicant")
    ]


def test_a_namesake_may_be_the_subject():
    assert applied(after_death(deceased_name=person().name)).subject.name == person().name


def test_only_after_a_death_relatives_apply_so_far():
    assert [each.code for each in CATALOGUE.bundles if "relative" in each.applicants] == ["after_death"]
    assert {each.applicants for each in CATALOGUE.bundles if each.code != "after_death"} == {("subject",)}


def with_subject(first: str, second: str) -> str:
    """The bundle newborn, in which relatives apply for the one whom these fields name."""
    return f'closing = "all"\napplicants = ["relative"]\nsubject_fields = ["{first}", "{second}"]'


@pytest.mark.parametrize(
    ("written", "broken"),
    [
        (with_subject("mother_name", "nobodys_number"), "nobodys_number"),
        (with_subject("mother_name", "mother_name"), "mother_name"),
        (with_subject("mother_name", "applicant_id_number"), "applicant_id_number"),
        (with_subject("father_name", "mother_id_number"), "father_name"),
    ],
)
def test_fields_that_do_not_always_name_a_subject_are_refused(written: str, broken: str, tmp_path: Path):
    folder = copy_with(tmp_path, "catalogue", NEWBORN, ('closing = "all"', written))
    with pytest.raises(BrokenData) as refused:
        load_catalogue(folder)
    assert [
        each.reason for each in refused.value.faults if broken in each.reason and "unknown_reference" in each.reason
    ]


@pytest.mark.parametrize(
    "written",
    [
        'closing = "all"\napplicants = ["relative"]',
        'closing = "all"\nsubject_fields = ["mother_name", "mother_id_number"]',
        'closing = "all"\napplicants = []',
        'closing = "all"\napplicants = ["subject", "subject"]',
        'closing = "all"\napplicants = ["friend"]',
    ],
)
def test_who_may_apply_and_whom_the_form_names_must_fit(written: str, tmp_path: Path):
    folder = copy_with(tmp_path, "catalogue", NEWBORN, ('closing = "all"', written))
    with pytest.raises(BrokenData) as refused:
        load_catalogue(folder)
    told = [each.reason for each in refused.value.faults if each.table.startswith("bundle")]
    assert [each for each in told if "applicants" in each or "subject_fields" in each], str(refused.value)
