"""The inbox: a peer's batch is verified, kept by one insert, and answered with a signed receipt; its meaning waits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from regions import wire
from regions.directory import known_key
from regions.retrying import longest_wait
from server.crypto import base64url
from server.crypto.envelopes import open_sealed
from server.crypto.receipts import Answer, sign_answer
from server.crypto.signature_base import SignedMessage
from server.crypto.signatures import AnnouncedBatch, Proof, ReceivedRequest, prove_request, verify_request
from server.domain.canonical import canonical
from server.domain.errors import Conflict, Unproven
from server.domain.exchange.circuit_breaker import sign_of_life
from server.domain.exchange.letters import Batch
from server.domain.exchange.log import Evidence, Head, Outbound, Position
from server.domain.values import moment_text
from server.node import Node

NONCE_GRACE = timedelta(seconds=60)
RECEIPT_STATUS = 200
JSON = "application/json"


class NonceReplayed(Unproven):
    """The nonce was used before under this key."""

    code = "nonce_replayed"
    title = "请求重复发送"


class LogGap(Conflict):
    """The batch's number lies ahead of our copy of the log; `head` tells how far that has come."""

    code = "log_gap"
    title = "批次编号不连续"


class LogConflict(Conflict):
    """The batch contradicts our copy of the log: another hash under the same number, or another predecessor."""

    code = "log_conflict"
    title = "批次与已有记录冲突"


@dataclass(frozen=True)
class Reply:
    """A signed answer to a peer."""

    body: bytes
    headers: Mapping[str, str]


def announced(node: Node, *, query: str, headers: Mapping[str, str]) -> AnnouncedBatch:
    """Who announces a batch, before its body is read. Raises the refusals of the profile."""
    return verify_request(
        ReceivedRequest("POST", node.settings.origin, wire.PATH, query, headers),
        directory_key=lambda key_id: known_key(node, key_id),
        at=node.clock.now(),
        directory_version=node.directory.version,
    )


async def admit(node: Node, batch: AnnouncedBatch, body: bytes) -> Proof:
    """Who sent this batch; from here on answers are signed. Raises DigestMismatch, SignatureExpired, NonceReplayed."""
    proof = prove_request(batch, body, at=node.clock.now())
    if not await node.store.peers.use_nonce(proof.key.id, proof.nonce, until=proof.expires + NONCE_GRACE):
        raise NonceReplayed("该请求已经收到过。")
    return proof


async def keep(node: Node, proof: Proof, body: bytes) -> Reply:
    """Store the batch and answer with our head of the sender's log, which makes the answer its receipt.

    Raises Undecryptable, the refusals of regions/wire.py, LogGap and LogConflict.
    """
    ours = node.keys.encryption
    batch, letters = wire.read(open_sealed(body, lambda key_id: ours if key_id == ours.id else None))
    wire.check_parties(batch, (each.letter for each in letters), sender=proof.sender, here=node.here)
    if wire.root_of([each.text for each in letters]) != proof.root or batch.root != proof.root.hex():
        raise wire.RootMismatch("函件与签名的根不一致。")
    log = node.store.log("in", proof.sender)
    outbound, known = (await node.store.peers.states([proof.sender]))[proof.sender]
    head = await log.last_head(Position(known.stream, known.head))
    if _follows(batch, head):
        total = len(letters) + (head.total if batch.stream == head.stream else 0)
        after = Head(batch.stream, batch.number, batch.hash, total)
        reply, signed = _receipt(node, proof, after)
        bodies = [(each.letter, each.text) for each in letters]
        if await log.append_theirs(batch, bodies, _evidence(node, proof, signed), total=total):
            await _note_kept(node, proof.sender, batch, count=len(letters))
            await _note_life(node, proof.sender, outbound)
            return reply
        head = await log.last_head(after.position)
    await _check_kept(node, proof.sender, batch, head=head)
    return _receipt(node, proof, head)[0]


def _follows(batch: Batch, head: Head) -> bool:
    """Whether the batch comes next: in the stream of our head, or as the first of the stream after it."""
    position = Position(batch.stream, batch.number)
    is_next = position in (Position(head.stream, head.number + 1), Position(head.stream + 1, 1))
    return is_next and batch.prev == head.hash


async def _note_kept(node: Node, sender: str, batch: Batch, *, count: int) -> None:
    at = node.clock.now()
    await node.store.peers.keep_inbound(sender, stream=batch.stream, head=batch.number, conflict="", kept_at=at)
    node.metrics.letters_received.labels(sender).inc(count)
    node.log.info("batch.kept", peer=sender, stream=batch.stream, number=batch.number, letters=count)


async def _note_life(node: Node, sender: str, outbound: Outbound) -> None:
    """The sender lives: if our own way to it is broken, one attempt is brought forward."""
    lives = partial(sign_of_life, at=node.clock.now(), longest=longest_wait(node))
    if lives(outbound) != outbound:
        await node.store.peers.change(sender, lives)


def sign_refusal(node: Node, proof: Proof, *, status: int, content_type: str, body: bytes) -> Mapping[str, str]:
    """The headers that sign a refusal after verification."""
    return _sign(node, proof, Answer(status, content_type, body)).headers


async def _check_kept(node: Node, sender: str, batch: Batch, *, head: Head) -> None:
    """A batch that does not follow our head counts as kept again if we have it under the same hash."""
    kept = await node.store.log("in", sender).entry(Position(batch.stream, batch.number))
    if kept and kept.hash == batch.hash:
        return
    if not kept and Position(batch.stream, batch.number) > Position(head.stream, head.number + 1):
        raise LogGap("批次编号不连续。", more={"head": head.told()})
    at = node.clock.now()
    about = {"peer": sender, "stream": str(batch.stream), "number": str(batch.number), "hash": batch.hash}
    await node.store.audit.note(f"conflict:{sender}:{batch.hash}", "peer.log_conflict", at=at, about=about)
    await node.store.peers.keep_inbound(sender, conflict=LogConflict.code)
    node.log.error("log.conflict", **about)
    raise LogConflict("批次与已有记录冲突。", more={"head": head.told()})


def _receipt(node: Node, proof: Proof, head: Head) -> tuple[Reply, SignedMessage]:
    body = canonical({"head": head.told(), "time": moment_text(node.clock.now())})
    signed = _sign(node, proof, Answer(RECEIPT_STATUS, JSON, body))
    return Reply(body, signed.headers), signed


def _sign(node: Node, proof: Proof, answer: Answer) -> SignedMessage:
    nonce = base64url.encode(node.chance.token(16))
    return sign_answer(node.keys.signing, answer, request=proof.asked, at=node.clock.now(), nonce=nonce)


def _evidence(node: Node, proof: Proof, signed: SignedMessage) -> Evidence:
    return Evidence(
        request_key=proof.key.id,
        request_base=base64url.encode(proof.base),
        request_signature=base64url.encode(proof.signature),
        answer_key=node.keys.signing.id,
        answer_base=base64url.encode(signed.base),
        answer_signature=base64url.encode(signed.signature),
    )
