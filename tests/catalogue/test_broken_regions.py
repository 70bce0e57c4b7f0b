"""Broken divisions and nodes are refused with file, table and reason."""

from pathlib import Path

import pytest

from server.tools.datafiles import BrokenData
from server.tools.publications import load_divisions, load_nodes
from tests.catalogue.shipped import copy_with


@pytest.mark.parametrize(
    ("edit", "table", "reason"),
    [
        (('"110000"', '"11000"'), "division[1] 11000", "code: '11000' is no six-digit code"),
        (('"120000"', '"110000"'), "division[1] 110000", "duplicate: 110000 is defined more than once"),
        (('"official"', '"certain"'), "division[1] 110000", "status: 'certain' is none of official, local, sample"),
        (('source = "GB/T 2260"\n', ""), "division[1] 110000", "source: Field required"),
    ],
)
def test_a_broken_division_is_refused(edit: tuple[str, str], table: str, *, reason: str, tmp_path: Path) -> None:
    folder = copy_with(tmp_path, "regions", "divisions.toml", edit)
    with pytest.raises(BrokenData) as caught:
        load_divisions(folder)
    (fault,) = caught.value.faults
    assert (fault.file, fault.table, fault.reason) == (str(folder / "divisions.toml"), table, reason)
    assert fault.what_to_do


@pytest.mark.parametrize(
    ("edit", "table", "reason"),
    [
        (
            ('node = "330000"', 'node = "990000"'),
            "node[2] 浙江省节点",
            "unknown_reference: there is no division '990000'",
        ),
        (
            ('node = "330000"', 'node = "320000"'),
            "node[2] 浙江省节点",
            "duplicate: the node 320000 is defined more than once",
        ),
        (('["330000"]', '["320000"]'), "node[2] 浙江省节点", "duplicate: 320000 decides for 320000 already"),
        (('["330000"]', '["zhejiang"]'), "node[2] 浙江省节点", "code: 'zhejiang' is no six-digit code"),
        (('["330000"]', "[]"), "node[2] 浙江省节点", "empty: it decides for no division"),
        (('status = "sample"\n', ""), "node[1] 江苏省节点", "status: Field required"),
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
    text = (folder / "divisions.toml").read_text(encoding="utf-8")
    (folder / "divisions.toml").write_text(text.replace('"710000"', '"71"'), encoding="utf-8")
    with pytest.raises(BrokenData) as caught:
        load_nodes(folder)
    assert {Path(fault.file).name for fault in caught.value.faults} == {"divisions.toml", "nodes.toml"}
