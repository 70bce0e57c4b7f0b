"""What the embedded server remembers is what it would be told if it asked again."""

import sqlite3
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from neosqlite import Collection, Connection

from server.demo.embedded import at_once, remembered


@pytest.fixture
def file() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def tables(asked: SimpleNamespace) -> list[str]:
    asked.count += 1
    return [name for (name,) in asked.db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]


def test_it_asks_again_only_once_the_schema_has_changed(file: sqlite3.Connection) -> None:
    asked, ask = SimpleNamespace(db=file, count=0), remembered(tables)
    file.execute("CREATE TABLE a (x)")
    assert (ask(asked), ask(asked), asked.count) == (["a"], ["a"], 1)
    file.execute("INSERT INTO a VALUES (1)")
    assert (ask(asked), asked.count) == (["a"], 1)
    file.execute("CREATE TABLE b (x)")
    assert (ask(asked), asked.count) == (["a", "b"], 2)
    file.execute("DROP TABLE a")
    assert (ask(asked), asked.count) == (["b"], 3)


def test_what_is_rolled_back_was_never_remembered(file: sqlite3.Connection) -> None:
    asked, ask = SimpleNamespace(db=file, count=0), remembered(tables)
    file.execute("BEGIN")
    file.execute("CREATE TABLE a (x)")
    version = file.execute("PRAGMA schema_version").fetchone()
    assert ask(asked) == ["a"]
    file.execute("ROLLBACK")
    file.execute("CREATE TABLE b (x)")
    assert file.execute("PRAGMA schema_version").fetchone() == version
    assert ask(asked) == ["b"]


def test_another_file_is_asked_anew(file: sqlite3.Connection) -> None:
    asked, ask = SimpleNamespace(db=file, count=0), remembered(tables)
    file.execute("CREATE TABLE a (x)")
    assert ask(asked) == ["a"]
    asked.db = sqlite3.connect(":memory:", isolation_level=None)
    asked.db.execute("CREATE TABLE b (x)")
    assert ask(asked) == ["b"]
    asked.db.close()


def test_the_questions_that_it_replaces_are_there() -> None:
    assert callable(Connection.list_collection_names)
    assert isinstance(Collection._id_column, property)


async def test_a_command_is_done_before_the_next() -> None:
    assert await at_once(lambda *given: given, 1, 2) == (1, 2)
