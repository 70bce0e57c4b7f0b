"""Sealed bodies between nodes: compact JWE (RFC 7516), ECDH-ES over X25519 with A256GCM and nothing else."""

from collections.abc import Callable
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from joserfc.errors import JoseError
from joserfc.jwe import JWERegistry, decrypt_compact, encrypt_compact
from joserfc.jwk import OKPKey

from server.crypto import base64url
from server.crypto.suites import EncryptionKey
from server.domain.errors import Malformed

ALGORITHM = "ECDH-ES"
ENCRYPTION = "A256GCM"
LARGEST_PLAINTEXT = 4 * 1024 * 1024

_HEADER_FIELDS = {"alg", "enc", "kid", "epk"}
_LONGEST_HEADER = 1024


class Undecryptable(Malformed):
    """The body is not a sealed envelope that this node can open."""

    code = "undecryptable"
    title = "密文无法解开"


class _Envelopes(JWERegistry):
    max_ciphertext_length = LARGEST_PLAINTEXT * 4 // 3 + 4


_REGISTRY = _Envelopes(algorithms=[ALGORITHM, ENCRYPTION])


def seal(plaintext: bytes, to_public: bytes, *, kid: str) -> bytes:
    """The envelope that only the holder of the X25519 key `kid` can open; ValueError above 4 MiB."""
    if len(plaintext) > LARGEST_PLAINTEXT:
        raise ValueError(f"an envelope holds at most {LARGEST_PLAINTEXT} bytes")
    header = {"alg": ALGORITHM, "enc": ENCRYPTION, "kid": kid}
    key = OKPKey.import_key(X25519PublicKey.from_public_bytes(to_public))
    return encrypt_compact(header, plaintext, key, registry=_REGISTRY).encode()


def open_sealed(body: bytes, key_for: Callable[[str], EncryptionKey | None]) -> bytes:
    """The plaintext; `key_for` knows our keys by id. Raises Undecryptable."""
    key = key_for(_key_id(body))
    if key is None:
        raise Undecryptable("加密密钥不是本节点的。")
    try:
        opened = decrypt_compact(body, OKPKey.import_key(key.private), registry=_REGISTRY)
    except (JoseError, ValueError, TypeError) as fault:
        raise Undecryptable from fault
    return opened.plaintext or b""


def _key_id(body: bytes) -> str:
    """The key id of a header that is exactly ours: pinned algorithms, no compression, no extensions."""
    protected = body[: _LONGEST_HEADER + 1].partition(b".")[0]
    try:
        header = orjson.loads(base64url.decode(protected.decode("ascii")))
    except ValueError as fault:
        raise Undecryptable from fault
    if not isinstance(header, dict) or set(header) != _HEADER_FIELDS:
        raise Undecryptable("信封头部不符合约定。")
    if header["alg"] != ALGORITHM or header["enc"] != ENCRYPTION or not _is_ephemeral(header["epk"]):
        raise Undecryptable("加密算法不符合约定。")
    if not isinstance(header["kid"], str):
        raise Undecryptable("信封头部不符合约定。")
    return header["kid"]


def _is_ephemeral(key: Any) -> bool:
    return (
        isinstance(key, dict)
        and set(key) == {"kty", "crv", "x"}
        and key["kty"] == "OKP"
        and key["crv"] == "X25519"
        and isinstance(key["x"], str)
    )
