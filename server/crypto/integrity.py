"""Proofs that this node wrote what is stored: a MAC under keys that seal nothing."""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from server.crypto import base64url
from server.crypto.digests import mac
from server.crypto.fields import KEY_BYTES

PROOF_BYTES = 16

_KEY_ID = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class IntegrityRing:
    """The keys of proofs by id: `current` makes new ones, all of them check old ones."""

    keys: Mapping[str, bytes] = field(repr=False)
    current: str

    def __post_init__(self) -> None:
        if self.current not in self.keys:
            raise ValueError(f"the ring of integrity keys has no key {self.current}")
        for key_id, key in self.keys.items():
            if len(key) != KEY_BYTES or not _KEY_ID.fullmatch(key_id):
                raise ValueError(f"the integrity key {key_id!r} needs {KEY_BYTES} bytes and a plain id")

    def proof(self, data: bytes) -> str:
        """The proof of these bytes: the id of the key, a dot, and the first half of their HMAC-SHA256 in base64url."""
        return f"{self.current}.{_mac(self.keys[self.current], data)}"

    def proves(self, proof: str, data: bytes) -> bool:
        """Whether the proof was made of these bytes by a key of this ring."""
        key_id, _, given = proof.partition(".")
        key = self.keys.get(key_id)
        return key is not None and hmac.compare_digest(given.encode(), _mac(key, data).encode())


def _mac(key: bytes, data: bytes) -> str:
    return base64url.encode(mac(key, data)[:PROOF_BYTES])
