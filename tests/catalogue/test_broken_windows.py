"""Broken windows are refused with file, table, rule and reason."""

from pathlib import Path

import pytest

from server import cli
from server.tools.datafiles import BrokenData
from server.tools.publications import check_windows, load_authorities, load_divisions, load_windows
from tests.catalogue.shipped import CATALOGUE, CONFIG, copy_with

HALL = '[[window]]\nid = "320102-hall"'


def window(**change: str) -> str:
    """One more window in 玄武, with these changes; values are TOML."""
    keys = {
        "id": '"new"',
        "name": '"窗口"',
        "kind": '"other"',
        "division": '"320102"',
        "seen_on": "2026-11-20",
        "source": '"示例"',
        "status": '"sample"',
    }
    return "[[window]]\n" + "".join(f"{key} = {value}\n" for key, value in (keys | change).items()) + "\n"


# Which window is added in front of the first one; where it is told, and with which words.
CONTRADICTIONS = {
    "a window of no kind": (window(kind='"tent"'), "window[1] new", "kind: Input should be"),
    "half a place": (window(lat="32.0"), "window[1] new", "lat and lon must stand together"),
    "one id for two": (window(id='"320102-hall"'), "window[1] 320102-hall", "duplicate: the id 320102-hall"),
    "a county that never was": (
        window(division='"990000"'),
        "window[1] new",
        "unknown_reference: there is no division '990000'",
    ),
    "a town in no county": (
        window(division='"990000001"'),
        "window[1] new",
        "unknown_reference: there is no division '990000'",
    ),
    "a county that is gone": (
        window(division='"500112"'),
        "window[1] new",
        "gone: the last day of 500112 is 2025-11-05",
    ),
    "a window that outlives its county": (
        window(division='"500112"', to_day="2026-12-31"),
        "window[1] new",
        "gone: the last day of 500112 is 2025-11-05",
    ),
    "hours twice at once": (
        window(hours='[{ days = [1], am = "09:00-12:00" }, { days = [1, 2], am = "08:00-10:00", from_day = "05-01" }]'),
        "window[1] new",
        "overlap: it is open twice at once from 05-01",
    ),
}
UNFIT = {
    "a department that there is not": (window(departments='["fishery"]'), "there is no department 'fishery'"),
    "an item that there is not": (window(items='["food_licence"]'), "there is no item 'food_licence'"),
    "an item named twice": (window(items='["shop_sign", "shop_sign"]'), "it names the item 'shop_sign' more than once"),
    "an authority by no rule": (window(authorities='["fishery/320102"]'), "there is no authority 'fishery/320102'"),
    "an authority of nowhere": (window(authorities='["health/990000"]'), "there is no authority 'health/990000'"),
}


def folder_with(tmp_path: Path, text: str) -> Path:
    return copy_with(tmp_path, "regions", "windows.toml", (HALL, text + HALL))


@pytest.mark.parametrize("what", CONTRADICTIONS)
def test_what_contradicts_itself_is_not_read(what: str, tmp_path: Path) -> None:
    text, table, words = CONTRADICTIONS[what]
    folder = folder_with(tmp_path, text)
    with pytest.raises(BrokenData) as caught:
        load_windows(folder, load_authorities(folder, load_divisions(folder)))
    assert {fault.file for fault in caught.value.faults} == {str(folder / "windows.toml")}
    found = [each for each in caught.value.faults if each.table == table and words in each.reason]
    assert [each.what_to_do for each in found] != [], caught.value.faults
    assert all(each.what_to_do for each in found)


@pytest.mark.parametrize("what", UNFIT)
def test_check_finds_windows_that_do_not_fit_the_catalogue(what: str, tmp_path: Path) -> None:
    text, words = UNFIT[what]
    folder = folder_with(tmp_path, text)
    authorities = load_authorities(folder, load_divisions(folder))
    load_windows(folder, authorities)
    with pytest.raises(BrokenData) as caught:
        check_windows(folder, CATALOGUE, authorities)
    assert [each.table for each in caught.value.faults if words in each.reason] == ["window[1] new"]


def test_named_authorities_and_those_by_rule_may_have_windows(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, window(authorities='["approval/320600", "health/320102"]'))
    check_windows(folder, CATALOGUE, load_authorities(folder, load_divisions(folder)))


@pytest.mark.no_cover
def test_the_command_tells_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = folder_with(tmp_path, UNFIT["an item that there is not"][0])
    assert cli.run(["check", "--regions", str(folder), "--catalogue", str(CONFIG / "catalogue")]) == 1
    assert "there is no item 'food_licence'" in capsys.readouterr().err
