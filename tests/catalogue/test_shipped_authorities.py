"""Whoever asks, in three provinces and on any day, is told one decider or a refusal by name."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import product

import pytest

from server import cli
from server.domain.catalogue.authorities import (
    HOTLINE,
    Authorities,
    Authority,
    Decider,
    DivisionNotInForce,
    NamedAuthority,
    NobodyDecides,
    PlaceTooBroad,
)
from server.domain.catalogue.delegations import Delegation
from server.domain.catalogue.divisions import Division, province_of
from server.domain.catalogue.items import Item
from server.domain.catalogue_checks.deciding import authority_faults, days_of_change, decider_faults
from server.tools.publications import load_authorities, load_divisions
from tests.catalogue.shipped import CATALOGUE, CONFIG

PROVINCES = ("320000", "330000", "440000")
FROM = {"source": "tests", "status": "sample"}
FIRST, LAST = date(2026, 7, 1), date(2026, 12, 31)
DIVISIONS = load_divisions(CONFIG / "regions")
SHIPPED = load_authorities(CONFIG / "regions", DIVISIONS)
# The shipped ones, with invented exceptions that begin and end.
CHANGING = SHIPPED.model_copy(
    update={
        "named": (
            *SHIPPED.named,
            NamedAuthority(
                id="approval/330106",
                name="杭州市西湖区行政审批局",
                level="county",
                departments=("market_regulation", "transport"),
                divisions=("330106",),
                from_day=FIRST,
                to_day=LAST,
                **FROM,
            ),
        ),
        "delegations": (
            *SHIPPED.delegations,
            *(
                Delegation(
                    id=f"{kind}-{item}",
                    kind=kind,
                    giver=giver,
                    receiver=receiver,
                    items=(item,),
                    divisions=(place,),
                    basis="示例",
                    from_day=FIRST,
                    to_day=LAST,
                    **FROM,
                )
                for kind, item, giver, receiver, place in (
                    ("devolved", "pollution_permit", "city", "county", "330000"),
                    ("entrusted", "industrial_product_licence", "province", "city", "440000"),
                    ("recalled", "shop_sign", "county", "city", "320100"),
                )
            ),
        ),
    }
)
DAYS = (FIRST, date(2026, 6, 30), LAST, date(2027, 1, 1), date(2026, 11, 23))
IN_FORCE = [each for each in DIVISIONS.divisions if province_of(each.code) in PROVINCES]


def answers_of(item: Item) -> Iterator[Mapping[str, str]]:
    """Answers under which each level of the item is the one that decides."""
    assert item.competence is not None
    for rule in item.competence.levels or [None]:
        yield {code: allowed[0] for code, allowed in rule.when.items()} if rule else {}


def asked(authorities: Authorities, divisions: Sequence[Division]) -> Iterator[tuple[Item, Division, Decider | None]]:
    """Every item, with answers for each level, in every one of these divisions; None: a refusal by name.

    What changes is asked for on each day, all else on each of them in turn.
    """
    for number, item in enumerate(CATALOGUE.items):
        is_changing = item.department == "market_regulation" or item.code in ("pollution_permit", "shop_sign")
        for answers, (place, division) in product(answers_of(item), enumerate(divisions)):
            for day in DAYS if is_changing else [DAYS[(number + place) % len(DAYS)]]:
                try:
                    yield item, division, authorities.decider_of(item, answers, division.code, on=day)
                except (PlaceTooBroad, NobodyDecides, DivisionNotInForce):
                    yield item, division, None


@pytest.mark.no_cover
def test_everything_is_decided_by_one_authority_or_by_none_or_refused_by_name() -> None:
    found: dict[str, Authority] = {}
    for item, division, decider in asked(CHANGING, IN_FORCE):
        if decider is None:
            assert division.kind != "county", (item.code, division.code)
            continue
        authority = decider.authority
        assert (authority is not None) == (decider.decided_by == "authority")
        if authority:
            assert item.department in authority.departments
            assert province_of(authority.divisions[0]) == province_of(division.code)
            assert found.setdefault(authority.id, authority) == authority
    names = {(province_of(each.divisions[0]), each.name) for each in found.values()}
    assert len(names) == len(found)
    assert all(each.name and each.telephone == HOTLINE for each in found.values())
    assert {"approval/330106", "ecology/330106", "market_regulation/440100", "city_management/320100"} <= found.keys()


def test_who_decides_is_the_same_whoever_has_asked_before() -> None:
    anew = load_authorities(CONFIG / "regions", DIVISIONS)
    item = CATALOGUE.item("household_registration")
    codes = [each.code for each in IN_FORCE if each.kind == "county"]
    told = [
        [authorities.decider_of(item, {}, code, on=LAST) for code in order]
        for authorities, order in ((SHIPPED, codes), (anew, codes[::-1]))
    ]
    assert told[0] == told[1][::-1]


@pytest.mark.parametrize(("day", "is_changed"), [(DAYS[1], False), (FIRST, True), (LAST, True), (DAYS[3], False)])
def test_power_moves_on_the_days_that_are_written_and_on_no_other(day: date, is_changed: bool) -> None:
    def id_of(item: str, division: str) -> tuple[str, str]:
        found = CHANGING.decider_of(CATALOGUE.item(item), {}, division, on=day)
        assert found.authority is not None
        assert found.signs_as is not None
        return found.authority.id, found.signs_as.id

    west_lake = "ecology/330106" if is_changed else "ecology/330100"
    assert id_of("pollution_permit", "330106") == (west_lake, west_lake)
    entrusted = "market_regulation/440100" if is_changed else "market_regulation/440000"
    assert id_of("industrial_product_licence", "440106") == (entrusted, "market_regulation/440000")
    signs = "city_management/320100" if is_changed else "city_management/320102"
    assert id_of("shop_sign", "320102") == (signs, signs)
    bureau = "approval/330106" if is_changed else "market_regulation/330106"
    assert id_of("food_business_licence", "330106") == (bureau, bureau)


def test_a_zone_or_a_town_is_refused_but_for_what_its_own_authority_decides() -> None:
    items = {
        (division.code, item.code)
        for item, division, decider in asked(SHIPPED, [each for each in IN_FORCE if not each.is_routable])
        if decider and decider.authority
    }
    assert {code for code, _ in items} == {"320571"}
    assert {item for _, item in items} == set(SHIPPED.named[-1].items)


def test_the_shipped_authorities_have_no_fault_and_say_that_they_are_samples() -> None:
    assert authority_faults(SHIPPED) == ()
    assert decider_faults(CATALOGUE, SHIPPED, PROVINCES) == ()
    entries = [*SHIPPED.namings, *SHIPPED.next_levels, *SHIPPED.named, *SHIPPED.delegations]
    assert all(each.source for each in entries)
    assert {each.status for each in entries} == {"local", "sample"}
    assert {naming.department for naming in SHIPPED.namings} == CATALOGUE.departments.keys()


def test_every_item_says_who_decides_it_and_none_that_we_could_read_it_in_a_national_list() -> None:
    said = {item.code: item.competence for item in CATALOGUE.items}
    assert [code for code, competence in said.items() if competence is None] == []
    assert {competence.status for competence in said.values() if competence} == {"local", "sample"}
    by_nobody = {code for code, competence in said.items() if competence and competence.decided_by != "authority"}
    assert by_nobody == {
        *("birth_certificate", "death_certificate_normal", "vaccination_card", "parenting_guidance"),
        *("cremation_certificate", "bank_account_change", "bank_account_closing"),
        *("diploma_notarisation", "driving_licence_notarisation"),
    }


def test_days_of_change_are_those_on_which_something_begins_or_has_ended_and_those_before() -> None:
    assert days_of_change(SHIPPED) == (DIVISIONS.known_to,)
    assert days_of_change(CHANGING) == (DIVISIONS.known_to, FIRST, LAST, date(2027, 1, 1))


def test_the_command_lists_who_decides_with_these_answers_on_that_day(capsys: pytest.CaptureFixture[str]) -> None:
    told = []
    for answers in ([], ["--answer", "enterprise_type=joint_stock"]):
        asked = ["authorities", "list", "--division", "320102", "--on", "2026-11-23", *answers, "--json"]
        assert cli.run(asked) == 0
        told.append({item: line for line in json.loads(capsys.readouterr().out) for item in line["items"]})
    assert [each.keys() for each in told] == [CATALOGUE.item_of.keys()] * 2
    registration = [each["domestic_enterprise_registration"]["name"] for each in told]
    assert registration == ["南京市玄武区市场监督管理局", "南京市市场监督管理局"]


def test_the_command_says_why_nobody_decides(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["authorities", "list", "--division", "320100", "--json"]) == 0
    refused = {line["refusal"]: line["items"] for line in json.loads(capsys.readouterr().out)}
    assert "household_registration" in refused["place_too_broad"]
    assert cli.run(["authorities", "list", "--division", "500112", "--on", "2026-11-23"]) == 1
    assert "重庆市两江新区、重庆市北碚区" in capsys.readouterr().err
