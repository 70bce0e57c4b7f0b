"""The signing (电子签名) of one paper by one person: what was shown to whom, until when, and how far it has come."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from server.domain.catalogue.items import Item, SignedKind
from server.domain.errors import Conflict, Forbidden, Outdated, Unavailable
from server.domain.papers.bodies import Name
from server.domain.papers.data import MaskedNumber
from server.domain.values import Moment, Value

SigningState = Literal["shown", "signed", "verified"]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Length = Annotated[int, Field(strict=True, ge=1)]
RequestId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{8,64}$")]  # as certificates may write it
# The kind of paper, a code of BODIES, that is signed where an item asks for it.
PAPER_OF: Mapping[SignedKind, str] = {"application": "application", "undertaking": "undertaking", "contract": "lease"}


class NotAskedToSign(Conflict):
    """The item does not ask for this paper to be signed."""

    code = "not_asked_to_sign"
    title = "这份文书不需要电子签名"


class SignedByHandOnly(Conflict):
    """What is of marriage, adoption, inheritance or other personal status is not signed electronically."""

    code = "signed_by_hand_only"
    title = "涉及人身关系的文书不适用电子签名，请到窗口办理"


class OtherPersonSigns(Forbidden):
    """Only the person whom the paper names may sign it."""

    code = "other_person_signs"
    title = "只能由文书上的本人签名"


class OtherPaperShown(Outdated):
    """What is to be signed is not, byte by byte, what the person was asked to sign."""

    code = "other_paper_shown"
    title = "文书已经变化，请重新查看后再签名"


class SigningTooLate(Conflict):
    """The time in which the paper could be signed is over."""

    code = "signing_too_late"
    title = "签名期限已过"


class FaceCheckNeeded(Forbidden):
    """To sign, the person shows their face anew, a short time before."""

    code = "face_check_needed"
    title = "签名前请先进行人脸核验"


class SignedAlready(Conflict):
    """The paper has been signed."""

    code = "signed_already"
    title = "这份文书已经签名"


class SignatureUnproven(Conflict):
    """The signature does not prove that the named person signed what they were shown; it counts for nothing."""

    code = "signature_unproven"
    title = "签名未通过验证，不产生效力"


class SigningUnavailable(Unavailable):
    """The signing service did not answer in time, or answered what we cannot read."""

    code = "signing_unavailable"
    title = "电子签名服务暂时无法访问，请稍后重试"


class SigningRefused(Forbidden):
    """The signing service gives this person no certificate, or does not sign with it."""

    code = "signing_refused"
    title = "电子签名服务没有接受这次签名"


class Signatory(Value):
    """Who is to sign: the name, the masked number, and the id of the request, for which alone a certificate is made.

    A PDF goes to others, so the full number stands in no certificate. Two people of one name whose masked numbers are
    alike are told apart by the request, which knows its person.
    """

    name: Name
    id_number: MaskedNumber
    request: RequestId


class ShownPaper(Value):
    """What is shown and signed: the SHA-256 of the PDF, and how many bytes it has."""

    kind: SignedKind
    digest: Digest
    length: Length


class SigningCertificate(Value):
    """What the signing service gives: its name for the key, the certificate, and those above it but the root, DER."""

    key: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    certificate: bytes
    issuers: tuple[bytes, ...] = ()


class ProvenSignature(Value):
    """What a signature proves, by its bytes and a trusted root: who signed which shown PDF when."""

    signatory: Signatory
    shown: Digest
    signed_at: Moment


class SigningAttempt(Value):
    """Somebody is about to sign: `person` is their key, `shown` the digest of the PDF that they were shown."""

    person: str
    shown: Digest
    face_checked_at: Moment | None
    at: Moment


class SigningRequest(Value):
    """That a person (`person`, their key) is asked to sign a paper before `ends_at`, and how far that has come.

    `signed_digest` is the SHA-256 of the signed PDF. A signature counts once it is `verified`, and not before.
    """

    signatory: Signatory
    person: str
    paper: ShownPaper
    asked_at: Moment
    ends_at: Moment
    state: SigningState = "shown"
    signed_at: Moment | None = None
    signed_digest: Digest | None = None

    @property
    def has_effect(self) -> bool:
        """Whether the paper counts as signed."""
        return self.state == "verified"


def check_asked(item: Item, kind: SignedKind) -> None:
    """See that the item asks for such a paper to be signed; raises NotAskedToSign and SignedByHandOnly.

    The law excludes personal status (电子签名法第三条), and a catalogue that is silent has not said that there is none.
    """
    if kind not in item.signatures:
        raise NotAskedToSign
    if item.personal_status != "none":
        raise SignedByHandOnly


def check_attempt(request: SigningRequest, attempt: SigningAttempt, *, fresh_seconds: int) -> None:
    """See that this person may sign now; a face check counts for `fresh_seconds`.

    Raises OtherPersonSigns, SignedAlready, OtherPaperShown, SigningTooLate and FaceCheckNeeded.
    """
    if attempt.person != request.person:
        raise OtherPersonSigns
    if request.state != "shown":
        raise SignedAlready
    if attempt.shown != request.paper.digest:
        raise OtherPaperShown
    if attempt.at >= request.ends_at:
        raise SigningTooLate
    checked = attempt.face_checked_at
    if checked is None or not checked <= attempt.at < checked + timedelta(seconds=fresh_seconds):
        raise FaceCheckNeeded


def signed(request: SigningRequest, digest: Digest, *, at: datetime) -> SigningRequest:
    """The request once the person has signed: `digest` is the SHA-256 of the signed PDF. Raises SignedAlready."""
    if request.state != "shown":
        raise SignedAlready
    return request.model_copy(update={"state": "signed", "signed_at": at, "signed_digest": digest})


def verified(request: SigningRequest, digest: Digest, *, proven: ProvenSignature) -> SigningRequest:
    """The request once the signed PDF with this SHA-256 has proven what was asked for; raises SignatureUnproven."""
    is_in_time = request.asked_at <= proven.signed_at < request.ends_at
    is_this_one = request.state == "signed" and digest == request.signed_digest
    is_asked = proven.signatory == request.signatory and proven.shown == request.paper.digest
    if not (is_in_time and is_this_one and is_asked):
        raise SignatureUnproven
    return request.model_copy(update={"state": "verified"})
