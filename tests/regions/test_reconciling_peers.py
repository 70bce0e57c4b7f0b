"""Reconciling: a clean pair is clean, and each difference made by hand is named with the number where it begins."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from regions import outbox, reconcile, standing
from regions.asking import PeerRefused, SignedQuery, ask
from regions.client import PeerFailure
from regions.heads import PATH, heads
from server.domain.exchange.log import Position
from server.domain.exchange.reconciliation import Difference, Reconciliation
from server.domain.exchange.wire import WireAnswer, WireRequest
from server.node import Node
from server.tools.wire import Wire
from tests.nodes import Places
from tests.regions.exchanging import (
    OlderPeer,
    Sweeper,
    backup,
    entries_of,
    exchange,
    peer_of,
    restore,
    send,
    send_one_by_one,
    settle,
    with_wire,
    write,
)
from tests.world import GUANGDONG, JIANGSU, ZHEJIANG, about_step

ABSENT: dict[str, Any] = {"kind": "step.received", "about": about_step(f"{ZHEJIANG}/none", step="step"), "body": {}}
UNKNOWN: dict[str, Any] = {"kind": "step.unheard", "about": about_step(f"{ZHEJIANG}/none", step="step"), "body": {}}


@dataclass
class CountingWire:
    """The real wire; counts what is asked."""

    wire: Wire
    asked: list[str] = field(default_factory=list)

    async def send(self, request: WireRequest) -> WireAnswer:
        self.asked.append(request.url)
        return await self.wire.send(request)


@dataclass
class BusyWire:
    """The real wire, while both nodes go on writing before and after each question."""

    wire: Wire
    pair: tuple[Node, Node]
    letters: int = 0

    async def send(self, request: WireRequest) -> WireAnswer:
        await self._go_on()
        answer = await self.wire.send(request)
        await self._go_on()
        return answer

    async def _go_on(self) -> None:
        self.letters += 1
        for node in self.pair:
            await send_one_by_one(node, 1, note=f"busy{self.letters}-")


async def reconciled(node: Node) -> Reconciliation:
    return await reconcile.reconcile(node, peer_of(node))


async def logs_differ(node: Node) -> list[Difference]:
    """What differs between the two logs; the letters of these tests are of no case."""
    return [each for each in (await reconciled(node)).differences if not each.kind.startswith("case_differs")]


async def named(node: Node) -> list[tuple[str, str, int, int]]:
    """What differs: kind, way, stream and first batch."""
    return [(each.kind, each.way, each.stream, each.number) for each in await logs_differ(node)]


async def differing(node: Node) -> Difference:
    """The one difference there is."""
    (found,) = await logs_differ(node)
    return found


async def test_two_nodes_that_never_wrote_are_clean(pair: tuple[Node, Node]):
    assert (await reconciled(pair[0])).is_clean


async def test_a_clean_pair_is_clean_on_both_sides_and_counted(pair: tuple[Node, Node]):
    await send_one_by_one(pair[0], 3)
    await send_one_by_one(pair[1], 2)
    await exchange(*pair)
    wire = CountingWire(pair[0].wire)
    found = await reconciled(replace(pair[0], wire=wire))
    assert found.is_clean
    assert [(each.way, each.ours, each.theirs, each.total, each.settled) for each in found.compared] == [
        ("out", 3, 3, 3, 3),
        ("in", 2, 2, 2, 2),
    ]
    assert len(wire.asked) == 2
    assert (await reconciled(pair[1])).is_clean


async def test_what_is_under_way_is_no_difference(pair: tuple[Node, Node]):
    await send_one_by_one(pair[0], 1)
    await write(pair[0], "waits")
    nowhere = peer_of(pair[0]).model_copy(update={"origin": "http://127.0.0.1:9"})
    assert not await outbox.deliver(pair[0], nowhere)
    assert len(await entries_of(pair[0])) == 2
    assert (await reconciled(pair[0])).is_clean
    assert (await reconciled(pair[1])).is_clean


async def test_a_pair_that_goes_on_writing_meanwhile_is_clean(pair: tuple[Node, Node]):
    busy = BusyWire(pair[0].wire, pair)
    found = await reconciled(replace(pair[0], wire=busy))
    assert (found.is_clean, found.differences) == (True, ())
    assert busy.letters == 4


async def test_a_receiver_that_lost_batches_is_named_and_sent_again(pair: tuple[Node, Node], database_sweeper: Sweeper):
    await send_one_by_one(pair[0], 2)
    await settle(pair[1])
    memory = backup(database_sweeper, pair[1])
    await send_one_by_one(pair[0], 3, note="lost")
    await restore(database_sweeper, pair[1], memory)
    assert await named(pair[1]) == [("receiver_behind", "in", 1, 3)]
    assert await named(pair[0]) == [("receiver_behind", "out", 1, 3)]
    await exchange(*pair)
    assert await named(pair[0]) == []
    assert len(await entries_of(pair[1], "in")) == 5


async def test_a_sender_that_lost_batches_is_named_with_the_letters_it_no_longer_knows(
    pair: tuple[Node, Node], database_sweeper: Sweeper
):
    await send_one_by_one(pair[0], 2)
    memory = backup(database_sweeper, pair[0])
    await send_one_by_one(pair[0], 3, note="lost")
    await restore(database_sweeper, pair[0], memory)
    found = await differing(pair[0])
    assert (found.kind, found.way, found.number) == ("sender_behind", "out", 3)
    assert "batches 3 to 5" in found.words
    assert "3 letters" in found.words
    assert await named(pair[1]) == [("sender_behind", "in", 1, 3)]


async def test_after_a_stream_was_opened_only_the_past_differs(pair: tuple[Node, Node], database_sweeper: Sweeper):
    await send_one_by_one(pair[0], 2)
    memory = backup(database_sweeper, pair[0])
    await send_one_by_one(pair[0], 2, note="lost")
    await restore(database_sweeper, pair[0], memory)
    await write(pair[0], "new")
    await send(pair[0])
    assert await named(pair[0]) == [("conflict", "out", 1, 3)]
    await outbox.open_stream(pair[0], ZHEJIANG, by="test")
    await exchange(*pair)
    for node in pair:
        found = await reconciled(node)
        assert [(each.kind, each.number, each.is_past) for each in found.differences] == [("conflict", 3, True)]
        assert found.is_clean


async def rewrite(node: Node, number: int, **change: Any) -> None:
    """Put another entry in the place of one that came from Jiangsu, as only this node could."""
    id, database = f"in|{JIANGSU}|1:{number:012d}", node.store.database
    entry = await database.get("log", id)
    assert entry is not None
    await database.delete("log", [id])
    await database.insert("log", entry | change)


@pytest.mark.parametrize("at", [1, pytest.param(17, marks=pytest.mark.soak), 38])
async def test_a_replaced_entry_is_found_by_its_hash_in_few_questions(pair: tuple[Node, Node], at: int):
    """From there on the two have other histories, as if one had rewritten its own."""
    await send_one_by_one(pair[0], 40)
    await settle(pair[1])
    for number in range(at, 41):
        await rewrite(pair[1], number, hash=f"{number:064x}")
    wire = CountingWire(pair[0].wire)
    assert await named(replace(pair[0], wire=wire)) == [("conflict", "out", 1, at)]
    assert len(wire.asked) <= 2 + 2  # two heads, and 40 numbers by eighths
    assert await named(pair[1]) == [("conflict", "in", 1, at)]


async def test_totals_that_disagree_are_named(pair: tuple[Node, Node]):
    await send_one_by_one(pair[0], 2)
    await settle(pair[1])
    await rewrite(pair[1], 2, total=5)
    assert await named(pair[0]) == [("totals", "out", 1, 2)]
    assert await named(pair[1]) == [("totals", "in", 1, 2)]


async def test_letters_that_were_refused_are_named_until_they_are_annulled(pair: tuple[Node, Node]):
    letter = await write(pair[0], **ABSENT)
    await exchange(*pair)
    found = await differing(pair[0])
    assert (found.kind, "1 letters were refused by the other node" in found.words) == ("refused", True)
    assert await named(pair[1]) == [("refused", "in", 1, 0)]
    (kept,) = await pair[1].store.letters_in.in_attention(limit=2)
    await pair[1].store.letters_in.mark_annulled(kept)
    assert await named(pair[0]) == []
    assert (await reconciled(pair[0])).compared[0].annulled == 1
    assert kept.letter.id == letter.id


async def test_letters_that_wait_long_are_named(pair: tuple[Node, Node]):
    await write(pair[0], **UNKNOWN)
    await exchange(*pair)
    assert await named(pair[0]) == []
    assert (await reconciled(pair[0])).compared[0].waiting == 1
    pair[0].clock.wait(hours=1)
    assert await named(pair[0]) == [("waiting_long", "out", 1, 1)]
    assert await named(pair[1]) == [("waiting_long", "in", 1, 1)]


async def test_what_is_not_spread_yet_counts_as_waiting(pair: tuple[Node, Node]):
    await send_one_by_one(pair[0], 2)
    await settle(pair[1])
    await send_one_by_one(pair[0], 3, note="more")
    told = await heads(pair[1], JIANGSU, "in")
    assert (told.total, told.settled, told.waiting, told.first_waiting) == (5, 2, 3, 3)


async def test_the_result_is_kept_for_a_day(pair: tuple[Node, Node]):
    node, wire = pair[0], CountingWire(pair[0].wire)
    node = replace(node, wire=wire)
    for _ in range(2):
        await reconcile.daily(node)
    assert len(wire.asked) == 2
    (one,) = await standing.standings(node)
    assert (one.differences, one.reconciled_at) == (0, node.clock.now())
    node.clock.wait(hours=24)
    await reconcile.daily(node)
    assert len(wire.asked) == 4


async def test_the_kinds_that_a_peer_does_not_know_yet_are_named_and_are_no_difference(pair: tuple[Node, Node]):
    assert (await reconciled(pair[0])).unknown_kinds == ()
    older = OlderPeer(pair[0].wire, pair[1], lacks=("step.urged",))
    found = await reconciled(with_wire(pair[0], older))
    assert (found.unknown_kinds, found.is_clean) == (("step.urged",), True)


async def test_a_peer_that_does_not_tell_is_a_failure_and_asked_again(pair: tuple[Node, Node]):
    node = pair[0]
    nowhere = peer_of(node).model_copy(update={"origin": "http://127.0.0.1:9"})
    with pytest.raises(PeerFailure, match="unreachable"):
        await reconcile.reconcile(node, nowhere)
    assert await node.store.peers.reconciled([ZHEJIANG]) == {}


async def test_a_stranger_is_told_nothing(places: Places):
    for query in ("way=in", "way=out&at=1"):
        answer = await places.caller(ZHEJIANG).get(f"/peer/v1/heads?{query}")
        assert (answer.status, answer.body["code"]) == (401, "not_signed")


@pytest.mark.parametrize(
    "query", [{}, {"way": "sideways"}, {"way": "in", "at": "1-2"}, {"way": "in", "at": ".".join("1" * 17)}], ids=str
)
async def test_a_question_that_makes_no_sense_is_refused_with_a_signature(
    pair: tuple[Node, Node], query: dict[str, str]
):
    with pytest.raises(PeerRefused, match="body_faulty"):
        await ask(pair[0], peer_of(pair[0]), SignedQuery(PATH, query))


async def test_a_node_is_told_of_its_own_logs_and_no_others(places: Places, pair: tuple[Node, Node]):
    """The answer is chosen by the proven sender; nothing in the question names another node."""
    await send_one_by_one(pair[0], 2)
    assert (await heads(pair[1], JIANGSU, "in")).number == 2
    assert (await heads(pair[1], GUANGDONG, "in")).number == 0
    found = (await reconciled(pair[0])).compared[0]
    assert (found.ours, found.theirs) == (2, 2)


async def test_positions_of_another_stream_are_not_mixed_in(pair: tuple[Node, Node]):
    await send_one_by_one(pair[0], 2)
    await pair[1].store.peers.keep_inbound(JIANGSU, spread=Position(2, 0))
    assert (await heads(pair[1], JIANGSU, "in", stream=1)).waiting == 0
    assert (await heads(pair[1], JIANGSU, "in", stream=2)).number == 0
