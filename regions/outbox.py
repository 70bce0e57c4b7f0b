"""The courier of one destination: gathers letters into the log, one batch in flight, tried until it is receipted.

The four steps stand in the order that makes it impossible for a letter to be in two batches, whatever crashes and
however many couriers there are: find the head; mark its letters as logged; append a new batch only if the head is
acknowledged; send the first that is not. An unknown outcome of any step ends the cycle, and the next one begins anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from regions import wire
from regions.client import PeerFailure, hand_over
from regions.retrying import longest_wait, probe_seconds, wait_after
from server.desk import apart
from server.domain.errors import Conflict, NotAuthentic
from server.domain.exchange.circuit_breaker import (
    breaker,
    brought_forward,
    failed,
    gone_back,
    in_next_stream,
    is_superseded,
    probing,
    stopped,
    succeeded,
)
from server.domain.exchange.directory import NodeEntry
from server.domain.exchange.letters import MOST_BYTES, Batch, LetterErased
from server.domain.exchange.log import Entry, Head, Outbound, Written
from server.domain.values import moment_text
from server.node import Node

BEHIND = timedelta(minutes=5)
A_MOMENT = timedelta(milliseconds=1)
HEARTBEAT_EVERY = timedelta(minutes=10)
CONTRADICTIONS = frozenset({"log_gap", "log_conflict", "sender_behind"})


class StreamNotStopped(Conflict):
    """The way to this node works or is only interrupted, so that no new stream may be opened."""

    code = "stream_not_stopped"
    title = "与该节点的通道没有停止，不能开启新的序列"


class WayStopped(Conflict):
    """The way to this node is stopped, and goes on only in a new stream, so that there is nothing to try again."""

    code = "way_stopped"
    title = "与该节点的通道已停止，须先开启新的序列才能重试"


async def deliver(node: Node, peer: NodeEntry, *, may_vouch: bool = True) -> bool:
    """One cycle of the courier; True if it got a batch through, so that there may be more.

    Each new batch vouches for the time up to a moment. So without `may_vouch` (our clock is not to be trusted) only one
    that stands in the log already is sent.
    """
    state = await node.store.peers.outbound(peer.node)
    if breaker(state, node.clock.now(), longest=longest_wait(node)) in ("open", "stopped"):
        return False
    log = node.store.log("out", peer.node)
    head = await log.head(state.head, stream=state.stream, genesis=state.genesis)
    is_idle = head.position <= state.acknowledged
    is_heartbeat_due = is_idle and await _is_heartbeat_due(node, peer.node, head)
    # An idle way costs one read: without letters and without a due heartbeat nothing is written or sent.
    if is_idle and not is_heartbeat_due and not (await node.store.letters_out.to_log(peer.node, limit=1)).seen:
        return False
    # Step 2. Marking twice changes nothing. Without it a crash after the last append would leave these letters
    # unmarked, and the next append would put them into a second batch.
    if head.number and (of_head := await log.entry(head.position)):
        await node.store.letters_out.mark_logged(peer.node, of_head.letters, head.position)
    written: Mapping[str, Written] = {}
    # Step 3. One batch in flight per peer: letters that come in the meantime gather for the next one.
    if is_idle:
        if not may_vouch:
            return False
        chosen = await _append(node, peer.node, head, may_be_empty=is_heartbeat_due)
        if chosen is None:
            return False
        written = {each.id: each for each in chosen}
    # Step 4. Only an entry that was read back is sent: another courier may have appended first, or our append may be
    # unknown.
    entry = await log.after(state.acknowledged)
    if entry is None or (attempt := await _attempt(node, peer.node, state)) is None:
        return False
    return await _send(node, peer, entry, written=written, attempt=attempt)


async def open_stream(node: Node, peer: str, *, by: str) -> Outbound:
    """Let the way to a peer go on in a new stream that follows the head which the peer named (after a backup).

    What the peer never receipted is sent again in it. Raises StreamNotStopped.
    """
    state = await node.store.peers.outbound(peer)
    if not state.stopped:
        raise StreamNotStopped(f"与 {peer} 的通道没有停止。")
    opened = in_next_stream(state)
    log, position = node.store.log("out", peer), state.acknowledged
    # Before the state changes: a crash in between repeats this, and no letter stays in a stream that is no longer sent.
    while entry := await log.after(position):
        await node.store.letters_out.requeue(entry.letters, opened.stream)
        position = entry.position
    about = {"peer": peer, "stream": str(opened.stream), "follows": opened.genesis, "because": state.stopped, "by": by}
    await node.store.audit.note(
        f"stream:{peer}:{opened.stream}", "peer.stream_opened", at=node.clock.now(), about=about
    )
    return await node.store.peers.change(peer, lambda now: opened_of(now, state))


def opened_of(now: Outbound, seen: Outbound) -> Outbound:
    """The next stream, unless somebody has opened it already."""
    return in_next_stream(now) if now.stream == seen.stream and now.stopped else now


async def retry(node: Node, peer: str, *, by: str) -> Outbound:
    """Let the next attempt to reach this peer come now, and whatever waits to be fetched from it; raises WayStopped.

    Works from any process, as the couriers look at the store for their time.
    """
    state = await node.store.peers.outbound(peer)
    if state.stopped:
        raise WayStopped(f"与 {peer} 的通道已停止。")
    at, longest = node.clock.now(), longest_wait(node)
    about = {"peer": peer, "failures": str(state.failures), "reason": state.reason, "by": by}
    await node.store.audit.note(f"retry:{peer}:{moment_text(at)}", "peer.retried", at=at, about=about)
    await node.store.fetches.bring_forward(peer, at)
    return await node.store.peers.change(peer, lambda now: brought_forward(now, at=at, longest=longest))


async def _is_heartbeat_due(node: Node, peer: str, head: Head) -> bool:
    """Whether an empty batch is due: a deadline is open there, and our last watermark is ten minutes old."""
    if not await node.store.peers.wants_heartbeat(peer, node.clock.now()):
        return False
    last = await node.store.log("out", peer).entry(head.position)
    if last is None or last.batch.complete_to > node.clock.now():  # what a wrong clock said once vouches for nothing
        return True
    return last.batch.complete_to + HEARTBEAT_EVERY <= await _complete_to(node)


async def _append(node: Node, peer: str, head: Head, *, may_be_empty: bool) -> Sequence[Written] | None:
    """Append one batch of the letters that stand in none, and answer them; None if there are none and it may not be
    empty.

    If somebody else was first the entry is theirs, and is read back and sent all the same.
    """
    # Before the letters are read: a letter that is committed in between is later than the watermark.
    complete_to = await _complete_to(node)
    most = node.settings.batch_letters
    waiting = await node.store.letters_out.to_log(peer, limit=most + 1)
    await apart.set_apart_unread(node, waiting, kind="letter_out")
    chosen = _fitting(waiting[:most])
    if not chosen and not may_be_empty:
        return None
    # The watermark says that all letters up to it stand in this batch or before, so it stays before the first one left
    # out.
    if len(chosen) < len(waiting):
        complete_to = min(complete_to, waiting[len(chosen)].at - A_MOMENT)
    if waiting.unreadable and (oldest := await node.store.letters_out.oldest_unlogged(peer)):
        complete_to = min(complete_to, oldest - A_MOMENT)
    batch = Batch(
        sender=node.here,
        to=peer,
        stream=head.stream,
        number=head.number + 1,
        prev=head.hash,
        complete_to=complete_to,
        root=wire.root_of([each.text for each in chosen]).hex(),
    )
    await node.store.log("out", peer).append_ours(batch, chosen, total=head.total + len(chosen))
    return chosen


async def _complete_to(node: Node) -> datetime:
    """The moment up to which no letter of ours can still come: fixed before the letters are read."""
    behind = node.clock.now() - BEHIND
    # A letter gets into the outbox when its commit is relayed, so the oldest relay still due bounds the watermark.
    oldest = await node.store.oldest_relay()
    return min(behind, oldest - A_MOMENT) if oldest else behind


def _fitting(letters: Sequence[Written]) -> Sequence[Written]:
    """The first letters whose bytes fit into one batch; always at least one."""
    size = 0
    for place, letter in enumerate(letters):
        size += len(letter.text)
        if size > MOST_BYTES and place:
            return letters[:place]
    return letters


async def _attempt(node: Node, peer: str, state: Outbound) -> Outbound | None:
    """The state in which this courier may make the attempt: while the breaker is not closed, one of all makes it."""
    if not state.failures:
        return state
    until = node.clock.now() + timedelta(seconds=probe_seconds(node))
    attempt = probing(state, until=until)
    return attempt if await node.store.peers.take(peer, state, attempt) else None


async def _texts(node: Node, entry: Entry, written: Mapping[str, Written]) -> list[bytes]:
    """The bytes of the letters of an entry that was read back; those just read need not be read again."""
    if all(id in written for id in entry.letters):
        return [written[id].text for id in entry.letters]
    try:
        return [each.text for each in await node.store.letters_out.written(entry.letters)]
    except LetterErased as fault:  # the peer has lost what it once receipted
        raise PeerFailure(fault.code) from fault
    except (NotAuthentic, KeyError) as fault:  # it does not open, or is gone: the batch cannot be what it was
        at, name = entry.position, apart.name_of(fault)
        node.log.error("batch.unreadable", peer=entry.batch.to, stream=at.stream, number=at.number, fault=name)
        raise PeerFailure("letter_unreadable") from fault


async def _send(
    node: Node, peer: NodeEntry, entry: Entry, *, written: Mapping[str, Written], attempt: Outbound
) -> bool:
    try:
        texts = await _texts(node, entry, written)
        delivered = await hand_over(node, peer, entry.batch, letters=texts)
        await _check_head(node, peer.node, entry, head=delivered.head)
    except PeerFailure as failure:
        await _note_failure(node, peer.node, entry, failure=failure, attempt=attempt)
        return False
    batch, at = entry.batch, node.clock.now()
    # The evidence first: if the process ends after it, the batch is sent again and receipted again, and nothing is
    # lost.
    await node.store.log("out", peer.node).mark_receipted(entry.position, delivered.evidence)
    await node.store.peers.change(peer.node, lambda state: _after_success(state, entry, delivered.head, at=at))
    node.metrics.letters_sent.labels(peer.node).inc(len(texts))
    node.log.info("batch.delivered", peer=peer.node, stream=batch.stream, number=batch.number, letters=len(texts))
    return True


async def _check_head(node: Node, peer: str, entry: Entry, *, head: Head) -> None:
    """The head that a receipt names must be ours too, and not behind the batch it receipts; raises PeerFailure."""
    if head.position < entry.position:
        raise PeerFailure("head_behind_receipt")
    known = await node.store.log("out", peer).entry(head.position)
    # After a restore from a backup our log ends before the peer's copy of it.
    if known is None:
        raise PeerFailure("sender_behind", head=head)
    if known.hash != head.hash:
        raise PeerFailure("log_conflict", head=head)


def _after_success(state: Outbound, entry: Entry, head: Head, *, at: datetime) -> Outbound:
    """A receipt that comes late takes nothing back; what the head tells of later batches waits for their own receipts,
    for else one whose receipt was lost would never be sent again, and never be proven.
    """
    # Only an operator lets a stopped way go on, in a new stream; a late receipt must not.
    if state.stopped:
        return state
    hint = max(head.number, state.head) if head.stream == state.stream else state.head
    return replace(succeeded(state, max(entry.position, state.acknowledged), at=at), head=hint)


async def _note_failure(node: Node, peer: str, entry: Entry, *, failure: PeerFailure, attempt: Outbound) -> None:
    """Back off; go on from where the peer's signed head is, or stop where its log and ours contradict each other."""
    at, wait = node.clock.now(), wait_after(node, failure)
    theirs = failure.head if failure.reason in CONTRADICTIONS else None
    is_known = bool(theirs) and await _is_known(node, peer, entry, theirs=theirs)

    def change(state: Outbound) -> Outbound:
        if state.stopped or entry.position <= state.acknowledged:
            return state  # another courier has got this batch through
        if not is_superseded(attempt, state):
            seconds = wait(state.failures)
            state = failed(state, failure.reason, at=at, wait=seconds, skew_seconds=failure.skew_seconds)
            state = replace(state, skew_by=node.clock.machine if failure.skew_seconds else "")
        if theirs is None:
            return state
        return gone_back(state, theirs.position) if is_known else stopped(state, failure.reason, theirs=theirs)

    state = await node.store.peers.change(peer, change)
    node.metrics.peer_failures.labels(peer, failure.reason).inc()
    node.log.warning("peer.failed", peer=peer, reason=failure.reason, failures=state.failures, stopped=state.stopped)


async def _is_known(node: Node, peer: str, entry: Entry, *, theirs: Head | None) -> bool:
    """Whether the peer's head stands in our log too (read again now), and what follows it is not what it refused."""
    if theirs is None:
        return False
    log = node.store.log("out", peer)
    known = await log.entry(theirs.position) if theirs.number else None
    if theirs.number and (known is None or known.hash != theirs.hash):
        return False
    following = await log.after(theirs.position)
    return following is not None and following.hash != entry.hash
