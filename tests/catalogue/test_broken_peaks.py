"""Broken peaks are refused with file, table, rule and reason."""

from pathlib import Path

import pytest

from server import cli
from server.tools.datafiles import BrokenData
from server.tools.publications import load_divisions, load_peaks
from tests.catalogue.shipped import CATALOGUE, CONFIG

DIVISIONS = load_divisions(CONFIG / "regions")
KEYS = {
    "id": '"enrolment-2027"',
    "bundle": '"school_enrolment"',
    "joins_at": "2027-05-31T18:00:00+08:00",
    "opens_at": "2027-05-31T20:00:00+08:00",
    "closes_at": "2027-06-01T02:00:00+08:00",
    "per_second": "20",
}
WRONG = {
    "an hour before one may join": ({"opens_at": "2027-05-31T17:00:00+08:00"}, "must come one after the other"),
    "an hour of nowhere": ({"opens_at": "2027-05-31T20:00:00"}, "opens_at: a moment needs a time zone"),
    "nobody is let in": ({"per_second": "0"}, "per_second: Input should be greater"),
    "an id that is none": ({"id": '"2027"'}, "id: String should match pattern"),
    "a key that nobody reads": ({"per_minute": "20"}, "per_minute: Extra inputs are not permitted"),
}
UNFIT = {
    "a bundle that there is not": ({"bundle": '"enrolment"'}, "unknown_reference: there is no bundle 'enrolment'"),
    "a division that never was": ({"divisions": '["990000"]'}, "unknown_reference: there is no division '990000'"),
}


def peak(**change: str) -> str:
    """A peak with these changes; values are TOML."""
    return "[[peak]]\n" + "".join(f"{key} = {value}\n" for key, value in (KEYS | change).items())


def folder_with(folder: Path, *texts: str) -> Path:
    (folder / "peaks.toml").write_text("# peaks\n" + "".join(texts), encoding="utf-8")
    return folder


@pytest.mark.parametrize("what", WRONG)
def test_what_makes_no_sense_is_not_read(what: str, tmp_path: Path) -> None:
    change, words = WRONG[what]
    with pytest.raises(BrokenData, match=words) as caught:
        load_peaks(folder_with(tmp_path, peak(**change)), CATALOGUE, DIVISIONS)
    [fault] = caught.value.faults
    assert (fault.file, fault.line) == (str(tmp_path / "peaks.toml"), 2)
    assert fault.table.startswith("peak[1]")


@pytest.mark.parametrize("what", UNFIT)
def test_check_finds_peaks_that_do_not_fit_the_catalogue(what: str, tmp_path: Path) -> None:
    change, words = UNFIT[what]
    with pytest.raises(BrokenData, match=words) as caught:
        load_peaks(folder_with(tmp_path, peak(**change)), CATALOGUE, DIVISIONS)
    assert [fault.table for fault in caught.value.faults] == ["peak[1] enrolment-2027"]
    assert all(fault.what_to_do for fault in caught.value.faults)


def test_check_finds_an_id_given_twice_and_two_peaks_at_once(tmp_path: Path) -> None:
    with pytest.raises(BrokenData) as caught:
        load_peaks(folder_with(tmp_path, peak(), peak()), CATALOGUE, DIVISIONS)
    reasons = {fault.reason for fault in caught.value.faults}
    assert "duplicate: the id enrolment-2027 stands there more than once" in reasons
    assert "overlap: the peak enrolment-2027 is on at the same time for school_enrolment" in reasons


def test_peaks_of_other_places_may_be_at_once(tmp_path: Path) -> None:
    one, other = peak(divisions='["320102"]'), peak(id='"other"', divisions='["320104"]')
    assert len(load_peaks(folder_with(tmp_path, one, other), CATALOGUE, DIVISIONS).peaks) == 2


def test_a_folder_without_peaks_announces_none(tmp_path: Path) -> None:
    assert load_peaks(tmp_path, CATALOGUE, DIVISIONS).peaks == ()
    assert load_peaks(CONFIG / "regions", CATALOGUE, DIVISIONS).peaks == ()


def test_the_example_that_is_shipped_would_be_read(tmp_path: Path) -> None:
    shipped = (CONFIG / "regions/peaks.toml").read_text(encoding="utf-8")
    example = shipped.partition("# [[peak]]\n")[2].replace("# ", "")
    assert len(load_peaks(folder_with(tmp_path, "[[peak]]\n", example), CATALOGUE, DIVISIONS).peaks) == 1


@pytest.mark.no_cover
def test_the_command_tells_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (CONFIG / "regions").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    folder_with(tmp_path, peak(bundle='"enrolment"'))
    assert cli.run(["check", "--regions", str(tmp_path), "--catalogue", str(CONFIG / "catalogue")]) == 1
    told = capsys.readouterr().err
    assert "peaks.toml:2: peak[1] enrolment-2027: unknown_reference: there is no bundle 'enrolment'" in told
