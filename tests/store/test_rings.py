"""What stands under which key is counted and written anew: no change meanwhile is lost, and nothing broken counts."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pymongo
import pytest

from server.crypto.fields import FieldRing
from server.crypto.integrity import IntegrityRing
from server.crypto.keyring import NodeKeys, make_keys
from server.store.aggregates.links import place_of
from server.store.blobs import Blobs
from server.store.cases.case_documents import CASES
from server.store.cases.drafts import DRAFTS
from server.store.database import Document
from server.store.effects.counts import COUNTS
from server.store.effects.fetches import FETCHES
from server.store.exchange.exchange import LOG
from server.store.exchange.letters_out import OUT
from server.store.mongo import MongoDatabase
from server.store.proven import PROOF, ProvenDatabase
from server.store.rings import FILES, WRAPPED, Rings, RoomSeen
from server.store.trust import TRUST
from tests.world import JIANGSU

OLD, NEW = {"old": bytes(32)}, {"new": bytes(range(32))}
BEFORE = replace(make_keys(JIANGSU), fields=FieldRing(OLD, "old"), integrity=IntegrityRing(OLD, "old"))
BOTH = replace(BEFORE, fields=FieldRing(OLD | NEW, "new"), integrity=IntegrityRing(OLD | NEW, "new"))
AFTER = replace(BEFORE, fields=FieldRing(NEW, "new"), integrity=IntegrityRing(NEW, "new"))
UNDER_OLD, UNDER_NEW = ({f"{ring}:{key}": 1 for ring in ("fields", "integrity")} for key in ("old", "new"))
ADDRESS = "abcdefgh"


def wrapped(context: str) -> str:
    return BEFORE.fields.new_key(context).wrapped


DOCUMENTS: dict[str, Document] = {
    CASES: {
        "_id": "c",
        "key": wrapped(place_of(CASES, "c")),
        "relayed": 0,
        "version": 1,
        "effects": [
            {"index": 0, "letter": {"context": "l", "data_key": wrapped("l")}},
            {"index": 1, "fetch": {"name": "f", "data_key": wrapped("f")}},
            {"index": 2, "task": {"_id": "t"}},
        ],
    },
    LOG: {"_id": "in:1", "version": 1, "letters": [{"context": "l", "data_key": wrapped("l")}, {"erased_at": "x"}]},
    OUT: {"_id": "l", "version": 1, "context": "l", "data_key": wrapped("l"), "state": "unlogged"},
    FETCHES: {"_id": "f1", "version": 1, "name": "f", "data_key": wrapped("f")},
    DRAFTS: {"_id": "d", "version": 1, "data_key": wrapped("d")},
}
each_document = pytest.mark.parametrize("collection", list(DOCUMENTS))


@pytest.fixture
def raw(database_sweeper: pymongo.MongoClient[dict[str, Any]], database_name: str) -> Any:
    """The database as somebody without keys writes to it."""
    return database_sweeper[database_name]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "files"


@pytest.fixture
async def proven(database: MongoDatabase) -> ProvenDatabase:
    """What was written when the old keys were the current ones."""
    proven = ProvenDatabase(database, BEFORE.integrity)
    for collection, document in DOCUMENTS.items():
        await proven.insert(collection, document)
    return proven


def rings(proven: ProvenDatabase, folder: Path, keys: NodeKeys) -> Rings:
    return Rings(ProvenDatabase(proven.bare, keys.integrity), keys.fields, Blobs(folder, keys.fields))


@pytest.fixture
def both(proven: ProvenDatabase, folder: Path) -> Rings:
    """The rooms of a process that knows both keys, and uses the new ones."""
    return rings(proven, folder, BOTH)


async def seen(rings: Rings, room: str) -> RoomSeen:
    """All that stands in a room that holds something."""
    [found] = [each async for each in rings.seen(room, at_once=100)]
    return found


def test_each_collection_with_a_proof_is_a_room_and_so_are_files(both: Rings):
    assert set(both.rooms) == {name for name, trust in TRUST.items() if trust.means == "proof"} | {FILES}
    assert WRAPPED.keys() <= set(both.rooms)


@each_document
async def test_a_document_comes_under_the_new_keys_and_says_the_same(
    proven: ProvenDatabase, both: Rings, folder: Path, raw: Any, collection: str
):
    id = DOCUMENTS[collection]["_id"]
    before = raw[collection].find_one({"_id": id})
    found = await seen(both, collection)
    assert (found.number, found.under, found.broken) == (1, Counter(UNDER_OLD), [])
    assert await both.renew(collection, found) == 1
    again = await seen(both, collection)
    assert (again.under, again.old) == (Counter(UNDER_NEW), [])
    alone = await seen(rings(proven, folder, AFTER), collection)
    assert (alone.under, alone.broken) == (Counter(UNDER_NEW), [])
    after = raw[collection].find_one({"_id": id})
    assert without_keys(after) == without_keys(before)
    assert "old." not in str(after)


def without_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_keys(each) for name, each in value.items() if name not in ("key", "data_key", PROOF)}
    return [without_keys(each) for each in value] if isinstance(value, list) else value


@each_document
async def test_what_was_changed_meanwhile_is_left_as_it_is(
    proven: ProvenDatabase, both: Rings, raw: Any, collection: str
):
    found, document = await seen(both, collection), DOCUMENTS[collection]
    changed = {**document, "version": 2, "said": "something else"}
    assert await proven.replace(collection, changed, version=1)
    assert await both.renew(collection, found) == 0
    assert without_keys(raw[collection].find_one({"_id": document["_id"]})) == without_keys(changed)
    assert await both.renew(collection, await seen(both, collection)) == 1


async def test_a_mark_that_is_made_meanwhile_is_kept(proven: ProvenDatabase, both: Rings, raw: Any):
    found = await seen(both, OUT)
    raw[OUT].update_one({"_id": "l"}, {"$set": {"state": "sent", "version": 2}})
    assert await both.renew(OUT, found) == 1
    after = raw[OUT].find_one({"_id": "l"})
    assert (after["state"], after["version"], after[PROOF].startswith("new.")) == ("sent", 2, True)


@pytest.mark.parametrize(
    ("collection", "change"),
    [
        (DRAFTS, {"version": 7}),
        (DRAFTS, {PROOF: "new.guessed"}),
        (DRAFTS, {PROOF: 5}),
        (CASES, {"key": wrapped(place_of(CASES, "another"))}),
        (CASES, {"key": 5}),
        (CASES, {"key": "old.short"}),
        (LOG, {"letters": [{"data_key": wrapped("l")}]}),
        (LOG, {"letters": [{"context": "m", "data_key": wrapped("l")}]}),
    ],
    ids=[
        "another version",
        "another proof",
        "no text for a proof",
        "the key of another case",
        "no text for a key",
        "a short key",
        "a letter without its context",
        "a letter with the key of another",
    ],
)
async def test_what_is_broken_is_told_and_stands_under_nothing(
    both: Rings, raw: Any, collection: str, change: dict[str, Any]
):
    id = DOCUMENTS[collection]["_id"]
    raw[collection].update_one({"_id": id}, {"$set": change})
    before = raw[collection].find_one({"_id": id})
    found = await seen(both, collection)
    assert (found.number, found.under, found.broken, found.old) == (1, Counter(), [id], [])
    assert await both.renew(collection, found) == 0
    assert raw[collection].find_one({"_id": id}) == before


async def test_a_wrapped_key_at_a_place_that_nobody_thought_of_still_counts(proven: ProvenDatabase, both: Rings):
    """So its key is not taken away, though nothing writes it anew."""
    await proven.insert(COUNTS, {"_id": "x", "version": 1, "odd": [{"deep": wrapped("x")}]})
    assert await both.renew(COUNTS, await seen(both, COUNTS)) == 1
    assert (await seen(both, COUNTS)).under == Counter({"fields:old": 1, "integrity:new": 1})


async def test_files_come_under_the_new_key_and_hold_the_same(proven: ProvenDatabase, both: Rings, folder: Path):
    await Blobs(folder, BEFORE.fields).put(ADDRESS, b"content")
    found = await seen(both, FILES)
    assert (found.number, found.under, found.old) == (1, Counter({"fields:old": 1}), [ADDRESS])
    assert await both.renew(FILES, found) == 1
    again = await seen(rings(proven, folder, AFTER), FILES)
    assert (again.under, again.broken, again.old) == (Counter({"fields:new": 1}), [], [])
    assert await Blobs(folder, AFTER.fields).get(ADDRESS) == b"content"
    assert [each.name for each in (folder / ADDRESS[:2]).iterdir()] == [ADDRESS]


async def test_a_file_that_is_broken_is_told_and_one_that_is_gone_is_not_missed(both: Rings, folder: Path):
    old = Blobs(folder, BEFORE.fields)
    for address in (ADDRESS, "abzzzzzz"):
        await old.put(address, b"content")
    (folder / "ab" / ADDRESS).write_bytes((folder / "ab" / "abzzzzzz").read_bytes())
    found = await seen(both, FILES)
    assert (found.under, found.broken, found.old) == (Counter({"fields:old": 1}), [ADDRESS], ["abzzzzzz"])
    await old.remove(["abzzzzzz"])
    assert await both.renew(FILES, found) == 0
    assert not await old.has("abzzzzzz")
