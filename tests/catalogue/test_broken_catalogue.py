"""A broken catalogue is refused with file, table, rule and reason; nothing else ever happens."""

import tempfile
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.checking import RULES
from server.domain.forms import form_faults
from server.domain.merging import merge
from server.domain.plan import make_plan
from server.tools.datafiles import BrokenData, DataFault
from server.tools.publications import load_catalogue
from tests.catalogue.shipped import CATALOGUE, CONFIG, copy_with, documents, every_answer, write_documents
from tests.world import MONDAY

HEAD, FIELDS, MATERIALS = "catalogue.toml", "fields.toml", "materials.toml"
HEALTH, POLICE, INSURANCE = "items/health.toml", "items/public_security.toml", "items/medical_insurance_bureau.toml"
NEWBORN = "bundles/newborn.toml"
BIRTH, HOUSEHOLD, BUNDLE = "item[1] birth_certificate", "item[1] household_registration", "bundle[1] newborn"

SECOND_MOBILE = '[[field]]\ncode = "mobile"\nname = "手机"\ntype = "mobile"\ngroup = "申请人"\nis_sensitive = true\n'
SECOND_MOBILE += 'source = "示例"\nstatus = "sample"\n\n[[field]]\ncode = "mother_name"'
IDLE_QUESTION = '[[bundle.questions]]\ncode = "residence"\nname = "居住地"\ntype = "division"\n\n[[bundle.steps]]'
TWICE = '[[bundle.questions]]\ncode = "household"\nname = "户籍地"\ntype = "division"\n\n[[bundle.steps]]'
GUIDANCE_STEP = '[[bundle.steps]]\nitem = "parenting_guidance"\nneeds = ["birth_certificate"]\n'

# What is broken: the file, the text replaced, the text put there; and where it is told, by which rule, with which word.
MEANINGS = {
    "an item asks for a field nobody defined": (
        (HEALTH, '"child_name"', '"child_nmae"'),
        (HEALTH, BIRTH, "unknown_reference", "child_nmae"),
    ),
    "an item asks for a material nobody defined": (
        (HEALTH, '"marriage_certificate"', '"wedding_photo"'),
        (HEALTH, BIRTH, "unknown_reference", "wedding_photo"),
    ),
    "an item belongs to a department nobody defined": (
        (HEALTH, 'department = "health"', 'department = "helth"'),
        (HEALTH, BIRTH, "unknown_reference", "helth"),
    ),
    "an item yields a licence nobody defined": (
        (HEALTH, 'yields = "birth_certificate"', 'yields = "birth_paper"'),
        (HEALTH, BIRTH, "unknown_reference", "birth_paper"),
    ),
    "an item yields a field nobody defined": (
        (POLICE, '"child_id_number"', '"child_number"'),
        (POLICE, HOUSEHOLD, "unknown_reference", "child_number"),
    ),
    "an item asks twice for one field": (
        (HEALTH, '"applicant_id_number"', '"mobile"'),
        (HEALTH, BIRTH, "duplicate", "mobile"),
    ),
    "an item promises more days than the law allows": (
        (POLICE, "promised_days = 1", "promised_days = 6"),
        (POLICE, HOUSEHOLD, "days", "6 days are promised"),
    ),
    "an item is decided by the answer to no question": (
        (POLICE, 'jurisdiction = "household"', 'jurisdiction = "work_place"'),
        (POLICE, HOUSEHOLD, "jurisdiction", "work_place"),
    ),
    "an item is decided by the answer to a question that is about no division": (
        (POLICE, 'jurisdiction = "household"', 'jurisdiction = "maternity_insurance"'),
        (POLICE, HOUSEHOLD, "jurisdiction", "maternity_insurance"),
    ),
    "an item is in no bundle": (
        (NEWBORN, GUIDANCE_STEP, ""),
        (HEALTH, "item[2] parenting_guidance", "unused", "no bundle"),
    ),
    "an item's code is defined in two files": (
        (POLICE, 'code = "household_registration"', 'code = "birth_certificate"'),
        (POLICE, BIRTH, "duplicate", "birth_certificate"),
    ),
    "a code is not snake case": (
        (HEALTH, 'code = "parenting_guidance"', 'code = "Parenting-Guidance"'),
        (HEALTH, "item[2] Parenting-Guidance", "code", "Parenting-Guidance"),
    ),
    "a department's code is not ASCII": (
        (HEAD, "health = ", '"卫健" = '),
        (HEAD, "departments", "code", "卫健"),
    ),
    "a licence's code is not snake case": (
        (HEAD, "household_register = ", "householdRegister = "),
        (HEAD, "licences", "code", "householdRegister"),
    ),
    "a field's code is defined twice": (
        (FIELDS, '[[field]]\ncode = "mother_name"', SECOND_MOBILE),
        (FIELDS, "field[3] mobile", "duplicate", "mobile"),
    ),
    "a material's code is defined twice": (
        (MATERIALS, 'code = "hospital_invoice"', 'code = "marriage_certificate"'),
        (MATERIALS, "material[5] marriage_certificate", "duplicate", "marriage_certificate"),
    ),
    "a choice has no choices": (
        (FIELDS, 'choices = { male = "男", female = "女" }\n', ""),
        (FIELDS, "field[9] child_sex", "choices", "0 choices"),
    ),
    "a date has choices": (
        (FIELDS, 'type = "choice"', 'type = "date"'),
        (FIELDS, "field[9] child_sex", "choices", "2 choices"),
    ),
    "a choice's code is not ASCII": (
        (FIELDS, 'male = "男"', '"男" = "男"'),
        (FIELDS, "field[9] child_sex", "code", "男"),
    ),
    "a choice may not be after today": (
        (FIELDS, 'type = "choice"', 'not_after_today = true\ntype = "choice"'),
        (FIELDS, "field[9] child_sex", "not_after_today", "of type choice"),
    ),
    "two fields are filled from one detail": (
        (FIELDS, 'filled_from = "id_number"', 'filled_from = "name"'),
        (FIELDS, "field[2] applicant_id_number", "filled_twice", "name"),
    ),
    "a bundle has a step for an item nobody defined": (
        (NEWBORN, 'item = "parenting_guidance"', 'item = "parental_advice"'),
        (NEWBORN, BUNDLE, "unknown_reference", "parental_advice"),
    ),
    "a bundle has two steps for one item": (
        (NEWBORN, 'item = "parenting_guidance"', 'item = "vaccination_card"'),
        (NEWBORN, BUNDLE, "duplicate", "vaccination_card"),
    ),
    "a bundle is led by a department nobody defined": (
        (NEWBORN, 'lead = "health"', 'lead = "harbour"'),
        (NEWBORN, BUNDLE, "unknown_reference", "harbour"),
    ),
    "a bundle is helped by a department nobody defined": (
        (NEWBORN, 'cooperating = ["disease_control"', 'cooperating = ["fishery"'),
        (NEWBORN, BUNDLE, "unknown_reference", "fishery"),
    ),
    "a bundle promises more days than the law allows": (
        (NEWBORN, "legal_days = 32", "legal_days = 3"),
        (NEWBORN, BUNDLE, "days", "4 days are promised"),
    ),
    "a step needs one that is not in the bundle": (
        (NEWBORN, 'needs = ["birth_certificate"]\nwhen', 'needs = ["birth_certificate", "adoption"]\nwhen'),
        (NEWBORN, BUNDLE, "unknown_reference", "adoption"),
    ),
    "the steps need each other in a circle": (
        (NEWBORN, 'item = "birth_certificate"', 'item = "birth_certificate"\nneeds = ["medical_insurance"]'),
        (NEWBORN, BUNDLE, "circle", "medical_insurance before birth_certificate"),
    ),
    "a step needs itself": (
        (NEWBORN, 'item = "birth_certificate"', 'item = "birth_certificate"\nneeds = ["birth_certificate"]'),
        (NEWBORN, BUNDLE, "circle", "birth_certificate before birth_certificate"),
    ),
    "a step depends on a question nobody asks": (
        (NEWBORN, "when = { maternity_insurance", "when = { pension"),
        (NEWBORN, BUNDLE, "condition", "pension"),
    ),
    "a step depends on a question about a division": (
        (NEWBORN, "when = { maternity_insurance", "when = { household"),
        (NEWBORN, BUNDLE, "condition", "household"),
    ),
    "a step depends on an answer that is not offered": (
        (NEWBORN, '["yes"]', '["yes", "perhaps"]'),
        (NEWBORN, BUNDLE, "condition", "perhaps"),
    ),
    "a step applies for no answer": (
        (NEWBORN, '["yes"]', "[]"),
        (NEWBORN, BUNDLE, "condition", "no answer"),
    ),
    "a question decides nothing": (
        (NEWBORN, "[[bundle.steps]]", IDLE_QUESTION),
        (NEWBORN, BUNDLE, "unused", "residence"),
    ),
    "a question is asked twice": (
        (NEWBORN, "[[bundle.steps]]", TWICE),
        (NEWBORN, BUNDLE, "duplicate", "household"),
    ),
    "a question is named like the home node": (
        (NEWBORN, 'code = "household"', 'code = "home"'),
        (NEWBORN, BUNDLE, "code", "home"),
    ),
    "a question has no choices": (
        (NEWBORN, 'choices = { yes = "是", no = "否" }\n', ""),
        (NEWBORN, BUNDLE, "choices", "maternity_insurance"),
    ),
    "a step uses a licence of a step it does not wait for": (
        (NEWBORN, 'item = "medical_insurance"\nneeds = ["household_registration"]', 'item = "medical_insurance"'),
        (NEWBORN, BUNDLE, "yielded_elsewhere", "household_register"),
    ),
    "a step asks for a field that only a later step could yield": (
        (POLICE, 'yields_fields = [\n  { code = "child_id_number"', 'yields_fields = [\n  { code = "child_name"'),
        (NEWBORN, BUNDLE, "yielded_elsewhere", "child_name, which birth_certificate asks for"),
    ),
    "an item asks for the very field that it yields": (
        (HEALTH, 'yields = "birth_certificate"', 'yields_fields = [{ code = "child_birth_hospital" }]'),
        (NEWBORN, BUNDLE, "yielded_elsewhere", "child_birth_hospital, which birth_certificate asks for"),
    ),
    "a step requires what another yields only perhaps": (
        (INSURANCE, '"child_id_number", is_required = false', '"child_id_number"'),
        (NEWBORN, BUNDLE, "yielded_perhaps", "child_id_number"),
    ),
}


def faults_of(folder: Path) -> tuple[DataFault, ...]:
    with pytest.raises(BrokenData) as caught:
        load_catalogue(folder)
    return caught.value.faults


@pytest.mark.parametrize(("broken", "told"), MEANINGS.values(), ids=MEANINGS.keys())
def test_a_catalogue_is_refused_when(broken: tuple[str, str, str], told: tuple[str, ...], tmp_path: Path) -> None:
    edited, old, new = broken
    file, table, rule, word = told
    faults = faults_of(copy_with(tmp_path, "catalogue", edited, (old, new)))
    matching = [
        fault
        for fault in faults
        if fault.file == str(tmp_path / "catalogue" / file)
        and fault.table == table
        and fault.reason.startswith(f"{rule}: ")
        and word in fault.reason
    ]
    assert matching, "\n".join(map(str, faults))
    assert matching[0].what_to_do == RULES[rule]
    assert matching[0].line > 0


def test_every_rule_has_a_test_that_breaks_it() -> None:
    assert {told[2] for _, told in MEANINGS.values()} == RULES.keys() - {"empty"}


def test_a_catalogue_without_a_bundle_is_refused(tmp_path: Path) -> None:
    folder = copy_with(tmp_path, "catalogue", HEAD, ("2026.1", "2026.2"))
    (folder / NEWBORN).unlink()
    faults = faults_of(folder)
    assert [fault.reason for fault in faults if fault.table == "bundle"] == ["empty: there is no bundle"]


@pytest.mark.parametrize(
    ("file", "edit", "table", "word"),
    [
        (FIELDS, ('status = "sample"\n', ""), "field[1] applicant_name", "status: Field required"),
        (FIELDS, ('source = "示例：本项目自拟"', 'source = ""'), "field[1] applicant_name", "source"),
        (FIELDS, ('name = "申请人姓名"', 'name = ""'), "field[1] applicant_name", "name"),
        (MATERIALS, ('status = "local"', 'status = "guess"'), "material[1] birth_certificate", "status"),
        (HEALTH, ("legal_days = 1", "legal_days = 0"), BIRTH, "legal_days"),
        (HEALTH, ("promised_days", "promissed_days"), BIRTH, "promissed_days"),
        (NEWBORN, ('type = "choice"', 'type = "guess"'), BUNDLE, "questions[2].type"),
        (HEAD, ("[departments]", "[offices]"), "", "departments: Field required"),
        (HEAD, ('version = "2026.1"', "version = 2026.1"), "", "version"),
        (POLICE, ("[[item]]", "[item]"), "item", "must be written"),
        (POLICE, ("[[item]]", "[[itme]]"), "itme", "nobody reads this"),
        (POLICE, ("[[item]]", "[[item]"), "", "is not TOML"),
    ],
)
def test_an_entry_of_the_wrong_shape_is_refused(
    file: str, edit: tuple[str, str], table: str, *, word: str, tmp_path: Path
) -> None:
    faults = faults_of(copy_with(tmp_path, "catalogue", file, edit))
    path = str(tmp_path / "catalogue" / file)
    assert [
        fault for fault in faults if (fault.file, fault.table[: len(table)]) == (path, table) and word in str(fault)
    ]


def test_faults_of_several_files_are_told_together(tmp_path: Path) -> None:
    folder = copy_with(tmp_path, "catalogue", HEALTH, ('department = "health"', 'department = "helth"'))
    text = (folder / NEWBORN).read_text(encoding="utf-8")
    (folder / NEWBORN).write_text(text.replace('"yes"', '"perhaps"'), encoding="utf-8")
    assert {Path(fault.file).name for fault in faults_of(folder)} == {"health.toml", "newborn.toml"}


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert all("cannot be read" in fault.reason for fault in faults_of(tmp_path / "nowhere"))


SHIPPED = documents(CONFIG / "catalogue")


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The path of everything inside the documents."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [path] if len(path) > 1 else []
    for key, part in inner:
        found += places(part, (*path, key))
    return found


KEYS = sorted({path[-1] for path in places(SHIPPED) if isinstance(path[-1], str)})
WORDS = [*KEYS, "", "home", "名称", "a.b", "a/b"]
CODES = [entry.code for entry in (*CATALOGUE.fields, *CATALOGUE.materials, *CATALOGUE.items)]


def at(document: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    """The shipped catalogue after up to three deletions, renamings or replacements."""
    contents = deepcopy(SHIPPED)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(contents)))
        parent, key = at(contents, path[:-1]), path[-1]
        deed = draw(st.sampled_from(["delete", "rename", "replace", "double"]))
        if deed == "double" and isinstance(parent, list):
            parent.append(deepcopy(parent[key]))
        elif deed == "rename" and isinstance(parent, dict):
            parent[draw(st.sampled_from(WORDS))] = parent.pop(key)
        elif deed == "replace":
            parent[key] = draw(st.sampled_from([*WORDS, *CODES, 0, -1, True, [], {}, ["yes"], {"code": "mobile"}]))
        else:
            del parent[key]
    return contents


@settings(deadline=None, max_examples=100)
@given(contents=damaged())
def test_whatever_happens_to_the_data_it_is_refused_as_broken_or_works_for_every_answer(
    contents: dict[str, Any],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_documents(folder, contents)
        try:
            catalogue = load_catalogue(folder)
        except BrokenData:
            return
    for bundle in catalogue.bundles:
        for answers in every_answer(bundle):
            form = merge(catalogue, bundle, make_plan(catalogue, bundle, answers, home="320000"))
            form_faults(form.fields, {}, on=MONDAY.date())


def test_undamaged_documents_are_the_same_catalogue(tmp_path: Path) -> None:
    write_documents(tmp_path, SHIPPED)
    assert load_catalogue(tmp_path) == CATALOGUE
