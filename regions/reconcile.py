"""Reconciling with a peer: both directions are compared, and the first batch that differs is found by its hash."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from pydantic import ValidationError

from regions.asking import SignedQuery, ask
from regions.case_comparing import CaseComparison, compare_cases, last_found
from regions.client import PeerFailure
from regions.heads import PATH, heads
from server.desk.apart import each_in_turn
from server.domain.effects.letters_in import KINDS
from server.domain.exchange.circuit_breaker import gone_back
from server.domain.exchange.directory import NodeEntry
from server.domain.exchange.log import BEGINNING, Outbound, Position
from server.domain.exchange.reconciliation import (
    Compared,
    Comparison,
    Difference,
    Direction,
    Heads,
    LogEntry,
    Reconciliation,
    between,
    differences,
    narrowed,
)
from server.node import Node

WAITING_LONG = timedelta(hours=1)
DAILY = timedelta(days=1)
OTHER: dict[Direction, Direction] = {"out": "in", "in": "out"}


async def daily(node: Node) -> bool:
    """Reconcile with each peer with which that was not done for a day, and keep what was found; never more to do."""
    now, peers = node.clock.now(), list(node.directory.peers_of(node.here))
    last = await node.store.peers.reconciled([peer.node for peer in peers])
    due = [peer for peer in peers if peer.node not in last or last[peer.node].at + DAILY <= now]
    await each_in_turn(due, partial(_reconcile_if_it_tells, node))
    return False


async def _reconcile_if_it_tells(node: Node, peer: NodeEntry) -> None:
    try:
        await reconcile(node, peer)
    except PeerFailure as failure:
        node.log.warning("peer.not_reconciled", peer=peer.node, reason=failure.reason)


async def reconcile(node: Node, peer: NodeEntry) -> Reconciliation:
    """Compare both directions with a peer and keep what was found; raises PeerFailure if the peer does not tell."""
    compared: list[Compared] = []
    unknown: set[str] = set()
    cases = await _compare_cases(node, peer)
    for way in OTHER:
        stream, last = 1, 1
        while stream <= last:
            comparison = await _comparison(node, peer, way, stream=stream)
            last = max(comparison.sender.last_stream, comparison.receiver.last_stream)
            compared.append(await _compare(node, peer, comparison, cases=cases[way].differences))
            unknown |= KINDS - set(comparison.theirs.kinds)
            stream += 1
    found = Reconciliation(
        peer=peer.node,
        at=node.clock.now(),
        compared=tuple(compared),
        unknown_kinds=tuple(sorted(unknown)),
        compared_to={way: each.compared_to for way, each in cases.items()},
    )
    await node.store.peers.keep_reconciled(peer.node, found)
    for each in found.differences:
        if not each.is_past:
            node.log.error("peer.differs", peer=peer.node, kind=each.kind, stream=each.stream, number=each.number)
    return found


async def _compare_cases(node: Node, peer: NodeEntry) -> dict[Direction, CaseComparison]:
    """Compare the letters that were not compared yet, or are not done with, with our cases."""
    before = await last_found(node, peer.node)
    to = before.compared_to if before else {}
    return {way: await compare_cases(node, peer.node, way, after=to.get(way, BEGINNING)) for way in OTHER}


async def _comparison(node: Node, peer: NodeEntry, way: Direction, *, stream: int) -> Comparison:
    """How both sides tell a stream: ours is read before and after the peer's, for batches go on meanwhile."""
    before = await heads(node, peer.node, way, stream=stream)
    theirs = await _ask(node, peer, way, stream=stream, numbers=[before.number] if before.number else [])
    after = await heads(node, peer.node, way, stream=stream)
    if way == "out":
        return Comparison(way=way, sender=after, receiver=theirs, receipted=before.acknowledged, held=theirs.number)
    return Comparison(way=way, sender=theirs, receiver=after, receipted=theirs.acknowledged, held=before.number)


async def _ask(node: Node, peer: NodeEntry, way: Direction, *, stream: int, numbers: Sequence[int]) -> Heads:
    """What the peer tells of its copy; raises PeerFailure."""
    query = {"way": OTHER[way], "stream": str(stream)}
    if numbers:
        query["at"] = ".".join(str(number) for number in numbers)
    told = await ask(node, peer, SignedQuery(PATH, query))
    try:
        answered = Heads.model_validate_json(told.body)
    except ValidationError as fault:
        raise PeerFailure("answer_unreadable") from fault
    if answered.stream != stream:
        raise PeerFailure("answer_unreadable")
    return answered


async def _compare(node: Node, peer: NodeEntry, comparison: Comparison, *, cases: Sequence[Difference]) -> Compared:
    ours, theirs = comparison.ours, comparison.theirs
    conflict, totals = 0, (0, 0)
    if number := comparison.common:
        mine = await _entry(node, peer, comparison, number=number)
        other = _at(theirs, number)
        if other is None:
            stream = comparison.sender.stream
            other = (await _ask(node, peer, comparison.way, stream=stream, numbers=[number])).miles.get(number)
        if mine is None or other is None:
            raise PeerFailure("answer_unreadable")
        if mine.hash != other.hash:
            conflict = await _first_different(node, peer, comparison)
        pair = (mine.total, other.total)
        totals = pair if comparison.way == "out" else (pair[1], pair[0])
    found = differences(comparison, conflict, totals)
    await _send_again(node, peer, comparison, found=found)
    late = await _late(node, peer, comparison)
    receiver = comparison.receiver
    return Compared(
        way=comparison.way,
        stream=comparison.sender.stream,
        ours=ours.number,
        theirs=theirs.number,
        settled=receiver.settled,
        **receiver.model_dump(include={"total", "waiting", "attention", "annulled"}),
        differences=(*found, *late, *(each for each in cases if each.stream == comparison.sender.stream)),
    )


def _at(told: Heads, number: int) -> LogEntry | None:
    """The entry of this number, if it was told."""
    return LogEntry(hash=told.hash, total=told.total) if told.number == number else told.miles.get(number)


async def _entry(node: Node, peer: NodeEntry, comparison: Comparison, *, number: int) -> LogEntry | None:
    """Our own entry of this number."""
    return (await _entries(node, peer, comparison, numbers=[number])).get(number)


async def _entries(
    node: Node, peer: NodeEntry, comparison: Comparison, *, numbers: Sequence[int]
) -> dict[int, LogEntry]:
    found = await node.store.log(comparison.way, peer.node).entries(numbers, stream=comparison.sender.stream)
    return {number: LogEntry(hash=entry.hash, total=entry.total) for number, entry in found.items()}


async def _first_different(node: Node, peer: NodeEntry, comparison: Comparison) -> int:
    """The first number under which the two have other entries; each request narrows the search to an eighth."""
    low, high = 0, comparison.common
    while tried := between(low, high):
        theirs = (await _ask(node, peer, comparison.way, stream=comparison.sender.stream, numbers=tried)).miles
        ours = await _entries(node, peer, comparison, numbers=tried)
        equal = [
            number
            for number in tried
            if number in ours and number in theirs and ours[number].hash == theirs[number].hash
        ]
        low, high = narrowed((low, high), tried, equal)
    return high


async def _send_again(node: Node, peer: NodeEntry, comparison: Comparison, *, found: Sequence[Difference]) -> None:
    """What the receiver of our letters has lost since it receipted it is sent again, without waiting for a letter."""
    if comparison.way == "out" and any(each.kind == "receiver_behind" for each in found):
        position = Position(comparison.sender.stream, comparison.receiver.number)

        def change(state: Outbound) -> Outbound:
            return gone_back(state, position) if not state.stopped and state.acknowledged > position else state

        await node.store.peers.change(peer.node, change)


async def _late(node: Node, peer: NodeEntry, comparison: Comparison) -> list[Difference]:
    """The letters that have waited long to be settled, by the age of their first batch."""
    number, stream = comparison.receiver.first_waiting, comparison.sender.stream
    entry = await node.store.log(comparison.way, peer.node).entry(Position(stream, number)) if number else None
    if entry is None or entry.batch.complete_to + WAITING_LONG > node.clock.now():
        return []
    words = (
        f"{comparison.receiver.waiting} letters wait to be settled, the first of them in batch {number},"
        f" since {entry.batch.complete_to:%Y-%m-%d %H:%M} UTC or before"
    )
    return [Difference(kind="waiting_long", way=comparison.way, stream=stream, number=number, words=words)]
