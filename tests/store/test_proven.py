"""Proofs: a document that this node did not write as it stands is read by nobody, whatever was done to it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from server.crypto.integrity import IntegrityRing
from server.domain.errors import NotAuthentic
from server.store.database import Document, Mark, UndeclaredQuery
from server.store.effects.checkpoints import Checkpoints, checkpoint_id
from server.store.mongo import MongoDatabase
from server.store.proven import ProvenDatabase
from server.store.queries import QUERIES, TASKS_OF_AUTHORITY
from server.store.trust import TRUST
from server.store.unproven import UnprovenDocument, is_proven
from tests.store.test_alarms import CHECKPOINT

RING = IntegrityRing({"one": bytes(32)}, "one")
PROVEN = sorted(name for name, row in TRUST.items() if row.means == "proof")
TASK: Document = {"_id": "a", "version": 1, "key": "health|open|a", "says": {"in": ["order", 1, 2.5, None, True]}}


@pytest.fixture
def proven(database: MongoDatabase) -> ProvenDatabase:
    return ProvenDatabase(database, RING)


async def stored(proven: ProvenDatabase, collection: str = "tasks") -> Document:
    await proven.insert(collection, TASK)
    found = await proven.bare.get(collection, "a")
    assert found is not None
    return found


def broken(document: Document | None) -> bool:
    """Whether nothing can be read of it but what takes it out of its queue."""
    assert document is not None
    uses: Sequence[Callable[[], Any]] = (
        lambda: document["says"],
        lambda: document.get("says"),
        lambda: {**document},
        lambda: document | {},
        lambda: {} | document,
        lambda: list(document),
    )
    for use in uses:
        with pytest.raises(NotAuthentic, match="tasks/a"):
            use()
    return isinstance(document, UnprovenDocument)


async def test_what_was_written_is_read(proven: ProvenDatabase) -> None:
    await stored(proven)
    assert await proven.replace("tasks", {**TASK, "version": 2}, version=1)
    found = await proven.get("tasks", "a")
    assert found is not None
    assert {name: found[name] for name in TASK} == {**TASK, "version": 2}


@pytest.mark.parametrize(
    "change",
    [
        {"key": "finance|open|a"},
        {"version": 0},
        {"says": {"in": ["order", 2, 1.5, None, True]}},
        {"says": {"in": ["order", 1, 2.5, None, True], "more": ""}},
        {"more": ""},
        {"proof": ""},
        {"proof": "two.AAAAAAAAAAAAAAAAAAAAAA"},
        {"proof": "one.AAAAAAAAAAAAAAAAAAAAAA"},
        {"proof": 1},
    ],
    ids=str,
)
async def test_what_was_altered_is_not(proven: ProvenDatabase, change: Mapping[str, Any]) -> None:
    document = await stored(proven)
    await proven.bare.replace("tasks", {**document, **change}, version=1)
    assert broken(await proven.get("tasks", "a"))


async def test_what_was_taken_out_of_it_breaks_it(proven: ProvenDatabase) -> None:
    document = await stored(proven)
    del document["says"]
    await proven.bare.replace("tasks", document, version=1)
    assert broken(await proven.get("tasks", "a"))


async def test_what_was_moved_is_not_read_where_it_is_now(proven: ProvenDatabase) -> None:
    document = await stored(proven, "claims")
    await proven.bare.insert("tasks", document)
    assert broken(await proven.get("tasks", "a"))
    await proven.bare.insert("claims", {**document, "_id": "b"})
    found = await proven.get("claims", "b")
    assert found is not None
    assert not is_proven(found)


async def test_what_another_node_has_proven_is_not_ours(proven: ProvenDatabase) -> None:
    other = ProvenDatabase(proven.bare, IntegrityRing({"one": b"2" * 32}, "one"))
    await stored(other)
    assert broken(await proven.get("tasks", "a"))


async def test_what_was_proven_under_a_former_key_is_read(proven: ProvenDatabase) -> None:
    await stored(proven)
    turned = ProvenDatabase(proven.bare, IntegrityRing({**RING.keys, "two": b"2" * 32}, "two"))
    found = await turned.get("tasks", "a")
    assert found is not None
    assert is_proven(found)
    await turned.replace("tasks", {**TASK, "version": 2}, version=1)
    assert broken(await proven.get("tasks", "a")), "a ring without the new key"


async def test_one_that_is_broken_spoils_no_other(proven: ProvenDatabase) -> None:
    told: list[tuple[str, str]] = []
    proven.tell_broken = lambda collection, id: told.append((collection, id))
    document = await stored(proven)
    await proven.bare.replace("tasks", {**document, "says": ""}, version=1)
    await proven.insert_many("tasks", [{**TASK, "_id": "b", "key": "health|open|b"}])
    listed = await proven.between(TASKS_OF_AUTHORITY, "health|open|", "health|open}", limit=9)
    assert [(each["_id"], is_proven(each)) for each in listed] == [("a", False), ("b", True)]
    found = await proven.get_many("tasks", ["a", "b"])
    assert [is_proven(found[id]) for id in "ab"] == [False, True]
    assert told == [("tasks", "a")] * 2


async def test_marks_change_what_no_proof_covers_and_nothing_else(proven: ProvenDatabase) -> None:
    await stored(proven, "notices")
    assert await proven.mark("notices", Mark("a", {"key": "sent|a", "version": 2}, 1))
    found = await proven.get("notices", "a")
    assert found is not None
    assert (found["key"], found["says"]) == ("sent|a", TASK["says"])
    for mark in (Mark("a", {"says": "other"}), Mark("a", {"proof": "other"})):
        with pytest.raises(UndeclaredQuery, match="notices"):
            await proven.mark_many("notices", [mark])


async def test_a_broken_document_can_be_taken_out_of_its_queue(proven: ProvenDatabase) -> None:
    document = await stored(proven, "notices")
    await proven.bare.replace("notices", {**document, "says": ""}, version=1)
    found = await proven.get("notices", "a")
    assert found is not None
    assert await proven.mark("notices", Mark(found["_id"], {"key": "u" + found["key"]}, found["version"]))


@pytest.mark.parametrize("collection", PROVEN)
async def test_each_collection_with_proofs_refuses_a_forged_document(proven: ProvenDatabase, collection: str) -> None:
    await proven.bare.insert(collection, TASK)
    found = await proven.get(collection, "a")
    assert found is not None
    with pytest.raises(NotAuthentic, match=f"{collection}/a"):
        found["says"]


async def test_a_collection_without_a_row_is_neither_written_nor_read(proven: ProvenDatabase) -> None:
    for use in (proven.insert("others", TASK), proven.mark("others", Mark("a", {"key": ""}))):
        with pytest.raises(UndeclaredQuery, match="others"):
            await use
    await proven.bare.insert("others", TASK)
    with pytest.raises(UndeclaredQuery, match="others"):
        await proven.get("others", "a")


async def test_a_checkpoint_that_others_wrote_does_not_count_as_passed(proven: ProvenDatabase) -> None:
    checkpoints = Checkpoints(proven)
    id = checkpoint_id("c", CHECKPOINT)
    await proven.bare.insert("rungs", {"_id": id, "case": "c", "key": "done", "outcome": "told", "version": 1})
    with pytest.raises(NotAuthentic, match=f"rungs/{id}"):
        await checkpoints.passed("c", [CHECKPOINT])


def test_the_table_of_trust_has_a_row_for_each_query_and_gives_its_reasons() -> None:
    assert {query.collection for query in QUERIES} <= TRUST.keys()
    for name, row in TRUST.items():
        assert row.gain, name
        assert row.removed, name
        assert bool(row.why) == (row.means != "proof" or bool(row.marks)), name
        assert row.means == "proof" or not row.marks, name
