"""What each kind of paper says of its own, beside what all papers have."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StringConstraints

from server.domain.values import Day, Days, Moment, Value

MOST_ROWS = 100
Words = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Count = Annotated[int, Field(strict=True, ge=1, le=9999)]


class PaperBody(Value):
    """What one kind of paper says of its own; a member that may be left out is None or empty then."""


class ReceivedMaterial(Value):
    """One material that was handed in: its name, `form` (原件, 复印件, 电子件), and how many of it."""

    name: Name
    form: Name
    copies: Count


class MaterialGap(Value):
    """One thing to put right: the material, what is wrong, what is asked for, and the article that asks for it."""

    material: Name
    problem: Words
    demand: Words
    basis: Name


class ReceiptBody(PaperBody):
    """接收材料凭证: what was received when, and by which way (窗口, 网上, 邮寄)."""

    received_at: Moment
    way: Name
    materials: Annotated[tuple[ReceivedMaterial, ...], Field(min_length=1, max_length=MOST_ROWS)]


class SupplementBody(PaperBody):
    """补正告知书: all that is wrong, at once, and the last day; `consequence` only where a rule names one."""

    gaps: Annotated[tuple[MaterialGap, ...], Field(min_length=1, max_length=MOST_ROWS)]
    due_on: Day
    consequence: Words | None = None


class AcceptanceBody(PaperBody):
    """受理通知书: since when, the legal working days, and the day of the decision."""

    accepted_on: Day
    legal_days: Days
    promised_on: Day


class NotNeededBody(PaperBody):
    """不受理告知书: the article by which nothing needs to be applied for."""

    basis: Words


class NotOursBody(PaperBody):
    """不予受理决定书: why this authority is the wrong one, which is the right one, and its telephone."""

    basis: Words
    right_authority: Name
    right_phone: Name


class HearingBody(PaperBody):
    """听证告知书: what is about to be decided on, and what of it concerns the interests of whoever reads."""

    interest: Words


class SpecialProcedureBody(PaperBody):
    """特殊程序告知书: which procedure, by whom, from and to which day, and the day of the decision after it."""

    procedure: Name
    institution: Name
    basis: Words
    begins_on: Day
    ends_on: Day
    promised_on: Day


class ExtensionBody(PaperBody):
    """延长期限通知书: why, by which article, by how many working days, and the new day of the decision."""

    reason: Words
    basis: Words
    more_days: Days
    promised_on: Day


class GrantedBody(PaperBody):
    """准予决定: what, in which extent and for how long, by which articles; what is handed over, and until when."""

    basis: Words
    content: Words
    scope: Words | None = None
    term: Words | None = None
    result: Name | None = None
    delivered_by: Day | None = None


class RefusedBody(PaperBody):
    """不予决定: what was found, which article it does not meet, and the reasons."""

    findings: Words
    basis: Words
    reasons: Words


class WithdrawalBody(PaperBody):
    """撤回申请确认书: the day of the withdrawal, and what is given back."""

    withdrawn_on: Day
    returned: Words | None = None


class GapAcceptanceBody(PaperBody):
    """容缺受理通知书: what is still missing and until when it comes; the days are those of 受理通知书."""

    accepted_on: Day
    missing: Words
    due_on: Day
    legal_days: Days
    promised_on: Day


class DeliveryBody(PaperBody):
    """送达回证: which paper went to whom, where and how; for electronic ones account and moments, else a remark."""

    delivered_title: Name
    delivered_number: Name | None = None
    way: Name
    place: Name
    sent_at: Moment
    arrived_at: Moment | None = None
    opened_at: Moment | None = None
    file_digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    remark: Words | None = None


class CorrectionBody(PaperBody):
    """更正通知书: which paper, and what it says instead of what; it holds since the first day."""

    corrected_title: Name
    corrected_number: Name | None = None
    corrected_on: Day
    wrong: Words
    right: Words


class TerminationBody(PaperBody):
    """终止办理通知书: why, by which article, and since when."""

    reason: Words
    basis: Words
    ended_on: Day


class StatedResult(Value):
    """One thing that a certificate states: its label, and its value in words."""

    label: Name
    value: Words


class CertificateBody(PaperBody):
    """证明、凭证: the result of an approval: its own name, whom it is about beside the applicant, what it says."""

    name: Name
    subject: Name | None = None
    lines: Annotated[tuple[StatedResult, ...], Field(max_length=MOST_ROWS)] = ()


class StatedHolder(Value):
    """One who holds a licence, and their number, as far as whoever receives the paper may read both."""

    name: Name
    number: Name


class LicenceBody(PaperBody):
    """证照照面: the licence by its own name, who holds it, its identifier and days, what else its face says."""

    name: Name
    identifier: Name
    holders: Annotated[tuple[StatedHolder, ...], Field(min_length=1, max_length=MOST_ROWS)]
    issued_on: Day
    effective_on: Day
    expires_on: Day | None = None
    lines: Annotated[tuple[StatedResult, ...], Field(max_length=MOST_ROWS)] = ()


class StatedAnswer(Value):
    """One question of a form, and what the applicant answered, as both were shown."""

    question: Name
    answer: Words


class ApplicationBody(PaperBody):
    """申请书: the form as the applicant filled it in, and what they hand in with it."""

    answers: Annotated[tuple[StatedAnswer, ...], Field(min_length=1, max_length=MOST_ROWS)]
    materials: Words | None = None


class UndertakingBody(PaperBody):
    """告知承诺书: what is to be proven and by which article, how it is checked, and what follows if it is not true."""

    duty: Words
    basis: Words
    checks: Words
    consequences: Words
    publication: Words | None = None


class LeaseBody(PaperBody):
    """公租房租赁合同: the home, the days, the rent, and who answers for what; the authority lets it."""

    home: Words
    area: Name
    equipment: Words
    use: Words
    begins_on: Day
    ends_on: Day
    rent: Words
    repairs: Words
    charges: Words
    surrender: Words
    breach: Words
    other: Words | None = None


# The kinds of paper, by their code in config/papers.
BODIES: Mapping[str, type[PaperBody]] = {
    "receipt": ReceiptBody,
    "supplement": SupplementBody,
    "acceptance": AcceptanceBody,
    "not_needed": NotNeededBody,
    "not_ours": NotOursBody,
    "hearing": HearingBody,
    "special_procedure": SpecialProcedureBody,
    "extension": ExtensionBody,
    "granted": GrantedBody,
    "refused": RefusedBody,
    "withdrawal": WithdrawalBody,
    "gap_acceptance": GapAcceptanceBody,
    "delivery": DeliveryBody,
    "correction": CorrectionBody,
    "termination": TerminationBody,
    "application": ApplicationBody,
    "undertaking": UndertakingBody,
    "lease": LeaseBody,
    "certificate": CertificateBody,
    "licence": LicenceBody,
}
