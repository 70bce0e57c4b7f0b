"""What whoever signs, judges and seals papers outside of a process is given for each part of it, and answers."""

import base64
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from server.domain.papers.signing import ShownPaper, Signatory, SigningCertificate
from server.domain.values import Moment, Value


def _read(data: Any) -> Any:
    return base64.b64decode(data, validate=True) if isinstance(data, str) else data


def _write(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


# Bytes that stand in JSON as Base64.
Data = Annotated[bytes, BeforeValidator(_read), PlainSerializer(_write, when_used="json")]


class JobCertificate(Value):
    """A certificate as a SigningCertificate has it, to be written as JSON."""

    key: str
    certificate: Data
    issuers: tuple[Data, ...] = ()

    @classmethod
    def of(cls, given: SigningCertificate) -> "JobCertificate":
        """This certificate."""
        return cls(key=given.key, certificate=given.certificate, issuers=given.issuers)

    @property
    def given(self) -> SigningCertificate:
        """The certificate itself."""
        return SigningCertificate(key=self.key, certificate=self.certificate, issuers=self.issuers)


class SignatureToPrepare(Value):
    """A file as it was shown, which is to be signed with this certificate at this moment."""

    shown: Data
    certificate: JobCertificate
    at: Moment


class HalfSigned(Value):
    """A file between two halves of signing: the 32 bytes that the key signs, and all else as it was prepared."""

    digest: Data
    prepared: Data


class SignatureToFinish(Value):
    """What was prepared, and the signature of the key."""

    half: HalfSigned
    signature: Data


class SignedToProve(Value):
    """A signed file, and who was to sign what."""

    signed: Data
    signatory: Signatory
    shown: ShownPaper


class ContractToSeal(Value):
    """What its applicant has signed, which proves it; the id and name of the authority that seals it now, and when."""

    signed: SignedToProve
    authority: str
    authority_name: str
    at: Moment
