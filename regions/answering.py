"""Answering the signed questions of peers: who asks, and our signature under whatever is answered after that."""

from collections.abc import Mapping
from dataclasses import dataclass

from regions.directory import known_key
from regions.inbox import NONCE_GRACE, NonceReplayed
from server.crypto import base64url
from server.crypto.receipts import Answer, sign_answer
from server.crypto.signatures import Proven, Received, verify_sender
from server.node import Node


@dataclass(frozen=True)
class SignedReply:
    """What goes back to a peer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def admit_query(node: Node, *, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Proven:
    """Who asks this by a GET, whose body is empty; from here on answers are signed.

    Raises the refusals of the profile and NonceReplayed.
    """
    proven = verify_sender(
        Received("GET", node.settings.origin, path, query, headers, body),
        directory_key=lambda key_id: known_key(node, key_id),
        at=node.clock.now(),
        directory_version=node.directory.version,
    )
    if not await node.store.peers.use_nonce(proven.key.id, proven.nonce, until=proven.expires + NONCE_GRACE):
        raise NonceReplayed("该请求已经收到过。")
    return proven


def signed(node: Node, proven: Proven, answer: Answer) -> SignedReply:
    """An answer with our signature; a refusal is signed by inbox.sign_refusal, whatever was asked."""
    nonce = base64url.encode(node.chance.token(16))
    headers = sign_answer(node.keys.signing, answer, request=proven.asked, at=node.clock.now(), nonce=nonce).headers
    return SignedReply(answer.status, headers, answer.body)
