"""Broken divisions and nodes are refused with file, table and reason."""

from pathlib import Path

import pytest

from server.tools.datafiles import BrokenData
from server.tools.publications import load_divisions, load_nodes
from tests.catalogue.shipped import copy_with


@pytest.mark.parametrize(
    ("edit", "line", "reason"),
    [
        (("110101,", "11010,"), 4, "division[3] 11010: code: '11010' is no six-digit code"),
        (("110102,", "110101,"), 4, "division[3] 110101: duplicate: 110101 is defined more than once"),
        (("东城区,county", "东城区,village"), 4, "division[3] 110101: kind: Input should be 'province', 'city', "),
        (("东城区,county", "东城区,city"), 4, "division[3] 110101: kind: 110101 cannot be a city"),
        (("东城区,county", "东城区"), 4, "division[3] 110101: kind: Field required"),
        (
            ("东城区,county", "东城区,county,1990-13-01"),
            4,
            "division[3] 110101: valid_from: Input should be a valid date",
        ),
        (("东城区,county", "东城区,county,,,,x"), 4, "division[3] 110101: more: Extra inputs are not permitted"),
        (("东城区,county", "东城区,county,2020-01-02,2020-01-01"), 4, "days: valid_to is before valid_from"),
        (("东城区,county", "东城区,county,,,110102"), 4, "days: what has successors needs its last day in valid_to"),
        (
            ("东城区,county", "东城区,county,,2020-01-01,110000 990000"),
            4,
            "there is no division '990000' to succeed it",
        ),
        (("东城区,county", "东城区,county,,2020-01-01,110101"), 4, "there is no division '110101' to succeed it"),
        (("110101,", "990101,"), 4, "unknown_reference: there is no division '990100' around it"),
    ],
)
def test_a_broken_division_is_refused_with_its_line(
    edit: tuple[str, str], line: int, *, reason: str, tmp_path: Path
) -> None:
    folder = copy_with(tmp_path, "regions", "divisions.csv", edit)
    with pytest.raises(BrokenData) as caught:
        load_divisions(folder)
    texts = [str(fault) for fault in caught.value.faults]
    assert any(text.startswith(f"{folder / 'divisions.csv'}:{line}: ") and reason in text for text in texts), texts
    assert all(fault.what_to_do for fault in caught.value.faults)


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (('status = "local"', 'status = "certain"'), "status: Input should be 'official', 'local' or 'sample'"),
        (("known_to = 2026-06-30", ""), "known_to: Field required"),
        (("known_to = 2026-06-30", 'known_to = "lately"'), "known_to: Input should be a valid date"),
    ],
)
def test_divisions_that_do_not_say_where_they_are_from_are_refused(
    edit: tuple[str, str], reason: str, *, tmp_path: Path
) -> None:
    folder = copy_with(tmp_path, "regions", "divisions.toml", edit)
    with pytest.raises(BrokenData) as caught:
        load_divisions(folder)
    (fault,) = caught.value.faults
    assert fault.file == str(folder / "divisions.toml")
    assert fault.reason.startswith(reason)


def test_divisions_that_are_not_there_or_no_text_are_refused(tmp_path: Path) -> None:
    folder = copy_with(tmp_path, "regions", "divisions.csv", ("code", "code"))
    (folder / "divisions.csv").write_bytes("code,name,kind\n110000,北京市,province\n".encode("gb18030"))
    with pytest.raises(BrokenData, match="is not UTF-8"):
        load_divisions(folder)
    (folder / "divisions.csv").unlink()
    with pytest.raises(BrokenData, match="cannot be read"):
        load_divisions(folder)


@pytest.mark.parametrize(
    ("edit", "table", "reason"),
    [
        (
            ('node = "330000"', 'node = "990000"'),
            "node[2] 浙江省",
            "unknown_reference: there is no division '990000'",
        ),
        (
            ('node = "330000"', 'node = "320000"'),
            "node[2] 浙江省",
            "duplicate: the node 320000 is defined more than once",
        ),
        (('["330000"]', '["320000"]'), "node[2] 浙江省", "duplicate: 320000 decides for 320000 already"),
        (('["330000"]', '["zhejiang"]'), "node[2] 浙江省", "code: 'zhejiang' is no six-digit code"),
        (('["330000"]', "[]"), "node[2] 浙江省", "empty: it decides for no division"),
        (('status = "sample"\n', ""), "node[1] 江苏省", "status: Field required"),
    ],
)
def test_a_broken_node_is_refused(edit: tuple[str, str], table: str, *, reason: str, tmp_path: Path) -> None:
    folder = copy_with(tmp_path, "regions", "nodes.toml", edit)
    with pytest.raises(BrokenData) as caught:
        load_nodes(folder)
    (fault,) = caught.value.faults
    assert (fault.file, fault.table, fault.reason) == (str(folder / "nodes.toml"), table, reason)


def test_faults_of_divisions_and_nodes_are_told_together(tmp_path: Path) -> None:
    folder = copy_with(tmp_path, "regions", "nodes.toml", ('["330000"]', "[]"))
    text = (folder / "divisions.csv").read_text(encoding="utf-8")
    (folder / "divisions.csv").write_text(text.replace("110101,", "11010,"), encoding="utf-8")
    with pytest.raises(BrokenData) as caught:
        load_nodes(folder)
    assert {Path(fault.file).name for fault in caught.value.faults} == {"divisions.csv", "nodes.toml"}
