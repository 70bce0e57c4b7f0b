"""What is asked of the applicant who is to sign a paper, from the case: the request that their signature must fit."""

from server.domain.case.signings import Signing
from server.domain.papers.signing import ShownPaper, Signatory, SigningRequest
from server.domain.people.masking import masked_number
from server.domain.people.persons import Person


def request_of(signing: Signing, applicant: Person) -> SigningRequest:
    """The request, as far as it has come: a signature that the case knows has been verified."""
    shown = signing.shown
    return SigningRequest(
        signatory=Signatory(
            name=applicant.name[:200], id_number=masked_number(applicant.id_number), request=signing.id
        ),
        person=applicant.key,
        paper=ShownPaper(kind=signing.signed_kind, digest=shown.sha256, length=shown.size),
        asked_at=signing.asked_at,
        ends_at=signing.ends_at,
        state="verified" if signing.signed else "shown",
        signed_at=signing.signed_at,
        signed_digest=signing.signed.sha256 if signing.signed else None,
    )
