"""A broken catalogue is refused with file, table, rule and reason; nothing else ever happens."""

import tempfile
import tomllib
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.catalogue.forms import form_faults
from server.domain.catalogue.merging import merge
from server.domain.catalogue.plan import lay_out
from server.domain.catalogue_checks.faults import RULES
from server.tools.datafiles import BrokenData, DataFault
from server.tools.publications import load_catalogue
from tests.catalogue.shipped import CATALOGUE, copy_small, copy_with, documents, every_answer, write_documents
from tests.domain.places import IN_COUNTY
from tests.world import MONDAY

HEAD, FIELDS, MATERIALS = "catalogue.toml", "fields/20-newborn.toml", "materials/newborn.toml"
APPLICANT = "fields/10-applicant.toml"
HEALTH, POLICE, INSURANCE = "items/health.toml", "items/public_security.toml", "items/medical_insurance_bureau.toml"
NEWBORN = "bundles/newborn.toml"
BIRTH, HOUSEHOLD, BUNDLE = "item[1] birth_certificate", "item[1] household_registration", "bundle[1] newborn"

UNTIL_FOREVER = ', validity = { is_endless = true, source = "示例：未见规定有效期", status = "sample" }'
IDLE_QUESTION = '[[bundle.questions]]\ncode = "residence"\nname = "居住地"\ntype = "division"\n\n[[bundle.steps]]'
ONE_OF = '[[bundle.questions]]\ncode = "which"\nname = "选一项"\ntype = "one_of"\n\n[[bundle.steps]]'
TWICE = '[[bundle.questions]]\ncode = "household"\nname = "户籍地"\ntype = "division"\n\n[[bundle.steps]]'
MADE_UP = 'source = "示例"\nstatus = "sample"\n'
GUIDANCE_STEP = '[[bundle.steps]]\nitem = "parenting_guidance"\nneeds = ["birth_certificate"]\n'

ZHEJIANG, VARIANT = "variants/330000.toml", "item_variant[1] 330000/household_registration"


def opinions(rule: str) -> str:
    """The days of the household registration, with the departments that must be heard."""
    return f"legal_days = 5\nopinions = {{ {rule}, days = 3 }}"


def part_of(department: str, *, mode: str) -> str:
    """How something is handled across provinces with a part of the receiving place, and what stands before it."""
    said = f'department = "{department}", name = "核对身份", certainty = "inferred", source = "示例"'
    return f'mode = "{mode}", part = {{ {said} }}'


def variant(change: str, *, item: str = "household_registration", province: str = "330000") -> str:
    """A province's variant of an item that changes this."""
    return f'[[item_variant]]\nitem = "{item}"\nprovince = "{province}"\n{change}\n{MADE_UP}\n'


def bundle_variant(change: str) -> str:
    """A province's variant of the bundle that changes this."""
    return f'[[bundle_variant]]\nbundle = "newborn"\nprovince = "330000"\n{change}\n{MADE_UP}\n'


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
    "the choice of a delivery is no choice": (
        (HEAD, 'delivery_field = "receiving_manner"', 'delivery_field = "mobile"'),
        (HEAD, "results", "unknown_reference", "delivery_field"),
    ),
    "an item has no result": (
        (HEALTH, 'yields = "parenting_guidance_receipt"\n', ""),
        (HEALTH, "item[2] parenting_guidance", "result", "yields nothing"),
    ),
    "a material comes from a step whose result is no document": (
        (HEAD, '"出生医学证明", kind = "licence"', '"出生医学证明", kind = "text"'),
        ("items/disease_control.toml", "item[1] vaccination_card", "origin", "birth_certificate"),
    ),
    "a licence has no code of its type": (
        (HEAD, 'type_code = "SAMPLE000000000000001", ', ""),
        (HEAD, "results", "licence_type", "birth_certificate: '' is no type code"),
    ),
    "a licence has a type code that belongs to nobody": (
        (HEAD, "11100000000013127D001", "11100000000013127E001"),
        (HEAD, "results", "licence_type", "identity_card: '11100000000013127E001'"),
    ),
    "a licence may be held by nobody": (
        (HEAD, 'holders = "person", validity', "validity"),
        (HEAD, "results", "licence_type", "birth_certificate: it does not say who"),
    ),
    "a licence is held by whom no item of it asks for": (
        (HEAD, '{ names = ["child_name"] }', '{ names = ["child_name"], numbers = ["child_id_number"] }'),
        (HEALTH, BIRTH, "licence_holder", "birth_certificate has the fields of no way"),
    ),
    "a licence of a person has the number of an organisation": (
        (HEAD, '{ names = ["child_name"] }', '{ names = ["child_name"], numbers = ["mobile"] }'),
        (HEAD, "results", "licence_holder", "birth_certificate: mobile is of type mobile, not id_number"),
    ),
    "a licence ends on the day of a field that nobody yields": (
        (HEAD, 'held_by = [{ names = ["child_name"] }]', 'held_by = [{ names = ["child_name"] }], ends_in = "mobile"'),
        (HEAD, "results", "licence_holder", "birth_certificate: mobile is of type mobile, not date"),
    ),
    "a paper has a type of licence": (
        (HEAD, 'name = "死亡证明", kind = "paper"', 'name = "死亡证明", kind = "paper", holders = "person"'),
        (HEAD, "results", "licence_type", "death_certificate: it is a paper"),
    ),
    "a licence does not say how long it holds": (
        (HEAD, f"{UNTIL_FOREVER}, held_by", ", held_by"),
        (HEAD, "results", "validity", "birth_certificate: it does not say"),
    ),
    "a licence holds for no time": (
        (HEAD, "is_endless = true", "is_endless = false"),
        (HEAD, "results", "validity", "birth_certificate: it must be one of"),
    ),
    "a licence has two lengths": (
        (HEAD, "{ months = 3", "{ months = 3, days = 5"),
        (HEAD, "results", "validity", "no_criminal_record_proof: it must be one of"),
    ),
    "a licence is given until a day, and without an end": (
        (HEAD, "is_given = true", "is_given = true, is_endless = true"),
        (HEAD, "results", "validity", "business_licence: it must be one of"),
    ),
    "a licence by age leaves the young out": (
        (HEAD, "from_age = 0,", "from_age = 1,"),
        (HEAD, "results", "validity", "identity_card: by_age must begin with 0"),
    ),
    "a licence by age names an age twice": (
        (HEAD, "from_age = 26,", "from_age = 16,"),
        (HEAD, "results", "validity", "identity_card: by_age must begin with 0"),
    ),
    "a licence by age does not say for how long": (
        (HEAD, "from_age = 16, years = 10", "from_age = 16"),
        (HEAD, "results", "validity", "identity_card: each line of by_age"),
    ),
    "a licence by age may be an organisation's": (
        (HEAD, 'holders = "person", validity = { by_age', 'holders = "both", validity = { by_age'),
        (HEAD, "results", "validity", "identity_card: by_age asks for the age"),
    ),
    "a reminder of an end that never comes": (
        (HEAD, "is_endless = true", "is_endless = true, remind_days = 30"),
        (HEAD, "results", "validity", "birth_certificate: nobody can be reminded"),
    ),
    "an answer in words holds for a time": (
        (HEAD, 'kind = "text"', 'kind = "text"' + UNTIL_FOREVER),
        (HEAD, "results", "validity", "fund_answer: it is an answer in words"),
    ),
    "an item yields a result nobody defined": (
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
    "an item's level depends on an answer that nobody is asked for": (
        (POLICE, '{ level = "town" }', '{ level = "city", when = { child_weight = ["much"] } }, { level = "town" }'),
        (POLICE, HOUSEHOLD, "condition", "child_weight"),
    ),
    "an item's level depends on a choice that is not offered": (
        (POLICE, '{ level = "town" }', '{ level = "city", when = { child_sex = ["other"] } }, { level = "town" }'),
        (POLICE, HOUSEHOLD, "condition", "child_sex"),
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
    "a result's code is not snake case": (
        (HEAD, "household_register = ", "householdRegister = "),
        (HEAD, "results", "code", "householdRegister"),
    ),
    "a field's code is defined twice": (
        (FIELDS, 'code = "mother_name"', 'code = "father_name"'),
        (FIELDS, "field[1] father_name", "duplicate", "father_name"),
    ),
    "two fields have one name": (
        (FIELDS, 'name = "母亲姓名"', 'name = "父亲姓名"'),
        (FIELDS, "field[1] mother_name", "same_name", "父亲姓名"),
    ),
    "a field of a type of its own has a pattern": (
        (APPLICANT, 'code = "mobile"', 'code = "mobile"\npattern = "^1"'),
        (APPLICANT, "field[3] mobile", "pattern", "of type mobile"),
    ),
    "a pattern does not compile": (
        (FIELDS, 'code = "bank_account"', 'code = "bank_account"\npattern = "^[0-9"'),
        (FIELDS, "field[11] bank_account", "pattern", "does not compile"),
    ),
    "a field would refuse its own example": (
        (FIELDS, 'example = "330000199006060010"', 'example = "330000199006060011"'),
        (FIELDS, "field[4] father_id_number", "example", "330000199006060011"),
    ),
    "a material's code is defined twice": (
        (MATERIALS, 'code = "hospital_invoice"', 'code = "marriage_certificate"'),
        (MATERIALS, "material[5] marriage_certificate", "duplicate", "marriage_certificate"),
    ),
    "a choice has no choices": (
        (FIELDS, 'choices = { male = "男", female = "女" }\n', ""),
        (FIELDS, "field[6] child_sex", "choices", "0 choices"),
    ),
    "a date has choices": (
        (FIELDS, 'type = "choice"', 'type = "date"'),
        (FIELDS, "field[6] child_sex", "choices", "2 choices"),
    ),
    "a choice's code is not ASCII": (
        (FIELDS, 'male = "男"', '"男" = "男"'),
        (FIELDS, "field[6] child_sex", "code", "男"),
    ),
    "a choice may not be after today": (
        (FIELDS, 'type = "choice"', 'not_after_today = true\ntype = "choice"'),
        (FIELDS, "field[6] child_sex", "not_after_today", "of type choice"),
    ),
    "two fields are filled from one detail": (
        (APPLICANT, 'filled_from = "id_number"', 'filled_from = "name"'),
        (APPLICANT, "field[2] applicant_id_number", "filled_twice", "name"),
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
    "a field depends on a choice that its item does not ask for": (
        (HEALTH, '{ code = "father_name"', '{ code = "father_name", when = { married = ["yes"] }'),
        (HEALTH, BIRTH, "condition", "married"),
    ),
    "a field depends on a choice that is not offered": (
        (HEALTH, '{ code = "father_name"', '{ code = "father_name", when = { child_sex = ["unknown"] }'),
        (HEALTH, BIRTH, "condition", "does not offer"),
    ),
    "an optional step is chosen by a question too": (
        (NEWBORN, 'item = "parenting_guidance"', 'item = "parenting_guidance"\nis_optional = true\none_of = "which"'),
        (NEWBORN, BUNDLE, "choice", "parenting_guidance"),
    ),
    "a question has one step to choose from": (
        (
            NEWBORN,
            'code = "household"',
            'code = "which"\nname = "选一项"\ntype = "one_of"\n\n[[bundle.questions]]\ncode = "household"',
        ),
        (NEWBORN, BUNDLE, "choice", "0 steps"),
    ),
    "a bundle stands in a stage nobody knows": (
        (NEWBORN, 'stage = "出生"', 'stage = "旅行"'),
        (NEWBORN, BUNDLE, "stage", "旅行"),
    ),
    "an item asks the citizen for a licence as his own": (
        (POLICE, 'origin = "step"', 'origin = "own"'),
        (POLICE, HOUSEHOLD, "origin", "birth_certificate"),
    ),
    "a core safety material may come later": (
        (
            HEALTH,
            '{ code = "mother_identity_card"',
            '{ code = "mother_identity_card", is_core_safety = true, may_be_deferred = true',
        ),
        (HEALTH, BIRTH, "core_safety", "mother_identity_card"),
    ),
    "an item wants more opinions than there are departments": (
        (
            POLICE,
            "legal_days = 5",
            'legal_days = 5\nopinions = { rule = "some", departments = ["health"], needed = 2, days = 3 }',
        ),
        (POLICE, HOUSEHOLD, "opinions", "2 of ['health']"),
    ),
    "an item is to hear a department nobody knows": (
        (POLICE, "legal_days = 5", opinions('rule = "all", departments = ["magic"]')),
        (POLICE, HOUSEHOLD, "unknown_reference", "magic"),
    ),
    "a licence may be transferred": (
        (POLICE, 'type = "confirmation"', 'type = "licence"'),
        (POLICE, HOUSEHOLD, "transfer", "it is a licence"),
    ),
    "what a hospital does may be transferred": (
        (
            HEALTH,
            'code = "birth_certificate"\n',
            'code = "birth_certificate"\ntransfer = { days_from = "first_receipt", source = "x", status = "sample" }\n',
        ),
        (HEALTH, BIRTH, "transfer", "decided by no authority"),
    ),
    "what is of personal status is to be signed": (
        (HEALTH, 'personal_status = "birth"', 'personal_status = "birth"\nsignatures = ["application"]'),
        (HEALTH, BIRTH, "personal_status", "is about birth"),
    ),
    "what is to be signed does not say that it is of no personal status": (
        (HEALTH, 'personal_status = "birth"', 'signatures = ["application"]'),
        (HEALTH, BIRTH, "personal_status", "does not say what status"),
    ),
    "a paper is to be signed twice": (
        (HEALTH, 'personal_status = "birth"', 'personal_status = "none"\nsignatures = ["contract", "contract"]'),
        (HEALTH, BIRTH, "duplicate", "'contract' more than once"),
    ),
    "a handover in which the receiving place has no part": (
        (POLICE, 'mode = "joint"', 'mode = "handover"'),
        (POLICE, HOUSEHOLD, "part", "a handover has no part"),
    ),
    "a part of the receiving place in what goes all online": (
        (POLICE, 'mode = "joint"', part_of("health", mode="online")),
        (POLICE, HOUSEHOLD, "part", "'核对身份'"),
    ),
    "a part of a department nobody knows": (
        (POLICE, 'mode = "joint"', part_of("magic", mode="joint")),
        (POLICE, HOUSEHOLD, "unknown_reference", "magic"),
    ),
    "a province varies an item nobody defined": (
        (ZHEJIANG, "", variant("promised_days = 1", item="adoption")),
        (ZHEJIANG, "item_variant[1] 330000/adoption", "unknown_reference", "adoption"),
    ),
    "what varies an item is no province": (
        (ZHEJIANG, "", variant("promised_days = 1", province="330100")),
        (ZHEJIANG, "item_variant[1] 330100/household_registration", "province", "330100"),
    ),
    "a province varies an item twice": (
        (ZHEJIANG, "", variant("promised_days = 1") * 2),
        (ZHEJIANG, VARIANT, "province", "more than once"),
    ),
    "a province's bundle leaves out what another step needs": (
        (ZHEJIANG, "", bundle_variant('without = ["birth_certificate"]')),
        (ZHEJIANG, "bundle_variant[1] 330000/newborn", "unknown_reference", "birth_certificate"),
    ),
    "a province promises more days than the nation": (
        (ZHEJIANG, "", variant("promised_days = 2")),
        (ZHEJIANG, VARIANT, "standards_time", "promised days: 2, in the nation 1"),
    ),
    "a province's bundle promises more days than the nation": (
        (ZHEJIANG, "", bundle_variant("promised_days = 5")),
        (ZHEJIANG, "bundle_variant[1] 330000/newborn", "standards_time", "promised days: 5, in the nation 4"),
    ),
    "a province asks for more visits": (
        (ZHEJIANG, "", variant("visits = 2")),
        (ZHEJIANG, VARIANT, "standards_visits", "visits: 2"),
    ),
    "a province takes a fee": (
        (ZHEJIANG, "", variant("fee_fen = 500")),
        (ZHEJIANG, VARIANT, "standards_fee", "500"),
    ),
    "a province asks for one field more": (
        (ZHEJIANG, "", variant('fields = [{ code = "bank_account" }]')),
        (ZHEJIANG, VARIANT, "standards_field", "bank_account is added"),
    ),
    "a province requires a field that the nation does not": (
        (ZHEJIANG, "", variant('fields = [{ code = "father_name" }]')),
        (ZHEJIANG, VARIANT, "standards_field", "father_name"),
    ),
    "a province asks for one material more": (
        (ZHEJIANG, "", variant('materials = [{ code = "hospital_invoice" }]')),
        (ZHEJIANG, VARIANT, "standards_material", "hospital_invoice is added"),
    ),
    "a province requires a material that the nation does not": (
        (ZHEJIANG, "", variant('materials = [{ code = "marriage_certificate" }]')),
        (ZHEJIANG, VARIANT, "standards_material", "marriage_certificate is required"),
    ),
    "a province wants an original in two copies": (
        (ZHEJIANG, "", variant('materials = [{ code = "mother_identity_card", form = "original", copies = 2 }]')),
        (ZHEJIANG, VARIANT, "standards_material", "as original"),
    ),
    "a province adds a condition": (
        (ZHEJIANG, "", variant('conditions = [{ code = "rich", text = "有房" }]')),
        (ZHEJIANG, VARIANT, "standards_condition", "the condition rich is added"),
    ),
    "a province adds a special step": (
        (ZHEJIANG, "", variant('special_steps = [{ name = "现场核查", days = 5, basis = "示例" }]')),
        (ZHEJIANG, VARIANT, "standards_check", "现场核查"),
    ),
    "a province takes part no more": (
        (ZHEJIANG, "", variant("handling = []")),
        (ZHEJIANG, VARIANT, "standards_handling", "left out"),
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
    folder = copy_with(tmp_path, "catalogue", HEAD, ("2026.9", "2026.10"))
    (folder / NEWBORN).unlink()
    faults = faults_of(folder)
    assert [fault.reason for fault in faults if fault.table == "bundle"] == ["empty: there is no bundle"]


@pytest.mark.parametrize(
    ("file", "edit", "table", "word"),
    [
        (APPLICANT, ('status = "sample"\n', ""), "field[1] applicant_name", "status: Field required"),
        (APPLICANT, ('source = "示例：本项目自拟"', 'source = ""'), "field[1] applicant_name", "source"),
        (APPLICANT, ('name = "申请人姓名"', 'name = ""'), "field[1] applicant_name", "name"),
        (MATERIALS, ('status = "local"', 'status = "guess"'), "material[1] birth_certificate", "status"),
        (HEALTH, ("legal_days = 1", "legal_days = 0"), BIRTH, "legal_days"),
        (HEALTH, ("promised_days", "promissed_days"), BIRTH, "promissed_days"),
        (HEALTH, ('decided_by = "provider"', 'decided_by = "authority"'), BIRTH, "levels must stand where"),
        (POLICE, ('levels = [{ level = "town" }]', "levels = []"), HOUSEHOLD, "levels must stand where"),
        (POLICE, ('level = "town"', 'level = "village"'), HOUSEHOLD, "competence.levels[1].level"),
        (POLICE, ('{ level = "town" }', '{ level = "town" }, { level = "county" }'), HOUSEHOLD, "the last of the"),
        (NEWBORN, ('type = "choice"', 'type = "guess"'), BUNDLE, "questions[2].type"),
        (HEAD, ("[departments]", "[offices]"), "", "departments: Field required"),
        (HEAD, ('version = "2026.9"', "version = 2026.9"), "", "version"),
        (
            HEAD,
            ('"出生医学证明", kind = "licence"', '"出生医学证明", kind = "seal"'),
            "results",
            "birth_certificate.kind",
        ),
        (ZHEJIANG, ("", variant('yields = ""')), VARIANT, "yields"),
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


SHIPPED = {**documents(), ZHEJIANG: tomllib.loads(variant("visits = 0") + bundle_variant("promised_days = 3"))}


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


@pytest.mark.no_cover
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
        for answers in every_answer(catalogue, bundle):
            form = merge(catalogue, bundle, lay_out(catalogue, bundle, answers, context=IN_COUNTY).steps)
            form_faults(form.fields, {}, on=MONDAY.date())


def test_undamaged_documents_are_the_same_catalogue(tmp_path: Path) -> None:
    write_documents(tmp_path / "documents", SHIPPED)
    copy_small(tmp_path / "copy")
    write_documents(tmp_path / "copy", {ZHEJIANG: SHIPPED[ZHEJIANG]})
    read = [load_catalogue(tmp_path / folder).model_dump() for folder in ("documents", "copy")]
    assert read[0] == read[1]
