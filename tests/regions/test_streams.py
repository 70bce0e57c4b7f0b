"""After a backup was put back: a receiver is sent again from its head; a sender stops until a stream is opened."""

from dataclasses import replace

import pytest

from regions import outbox, settling, watch
from regions.evidence import check_receipts
from regions.outbox import StreamNotStopped
from server.domain.exchange.letters import Letter
from server.domain.exchange.log import Position
from server.node import Node
from server.store.database import Mark
from tests.nodes import Places
from tests.regions.exchanging import (
    Sweeper,
    backup,
    entries_of,
    exchange,
    forget_pause,
    kept,
    node_of,
    peer_of,
    restore,
    send,
    send_one_by_one,
    sent,
    settle,
    write,
)
from tests.world import JIANGSU, ZHEJIANG


async def test_a_receiver_restored_from_a_backup_is_sent_again_from_its_head(places: Places, database_sweeper: Sweeper):
    node, other = node_of(places), node_of(places, ZHEJIANG)
    first = await send_one_by_one(node, 2)
    await settle(other)
    memory = backup(database_sweeper, other)
    lost = await send_one_by_one(node, 3, note="lost")
    await settle(other)
    await restore(database_sweeper, other, memory)
    last = await send_one_by_one(node, 1, note="last")
    for _ in range(3):
        await forget_pause(node)
        await send(node)
    await settle(other)
    assert [each.hash for each in await entries_of(node)] == [each.hash for each in await entries_of(other, "in")]
    assert [(await kept(other, letter)).state for letter in first + lost + last] == ["settled"] * 6
    state = await node.store.peers.outbound(ZHEJIANG)
    assert (state.acknowledged, state.failures, state.stopped) == (Position(1, 6), 0, "")


async def restored_sender(places: Places, sweeper: Sweeper, *, behind: int) -> tuple[list[Letter], list[Letter]]:
    """Jiangsu has forgotten its last batches; what it remembers, and what it has lost."""
    node = node_of(places)
    known = await send_one_by_one(node, 2, note="known")
    memory = backup(sweeper, node)
    lost = await send_one_by_one(node, behind, note="lost")
    await restore(sweeper, node, memory)
    return known, lost


@pytest.mark.parametrize("behind", [1, 3])
async def test_a_sender_restored_from_a_backup_stops_and_sends_nothing(
    places: Places, database_sweeper: Sweeper, behind: int
):
    node, other = node_of(places), node_of(places, ZHEJIANG)
    await restored_sender(places, database_sweeper, behind=behind)
    letter = await write(node, "new")
    await send(node)
    state = await node.store.peers.outbound(ZHEJIANG)
    assert state.stopped == "log_conflict"
    assert state.theirs is not None
    assert state.theirs.position == Position(1, 2 + behind)
    for _ in range(3):
        await forget_pause(node)
        assert not await outbox.deliver(node, peer_of(node))
    assert ZHEJIANG not in (await watch.look(node)).couriers
    assert len(await entries_of(other, "in")) == 2 + behind
    assert not await other.store.letters_in.kept([letter.unique_id])
    conflict = (await other.store.peers.inbound(JIANGSU)).conflict
    assert conflict == "log_conflict"


async def test_a_sender_whose_last_batch_was_receipted_in_what_it_lost_is_behind(
    places: Places, database_sweeper: Sweeper
):
    """The backup was made between a batch and its receipt, so that the batch is sent again and receipted too far on."""
    node = node_of(places)
    await send_one_by_one(node, 1)
    await write(node, "under way")
    nowhere = peer_of(node).model_copy(update={"origin": "http://127.0.0.1:9"})
    await outbox.deliver(node, nowhere)
    memory = backup(database_sweeper, node)
    await forget_pause(node)
    await send_one_by_one(node, 2, note="lost")
    await restore(database_sweeper, node, memory)
    await forget_pause(node)
    await send(node)
    state = await node.store.peers.outbound(ZHEJIANG)
    assert (state.stopped, state.acknowledged) == ("sender_behind", Position(1, 1))
    assert (await outbox.open_stream(node, ZHEJIANG, by="test")).stream == 2


async def test_in_the_next_stream_letters_arrive_once_and_are_settled(places: Places, database_sweeper: Sweeper):
    node, other = node_of(places), node_of(places, ZHEJIANG)
    known, lost = await restored_sender(places, database_sweeper, behind=2)
    new = [await write(node, "new-1")]
    await send(node)
    opened = await outbox.open_stream(node, ZHEJIANG, by="test")
    theirs = (await entries_of(other, "in"))[-1].hash
    assert (opened.stream, opened.genesis) == (2, theirs)
    new.append(await write(node, "new-2"))
    await exchange(node, other)
    ours, there = await entries_of(node, stream=2), await entries_of(other, "in", stream=2)
    assert [each.hash for each in ours] == [each.hash for each in there]
    assert (ours[0].batch.number, ours[0].batch.prev) == (1, theirs)
    sent_in = [id for entry in ours for id in entry.letters]
    assert sorted(sent_in) == sorted(letter.id for letter in new)
    assert [(await kept(other, letter)).state for letter in known + lost + new] == ["settled"] * 6
    assert (await other.store.peers.inbound(JIANGSU)).spread == Position(2, len(ours))
    more = await send_one_by_one(node, 2, note="more")
    await settle(other)
    assert [(await kept(other, letter)).state for letter in more] == ["settled"] * 2
    assert (await entries_of(other, "in", stream=2))[-1].total == (await entries_of(node, stream=2))[-1].total == 4
    ours, theirs = [await check_receipts(each) for each in (node, other)]
    assert (ours.verified, theirs.verified) == (True, True)
    (out, into) = ours.logs[0], theirs.logs[1]
    assert (out.stream, out.head, into.stream) == (2, into.head, 2)


async def test_a_batch_without_a_receipt_proves_nothing_unless_a_later_stream_took_its_place(places: Places):
    node = node_of(places)
    await send_one_by_one(node, 2)
    await node.store.database.mark("log", Mark(f"out|{ZHEJIANG}|1:{2:012d}", {"answer_key": ""}))
    (out, into) = (await check_receipts(node)).logs
    assert (out.stream, out.batches, out.faulty, into.faulty) == (1, 1, 2, None)


async def test_all_that_was_never_receipted_goes_into_the_next_stream(places: Places):
    """Both nodes were restored: several batches of ours stand behind the head that the peer has now."""
    node = node_of(places)
    letters = await send_one_by_one(node, 4)
    state = await node.store.peers.outbound(ZHEJIANG)
    other = await node_of(places, ZHEJIANG).store.log("in", JIANGSU).head(4)
    behind = replace(state, acknowledged=Position(1, 1), stopped="log_conflict", theirs=other)
    await node.store.peers.take(ZHEJIANG, state, behind)
    await outbox.open_stream(node, ZHEJIANG, by="test")
    waiting = {each.id for each in await node.store.letters_out.to_log(ZHEJIANG, limit=10)}
    assert waiting == {letter.id for letter in letters[1:]}


async def test_a_courier_of_the_stream_before_marks_nothing_of_the_next(places: Places, database_sweeper: Sweeper):
    node = node_of(places)
    await restored_sender(places, database_sweeper, behind=1)
    letter = await write(node, "new")
    await send(node)
    await outbox.open_stream(node, ZHEJIANG, by="test")
    await node.store.letters_out.mark_logged(ZHEJIANG, [letter.id], Position(1, 3))
    assert (await sent(node, letter)).state == "unlogged"
    await send(node)
    assert (await sent(node, letter)).position == Position(2, 1)


async def test_a_way_that_is_not_stopped_gets_no_stream(places: Places):
    node = node_of(places)
    await send_one_by_one(node, 1)
    with pytest.raises(StreamNotStopped):
        await outbox.open_stream(node, ZHEJIANG, by="test")
    assert (await node.store.peers.outbound(ZHEJIANG)).stream == 1


async def test_a_stream_is_opened_once_and_audited(places: Places, database_sweeper: Sweeper):
    node = node_of(places)
    await restored_sender(places, database_sweeper, behind=1)
    await write(node, "new")
    await send(node)
    stopped = await node.store.peers.outbound(ZHEJIANG)
    await outbox.open_stream(node, ZHEJIANG, by="somebody")
    with pytest.raises(StreamNotStopped):
        await outbox.open_stream(node, ZHEJIANG, by="somebody")
    assert outbox.opened_of(await node.store.peers.outbound(ZHEJIANG), stopped).stream == 2
    entry = await node.store.database.get("audit", f"audit:stream:{ZHEJIANG}:2")
    assert entry is not None
    assert (entry["kind"], entry["about"]["by"], entry["about"]["because"]) == (
        "peer.stream_opened",
        "somebody",
        "log_conflict",
    )


async def test_a_wrong_hint_at_a_stream_that_is_not_there_misleads_nobody(places: Places):
    node = node_of(places, ZHEJIANG)
    await send_one_by_one(node_of(places), 3)
    assert (await node.store.log("in", JIANGSU).last_head(Position(4, 9))).position == Position(1, 3)


async def test_spreading_waits_for_what_is_not_there(places: Places):
    node: Node = node_of(places, ZHEJIANG)
    assert not await settling.unpack(node, JIANGSU)
    assert (await node.store.peers.inbound(JIANGSU)).spread == Position(1, 0)
