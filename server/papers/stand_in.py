"""A stand-in for the authority that certifies seals, for tests and the demo."""

import warnings
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from server.domain.papers.signing import Signatory
from server.domain.papers.texts import SealKind
from server.papers.seals import SealLook

LONGEST_NAME = 64  # characters
YEAR = timedelta(days=365)
LOWER_TEXT: dict[SealKind, str] = {"acceptance": "受理专用章", "authority": ""}


@dataclass(frozen=True)
class FileSealer:
    """A seal whose key lies in this process."""

    name: str
    look: SealLook
    certificate: bytes
    issuers: tuple[bytes, ...]
    key: EllipticCurvePrivateKey = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        """ECDSA with P-256 and SHA-256 over the data, as DER."""
        return self.key.sign(data, ECDSA(SHA256()))


@dataclass(frozen=True)
class StandInKey:
    """The key of one person for one request, which lies in this process."""

    certificate: bytes
    key: EllipticCurvePrivateKey = field(repr=False)

    def sign_digest(self, digest: bytes) -> bytes:
        """ECDSA with P-256 over what has this SHA-256, as DER; raises ValueError for a digest of another length."""
        return self.key.sign(digest, ECDSA(Prehashed(SHA256())))


class StandInAuthority:
    """Certifies seals that say 样例, and people; whoever trusts `root` (DER) trusts them all."""

    def __init__(self, at: datetime, *, span: timedelta = 10 * YEAR, name: str = "样例电子印章认证机构") -> None:
        """A new root with a new key, which counts from `at` on for so long."""
        self._key = generate_private_key(SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = self._begun(self._name, self._key, at, ends_at=at + span)
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.root = self._signed(made.add_extension(_usage(is_root=True), critical=True))

    @classmethod
    def of_pem(cls, pem: bytes) -> Self:
        """The one that `pem` wrote; raises ValueError for anything else."""
        made, key = cls.__new__(cls), load_pem_private_key(pem, password=None)
        if not isinstance(key, EllipticCurvePrivateKey):
            raise ValueError("the key of a stand-in authority is one of an elliptic curve")
        certificate = x509.load_pem_x509_certificate(pem)
        made._key, made._name, made.root = key, certificate.subject, certificate.public_bytes(Encoding.DER)
        return made

    def pem(self) -> bytes:
        """Key and certificate, from which it can be made again: whoever has them can seal in any name."""
        key = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return key + x509.load_der_x509_certificate(self.root).public_bytes(Encoding.PEM)

    def sealer(self, authority: str, kind: SealKind, *, begins_at: datetime, ends_at: datetime) -> FileSealer:
        """A seal of this kind for the authority, whose certificate counts from one moment to the other."""
        key = generate_private_key(SECP256R1())
        label = f"{authority}{LOWER_TEXT[kind]}（样例）"
        subject = x509.Name(
            [
                _named(NameOID.ORGANIZATION_NAME, authority),
                _named(NameOID.ORGANIZATIONAL_UNIT_NAME, kind),
                _named(NameOID.COMMON_NAME, label),
            ]
        )
        certificate = self._certified(subject, key, begins_at, ends_at=ends_at)
        look = SealLook(lower_text=LOWER_TEXT[kind])
        return FileSealer(name=authority, look=look, certificate=certificate, issuers=(), key=key)

    def person(self, signatory: Signatory, *, begins_at: datetime, ends_at: datetime) -> StandInKey:
        """A new key for this person and request, whose certificate counts from one moment to the other."""
        key = generate_private_key(SECP256R1())
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, signatory.name, _validate=False),
                x509.NameAttribute(NameOID.PSEUDONYM, signatory.id_number),
                x509.NameAttribute(NameOID.DN_QUALIFIER, signatory.request),
            ]
        )
        return StandInKey(certificate=self._certified(subject, key, begins_at, ends_at=ends_at), key=key)

    def _certified(
        self, subject: x509.Name, key: EllipticCurvePrivateKey, begins_at: datetime, *, ends_at: datetime
    ) -> bytes:
        made = self._begun(subject, key, begins_at, ends_at=ends_at)
        made = made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        return self._signed(made.add_extension(_usage(is_root=False), critical=True))

    def _begun(
        self, subject: x509.Name, key: EllipticCurvePrivateKey, begins_at: datetime, *, ends_at: datetime
    ) -> x509.CertificateBuilder:
        made = x509.CertificateBuilder(issuer_name=self._name, subject_name=subject, public_key=key.public_key())
        made = made.serial_number(x509.random_serial_number()).not_valid_before(begins_at).not_valid_after(ends_at)
        public = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        above = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return made.add_extension(public, critical=False).add_extension(above, critical=False)

    def _signed(self, made: x509.CertificateBuilder) -> bytes:
        return made.sign(self._key, SHA256()).public_bytes(Encoding.DER)


def _named(attribute: x509.ObjectIdentifier, text: str) -> x509.NameAttribute[str]:
    """A part of a name: X.509 lets it have 64 characters, and the library warns of more than 64 bytes."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Attribute's length must be >= 1 and <= 64, but it was")
        return x509.NameAttribute(attribute, text[:LONGEST_NAME], _validate=False)


def _usage(*, is_root: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_root,
        content_commitment=not is_root,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_root,
        crl_sign=is_root,
        encipher_only=False,
        decipher_only=False,
    )
