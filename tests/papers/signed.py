"""Papers that a person signs, made once each in a process: shown, signed with a key elsewhere, sealed."""

import hashlib
from datetime import timedelta
from functools import cache

from server.domain.catalogue.items import SignedKind
from server.domain.papers.signing import PAPER_OF, ShownPaper, Signatory, SigningCertificate
from server.papers.contracts import AskedSignature, TrustedParties
from server.papers.sealing import seal_contract
from server.papers.signing import PreparedSignature, finish_signature, prepare_signature, signable
from server.papers.stand_in import YEAR, StandInAuthority, StandInKey
from server.papers.verifying import TrustedSeals
from tests.papers.samples import FRAME, NOW
from tests.papers.sealed import CA, sealer, set_of

PEOPLE = StandInAuthority(NOW - YEAR, name="样例电子认证机构")
WHO = Signatory(name=FRAME["recipient"], id_number=FRAME["recipient_id"], request="request-0001")
LATER = NOW + timedelta(hours=1)
TRUST = TrustedParties(person_roots=(PEOPLE.root,), seals=TrustedSeals(roots=(CA.root,)))


@cache
def key_of(signatory: Signatory = WHO) -> StandInKey:
    """A key for this person and request, whose certificate counts for a day."""
    return PEOPLE.person(signatory, begins_at=NOW - timedelta(minutes=5), ends_at=NOW + timedelta(days=1))


@cache
def shown(kind: SignedKind) -> bytes:
    """The sample that is shown to its applicant."""
    return signable(set_of(PAPER_OF[kind]))


def prepared(kind: SignedKind, key: StandInKey, *, at: timedelta = timedelta()) -> PreparedSignature:
    """The sample between the two halves of signing, so long after now."""
    return prepare_signature(shown(kind), SigningCertificate(key="1", certificate=key.certificate), at=NOW + at)


def signed_by(kind: SignedKind, key: StandInKey, *, at: timedelta = timedelta()) -> bytes:
    """The sample as this key has signed it."""
    half = prepared(kind, key, at=at)
    return finish_signature(half, key.sign_digest(half.digest))


@cache
def signed(kind: SignedKind) -> bytes:
    """The sample as the right person has signed it, now."""
    return signed_by(kind, key_of())


@cache
def contract() -> bytes:
    """The lease, signed now by its tenant and an hour later by its authority."""
    return seal_contract(signed("contract"), sealer("authority"), at=LATER)


def asked(kind: SignedKind) -> AskedSignature:
    """What a node knows that has asked for the signature of the sample."""
    return AskedSignature(signatory=WHO, shown=shown_paper(kind))


def shown_paper(kind: SignedKind) -> ShownPaper:
    """The sample by its digest."""
    pdf = shown(kind)
    return ShownPaper(kind=kind, digest=hashlib.sha256(pdf).hexdigest(), length=len(pdf))
