"""The port behind which the keys of seals lie."""

from typing import Protocol

from server.papers.seals import SealLook


class Sealer(Protocol):
    """One seal of one authority: its certificate and picture, and the only way to its key, which never leaves."""

    @property
    def name(self) -> str:
        """The name along the ring of the seal."""

    @property
    def look(self) -> SealLook:
        """How the seal looks."""

    @property
    def certificate(self) -> bytes:
        """The certificate of the seal, DER."""

    @property
    def issuers(self) -> tuple[bytes, ...]:
        """The certificates above it, DER, without the root."""

    def sign(self, data: bytes) -> bytes:
        """ECDSA with P-256 and SHA-256 over the data, as DER."""
