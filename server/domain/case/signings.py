"""Papers of a case that its applicant signs electronically: asked for with the file that is shown, and signed."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import StringConstraints

from server.domain.aggregate.happening import Happened
from server.domain.case.papers import GivenPaper, PaperFile, PaperId
from server.domain.catalogue.items import SignedKind
from server.domain.values import Moment, Value

# The id of a request stands in the certificate that is made for it, and is that of the order to seal what was signed.
SigningId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{16}$")]


class Signing(Value):
    """That the applicant is asked to sign a paper before `ends_at`: the file as it is `shown`, and as `signed` by them.

    `id` is that of the request. `signed_at` is the moment that the signature proves.
    """

    id: SigningId
    step: str
    paper: PaperId
    signed_kind: SignedKind
    shown: PaperFile
    asked_at: Moment
    ends_at: Moment
    signed: PaperFile | None = None
    signed_at: Moment | None = None


class SignatureAsked(Happened):
    """A paper stands ready with empty places, and its applicant is asked to sign this file, to the byte."""

    act: ClassVar[str] = "ask_signature"
    kind: Literal["signature_asked"] = "signature_asked"
    step: str
    paper: PaperId
    request: SigningId
    signed_kind: SignedKind
    shown: PaperFile
    ends_at: Moment


class PaperSigned(Happened):
    """The applicant has signed what was shown, and the signed file has proven it."""

    act: ClassVar[str] = "sign_paper"
    kind: Literal["paper_signed"] = "paper_signed"
    step: str
    paper: PaperId
    request: SigningId
    signed: PaperFile
    signed_at: Moment


def signing_asked(event: SignatureAsked) -> Signing:
    """The signing as it stands once it is asked for."""
    return Signing(
        id=event.request,
        step=event.step,
        paper=event.paper,
        signed_kind=event.signed_kind,
        shown=event.shown,
        asked_at=event.at,
        ends_at=event.ends_at,
    )


def is_open(paper: GivenPaper, signing: Signing | None, *, at: datetime) -> bool:
    """Whether a paper is not finished and still may be: one that its applicant was to sign may have lapsed."""
    has_lapsed = signing is not None and signing.signed is None and at >= signing.ends_at
    return paper.file is None and not has_lapsed
