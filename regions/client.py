"""The client: one attempt to hand a batch to a peer, which ends in a verified receipt or in a failure of the peer."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from regions import wire
from regions.directory import known_key
from server.crypto import base64url
from server.crypto.envelopes import seal
from server.crypto.receipts import Receipt, ReceivedAnswer, verify_answer
from server.crypto.signatures import ClockSkew, OutgoingRequest, RequestReference, SignedRequest, sign_request
from server.domain.canonical import LARGEST_INTEGER
from server.domain.errors import Refusal
from server.domain.exchange.directory import NodeEntry
from server.domain.exchange.letters import Batch
from server.domain.exchange.log import Evidence, Head
from server.domain.exchange.wire import NoAnswer, WireRequest
from server.node import Node

RECEIPT_STATUS = 200
HASH = re.compile(r"[0-9a-f]{64}")


class PeerFailure(Exception):
    """The attempt failed; nothing is known to be wrong with any letter.

    `head` is the peer's, if it signed one; `skew_seconds` their clock minus ours, if that is what was wrong.
    """

    def __init__(
        self, reason: str, *, retry_after_seconds: float = 0.0, head: Head | None = None, skew_seconds: int = 0
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds
        self.head = head
        self.skew_seconds = skew_seconds


@dataclass(frozen=True)
class DeliveryReceipt:
    """The peer's head after it kept the batch, and what proves that."""

    head: Head
    evidence: Evidence


async def hand_over(node: Node, peer: NodeEntry, batch: Batch, *, letters: Sequence[bytes]) -> DeliveryReceipt:
    """Send one batch with its letters' bytes and verify the receipt; raises PeerFailure for whatever goes wrong."""
    request, signed = _request(node, peer, batch, letters=letters)
    answer = await _post(node, request, signed)
    receipt = verified(node, peer, answer, asked=signed.asked)
    head = _head(answer.body)
    if answer.status != RECEIPT_STATUS:
        raise PeerFailure(code_of(answer.body), retry_after_seconds=retry_after(answer), head=head)
    if head is None:
        raise PeerFailure("answer_unreadable")
    return DeliveryReceipt(head, _evidence(node, signed, receipt))


def _request(
    node: Node, peer: NodeEntry, batch: Batch, *, letters: Sequence[bytes]
) -> tuple[OutgoingRequest, SignedRequest]:
    """A fresh envelope and signature for this attempt; the batch itself is always the same."""
    at = node.clock.now()
    key = peer.key_for("encrypt", at)
    if key is None:
        raise PeerFailure("no_valid_encryption_key")
    request = OutgoingRequest(
        method="POST",
        url=peer.origin + wire.PATH,
        content_type=wire.CONTENT_TYPE,
        body=seal(wire.write(batch, letters), base64url.decode(key.public), kid=key.id),
        exchange_root=wire.root_header(bytes.fromhex(batch.root)),
    )
    nonce = base64url.encode(node.chance.token(16))
    return request, sign_request(node.keys.signing, request, at=at, nonce=nonce)


async def _post(node: Node, request: OutgoingRequest, signed: SignedRequest) -> ReceivedAnswer:
    headers = {**signed.headers, "traceparent": node.begin("courier", None)}
    try:
        answer = await node.wire.send(WireRequest(request.method, request.url, headers, request.body))
    except NoAnswer as fault:
        raise PeerFailure(fault.reason) from fault
    return ReceivedAnswer(answer.status, answer.headers, answer.body)


def verified(node: Node, peer: NodeEntry, answer: ReceivedAnswer, *, asked: RequestReference) -> Receipt:
    """The receipt, if the peer signed this very answer; an unsigned refusal is only a failure with its code.

    Its Retry-After counts for nothing: whoever sits in between could silence the way with it.
    """
    try:
        return verify_answer(
            answer,
            request=asked,
            sender=peer.node,
            directory_key=lambda key_id: known_key(node, key_id),
            at=node.clock.now(),
        )
    except ClockSkew as refusal:
        raise PeerFailure(refusal.code, skew_seconds=refusal.seconds) from refusal
    except Refusal as refusal:
        reason = f"unsigned_{answer.status}_{code_of(answer.body)}" if answer.status != RECEIPT_STATUS else refusal.code
        raise PeerFailure(reason, skew_seconds=_skew(answer.body)) from refusal


def _head(body: bytes) -> Head | None:
    try:
        head = orjson.loads(body)["head"]
        if not HASH.fullmatch(head["hash"]):
            return None
        return Head(_integer(head["stream"], least=0), _integer(head["number"], least=0), head["hash"])
    except (ValueError, TypeError, KeyError):
        return None


def _skew(body: bytes) -> int:
    """Their clock minus ours, if they refuse us for it; they say it the other way round."""
    try:
        said = orjson.loads(body)
        return -_integer(said["seconds"], least=-LARGEST_INTEGER) if said["code"] == ClockSkew.code else 0
    except (ValueError, TypeError, KeyError):
        return 0


def _integer(value: Any, *, least: int) -> int:
    """The value, if it is an integer of the protocol, for the store takes no larger one; raises ValueError."""
    if type(value) is not int or not least <= value < LARGEST_INTEGER:
        raise ValueError(f"no integer of the protocol: {value!r:.40}")
    return value


def code_of(body: bytes) -> str:
    """The code of a refusal, or `unknown`."""
    try:
        return str(orjson.loads(body)["code"])[:60]
    except (ValueError, TypeError, KeyError):
        return "unknown"


def retry_after(answer: ReceivedAnswer) -> float:
    """The seconds that the peer asks us to wait, or 0; of an answer that it has signed, and without any bound."""
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else 0.0


def _evidence(node: Node, signed: SignedRequest, receipt: Receipt) -> Evidence:
    return Evidence(
        request_key=node.keys.signing.id,
        request_base=base64url.encode(signed.base),
        request_signature=base64url.encode(signed.signature),
        answer_key=receipt.signer,
        answer_base=base64url.encode(receipt.base),
        answer_signature=base64url.encode(receipt.signature),
    )
