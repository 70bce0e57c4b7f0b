"""Keyed digests, which name what must not be guessed."""

import base64
import hmac
from typing import Any

from server.domain.canonical import canonical


def keyed_digest(key: bytes, value: Any) -> str:
    """HMAC-SHA256 of the canonical value in lowercase base32: 52 characters, fit for an `_id` or an index."""
    return keyed_digest_of_bytes(key, canonical(value))


def keyed_digest_of_bytes(key: bytes, data: bytes) -> str:
    """HMAC-SHA256 of the bytes in lowercase base32, 52 characters."""
    return base64.b32encode(hmac.digest(key, data, "sha256")).rstrip(b"=").lower().decode("ascii")
