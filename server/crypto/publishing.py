"""The directory as its publisher signs it: a compact JWS with one fixed header."""

from typing import Any

import orjson

from server.crypto import base64url
from server.crypto.suites import SigningKey, VerifyKey
from server.domain.canonical import canonical

HEADER = base64url.encode(canonical({"alg": "EdDSA", "typ": "tongban-directory"}))


class NotFromPublisher(ValueError):
    """The text is not a directory that the pinned publisher signed."""


def publish(key: SigningKey, payload: dict[str, Any]) -> str:
    """The compact JWS (RFC 7515) over the payload's canonical JSON."""
    signed = f"{HEADER}.{base64url.encode(canonical(payload))}"
    return f"{signed}.{base64url.encode(key.sign(signed.encode()))}"


def read_published(text: str, publisher_public: bytes) -> dict[str, Any]:
    """The payload, if the holder of the pinned key signed it; NotFromPublisher otherwise."""
    signed, _, signature = text.strip().rpartition(".")
    header, _, payload = signed.partition(".")
    if header != HEADER:
        raise NotFromPublisher("this is not a signed directory")
    try:
        is_signed = VerifyKey("publisher", publisher_public).verify(base64url.decode(signature), signed.encode())
        content = orjson.loads(base64url.decode(payload)) if is_signed else None
    except ValueError as fault:
        raise NotFromPublisher(f"the directory cannot be read: {fault}") from fault
    if not isinstance(content, dict):
        raise NotFromPublisher("the directory is not signed by the pinned publisher key")
    return content
