"""Keyed digests, which name what must not be guessed."""

import base64
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from server.domain.canonical import canonical

MOST_KEYS = 64  # a node has a handful


def keyed_digest(key: bytes, value: Any) -> str:
    """HMAC-SHA256 of the canonical value in lowercase base32: 52 characters, fit for an `_id` or an index."""
    return keyed_digest_of_bytes(key, canonical(value))


def keyed_bytes(key: bytes, value: Any) -> bytes:
    """HMAC-SHA256 of the canonical value: 32 bytes."""
    return mac(key, canonical(value))


def keyed_digest_of_bytes(key: bytes, data: bytes) -> str:
    """HMAC-SHA256 of the bytes in lowercase base32, 52 characters."""
    return base64.b32encode(mac(key, data)).rstrip(b"=").lower().decode("ascii")


def mac(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA256 of the bytes, 32 bytes; the key is prepared once, and no other thread has its turn meanwhile."""
    begun = _begun(key).copy()
    begun.update(data)
    return begun.finalize()


@lru_cache(maxsize=MOST_KEYS)
def _begun(key: bytes) -> HMAC:
    return HMAC(key, SHA256())
