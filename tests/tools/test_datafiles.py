"""Data files become values, and everything wrong with them is told at once."""

from pathlib import Path

import pytest

from server.domain.values import Value
from server.tools.datafiles import BrokenData, DataFault, Reading

GOOD = """
[[item]]
id = "household"
days = 3

[[item]]
id = "social_card"
days = 5
materials = [{ id = "photo", copies = 2 }]
"""


class Paper(Value):
    id: str
    copies: int = 1


class Item(Value):
    id: str
    days: int
    materials: tuple[Paper, ...] = ()


class Book(Value):
    year: int
    item: tuple[Item, ...] = ()


def written(folder: Path, text: str, name: str = "items.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def faults_of(reading: Reading) -> tuple[DataFault, ...]:
    with pytest.raises(BrokenData) as caught:
        reading.finish()
    return caught.value.faults


def test_tables_become_values_in_their_order(tmp_path: Path) -> None:
    reading = Reading()
    items = reading.tables(written(tmp_path, GOOD), Item, table="item")
    reading.finish()
    assert [item.id for item in items] == ["household", "social_card"]
    assert items[1].materials == (Paper(id="photo", copies=2),)


def test_a_whole_file_becomes_one_value(tmp_path: Path) -> None:
    reading = Reading()
    book = reading.whole(written(tmp_path, f"year = 2026\n{GOOD}"), Book)
    reading.finish()
    assert book is not None
    assert (book.year, len(book.item)) == (2026, 2)


def test_a_fault_names_file_line_table_and_key(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD.replace("copies = 2", 'copies = "two"'))
    reading = Reading()
    assert [item.id for item in reading.tables(path, Item, table="item")] == ["household"]
    (fault,) = faults_of(reading)
    assert (fault.file, fault.line, fault.table) == (str(path), 6, "item[2] social_card")
    assert fault.reason.startswith("materials[1].copies: ")
    assert str(fault) == f"{path}:6: item[2] social_card: {fault.reason}"


def test_the_same_fault_has_the_same_place_when_the_file_is_read_whole(tmp_path: Path) -> None:
    path = written(tmp_path, f"year = 2026\n{GOOD.replace('days = 5', '')}")
    reading = Reading()
    assert reading.whole(path, Book) is None
    (fault,) = faults_of(reading)
    assert (fault.line, fault.table, fault.reason) == (7, "item[2] social_card", "days: Field required")
    assert fault.what_to_do == "add the key"


def test_faults_of_several_files_are_told_together(tmp_path: Path) -> None:
    reading = Reading()
    broken = written(tmp_path, "[[item]]\nid = ", "broken.toml")
    unknown = written(tmp_path, '[[item]]\nid = "a"\ndays = 1\ncolour = "red"\n', "unknown.toml")
    for path in (tmp_path / "absent.toml", broken, unknown):
        assert reading.tables(path, Item, table="item") == []
        assert reading.tables(path, Paper, table="paper") == []
    first, second, third = faults_of(reading)
    assert "cannot be read" in first.reason
    assert "is not TOML" in second.reason
    assert third.table == "item[1] a"
    assert third.reason == "colour: Extra inputs are not permitted"


def test_the_error_tells_each_fault_on_its_own_line() -> None:
    fault = DataFault(file="a.toml", table="item[1] x", reason="days: too many")
    text = str(BrokenData([fault, DataFault(file="b.toml", reason="cannot be read")]))
    assert text == "a.toml: item[1] x: days: too many\nb.toml: cannot be read"


def test_a_table_that_nobody_reads_is_a_fault(tmp_path: Path) -> None:
    reading = Reading()
    reading.tables(written(tmp_path, f"{GOOD}\n[[itme]]\nid = 'x'\n"), Item, table="item")
    (fault,) = faults_of(reading)
    assert (fault.table, fault.line, fault.reason) == ("itme", 11, "nobody reads this")


def test_a_table_that_should_be_a_list_is_a_fault(tmp_path: Path) -> None:
    reading = Reading()
    assert reading.tables(written(tmp_path, "[item]\nid = 'x'\n"), Item, table="item") == []
    assert faults_of(reading)[0].reason == "must be written [[item]]"


def test_a_caller_adds_a_fault_of_its_own_with_the_place_of_the_entry(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    reading = Reading()
    reading.tables(path, Item, table="item")
    reading.refuse(path, "days: longer than the national item", table="item", entry="social_card", what_to_do="shorten")
    (fault,) = faults_of(reading)
    assert str(fault) == f"{path}:6: item[2] social_card: days: longer than the national item"
    assert fault.what_to_do == "shorten"


def test_an_entry_that_is_no_table_is_a_fault(tmp_path: Path) -> None:
    reading = Reading()
    assert reading.tables(written(tmp_path, "item = [1]\n"), Item, table="item") == []
    (fault,) = faults_of(reading)
    assert (fault.table, fault.line) == ("item[1]", 0)
