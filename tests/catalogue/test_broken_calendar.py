"""A broken calendar is refused with file, table and reason."""

from pathlib import Path

import pytest

from server.tools.datafiles import BrokenData
from server.tools.publications import load_calendar
from tests.catalogue.shipped import copy_with

FILE = "calendar.toml"
SPRING = "first = 2026-02-15, last = 2026-02-23, make_up = [2026-02-14"


@pytest.mark.parametrize(
    ("edit", "table", "reason"),
    [
        (('version = "2026.1"\n', ""), "", "version: Field required"),
        (("known_to = 2027-01-01", 'known_to = "soon"'), "", "known_to: Input should be a valid date"),
        (("known_to = 2027-01-01", "known_to = 2027-01-02"), "", "known_to: no notice tells of 2027-01-02"),
        (("known_to = 2027-01-01", "known_to = 2028-01-01"), "", "known_to: no notice tells of 2027-01-02"),
        (('document = "国办发明电〔2023〕7号"', ""), "", "known_to: no notice tells of 2024-01-02"),
        (('status = "official"', 'status = "certain"'), "years[1]", "status: Input should be 'official', 'local'"),
        (("source = ", "origin = "), "years[1]", "source: Field required"),
        (('"春节", first = 2026', '"", first = 2026'), "years[3]", "holidays[2].name: String should have at least 1"),
        ((SPRING, "first = 2026-02-29"), "", "is not TOML"),
        ((SPRING, SPRING.replace("02-23", "02-13")), "years[3]", "holidays[2]: last is before first"),
        ((SPRING, SPRING.replace("02-14", "02-13")), "years[3]", "holidays[2]: make_up: 2026-02-13 is no weekend day"),
        ((SPRING, SPRING.replace("02-14", "02-15")), "", "years: 2026-02-15 is named more than once"),
        ((SPRING, SPRING.replace("02-14", "02-28")), "", "years: 2026-02-28 is named more than once"),
        (
            (SPRING, SPRING.replace("first = 2026", "first = 2025")),
            "years[3]",
            "春节: 2025-02-15 is neither in 2026 nor in the December before",
        ),
        (
            (SPRING, SPRING.replace("[2026-02-14", "[2027-02-14")),
            "years[3]",
            "春节: 2027-02-14 is neither in 2026 nor in the December before",
        ),
        (("year = 2025", "year = 2027"), "years[2]", "元旦: 2025-01-01 is neither in 2027 nor in the December before"),
        (("[[years]]\nyear = 2025", "[[year]]\nyear = 2025"), "", "year: Extra inputs are not permitted"),
    ],
)
def test_a_broken_calendar_is_refused(edit: tuple[str, str], table: str, *, reason: str, tmp_path: Path) -> None:
    folder = copy_with(tmp_path, "regions", FILE, edit)
    with pytest.raises(BrokenData) as caught:
        load_calendar(folder)
    found = [fault for fault in caught.value.faults if fault.reason.startswith(reason)]
    assert [(fault.file, fault.table) for fault in found] == [(str(folder / FILE), table)], str(caught.value)
    assert found[0].what_to_do


def test_a_broken_holiday_is_refused_with_the_line_of_its_year(tmp_path: Path) -> None:
    folder = copy_with(tmp_path, "regions", FILE, (SPRING, SPRING.replace("02-23", "02-13")))
    lines = (folder / FILE).read_text(encoding="utf-8").splitlines()
    with pytest.raises(BrokenData) as caught:
        load_calendar(folder)
    (fault,) = caught.value.faults
    assert lines[fault.line - 1 : fault.line + 1] == ["[[years]]", "year = 2026"]


def test_a_calendar_with_a_hole_or_without_a_year_is_refused(tmp_path: Path) -> None:
    folder = copy_with(tmp_path, "regions", FILE, ("version", "version"))
    year = 'holidays = []\ndocument = "x"\nsource = "tests"\nstatus = "sample"\n'
    head = 'version = "1"\nknown_to = 2024-12-31\n'
    hole = f"{head}[[years]]\nyear = 2024\n{year}[[years]]\nyear = 2026\n{year}"
    for text, reason in ((hole, "years: 2026 stands where 2025 is due"), (head + "years = []", "at least 1 item")):
        (folder / FILE).write_text(text, encoding="utf-8")
        with pytest.raises(BrokenData, match=reason):
            load_calendar(folder)


def test_a_calendar_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokenData, match="cannot be read"):
        load_calendar(tmp_path)
