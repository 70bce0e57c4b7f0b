"""Builders of signed requests, true ones and others, for the tests of the profile."""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.crypto.signature_base import Message, byte_sequence, content_digest, sign_message
from server.crypto.signatures import (
    KnownKey,
    OutgoingRequest,
    Proof,
    ReceivedRequest,
    SignedRequest,
    prove_request,
    sign_request,
    verify_request,
)
from server.crypto.suites import SigningKey, VerifyKey

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
ORIGIN = "https://node.zj.example"
BODY = b"sealed.batch"
ROOT = hashlib.sha256(b"letters").digest()
KEY = SigningKey("320000-sign-1", Ed25519PrivateKey.generate())
NAMES = ["@method", "@authority", "@path", "@query", "content-type", "content-digest", "exchange-root"]
COMPONENTS = {
    '"@method"': "POST",
    '"@authority"': "node.zj.example",
    '"@path"': "/peer/v1/log",
    '"@query"': "?",
    '"content-type"': "application/jose",
    '"content-digest"': content_digest(BODY),
    '"exchange-root"': byte_sequence(ROOT),
}
HEADERS = {
    "Content-Type": "application/jose",
    "Content-Digest": content_digest(BODY),
    "Exchange-Root": byte_sequence(ROOT),
}


@dataclass(frozen=True)
class Arrived(ReceivedRequest):
    """A request with its body."""

    body: bytes


def public_half(key: SigningKey) -> VerifyKey:
    return VerifyKey(key.id, key.public)


def outgoing(**changes: object) -> OutgoingRequest:
    request = OutgoingRequest("POST", f"{ORIGIN}/peer/v1/log", "application/jose", BODY, byte_sequence(ROOT))
    return replace(request, **changes)


def signed(at: datetime = NOON, **changes: object) -> SignedRequest:
    return sign_request(KEY, outgoing(**changes), at=at, nonce="n-1")


def received(headers: dict[str, str] | None = None, **changes: object) -> Arrived:
    carried = dict(signed().headers) if headers is None else headers
    return replace(Arrived("POST", ORIGIN, "/peer/v1/log", "", carried, BODY), **changes)


def directory_key(keyid: str) -> KnownKey | None:
    return KnownKey("320000", public_half(KEY)) if keyid == KEY.id else None


def verified(request: Arrived, at: datetime = NOON) -> Proof:
    announced = verify_request(request, directory_key=directory_key, at=at, directory_version=7)
    return prove_request(announced, request.body, at=at)


def of_components(components: dict[str, str], *, label: str = "tongban-1", **changes: str) -> dict[str, str]:
    """Headers with a true signature over other components, under another label, or with other headers."""
    message = Message(label, components, {**HEADERS, **changes})
    return dict(sign_message(KEY, message, at=NOON, nonce="n-1").headers)


def changed(name: str, old: str, new: str) -> dict[str, str]:
    headers = dict(signed().headers)
    assert old in headers[name]
    return {**headers, name: headers[name].replace(old, new)}
