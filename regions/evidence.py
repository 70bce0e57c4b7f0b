"""Evidence: whether the receipts kept with the logs still prove that every batch went, and which heads they lead to."""

from collections.abc import Iterator

from server.crypto import base64url
from server.crypto.signature_base import byte_sequence
from server.crypto.suites import VerifyKey
from server.domain.directory import NodeEntry
from server.domain.exchange import Entry
from server.domain.letters import GENESIS
from server.domain.names import Value
from server.node import Node

ENTRIES_AT_ONCE = 100


class LogChecked(Value):
    """One log: how many batches and letters it has, its head, and the first number at which it proves nothing."""

    peer: str
    direction: str
    batches: int
    letters: int
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
            for direction in ("out", "in")
        ]
    )
    return Receipts(node=node.here, verified=all(log.faulty is None for log in logs), logs=logs)


async def _check_log(node: Node, peer: NodeEntry, direction: str) -> LogChecked:
    log = node.store.log(direction, peer.node)
    us = node.directory.entry(node.here)
    sender, receiver = (us, peer) if direction == "out" else (peer, us)
    head, batches, letters, faulty = GENESIS, 0, 0, None
    while faulty is None and (entries := await log.entries(range(batches + 1, batches + 1 + ENTRIES_AT_ONCE))):
        for number in sorted(entries):
            entry = entries[number]
            if faulty is None and not (entry.batch.prev == head and _is_proven(entry, sender, receiver)):
                faulty = number
            head, batches, letters = entry.hash, batches + 1, letters + len(entry.letters)
    return LogChecked(peer=peer.node, direction=direction, batches=batches, letters=letters, head=head, faulty=faulty)


def _is_proven(entry: Entry, sender: NodeEntry | None, receiver: NodeEntry | None) -> bool:
    """Whether both signatures are true, the request covers this batch's root, and the answer this request."""
    evidence = entry.evidence
    if evidence is None or entry.hash != entry.batch.hash() or not sender or not receiver:
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
