"""Which letters stand in a batch is what its root says: a log that says otherwise is named, and nothing comes of it."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from regions import outbox, settling
from regions.evidence import check_receipts
from server.domain.errors import NotAuthentic
from server.domain.exchange.log import Position
from server.node import Node
from tests.regions.exchanging import Sweeper, exchange, peer_of, send, settle, write
from tests.world import JIANGSU, ZHEJIANG

Document = dict[str, Any]
SECOND = Position(1, 2)


def entry_id(node: Node) -> str:
    """The second batch from Jiangsu, as this node has it."""
    direction, peer = ("out", ZHEJIANG) if node.here == JIANGSU else ("in", JIANGSU)
    return node.store.log(direction, peer).id_of(SECOND)


async def two_batches(*pair: Node) -> None:
    """The second one has three letters."""
    await write(pair[0], "alone")
    await exchange(*pair)
    for note in ("one", "two", "three"):
        await write(pair[0], note)
    await exchange(*pair)


async def rewrite(node: Node, **change: Any) -> None:
    """Put another entry in the place of the second, as only this node could."""
    id, database = entry_id(node), node.store.database
    entry = await database.get("log", id)
    assert entry is not None
    await database.delete("log", [id])
    await database.insert("log", entry | change)


async def faulty(node: Node) -> list[int]:
    receipts = await check_receipts(node)
    found = [log.faulty for log in receipts.logs if log.faulty is not None]
    assert receipts.verified == (not found)
    return found


CHANGES: dict[str, Callable[[list[Any]], list[Any]]] = {
    "missing": lambda said: said[:2],
    "more": lambda said: [*said, said[0]],
    "in another order": lambda said: said[::-1],
    "others": lambda said: [said[0]] * 3,
}


@pytest.mark.parametrize("at", [0, 1], ids=["out", "in"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_receipts_name_a_batch_whose_letters_are_not_those_of_its_root(
    pair: tuple[Node, Node], at: int, change: Callable[[list[Any]], list[Any]]
):
    await two_batches(*pair)
    node = pair[at]
    entry = await node.store.database.get("log", entry_id(node))
    assert entry is not None
    assert await faulty(node) == []
    await rewrite(node, letters=change(entry["letters"]), leaves=change(entry["leaves"]))
    assert await faulty(node) == [2]


@pytest.mark.parametrize("member", ["letters", "leaves"])
async def test_receipts_name_a_batch_that_has_more_letters_than_leaves_or_fewer(pair: tuple[Node, Node], member: str):
    await two_batches(*pair)
    entry = await pair[0].store.database.get("log", entry_id(pair[0]))
    assert entry is not None
    await rewrite(pair[0], **{member: entry[member][:2]})
    assert await faulty(pair[0]) == [2]


@pytest.mark.parametrize("at", [0, 1], ids=["out", "in"])
async def test_receipts_name_the_batch_that_somebody_wrote_to_and_prove_those_before_it(
    pair: tuple[Node, Node], at: int, database_sweeper: Sweeper
):
    await two_batches(*pair)
    node = pair[at]
    database_sweeper[node.settings.database]["log"].update_one({"_id": entry_id(node)}, {"$set": {"letters": []}})
    logs = (await check_receipts(node)).logs
    assert [(log.batches, log.faulty) for log in logs if log.faulty is not None] == [(1, 2)]


@pytest.mark.parametrize("at", [0, 1], ids=["out", "in"])
@pytest.mark.parametrize("gone", [(2,), (1,), (1, 2)], ids=["its end", "its beginning", "all of it"])
async def test_receipts_name_the_first_batch_that_was_removed_from_a_log(
    pair: tuple[Node, Node], at: int, gone: tuple[int, ...], database_sweeper: Sweeper
):
    await two_batches(*pair)
    node = pair[at]
    ids = [f"{entry_id(node).rpartition(':')[0]}:{number:012d}" for number in gone]
    database_sweeper[node.settings.database]["log"].delete_many({"_id": {"$in": ids}})
    assert await faulty(node) == [gone[0]]


async def test_receipts_name_a_whole_stream_that_was_removed(pair: tuple[Node, Node], database_sweeper: Sweeper):
    node, other = pair
    await two_batches(node, other)
    state = await node.store.peers.outbound(ZHEJIANG)
    head = await node.store.log("out", ZHEJIANG).head(2)
    await node.store.peers.take(ZHEJIANG, state, replace(state, stopped="log_conflict", theirs=head))
    await outbox.open_stream(node, ZHEJIANG, by="test")
    assert await faulty(node) == await faulty(other) == []
    await write(node, "in the second stream")
    await exchange(node, other)
    assert await faulty(node) == await faulty(other) == []
    for each, way in ((node, f"out|{ZHEJIANG}|2"), (other, f"in|{JIANGSU}|2")):
        database_sweeper[each.settings.database]["log"].delete_many({"_id": {"$regex": f"^{re.escape(way)}"}})
        assert await faulty(each) == [1]


async def test_the_courier_sends_no_batch_from_which_somebody_took_letters(
    pair: tuple[Node, Node], database_sweeper: Sweeper
):
    node, other = pair
    for note in ("one", "two"):
        await write(node, note)
    log = node.store.log("out", ZHEJIANG)
    assert await outbox._append(node, ZHEJIANG, await log.head(0), may_be_empty=False)
    raw, id = database_sweeper[node.settings.database]["log"], log.id_of(Position(1, 1))
    letters = raw.find_one({"_id": id})["letters"]  # type: ignore[index]
    raw.update_one({"_id": id}, {"$set": {"letters": letters[:1]}})
    with pytest.raises(NotAuthentic, match="log/"):
        await outbox.deliver(node, peer_of(node))
    assert not await other.store.log("in", JIANGSU).entries([1])
    raw.update_one({"_id": id}, {"$set": {"letters": letters}})
    await send(node)
    (entry,) = (await other.store.log("in", JIANGSU).entries([1])).values()
    assert [each["_id"] for each in entry.letters] == letters


async def test_nothing_is_settled_of_a_batch_from_which_somebody_took_letters(
    pair: tuple[Node, Node], database_sweeper: Sweeper
):
    node, other = pair
    for note in ("one", "two"):
        await write(node, note)
    await send(node)
    raw, id = database_sweeper[other.settings.database]["log"], f"in|{JIANGSU}|1:{1:012d}"
    raw.update_one({"_id": id}, {"$pop": {"letters": 1}})
    await settle(other)
    assert database_sweeper[other.settings.database]["letters_in"].count_documents({}) == 0
    inbound = await other.store.peers.inbound(JIANGSU)
    assert (inbound.spread, inbound.is_broken) == (Position(1, 1), 1)
    with pytest.raises(NotAuthentic):
        await settling.unpack_again(other, f"{JIANGSU}:1:1")
