"""Answering the signed questions of peers: who asks, and our signature under whatever is answered after that."""

from collections.abc import Mapping
from dataclasses import dataclass

from regions.directory import known_key
from regions.inbox import NONCE_GRACE, NonceReplayed
from server.crypto import base64url
from server.crypto.receipts import Answer, sign_answer
from server.crypto.signatures import Announced, Proven, ReceivedRequest, prove_sender, verify_sender
from server.domain.values import Value
from server.node import Node

OK, JSON = 200, "application/json"


@dataclass(frozen=True)
class SignedReply:
    """What goes back to a peer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def announced_query(node: Node, *, path: str, query: str, headers: Mapping[str, str]) -> Announced:
    """Who announces a question by a GET, before it is known that it has no body. Raises the refusals of the profile."""
    return verify_sender(
        ReceivedRequest("GET", node.settings.origin, path, query, headers),
        directory_key=lambda key_id: known_key(node, key_id),
        at=node.clock.now(),
        directory_version=node.directory.version,
    )


async def admit_query(node: Node, announced: Announced, body: bytes) -> Proven:
    """Who asks this, with an empty body; from here on answers are signed.

    Raises DigestMismatch, SignatureExpired and NonceReplayed.
    """
    proven = prove_sender(announced, body, at=node.clock.now())
    if not await node.store.peers.use_nonce(proven.key.id, proven.nonce, until=proven.expires + NONCE_GRACE):
        raise NonceReplayed("该请求已经收到过。")
    return proven


def signed_value(node: Node, proven: Proven, value: Value) -> SignedReply:
    """The value as JSON, with our signature."""
    return signed(node, proven, Answer(OK, JSON, value.model_dump_json().encode()))


def signed(node: Node, proven: Proven, answer: Answer) -> SignedReply:
    """An answer with our signature; a refusal is signed by inbox.sign_refusal, whatever was asked."""
    nonce = base64url.encode(node.chance.token(16))
    headers = sign_answer(node.keys.signing, answer, request=proven.asked, at=node.clock.now(), nonce=nonce).headers
    return SignedReply(answer.status, headers, answer.body)
