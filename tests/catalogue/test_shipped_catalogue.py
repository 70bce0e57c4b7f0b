"""The shipped catalogue is whole, says where it is from, and plans a birth as it should."""

import re
from collections import Counter
from datetime import date

import pytest

from server.domain.catalogue.catalogue import NoSuchBundle
from server.domain.catalogue.divisions import prefix
from server.domain.catalogue.forms import form_faults
from server.domain.catalogue.merging import MergedField, merge
from server.domain.catalogue.plan import make_plan
from server.domain.catalogue_checks.checking import catalogue_faults
from server.domain.exchange.routing import route
from server.tools.publications import load_divisions, load_lists, load_nodes
from tests.catalogue.shipped import CATALOGUE, CONFIG, NEWBORN
from tests.domain.places import IN_COUNTY, directory_of
from tests.world import MONDAY, is_fictitious

ANSWERS = {"household": "330106", "maternity_insurance": "yes"}


def test_the_shipped_catalogue_has_no_fault() -> None:
    assert catalogue_faults(CATALOGUE) == ()


def test_no_entry_that_we_could_not_read_in_a_national_text_is_called_official() -> None:
    entries = [*CATALOGUE.fields, *CATALOGUE.materials, *CATALOGUE.items, *CATALOGUE.bundles]
    assert all(entry.source for entry in entries)
    assert {entry.status for entry in [CATALOGUE, *entries]} == {"local", "sample"}


def test_a_birth_has_the_seven_items_of_the_five_departments() -> None:
    names = {CATALOGUE.item_of[step.item].name for step in NEWBORN.steps}
    assert names == {
        "出生医学证明（首签）",
        "预防接种证",
        "户口登记",
        "社会保障卡申领",
        "城乡居民医保参保登记",
        "生育医疗费用报销",
        "科学育儿指导登记",
    }
    items = [CATALOGUE.item_of[step.item] for step in NEWBORN.steps]
    departments = {CATALOGUE.departments[item.department] for item in items}
    assert departments == {"卫健", "疾控", "公安", "人社", "医保"}
    assert (NEWBORN.legal_days, NEWBORN.promised_days) == (32, 4)


def test_a_bundle_that_is_not_in_the_catalogue_is_refused() -> None:
    with pytest.raises(NoSuchBundle):
        CATALOGUE.bundle("lottery")


def test_household_registration_is_decided_where_the_household_is_and_all_else_at_home() -> None:
    directory = directory_of({"320000": ["320000"], "330000": ["330000"]})
    plan = make_plan(CATALOGUE, NEWBORN, ANSWERS, context=IN_COUNTY)
    nodes = {step.code: route(directory, step.division).node for step in plan}
    assert nodes.pop("household_registration") == "330000"
    assert set(nodes.values()) == {"320000"}
    assert {step.code: step.division for step in plan}["household_registration"] == "330106"


def test_each_step_comes_after_those_it_needs() -> None:
    codes = [step.code for step in make_plan(CATALOGUE, NEWBORN, ANSWERS, context=IN_COUNTY)]
    assert codes[0] == "birth_certificate"
    for before, after in (
        ("birth_certificate", "household_registration"),
        ("household_registration", "social_security_card"),
        ("household_registration", "medical_insurance"),
    ):
        assert codes.index(before) < codes.index(after)


def test_without_maternity_insurance_nothing_is_reimbursed() -> None:
    insured = {step.code for step in make_plan(CATALOGUE, NEWBORN, ANSWERS, context=IN_COUNTY)}
    plan = make_plan(CATALOGUE, NEWBORN, {**ANSWERS, "maternity_insurance": "no"}, context=IN_COUNTY)
    assert insured - {step.code for step in plan} == {"maternity_reimbursement"}
    form = merge(CATALOGUE, NEWBORN, plan)
    assert "bank_account" not in [each.field.code for each in form.fields]
    assert "hospital_invoice" not in [each.material.code for each in form.materials]


def test_a_citizen_is_spared_most_of_what_seven_applications_would_ask() -> None:
    form = merge(CATALOGUE, NEWBORN, make_plan(CATALOGUE, NEWBORN, ANSWERS, context=IN_COUNTY))
    assert [each.field.code for each in form.filled] == ["applicant_name", "applicant_id_number"]
    assert {each.material.code for each in form.materials if each.is_required} == {
        "mother_identity_card",
        "mother_household_register",
    }
    assert form.shared == ("hospital_invoice",)
    assert (len(form.fields), form.saved.fields) == (12, 46)
    assert (len(form.materials), form.saved.materials) == (3, 9)
    assert (form.saved.visits, form.saved.days) == (4, 4)


def test_every_example_would_be_accepted_in_its_own_form_and_no_id_number_can_be_a_real_one() -> None:
    fields = [MergedField(field=field, is_required=True, needed_by=()) for field in CATALOGUE.fields]
    assert form_faults(fields, {field.code: field.example for field in CATALOGUE.fields}, on=MONDAY.date()) == []
    assert all(is_fictitious(field.example) for field in CATALOGUE.fields if field.type == "id_number")


def test_names_of_persons_are_checked_as_such_and_nobody_is_born_tomorrow() -> None:
    names = {field.code for field in CATALOGUE.fields if field.name.endswith("姓名")}
    assert names == {field.code for field in CATALOGUE.fields if field.type == "person_name"}
    assert all(field.not_after_today for field in CATALOGUE.fields if field.name.endswith("出生日期"))


LISTS = load_lists(CONFIG / "catalogue")


def test_the_lists_name_what_could_be_found_of_each_document_and_no_more() -> None:
    known = [(each.year, batch) for each in LISTS for batch in each.batches]
    assert {
        (year, batch.batch): (batch.document, len(batch.entries), batch.official_count) for year, batch in known
    } == {
        (2024, 1): ("国发〔2024〕3号", 13, 13),
        (2024, 2): ("国办函〔2024〕53号", 4, 8),
        (2025, 1): ("国办函〔2025〕3号", 2, 12),
        (2025, 2): ("国办发〔2025〕24号", 0, 9),
        (2026, 1): ("国办函〔2026〕2号", 6, 13),
        (2026, 2): ("国办函〔2026〕84号", 11, 13),
    }
    assert sum(batch.official_count for _, batch in known) == 68
    assert {batch.status for _, batch in known} == {"local"}
    weak = [entry.name for year, batch in known for entry in batch.entries if entry.certainty == "weak"]
    assert len(weak) == 18
    assert "申请汽车以旧换新补贴" in weak


DIVISIONS = load_divisions(CONFIG / "regions")
TODAY = date(2026, 11, 23)


def test_all_divisions_of_december_2024_and_what_is_known_since_are_there() -> None:
    lengths = Counter(len(prefix(division.code)) for division in DIVISIONS.divisions)
    assert lengths == {2: 34, 4: 369, 6: 3479 + len(("500157", "653132", "659013"))}
    assert (DIVISIONS.known_to, DIVISIONS.status) == (date(2026, 6, 30), "local")
    assert DIVISIONS.source
    assert len(DIVISIONS.children("", TODAY)) == 34
    assert DIVISIONS.name_in_full("330106") == "浙江省杭州市西湖区"
    assert DIVISIONS.name_in_full("419001") == "河南省济源市"
    assert DIVISIONS.name_in_full("110101") == "北京市东城区"


def test_what_has_changed_since_then_is_dated() -> None:
    dated = {each.code: each for each in DIVISIONS.divisions if each.valid_from or each.valid_to}
    assert {code: str(each.valid_from) for code, each in dated.items() if each.valid_from} == {
        "653228": "2024-12-27",
        "653229": "2024-12-27",
        "500157": "2025-11-06",
        "653132": "2026-03-26",
        "659013": "2026-04-30",
    }
    assert {code: each.successors for code, each in dated.items() if each.valid_to} == {
        "500105": ("500157",),
        "500112": ("500157", "500109"),
    }


def test_zones_and_the_towns_of_four_cities_decide_nothing() -> None:
    towns = [each for each in DIVISIONS.divisions if each.code[:4] in ("4419", "4420", "4604", "6202")]
    assert [each.code for each in towns if each.is_routable] == ["441900", "442000", "460400", "620200"]
    mainland = [each for each in DIVISIONS.divisions if each.code < "710000" and prefix(each.code) == each.code]
    high = [each for each in mainland if each.code[4] in "79"]
    assert high
    assert not [each.code for each in high if each.is_routable]
    assert [each.name for each in mainland if each.kind == "county" and "开发区" in each.name] == []


def test_the_first_two_nodes_are_jiangsu_and_zhejiang() -> None:
    nodes = load_nodes(CONFIG / "regions")
    assert [node.node for node in nodes] == ["320000", "330000", "440000", "510000", "340000"]
    assert all(node.divisions == (node.node,) and node.status == "sample" for node in nodes)


OF_STATUS = re.compile("婚|收养|出生|生育登记|死亡|火化|遗属|逝者|账户余额|个人账户|户口登记|户口注销|驾驶证注销")


def test_every_item_about_a_personal_status_says_so() -> None:
    """The words find what is marked and nothing else."""
    found = {item.code for item in CATALOGUE.items if OF_STATUS.search(item.name)}
    marked = {item.code for item in CATALOGUE.items if item.personal_status not in ("", "none")}
    assert found == marked


def test_the_lease_alone_is_to_be_signed() -> None:
    assert {item.code: item.signatures for item in CATALOGUE.items if item.signatures} == {
        "public_rental_waiting": ("contract",)
    }
