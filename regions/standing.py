"""How the exchange with each peer stands: the breaker, what waits, how far both logs have come."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Literal

from regions.retrying import longest_wait
from server.desk.apart import each_in_turn
from server.domain.exchange.circuit_breaker import breaker, due_at
from server.domain.exchange.directory import NodeEntry
from server.domain.exchange.log import Inbound, Outbound, Position
from server.domain.exchange.reconciliation import Reconciliation
from server.domain.values import Moment, Value
from server.node import Node

MOST_COUNTED = 10_000
BREAKER = ("closed", "half_open", "open", "stopped")


class LogPosition(Value):
    """A position in a log."""

    stream: int
    number: int


class Standing(Value):
    """How the exchange with one peer stands; counts go up to ten thousand.

    Our way to it: `lag_seconds` is the age of the oldest letter without a receipt, `backlog` counts letters that wait
    to go (those of the batch under way may be among them), `reason` is the last error. `stopped` says why an operator
    must open a stream, and `theirs` is the head that the peer named then. Its way to us: `kept` is our copy's head,
    `spread` up to where its letters are spread, `conflict` is there if it contradicted itself. `differences` is None
    before the first reconciliation.
    """

    peer: str
    name: str
    breaker: Literal["closed", "half_open", "open", "stopped"]
    reason: str
    failures: int
    next_attempt_at: Moment | None
    succeeded_at: Moment | None
    failed_at: Moment | None
    skew_seconds: int
    lag_seconds: int
    backlog: int
    unacknowledged: int
    dead: int
    head: LogPosition
    acknowledged: LogPosition
    stopped: str
    theirs: LogPosition | None
    kept: LogPosition
    spread: LogPosition
    kept_at: Moment | None
    conflict: str
    attention: int
    reconciled_at: Moment | None
    differences: int | None


async def standings(node: Node, *, only: str = "") -> Sequence[Standing]:
    """How the exchange stands with each peer of the directory, or with one only."""
    peers = [peer for peer in node.directory.peers_of(node.here) if only in ("", peer.node)]
    codes = [peer.node for peer in peers]
    states, reconciled = await node.store.peers.states(codes), await node.store.peers.reconciled(codes)
    return [await _standing(node, peer, states[peer.node], last=reconciled.get(peer.node)) for peer in peers]


async def measure(node: Node) -> bool:
    """Set the gauges of each peer: a few reads for a peer, of keys and heads; never more to do."""
    await each_in_turn(node.directory.peers_of(node.here), partial(_measure_peer, node))
    return False


async def _measure_peer(node: Node, peer: NodeEntry) -> None:
    for each in await standings(node, only=peer.node):
        metrics, at = node.metrics, each.succeeded_at
        metrics.peer_backlog.labels(each.peer).set(each.backlog)
        metrics.peer_unacknowledged_batches.labels(each.peer).set(each.unacknowledged)
        metrics.peer_lag_seconds.labels(each.peer).set(each.lag_seconds)
        metrics.peer_breaker.labels(each.peer).set(BREAKER.index(each.breaker))
        metrics.peer_failures_in_row.labels(each.peer).set(each.failures)
        metrics.peer_success_timestamp_seconds.labels(each.peer).set(at.timestamp() if at else 0)
        metrics.peer_clock_skew_seconds.labels(each.peer).set(each.skew_seconds)
        metrics.letters_attention.labels(each.peer).set(each.attention)
        metrics.letters_dead.labels(each.peer).set(each.dead)
        metrics.peer_differences.labels(each.peer).set(each.differences or 0)


async def _standing(
    node: Node, peer: NodeEntry, ways: tuple[Outbound, Inbound], *, last: Reconciliation | None
) -> Standing:
    (out, into), now, longest = ways, node.clock.now(), longest_wait(node)
    head = (await node.store.log("out", peer.node).head(out.head, stream=out.stream, genesis=out.genesis)).position
    oldest = await _oldest(node, peer.node, out)
    found = [each for each in last.differences if not each.is_past] if last else []
    return Standing(
        peer=peer.node,
        name=peer.name,
        breaker=breaker(out, now, longest=longest),
        reason=out.reason,
        failures=out.failures,
        next_attempt_at=due_at(out, now, longest=longest),
        succeeded_at=out.succeeded_at,
        failed_at=out.failed_at,
        skew_seconds=out.skew_seconds,
        lag_seconds=max(int((now - oldest).total_seconds()), 0) if oldest else 0,
        backlog=await node.store.letters_out.backlog(peer.node, most=MOST_COUNTED),
        unacknowledged=_unacknowledged(head, out.acknowledged),
        dead=await node.store.letters_out.count_dead(peer.node, most=MOST_COUNTED),
        head=_place(head),
        acknowledged=_place(out.acknowledged),
        stopped=out.stopped,
        theirs=_place(out.theirs.position) if out.theirs else None,
        kept=_place(into.head_position),
        spread=_place(into.spread),
        kept_at=into.kept_at,
        conflict=into.conflict,
        attention=len(await node.store.letters_in.positions("attention", peer.node, most=MOST_COUNTED)),
        reconciled_at=last.at if last else None,
        differences=len(found) if last else None,
    )


async def _oldest(node: Node, peer: str, out: Outbound) -> datetime | None:
    """When the oldest letter without a receipt was written: in the first batch without one, or in none yet."""
    entry = await node.store.log("out", peer).after(out.acknowledged)
    while entry and not entry.letters:
        entry = await node.store.log("out", peer).after(entry.position)
    if entry:
        label = await node.store.letters_out.label(entry.letters[0])
        return label.at if label else None
    return await node.store.letters_out.oldest_unlogged(peer)


def _unacknowledged(head: Position, acknowledged: Position) -> int:
    return max(head.number - (acknowledged.number if acknowledged.stream == head.stream else 0), 0)


def _place(position: Position) -> LogPosition:
    return LogPosition(stream=position.stream, number=position.number)
