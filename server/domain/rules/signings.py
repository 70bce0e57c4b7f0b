"""What must hold before an applicant is asked to sign a paper, before they sign it, and before it is sealed."""

from datetime import datetime

from server.domain.aggregate.happening import Header
from server.domain.case import acts
from server.domain.case.case import Case, Step
from server.domain.case.signings import PaperSigned, SignatureAsked, is_open
from server.domain.errors import Conflict
from server.domain.papers.signing import (
    PAPER_OF,
    OtherPaperShown,
    OtherPersonSigns,
    SignedAlready,
    SigningTooLate,
)

CONTRACT = PAPER_OF["contract"]


class PaperNotAsked(Conflict):
    """The case has not asked for this paper, or it has been made, or its applicant has not signed it."""

    code = "paper_not_asked"
    title = "没有要求出具这份文书"


class ContractOpen(Conflict):
    """The contract of the step is not signed by both parties yet, and may still be."""

    code = "contract_open"
    title = "合同还没有由双方签署"


def signature_asked(case: Case, act: acts.AskSignature, facts: acts.Facts, *, header: Header) -> SignatureAsked:
    """The request to sign a paper, once it is made with empty places: only the node itself makes it, and once.

    Raises PaperNotAsked.
    """
    given = case.paper(act.paper)
    is_ours = act.by.part == "node" and act.by.node == case.home == facts.here
    is_new = given is not None and given.file is None and case.signing_of(act.paper) is None
    if not (is_ours and is_new and given and given.paper_kind == PAPER_OF[act.signed_kind]):
        raise PaperNotAsked("办件没有要求签署这份文书。")
    return SignatureAsked(
        **header,
        step=given.step,
        paper=act.paper,
        request=act.request,
        signed_kind=act.signed_kind,
        shown=act.shown,
        ends_at=act.ends_at,
    )


def paper_signed(case: Case, act: acts.SignPaper, facts: acts.Facts, *, header: Header) -> PaperSigned:
    """The signature of the applicant, once: no agent signs, and what they sign is what they were shown.

    Raises OtherPersonSigns, OtherPaperShown, SignedAlready, and SigningTooLate for what was signed too late.
    """
    if act.by.part != "citizen" or act.by.is_agent or act.by.node != case.home or case.home != facts.here:
        raise OtherPersonSigns
    signing = case.signing_of(act.paper)
    if signing is None or signing.id != act.request:
        raise OtherPaperShown
    if signing.signed:
        raise SignedAlready
    if not signing.asked_at <= act.signed_at < signing.ends_at:
        raise SigningTooLate
    return PaperSigned(
        **header,
        step=signing.step,
        paper=act.paper,
        request=act.request,
        signed=act.signed,
        signed_at=act.signed_at,
    )


def check_signed(case: Case, paper: str) -> None:
    """A paper that its applicant signs first is finished only then; raises PaperNotAsked."""
    given, signing = case.paper(paper), case.signing_of(paper)
    if given and given.paper_kind in PAPER_OF.values() and (signing is None or signing.signed is None):
        raise PaperNotAsked("申请人还没有签署这份文书。")


def check_contracted(case: Case, step: Step, *, at: datetime) -> None:
    """The contract that a decision has led to is signed by both, or may be signed no more; raises ContractOpen."""
    contracts = (each for each in case.given_papers if each.step == step.plan.code and each.paper_kind == CONTRACT)
    if any(is_open(each, case.signing_of(each.id), at=at) for each in contracts):
        raise ContractOpen("合同由申请人签名、机关盖章以后，才能送达办理结果。")
