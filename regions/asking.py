"""Asking: one signed GET to a peer, which ends in an answer that the peer has signed or in a failure of the peer."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from regions.client import PeerFailure, code_of, retry_after, verified
from server.crypto import base64url
from server.crypto.receipts import PART, Receipt, ReceivedAnswer
from server.crypto.signatures import ReceivedRequest, SignedRequest, sign_as_received
from server.domain.exchange.directory import NodeEntry
from server.domain.exchange.wire import NoAnswer, WireRequest
from server.node import Node

ANSWERED = 200


class PeerRefused(PeerFailure):
    """The peer knows who asks and has signed its refusal; `reason` is the code."""


@dataclass(frozen=True)
class SignedQuery:
    """What is asked: a path at the peer, what stands after `?`, a Range (`bytes=0-99`, empty for the whole).

    `most_bytes` bounds the answer's body.
    """

    path: str
    query: Mapping[str, str]
    range: str = ""
    most_bytes: int = 65_536


@dataclass(frozen=True)
class SignedAnswer:
    """What the peer answered, and what proves that it did; `content_range` only stands with a part (206)."""

    status: int
    body: bytes
    content_range: str
    receipt: Receipt


async def ask(node: Node, peer: NodeEntry, question: SignedQuery) -> SignedAnswer:
    """Ask a peer once; raises PeerRefused for a signed refusal, and PeerFailure for whatever else goes wrong."""
    sent, signed = _signed(node, peer, question)
    headers = {**signed.headers, "Accept-Encoding": "identity", "traceparent": node.begin("asking", None)}
    try:
        got = await node.wire.send(WireRequest("GET", sent.origin, headers, most_bytes=question.most_bytes))
    except NoAnswer as fault:
        raise PeerFailure(fault.reason) from fault
    answer = ReceivedAnswer(got.status, got.headers, got.body)
    receipt = verified(node, peer, answer, asked=signed.asked)
    if got.status not in (ANSWERED, PART):
        raise PeerRefused(code_of(got.body), retry_after_seconds=retry_after(answer))
    content_range = got.headers.get("Content-Range", "") if got.status == PART else ""
    return SignedAnswer(got.status, got.body, content_range, receipt)


def _signed(node: Node, peer: NodeEntry, question: SignedQuery) -> tuple[ReceivedRequest, SignedRequest]:
    """The request as the peer will read it, freshly signed; its `origin` is the whole address."""
    # A slash stays as it is, for the client would write it so, and what is signed must be what is sent.
    url = peer.origin + question.path + ("?" + urlencode(question.query, safe="/") if question.query else "")
    parts = urlsplit(url)
    headers = {"Range": question.range} if question.range else {}
    sent = ReceivedRequest("GET", url, parts.path, parts.query, headers)
    nonce = base64url.encode(node.chance.token(16))
    return sent, sign_as_received(node.keys.signing, sent, at=node.clock.now(), nonce=nonce)
