"""Broken authorities are refused with file, table, rule and reason, and what nobody decides is found."""

from collections.abc import Callable
from pathlib import Path

import pytest

from server import cli
from server.domain.catalogue_checks.faults import DECIDING
from server.tools.datafiles import BrokenData, DataFault
from server.tools.publications import check_authorities, load_authorities, load_divisions
from tests.catalogue.shipped import CATALOGUE, CONFIG, copy_with

NAMES = "# Names by rule."
MADE_UP = 'source = "示例"\nstatus = "sample"\n'
FISH = f'[[naming]]\ndepartment = "fishery"\ncity = "{{place}}渔业局"\n{MADE_UP}\n'
CIRCLE = f'[[next_level]]\nlevel = "county"\ninstead = "town"\ndivisions = ["320100"]\n{MADE_UP}\n'


def delegation(id: str, **change: str) -> str:
    """A delegation of the city's power over pollution permits in 江苏, with these changes; values are TOML."""
    keys = {
        "id": f'"{id}"',
        "kind": '"devolved"',
        "giver": '"city"',
        "receiver": '"county"',
        "items": '["pollution_permit"]',
        "divisions": '["320000"]',
        "basis": '"示例"',
        "from_day": "2026-07-01",
    }
    return "[[delegation]]\n" + "".join(f"{key} = {value}\n" for key, value in (keys | change).items()) + MADE_UP + "\n"


def authority(id: str, **change: str) -> str:
    """An approval bureau in 昆山 for food, with these changes; values are TOML."""
    keys = {
        "id": f'"{id}"',
        "name": '"昆山市行政审批局"',
        "level": '"county"',
        "departments": '["market_regulation"]',
        "divisions": '["320583"]',
        "items": '["food_business_licence"]',
    }
    return "[[authority]]\n" + "".join(f"{key} = {value}\n" for key, value in (keys | change).items()) + MADE_UP + "\n"


TOBACCO = "".join(
    f'{level} = "{place}烟草专卖局"\n'
    for level, place in (*((each, "{place}") for each in ("province", "city", "county")), ("district", "{city}{place}"))
)
# What is added before the names, or put in the place of a text; where it is told, and with which words.
SHAPES = {
    "a pattern with a word that means nothing": (
        ('"{place}公安厅"', '"{state}公安厅"'),
        ("naming[3]", "a pattern names ['state']"),
    ),
    "a level that is none": (('level = "town"', 'level = "village"'), ("next_level[1]", "level: Input should be")),
    "a power from nowhere": (
        (NAMES, delegation("d1", kind='"gift"') + NAMES),
        ("delegation[2] d1", "kind: Input should be"),
    ),
}
CONTRADICTIONS = {
    "a next level in a division that never was": (
        ('"110000"', '"990000"'),
        ("next_level", "unknown_reference: there is no division '990000'"),
    ),
    "an authority of a division that never was": (
        (NAMES, authority("a1", divisions='["990000"]') + NAMES),
        ("authority[5] a1", "unknown_reference: there is no division '990000'"),
    ),
    "a delegation to nobody": (
        (NAMES, delegation("d1", receiver='"zone/1"') + NAMES),
        ("delegation[2] d1", "unknown_reference: there is no level or authority 'zone/1'"),
    ),
    "one id for two": (
        (NAMES, authority("a1") + authority("a1", divisions='["320585"]') + NAMES),
        ("authority[5] a1", "duplicate: the id a1 stands there more than once"),
    ),
    "two namings of one department": (
        ('department = "health"', 'department = "customs"'),
        ("naming", "duplicate: customs has more than one naming"),
    ),
    "levels that decide for each other": (
        (NAMES, CIRCLE + NAMES),
        ("next_level", "endless: county leads in a circle"),
    ),
    "an authority of a division that is gone": (
        (NAMES, authority("a1", divisions='["500112"]') + NAMES),
        ("authority[5] a1", "gone: the last day of 500112 is 2025-11-05"),
    ),
    "a delegation that outlives its division": (
        (NAMES, delegation("d1", divisions='["500112"]', to_day="2026-12-31") + NAMES),
        ("delegation[2] d1", "gone: the last day of 500112 is 2025-11-05"),
    ),
    "two delegations of the same power on the same day": (
        (NAMES, delegation("d1", to_day="2026-12-31") + delegation("d2", divisions='["320100"]') + NAMES),
        ("delegation[3] d2", "overlap: d1 moves the same on some day"),
    ),
    "two authorities that decide the same": (
        (NAMES, authority("a1") + authority("a2", items="[]") + NAMES),
        ("authority[6] a2", "overlap: a1 decides the same on some day"),
    ),
}
UNFIT = {
    "a naming of a department that the catalogue does not have": (
        (NAMES, FISH + NAMES),
        ("naming", "unknown_reference: there is no department 'fishery'"),
    ),
    "a next level of a department that the catalogue does not have": (
        ('departments = ["housing_fund"]', 'departments = ["house_fund"]'),
        ("next_level", "unknown_reference: there is no department 'house_fund'"),
    ),
    "an authority that decides an item that the catalogue does not have": (
        (NAMES, authority("a1", items='["food_licence"]') + NAMES),
        ("authority[5] a1", "unknown_reference: there is no item 'food_licence'"),
    ),
    "a department without organs": (
        (TOBACCO, ""),
        ("naming", "undecided: nobody decides tobacco_retail_licence on 2026-06-30 in 320102"),
    ),
    "organisations without a name": (
        ('organisation = "{place}公证机构"\n', ""),
        ("naming", "nameless: justice has no name for its organisations"),
    ),
    "a level without an organ where it is needed": (
        (
            'level = "county"\ninstead = "city"\ndivisions = ["441900", ',
            'level = "county"\ninstead = "city"\ndivisions = [',
        ),
        ("naming", "undecided: nobody decides marriage_registration on 2026-06-30 in 441900"),
    ),
    "power that goes to a level where nobody is, from a day on": (
        (NAMES, delegation("d1", items='["fund_enquiry"]') + NAMES),
        ("naming", "undecided: nobody decides fund_enquiry on 2026-07-01 in 320102"),
    ),
}


def load(folder: Path) -> None:
    """Read them, and see whether they fit the catalogue."""
    check_authorities(folder, CATALOGUE, load_divisions(folder))


def only_load(folder: Path) -> None:
    """Read them, whatever the catalogue."""
    load_authorities(folder, load_divisions(folder))


def faults_of(folder: Path, read: Callable[[Path], None]) -> tuple[DataFault, ...]:
    """What is wrong with them."""
    with pytest.raises(BrokenData) as caught:
        read(folder)
    assert {fault.file for fault in caught.value.faults} == {str(folder / "authorities.toml")}
    assert all(fault.what_to_do for fault in caught.value.faults)
    return caught.value.faults


@pytest.mark.parametrize("what", SHAPES | CONTRADICTIONS)
def test_what_contradicts_itself_is_not_read(what: str, tmp_path: Path) -> None:
    edit, (table, words) = (SHAPES | CONTRADICTIONS)[what]
    faults = faults_of(copy_with(tmp_path, "regions", "authorities.toml", edit), only_load)
    assert [each for each in faults if each.table.startswith(table) and words in each.reason], faults


@pytest.mark.parametrize("what", UNFIT)
def test_check_finds_what_does_not_fit_the_catalogue_and_what_nobody_decides(what: str, tmp_path: Path) -> None:
    edit, (table, words) = UNFIT[what]
    folder = copy_with(tmp_path, "regions", "authorities.toml", edit)
    only_load(folder)
    faults = faults_of(folder, load)
    assert [each for each in faults if each.table.startswith(table) and words in each.reason], faults


@pytest.mark.no_cover
def test_delegations_that_follow_each_other_or_move_other_stages_do_not_overlap(tmp_path: Path) -> None:
    apart = delegation("d1", to_day="2026-12-31") + delegation("d2", from_day="2027-01-01")
    apart += delegation("d3", items='["shop_sign"]', stages='["receive"]', giver='"county"', receiver='"city"')
    apart += delegation("d4", items='["shop_sign"]', stages='["decide"]', giver='"county"', receiver='"city"')
    folder = copy_with(tmp_path, "regions", "authorities.toml", (NAMES, apart + NAMES))
    load(folder)  # raises BrokenData for any fault
    found = load_authorities(folder, load_divisions(folder))
    assert {"d1", "d2", "d3", "d4"} <= {each.id for each in found.delegations}


def test_every_rule_of_who_decides_has_a_test_that_breaks_it() -> None:
    told = {words.partition(":")[0] for _, (_, words) in (CONTRADICTIONS | UNFIT).values()}
    assert {*DECIDING} <= told


@pytest.mark.no_cover
def test_check_tells_faults_of_who_decides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["check"]) == 0
    assert capsys.readouterr() == ("no faults\n", "")
    folder = copy_with(tmp_path, "regions", "authorities.toml", UNFIT["a department without organs"][0])
    assert cli.run(["check", "--regions", str(folder), "--catalogue", str(CONFIG / "catalogue")]) == 1
    assert "undecided: nobody decides tobacco_retail_licence" in capsys.readouterr().err
