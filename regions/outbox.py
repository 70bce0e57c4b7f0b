"""The courier of one destination: gathers letters into the log, one batch in flight, tried until it is receipted.

The four steps stand in the order that makes it impossible for a letter to be in two batches, whatever crashes and
however many couriers there are: find the head; mark its letters as logged; append a new batch only if the head is
acknowledged; send the first that is not. An unknown outcome of any step ends the cycle, and the next one begins anew.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from regions import wire
from regions.client import PeerFailure, hand_over
from server.domain.directory import NodeEntry
from server.domain.exchange import Entry, Head, Outbound
from server.domain.letters import MOST_BYTES, MOST_LETTERS, Batch, Letter
from server.node import Node

BEHIND = timedelta(minutes=5)
A_MOMENT = timedelta(milliseconds=1)
VOUCH_EVERY = timedelta(minutes=10)
MOST_DOUBLINGS = 20


async def deliver(node: Node, peer: NodeEntry) -> bool:
    """One cycle of the courier; True if it got a batch through, so that there may be more."""
    state = await node.store.peers.outbound(peer.node)
    if state.next_attempt_at and node.clock.now() < state.next_attempt_at:
        return False
    log = node.store.log("out", peer.node)
    head = await log.head(state.head)
    is_idle = head.number <= state.acknowledged
    is_owed = is_idle and await _is_owed(node, peer.node, head)
    if is_idle and not is_owed and not await node.store.letters.to_log(peer.node, limit=1):
        return False
    if head.number:
        of_head = (await log.entries([head.number]))[head.number]
        await node.store.letters.mark_logged(peer.node, of_head.letters, head.number)
    if is_idle and not await _append(node, peer.node, head, may_be_empty=is_owed):
        return False
    entry = (await log.entries([state.acknowledged + 1])).get(state.acknowledged + 1)
    return entry is not None and await _send(node, peer, entry, state=replace(state, head=max(head.number, state.head)))


async def _is_owed(node: Node, peer: str, head: Head) -> bool:
    """Whether a batch is due even without letters: a deadline is open there, and our last word is ten minutes old."""
    if not await node.store.peers.is_owed(peer, node.clock.now()):
        return False
    last = (await node.store.log("out", peer).entries([head.number])).get(head.number)
    return last is None or last.batch.complete_to + VOUCH_EVERY <= await _complete_to(node)


async def _append(node: Node, peer: str, head: Head, *, may_be_empty: bool) -> bool:
    """Append one batch of the letters that stand in none; False if there are none and it may not be empty.

    If somebody else was first the entry is theirs, and is read back and sent all the same.
    """
    complete_to = await _complete_to(node)
    waiting = await node.store.letters.to_log(peer, limit=MOST_LETTERS + 1)
    chosen = _fitting(waiting)
    node.metrics.peer_backlog.labels(peer).set(len(waiting))
    if not chosen and not may_be_empty:
        return False
    if len(chosen) < len(waiting):
        complete_to = min(complete_to, waiting[len(chosen)].at - A_MOMENT)
    batch = Batch(
        sender=node.here,
        to=peer,
        stream=head.stream,
        number=head.number + 1,
        prev=head.hash,
        complete_to=complete_to,
        root=wire.root_of(chosen).hex(),
    )
    await node.store.log("out", peer).append_ours(batch, [letter.id for letter in chosen])
    return True


async def _complete_to(node: Node) -> datetime:
    """The moment up to which no letter of ours can still come: fixed before the letters are read."""
    behind = node.clock.now() - BEHIND
    oldest = await node.store.cases.oldest_relay()
    return min(behind, oldest - A_MOMENT) if oldest else behind


def _fitting(letters: Sequence[Letter]) -> Sequence[Letter]:
    """The first letters that fit into one batch; always at least one."""
    size = 0
    for place, letter in enumerate(letters[:MOST_LETTERS]):
        size += len(letter.text().encode())
        if size > MOST_BYTES and place:
            return letters[:place]
    return letters[:MOST_LETTERS]


async def _send(node: Node, peer: NodeEntry, entry: Entry, *, state: Outbound) -> bool:
    letters = await node.store.letters.sent(entry.letters)
    try:
        delivered = await hand_over(node, peer, entry.batch, letters=letters)
        acknowledged = await _acknowledged(node, peer.node, entry, head=delivered.head)
    except PeerFailure as failure:
        await node.store.peers.keep_outbound(peer.node, await _after_failure(node, peer.node, state, failure=failure))
        return False
    await node.store.log("out", peer.node).mark_receipted(entry.batch.number, delivered.evidence)
    state = replace(state, acknowledged=acknowledged, failures=0, next_attempt_at=None, reason="")
    await node.store.peers.keep_outbound(peer.node, state)
    node.metrics.letters_sent.labels(peer.node).inc(len(letters))
    node.log.info("batch.delivered", peer=peer.node, number=entry.batch.number, letters=len(letters))
    return True


async def _acknowledged(node: Node, peer: str, entry: Entry, *, head: Head) -> int:
    """The number that the peer's head acknowledges, if that head is ours too; raises PeerFailure."""
    number = entry.batch.number
    kept = (await node.store.log("out", peer).entries([head.number])).get(head.number)
    if head.number < number:
        raise PeerFailure("head_behind_receipt")
    if kept is None:
        raise PeerFailure("sender_behind")
    if kept.hash != head.hash:
        raise PeerFailure("log_conflict")
    return head.number


async def _after_failure(node: Node, peer: str, state: Outbound, *, failure: PeerFailure) -> Outbound:
    """Back off, and if the peer's signed head lies behind what it acknowledged, go on from there."""
    settings = node.settings
    most = min(settings.retry_first_seconds * 2 ** min(state.failures, MOST_DOUBLINGS), settings.retry_most_seconds)
    fraction = int.from_bytes(node.chance.token(4), "big") / 2**32
    wait = max(most * fraction, failure.retry_after_seconds)
    node.metrics.peer_failures.labels(peer, failure.reason).inc()
    node.log.warning("peer.failed", peer=peer, reason=failure.reason, failures=state.failures + 1)
    acknowledged = state.acknowledged
    if failure.reason == "log_gap" and failure.head and failure.head.number < acknowledged:
        acknowledged = failure.head.number
    return replace(
        state,
        acknowledged=acknowledged,
        failures=state.failures + 1,
        next_attempt_at=node.clock.now() + timedelta(seconds=wait),
        reason=failure.reason,
    )
