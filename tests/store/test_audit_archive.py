"""The archive of the audit: what was kept long enough goes into a file that proves itself, and the chain goes on."""

import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pymongo
import pytest

from server import cli
from server.crypto.keyring import make_keys
from server.desk.background.archiving import archive, read_back
from server.desk.background.chaining import chain
from server.desk.background.verifying import verify
from server.domain.audit import AuditFilter, Doer
from server.domain.audit_archive import Archived, AuditDamaged
from server.domain.errors import OutcomeUnknown
from server.node import Node
from server.store.audit_chain import AUDIT, CHAIN
from server.store.mongo import MongoDatabase
from server.store.proven import ProvenDatabase
from tests.store.auditing import id_of, later, node_on, note
from tests.world import JIANGSU

Raw = pymongo.database.Database[dict[str, Any]]
BY = Doer(name="operator")


@pytest.fixture
async def node(database: MongoDatabase, tmp_path: Path) -> Node:
    """Three links that are old enough, and one that is not."""
    node = node_on(database, make_keys(JIANGSU), tmp_path)
    for pair in (("a", "b"), ("c", "d"), ("e", "f")):
        await note(node, *pair)
        await node.store.audit.count("many", "peer.refused", at=node.clock.now(), about={})
        await chain(node, "audit")
    later(node, days=185)
    await note(node, "new")
    await chain(node, "audit")
    return node


@pytest.fixture
def raw(database_sweeper: pymongo.MongoClient[dict[str, Any]], database_name: str, node: Node) -> Raw:
    return database_sweeper[database_name]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


async def archived(node: Node, file: Path) -> Archived:
    return await archive(node, file, by=BY)


def lines_of(file: Path) -> list[Any]:
    """Each line of the file."""
    return [orjson.loads(line) for line in file.read_bytes().splitlines()]


def is_there(file: Path) -> bool:
    return file.exists()


def mode_of(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def spoilt(file: Path, place: int, line: bytes | None) -> Path:
    """A copy of the file with this line in a place of it, or without the one there."""
    lines = file.read_bytes().splitlines()
    lines[place : place + 1 or None] = [line] if line is not None else []
    copy = file.with_suffix(".spoilt")
    copy.write_bytes(b"\n".join(lines) + b"\n")
    return copy


def troubles_of(file: Path) -> list[str]:
    return [each.trouble for each in read_back(file).findings]


async def test_what_was_kept_long_enough_is_in_the_file_and_no_longer_here(node: Node, raw: Raw, file: Path) -> None:
    done = await archived(node, file)
    assert (done.first, done.head.number, done.links, done.entries) == (1, 3, 3, 7)
    assert mode_of(file) == 0o600
    kept = lines_of(file)
    entries = {each["id"]: each for line in kept[1:-1] for each in line["entries"]}
    assert set(entries) == {id_of(name) for name in "abcdef"} | {id_of("many")}
    assert entries[id_of("a")]["about"] == {"officer": "ann", "case": "1/a"}
    assert entries[id_of("many")]["times"] == 3
    assert {each["kind"] for each in raw[AUDIT].find()} == {"case.read", "audit.archived"}
    assert raw[CHAIN].count_documents({"_id": {"$regex": "^audit:"}}) == 1


async def test_the_file_proves_itself(node: Node, file: Path) -> None:
    done = await archived(node, file)
    found = read_back(file)
    assert (found.first, found.head, found.links, found.entries, found.troubles) == (1, done.head, 3, 7, 0)


async def test_the_chain_goes_on_from_the_archived_head(node: Node, file: Path, tmp_path: Path) -> None:
    done = await archived(node, file)
    await chain(node, "audit")
    later(node)
    found = await verify(node)
    assert (found.first, found.links, found.entries, found.troubles) == (4, 2, 2, 0)
    link = await node.store.audit.chain.link(4)
    assert link is not None
    assert link.prev == done.head.hash
    later(node, days=200)
    second = await archived(node, tmp_path / "second.jsonl")
    assert (second.first, second.links) == (4, 1)
    assert lines_of(tmp_path / "second.jsonl")[0]["after"]["hash"] == done.head.hash


async def test_archiving_is_noted_with_its_head(node: Node, file: Path) -> None:
    done = await archived(node, file)
    (entry,), _, _ = await node.store.audit.entries(AuditFilter(kind="audit.archived"), limit=9)
    assert entry.about == {
        **{"by": "operator", "file": file.name, "sha256": done.sha256, "head": done.head.hash},
        **{"first": "1", "last": "3", "entries": "7"},
    }


async def test_what_is_young_and_the_last_link_stay(node: Node, file: Path, tmp_path: Path) -> None:
    await archived(node, file)
    nothing = await archived(node, tmp_path / "nothing.jsonl")
    assert (nothing.links, (tmp_path / "nothing.jsonl").exists()) == (0, False)


async def test_a_file_that_is_there_is_not_overwritten(node: Node, file: Path) -> None:
    await archived(node, file)
    before = lines_of(file)
    await note(node, "more")
    await chain(node, "audit")
    later(node, days=185)
    with pytest.raises(FileExistsError):
        await archived(node, file)
    assert lines_of(file) == before
    assert (await verify(node)).first == 4


@pytest.mark.parametrize("where", ["entry", "link", "content"])
async def test_what_is_damaged_is_not_archived(node: Node, raw: Raw, file: Path, where: str) -> None:
    if where == "entry":
        raw[AUDIT].delete_one({"_id": id_of("c")})
    elif where == "content":
        raw[AUDIT].update_one({"_id": id_of("c")}, {"$set": {"about.officer": "bob"}})
    else:
        raw[CHAIN].delete_one({"_id": "audit:000000000002"})
    with pytest.raises(AuditDamaged):
        await archived(node, file)
    assert (await verify(node)).first == 1
    assert raw[AUDIT].find_one({"_id": id_of("a")})
    assert not is_there(file)


async def test_a_removal_that_was_cut_off_is_no_trouble_and_is_finished_by_the_next(
    node: Node, raw: Raw, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete = ProvenDatabase.delete

    async def dies(database: ProvenDatabase, collection: str, ids: Sequence[str]) -> None:
        await delete(database, collection, ids)
        raise OutcomeUnknown

    with monkeypatch.context() as patched:
        patched.setattr(ProvenDatabase, "delete", dies)
        with pytest.raises(OutcomeUnknown):
            await archived(node, file)
    assert raw[AUDIT].find_one({"_id": id_of("f")})
    assert [each.trouble for each in (await verify(node)).findings] == []
    await archived(node, tmp_path / "second.jsonl")
    assert raw[AUDIT].find_one({"_id": id_of("f")}) is None
    assert (await verify(node)).troubles == 0


CHANGES: dict[str, tuple[int, bytes | None]] = {
    "moved": (1, None),
    "cut": (-1, None),
    "altered": (2, b"{"),
    "altered ": (-1, b'{"head":{"number":3,"hash":"0"},"links":3,"entries":7}'),
}


async def test_a_file_that_was_changed_is_told(node: Node, file: Path) -> None:
    await archived(node, file)
    for trouble, (place, change) in CHANGES.items():
        assert trouble.strip() in troubles_of(spoilt(file, place, change)), trouble


async def test_an_entry_of_the_file_that_was_changed_is_told(node: Node, file: Path) -> None:
    await archived(node, file)
    line = lines_of(file)[1]
    first, *others = line["entries"]
    for trouble, entries in {
        "altered": [{**first, "about": {"officer": "bob"}}, *others],
        "missing": others,
        "doubled": [first, *others, {**first, "id": "audit:other"}],
    }.items():
        changed = spoilt(file, 1, orjson.dumps({**line, "entries": entries}))
        assert trouble in troubles_of(changed), trouble


async def test_the_command_verifies_a_file_without_a_node(
    node: Node, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = await archived(node, file)
    assert cli.run(["audit", "verify", "--archive", str(file)]) == 0
    assert f"links 1 to 3, 7 entries, head {done.head.hash}: all as it was written" in capsys.readouterr().out
    assert cli.run(["audit", "verify", "--archive", str(spoilt(file, -1, None)), "--json"]) == 1
    (told,) = orjson.loads(capsys.readouterr().out)
    assert (told["troubles"], told["findings"][0]["trouble"]) == (1, "cut")


def test_an_empty_file_is_no_archive(file: Path) -> None:
    file.write_bytes(b"")
    assert troubles_of(file) == ["cut"]
