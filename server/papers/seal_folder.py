"""The folder of seals: a file for each seal of an authority, or a stand-in that certifies those that are missing."""

import os
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from server.domain.papers.making import PapersWait
from server.domain.papers.texts import SealKind
from server.papers.sealers import Sealer
from server.papers.seals import SealLook
from server.papers.stand_in import LOWER_TEXT, FileSealer, StandInAuthority

STAND_IN, ROOT = "stand-in.pem", "root.pem"


class SealFolder:
    """The seals of a node; each is read, or certified by the stand-in, when it is first asked for.

    `<authority>.<kind>.pem` holds the key (EC, P-256), the certificate and those above it without the root, of a seal
    that another authority has certified; the id of the authority is percent-encoded.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[tuple[str, SealKind], Sealer] = {}

    def sealer(self, authority: str, name: str, kind: SealKind) -> Sealer:
        """The seal of this kind of the authority of this id and name; raises PapersWait if there is none."""
        key = (authority, kind)
        if key not in self._known:
            self._known[key] = self._read(authority, name, kind)
        return self._known[key]

    def _read(self, authority: str, name: str, kind: SealKind) -> Sealer:
        own = self._folder / f"{quote(authority, safe='')}.{kind}.pem"
        try:
            if own.exists():
                return _sealer(own.read_bytes(), name, kind)
            stand_in = StandInAuthority.of_pem((self._folder / STAND_IN).read_bytes())
        except (OSError, ValueError) as fault:
            raise PapersWait(f"no {kind} seal of {authority}: {type(fault).__name__}") from fault
        root = x509.load_der_x509_certificate(stand_in.root)
        begins_at, ends_at = root.not_valid_before_utc, root.not_valid_after_utc
        return stand_in.sealer(name, kind, begins_at=begins_at, ends_at=ends_at)


def make_stand_in(folder: Path, at: datetime) -> Path:
    """Make a stand-in whose seals count from this moment on; answers the certificate that verifiers trust.

    Raises FileExistsError if there is one already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    authority = StandInAuthority(at)
    with os.fdopen(os.open(folder / STAND_IN, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(authority.pem())
    root = folder / ROOT
    root.write_bytes(x509.load_der_x509_certificate(authority.root).public_bytes(Encoding.PEM))
    return root


def _sealer(pem: bytes, name: str, kind: SealKind) -> Sealer:
    key = load_pem_private_key(pem, password=None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise ValueError("the key of a seal is one of an elliptic curve")
    own, *above = [each.public_bytes(Encoding.DER) for each in x509.load_pem_x509_certificates(pem)]
    look = SealLook(lower_text=LOWER_TEXT[kind])
    return FileSealer(name=name, look=look, certificate=own, issuers=tuple(above), key=key)
