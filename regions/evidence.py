"""Evidence: whether the receipts kept with the logs still prove that every batch went, and which heads they lead to."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from pydantic import Field

from server.crypto import base64url, merkle
from server.crypto.signature_base import byte_sequence
from server.crypto.suites import VerifyKey
from server.domain.exchange.directory import NodeEntry
from server.domain.exchange.letters import GENESIS
from server.domain.exchange.log import Entry, Position
from server.domain.exchange.reconciliation import Direction
from server.domain.values import Value
from server.node import Node

ENTRIES_AT_ONCE = 100
DIRECTIONS: tuple[Direction, ...] = ("out", "in")


class LogChecked(Value):
    """One log: how many batches and letters are proven in all its streams, its head, and the first number of the last
    stream looked at that proves nothing. Of what came, `kinds` says how many letters there are of each kind.
    """

    peer: str
    direction: Direction
    stream: int
    batches: int
    letters: int
    kinds: Mapping[str, int] = Field(default_factory=dict)
    head: str
    faulty: int | None


class Receipts(Value):
    """All logs of a node; `verified` if every batch of each has its place in the chain and a true receipt."""

    node: str
    verified: bool
    logs: tuple[LogChecked, ...]


async def check_receipts(node: Node) -> Receipts:
    """Walk every log of this node from its beginning and verify chain, request signature and receipt of each batch."""
    logs = tuple(
        [
            await _check_log(node, peer, direction)
            for peer in node.directory.peers_of(node.here)
            for direction in DIRECTIONS
        ]
    )
    return Receipts(node=node.here, verified=all(log.faulty is None for log in logs), logs=logs)


async def _check_log(node: Node, peer: NodeEntry, direction: Direction) -> LogChecked:
    log = node.store.log(direction, peer.node)
    us = node.directory.entry(node.here)
    sender, receiver = (us, peer) if direction == "out" else (peer, us)
    checked = LogChecked(peer=peer.node, direction=direction, stream=1, batches=0, letters=0, head=GENESIS, faulty=None)
    known = await _known(node, peer.node, direction)
    while True:
        following = await log.following(Position(checked.stream + 1, 0), limit=1)
        async for number, entry in _walked(node, checked, known=known):
            if entry is None or not _has_its_letters(entry):
                return checked.model_copy(update={"faulty": number})
            if entry.batch.prev == checked.head and _is_proven(entry, sender, receiver):
                counts = _counted(checked, entry)
                checked = checked.model_copy(update={"head": entry.hash, **counts})
            elif following.seen and direction == "out":
                break  # what we had written before we knew that the peer has another log, and wrote anew
            else:
                return checked.model_copy(update={"faulty": number})
        if not following.seen and known < Position(checked.stream + 1, 1):
            return checked
        checked = checked.model_copy(update={"stream": checked.stream + 1})
        if direction == "out" and following:  # the peer may have named a head that we have lost
            checked = checked.model_copy(update={"head": following[0].batch.prev})


def _counted(checked: LogChecked, entry: Entry) -> dict[str, Any]:
    """What the log counts with this entry too; of our own letters an entry has only the ids."""
    letters = entry.letters if checked.direction == "in" else ()
    kinds = Counter(checked.kinds) + Counter(each["kind"] for each in letters)
    return {"batches": checked.batches + 1, "letters": checked.letters + len(entry.letters), "kinds": dict(kinds)}


async def _known(node: Node, peer: str, direction: Direction) -> Position:
    """Up to where the log went once: what the peer has receipted of ours, or what was unpacked of theirs."""
    outbound, inbound = (await node.store.peers.states([peer]))[peer]
    return outbound.acknowledged if direction == "out" else inbound.spread


async def _walked(node: Node, checked: LogChecked, *, known: Position) -> AsyncIterator[tuple[int, Entry | None]]:
    """The entries of the stream that is being checked, by number.

    None for one that is not as it was written, or that is missing although the log went as far once.
    """
    log, done = node.store.log(checked.direction, checked.peer), Position(checked.stream, 0)
    last = known.number if known.stream == checked.stream else 0
    while (found := await log.following(done, limit=ENTRIES_AT_ONCE)).seen or done.number < last:
        entries = {entry.batch.number: entry for entry in found}
        numbers = range(done.number + 1, done.number + 1 + ENTRIES_AT_ONCE)
        for number in numbers:
            is_there = number in entries or log.id_of(Position(done.stream, number)) in found.unreadable
            if is_there or number <= last:
                yield number, entries.get(number)
        done = Position(done.stream, numbers[-1])


def _has_its_letters(entry: Entry) -> bool:
    """Whether the hashes of its letters, also of those that were erased, are what the batch's root stands for."""
    root = merkle.root_of_hashes([bytes.fromhex(leaf) for leaf in entry.leaves])
    return len(entry.leaves) == len(entry.letters) and root.hex() == entry.batch.root


def _is_proven(entry: Entry, sender: NodeEntry | None, receiver: NodeEntry | None) -> bool:
    """Whether both signatures are true, the request covers this batch's root, and the answer this request."""
    evidence = entry.evidence
    if evidence is None or entry.hash != entry.batch.hash or not sender or not receiver:
        return False
    request_signature = base64url.decode(evidence.request_signature)
    root = byte_sequence(bytes.fromhex(entry.batch.root))
    return (
        _is_signed(sender, evidence.request_key, base=evidence.request_base, signature=evidence.request_signature)
        and _is_signed(receiver, evidence.answer_key, base=evidence.answer_base, signature=evidence.answer_signature)
        and f'"exchange-root": {root}' in _lines(evidence.request_base)
        and set(_expected_answer(request_signature)) <= set(_lines(evidence.answer_base))
    )


def _expected_answer(request_signature: bytes) -> Iterator[str]:
    """What the base of a receipt must say: success, bound to this request."""
    yield '"@status": 200'
    yield f'"signature";req;key="tongban-1": {byte_sequence(request_signature)}'


def _is_signed(by: NodeEntry, key_id: str, *, base: str, signature: str) -> bool:
    """Whether this node signed it, by any of its published keys: a receipt outlives the key's validity."""
    keys = [VerifyKey(key.id, base64url.decode(key.public)) for key in by.keys if key.id == key_id]
    return any(key.verify(base64url.decode(signature), base64url.decode(base)) for key in keys)


def _lines(base: str) -> list[str]:
    return base64url.decode(base).decode().split("\n")
