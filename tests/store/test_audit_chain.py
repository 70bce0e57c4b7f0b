"""The chain of the audit: each entry stands in one link, whatever crashes; and whatever was done to it is named."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pymongo
import pytest

from server.crypto.keyring import make_keys
from server.desk.background.chaining import AT_ONCE, chain
from server.desk.background.verifying import verify
from server.domain.chains import Link
from server.domain.errors import OutcomeUnknown, Unavailable
from server.node import Node
from server.store.audit_chain import AUDIT, CHAIN, HEADS
from server.store.mongo import MongoDatabase
from tests.store.auditing import id_of, later, node_on, note
from tests.world import JIANGSU

KEYS = make_keys(JIANGSU)
Raw = pymongo.database.Database[dict[str, Any]]


@pytest.fixture
def node(database: MongoDatabase, tmp_path: Path) -> Node:
    return node_on(database, KEYS, tmp_path)


@pytest.fixture
async def raw(database_sweeper: pymongo.MongoClient[dict[str, Any]], database_name: str, node: Node) -> Raw:
    """The database, as somebody without our keys writes to it; there are three links of two entries."""
    for pair in (("a", "b"), ("c", "d"), ("e", "f")):
        await note(node, *pair)
        await chain(node, "audit")
    return database_sweeper[database_name]


async def found(node: Node) -> list[tuple[str, str]]:
    """What is wrong, and where."""
    later(node)
    return [(each.trouble, each.place) for each in (await verify(node)).findings]


def link_id(number: int) -> str:
    return f"audit:{number:012d}"


def moved(raw: Raw, collection: str, id: str, *, to: str) -> None:
    """Put what stands under an id under another one, in the place of what is there."""
    document = raw[collection].find_one({"_id": id})
    assert document
    raw[collection].replace_one({"_id": to}, {**document, "_id": to}, upsert=True)


async def links(node: Node) -> list[Link]:
    found = [await node.store.audit.chain.link(number) for number in range(1, 200)]
    return [link for link in found if link]


async def test_what_was_written_is_chained_and_found_to_be_whole(node: Node, raw: Raw) -> None:
    later(node)
    whole = await verify(node)
    assert (whole.first, whole.links, whole.entries, whole.troubles) == (1, 3, 6, 0)
    assert [[each.id for each in link.entries] for link in await links(node)] == [
        [id_of(name) for name in pair] for pair in ("ab", "cd", "ef")
    ]


async def test_an_empty_audit_is_whole(node: Node) -> None:
    whole = await verify(node)
    assert (whole.first, whole.head.number, whole.entries, whole.troubles) == (1, 0, 0, 0)
    assert not await chain(node, "audit")


async def test_counting_once_more_alters_nothing(node: Node) -> None:
    about = {"code": "x"}
    for _ in range(3):
        await node.store.audit.count("many", "peer.refused", at=node.clock.now(), about=about)
        await chain(node, "audit")
    assert await found(node) == []
    assert len(await links(node)) == 1


async def test_what_was_removed_is_missing(node: Node, raw: Raw) -> None:
    raw[AUDIT].delete_one({"_id": id_of("c")})
    assert await found(node) == [("missing", id_of("c"))]


async def test_what_was_changed_is_altered(node: Node, raw: Raw) -> None:
    raw[AUDIT].update_one({"_id": id_of("c")}, {"$set": {"about": {"officer": "nobody"}}})
    raw[AUDIT].update_one({"_id": id_of("e")}, {"$set": {"officer_key": "bob|t"}})
    assert await found(node) == [("altered", id_of("c")), ("altered", id_of("e"))]


async def test_what_was_put_in_anothers_place_is_moved(node: Node, raw: Raw) -> None:
    moved(raw, AUDIT, id_of("a"), to=id_of("c"))
    assert await found(node) == [("moved", id_of("c"))]


async def test_a_copy_under_another_id_is_doubled(node: Node, raw: Raw) -> None:
    moved(raw, AUDIT, id_of("a"), to=id_of("z"))
    assert await found(node) == [("doubled", id_of("z"))]


async def test_what_was_there_before_it_was_chained_and_put_back_is_doubled(node: Node, raw: Raw) -> None:
    raw[AUDIT].update_one({"_id": id_of("a")}, {"$set": {"chain": "unchained|t2026-11-23T05:00:00.000Z|x"}})
    assert await chain(node, "audit") is False
    assert await found(node) == [("doubled", id_of("a"))]


async def test_what_somebody_else_wrote_is_told_and_chains_on(node: Node, raw: Raw) -> None:
    entry = raw[AUDIT].find_one({"_id": id_of("a")})
    assert entry
    place = entry["time_key"].partition("|")[0] + "|" + "0" * 16
    raw[AUDIT].insert_one({**entry, "_id": id_of("zz"), "time_key": place, "chain": "unchained|t2026|zz"})
    await note(node, "after")
    await chain(node, "audit")
    assert await found(node) == [("moved", id_of("zz"))]
    assert (await node.store.apart.find(f"stored:audit/{id_of('zz')}")) is not None


async def test_a_mark_that_hides_an_entry_from_the_chain_is_told(node: Node, raw: Raw) -> None:
    await note(node, "hidden", "too")
    raw[AUDIT].update_one({"_id": id_of("hidden")}, {"$set": {"chain": "chained|n000000000002"}})
    raw[AUDIT].update_one({"_id": id_of("too")}, {"$set": {"chain": "chained|n000000000999"}})
    await chain(node, "audit")
    assert await found(node) == [("unchained", id_of("hidden")), ("unchained", id_of("too"))]


async def test_what_waits_for_longer_than_a_minute_is_told(node: Node, raw: Raw) -> None:
    await note(node, "late")
    assert (await verify(node)).troubles == 0
    assert await found(node) == [("unchained", id_of("late"))]


async def test_a_link_that_was_removed_is_missing(node: Node, raw: Raw) -> None:
    raw[CHAIN].delete_one({"_id": link_id(2)})
    assert await found(node) == [("missing", "link 2")]


async def test_a_link_that_was_changed_is_altered(node: Node, raw: Raw) -> None:
    raw[CHAIN].update_one({"_id": link_id(2)}, {"$pop": {"entries": 1}})
    assert await found(node) == [("altered", "link 2")]


async def test_a_link_in_anothers_place_is_moved(node: Node, raw: Raw) -> None:
    moved(raw, CHAIN, link_id(3), to=link_id(2))
    assert await found(node) == [("moved", "link 2")]


async def test_a_tail_that_was_cut_is_told_by_the_head_in_the_file(node: Node, raw: Raw, tmp_path: Path) -> None:
    raw[CHAIN].delete_one({"_id": link_id(3)})
    raw[AUDIT].delete_many({"_id": {"$in": [id_of("e"), id_of("f")]}})
    (file,) = (tmp_path / HEADS).glob("*.json")
    assert await found(node) == [("cut", f"head of {file.name}")]
    # Going on does not hide it, however long the chain gets.
    for name in "ghi":
        await note(node, name)
        await chain(node, "audit")
    assert await found(node) == [("altered", f"head of {file.name}")]


async def test_all_that_was_wiped_out_is_told(node: Node, raw: Raw) -> None:
    raw[CHAIN].drop()
    raw[AUDIT].drop()
    assert [trouble for trouble, _ in await found(node)] == ["cut"]


async def test_the_chain_goes_on_after_a_last_link_that_was_altered(node: Node, raw: Raw) -> None:
    raw[CHAIN].update_one({"_id": link_id(3)}, {"$set": {"prev": "0" * 64}})
    await note(node, "on")
    await chain(node, "audit")
    assert await found(node) == [("altered", "link 3")]


async def test_findings_are_counted_beyond_those_that_are_told(
    node: Node, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.desk.background.verifying.MOST_FINDINGS", 2)
    raw[AUDIT].delete_many({"_id": {"$in": [id_of(name) for name in "acde"]}})
    report = await verify(node)
    assert (report.troubles, len(report.findings)) == (4, 2)


async def test_copies_that_fill_a_page_hide_nothing_behind_them(
    node: Node, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.desk.background.verifying.ENTRIES_AT_ONCE", 2)
    for number in range(4):
        moved(raw, AUDIT, id_of("b"), to=id_of(f"b{number}"))
    moved(raw, AUDIT, id_of("f"), to=id_of("g"))
    assert await found(node) == [("doubled", id_of("b0")), ("doubled", id_of("g"))]


async def test_a_link_takes_so_many_and_the_next_takes_the_rest(node: Node) -> None:
    at, about = node.clock.now(), {"officer": "ann"}
    for number in range(AT_ONCE["audit"] + 1):
        await node.store.audit.note(f"{number:03}", "case.read", at=at, about=about)
    assert await chain(node, "audit") is True
    assert await chain(node, "audit") is False
    assert [len(link.entries) for link in await links(node)] == [AT_ONCE["audit"], 1]
    assert await found(node) == []


class Crashing:
    """A database at which a process dies: before a write or after it, so that its outcome is unknown."""

    def __init__(self, database: MongoDatabase, chance: random.Random) -> None:
        self._database = database
        self._chance = chance

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._database, name)
        if name not in ("insert", "mark_many", "between"):
            return method

        async def call(*said: Any, **more: Any) -> Any:
            mishap = self._chance.random()
            if mishap < 0.15:
                raise Unavailable
            answer = await method(*said, **more)
            await asyncio.sleep(0)
            if mishap < 0.3:
                raise OutcomeUnknown
            return answer

        return call


@pytest.mark.parametrize("seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(3, 60))])
async def test_processes_that_die_and_race_chain_each_entry_once(
    database: MongoDatabase, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 # which calls fail
    writer = node_on(database, KEYS, tmp_path)

    async def work(process: int) -> None:
        for _ in range(15):
            one = node_on(Crashing(database, chance), KEYS, tmp_path, process=process)  # a new life: nothing is known
            try:
                while await chain(one, "audit"):
                    pass
            except Unavailable:
                continue

    async def write() -> None:
        for number in range(20):
            await note(writer, f"{number:02}")
            await asyncio.sleep(0)

    await asyncio.gather(write(), *(work(process) for process in range(3)))
    while await chain(writer, "audit"):
        pass
    ids = [each.id for link in await links(writer) for each in link.entries]
    assert sorted(ids) == sorted({*ids}) == [id_of(f"{number:02}") for number in range(20)]
    assert await found(writer) == []
