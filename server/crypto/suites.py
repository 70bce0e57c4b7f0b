"""The keys of the international suite: Ed25519 to sign, X25519 to agree on a key."""

from dataclasses import dataclass, field
from functools import cached_property

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

SUITE = "international"


@dataclass(frozen=True)
class VerifyKey:
    """The public half of a signing key: 32 raw bytes under a name."""

    id: str
    public: bytes
    suite: str = SUITE

    def __post_init__(self) -> None:
        if len(self.public) != 32:
            raise ValueError(f"the public key {self.id} must have 32 bytes")

    @cached_property
    def _key(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.public)

    def verify(self, signature: bytes, data: bytes) -> bool:
        """Whether the holder of the private half signed exactly these bytes."""
        try:
            self._key.verify(signature, data)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class SigningKey:
    """An Ed25519 private key under a name; it never shows itself."""

    id: str
    private: Ed25519PrivateKey = field(repr=False)
    suite: str = SUITE

    @cached_property
    def public(self) -> bytes:
        """The public half, 32 raw bytes."""
        return self.private.public_key().public_bytes_raw()

    def sign(self, data: bytes) -> bytes:
        return self.private.sign(data)


@dataclass(frozen=True)
class EncryptionKey:
    """An X25519 private key under a name, to which others encrypt."""

    id: str
    private: X25519PrivateKey = field(repr=False)
    suite: str = SUITE

    @cached_property
    def public(self) -> bytes:
        """The public half, 32 raw bytes."""
        return self.private.public_key().public_bytes_raw()
