"""The product keeps the rules of the house (ARCHITECTURE.md); each failure names the place and what is wrong."""

import tomllib
from pathlib import Path

import pytest

from tests.house.arrows import LOADED_LATE, MAY_IMPORT, driver_is_used
from tests.house.house import House, is_in
from tests.house.rules import EXEMPT, RULES, Rule

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def house() -> House:
    return House(ROOT)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps(rule: Rule, house: House) -> None:
    breaches = [str(breach) for breach in rule(house) if (rule.__name__, breach.place) not in EXEMPT]
    assert not breaches, f"{rule.__doc__}\n" + "\n".join(breaches)


def test_every_exemption_is_still_needed(house: House) -> None:
    found = {(rule.__name__, breach.place) for rule in RULES for breach in rule(house)}
    assert EXEMPT.keys() <= found
    assert all(EXEMPT.values())


def test_every_room_of_the_import_table_exists(house: House) -> None:
    assert [room for room in MAY_IMPORT if not house.in_room(room)] == []


def test_all_that_may_be_loaded_late_is(house: House) -> None:
    for path, names in LOADED_LATE.items():
        (source,) = (each for each in house.sources if each.path == path)
        loaded = {one.module for one in house.imports(source)}
        assert [name for name in names if not any(is_in(module, name) for module in loaded)] == []


def test_the_driver_is_where_the_rule_looks_for_it(house: House) -> None:
    assert driver_is_used(house)


def test_types_are_checked_strictly_in_all_of_the_product() -> None:
    checked = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
    assert set(checked["files"]) == {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert checked["strict"]
