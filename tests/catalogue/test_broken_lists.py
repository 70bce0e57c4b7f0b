"""Broken yearly lists are refused with file, batch and reason."""

from pathlib import Path

import pytest

from server.tools.datafiles import BrokenData
from server.tools.publications import load_lists
from tests.catalogue.shipped import copy_with

FILE = "lists/2024.toml"
FIRST, SECOND = "batches[1] 2024年度第一批", "batches[2] 2024年度第二批"


@pytest.mark.parametrize(
    ("edit", "table", "reason"),
    [
        (("official_count = 8", "official_count = 3"), SECOND, "count: 4 names are more than the official 3"),
        (("batch = 2", "batch = 1"), SECOND, "duplicate: there is a batch 1 already"),
        (('"大件运输"', '"退休"'), SECOND, "duplicate: 退休 is on a list already"),
        (('"大件运输"', '"个人身后"'), "batches[1] 2025年度第一批", "duplicate: 个人身后 is on a list already"),
        (("year = 2024", "year = 2023"), "", "year: the file is not called 2023.toml"),
        (
            ('certainty = "found"', 'certainty = "sure"'),
            FIRST,
            "entries[1].certainty: Input should be 'found' or 'weak'",
        ),
        (('document = "国发〔2024〕3号"\n', ""), FIRST, "document: Field required"),
        (("batch = 1\n", 'batch = 1\nissued = "last year"\n'), FIRST, "issued: String should match pattern"),
        (('status = "local"', 'status = "certain"'), FIRST, "status: Input should be 'official', 'local' or 'sample'"),
    ],
)
def test_a_broken_list_is_refused(edit: tuple[str, str], table: str, *, reason: str, tmp_path: Path) -> None:
    folder = copy_with(tmp_path, "catalogue", FILE, edit)
    with pytest.raises(BrokenData) as caught:
        load_lists(folder)
    (fault,) = caught.value.faults
    assert Path(fault.file).parent == folder / "lists"
    assert fault.table == table
    assert fault.reason.startswith(reason)
    assert fault.what_to_do


def test_a_year_without_a_batch_is_refused(tmp_path: Path) -> None:
    folder = copy_with(tmp_path, "catalogue", FILE, ("year", "year"))
    (folder / FILE).write_text("year = 2024\nbatches = []\n", encoding="utf-8")
    with pytest.raises(BrokenData, match="empty: the year has no batch"):
        load_lists(folder)
