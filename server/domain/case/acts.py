"""The acts that people and peers may do to a case: imperatives, each with an id under which it is done once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from server.domain.aggregate.acts import Act
from server.domain.case.case import Application, Commission, HandedIn, Offered
from server.domain.case.papers import EventNumber, PaperFile, PaperId, PaperKind, PaperName, Sha256
from server.domain.case.signings import SigningId
from server.domain.catalogue.divisions import CodeOrNone
from server.domain.catalogue.items import DaysFrom, SignedKind, Text
from server.domain.catalogue.pinning import PinnedAuthority
from server.domain.catalogue.terms import APPEAL, Courier, DeclineReason, Deferral, Delivery, Gap, Leg, ParcelNumber
from server.domain.exchange.directory import Directory
from server.domain.licence.licence import Grant
from server.domain.time.calendar import Calendar
from server.domain.values import Day, Days, Moment


@dataclass(frozen=True)
class Facts:
    """What a decision may know of the world: which node this is, when, the directory, the calendar, 128 random bits.

    `field_types` are the types of the form's fields by their codes, as the catalogue has them.
    """

    here: str
    at: Moment
    directory: Directory
    calendar: Calendar
    field_types: Mapping[str, str]
    salt: bytes


class Open(Act):
    """Open a case from a checked application (提交); `spoken_number` is the one that people say, if there is one."""

    name: ClassVar[str] = "open"
    number: str
    spoken_number: str = ""
    application: Application


class Request(Act):
    """Take up a step of another node's case (from `step.requested`)."""

    name: ClassVar[str] = "request"
    case: str
    commission: Commission


class StepAct(Act):
    """An act on one step; `version` is that of the step the actor saw, if given.

    `at` is when its decider did it, if a letter tells of it; then what the decider fixed comes with the act too.
    """

    step: str
    version: int | None = None
    at: Moment | None = None


class Receive(StepAct):
    """Take the step onto a desk (收件); a letter tells by which authority it is decided."""

    name: ClassVar[str] = "receive"
    authority: PinnedAuthority | None = None


class AskSupplement(StepAct):
    """Ask for everything that must be put right (补正)."""

    name: ClassVar[str] = "ask_supplement"
    gaps: tuple[Gap, ...]


class Tell(StepAct):
    """The home tells that the applicant knows what to put right, and until when (from `step.told`)."""

    name: ClassVar[str] = "tell"
    due_on: Day


class Supply(StepAct):
    """The applicant puts right what was asked, or hands in what was deferred."""

    name: ClassVar[str] = "supply"
    form: Mapping[str, str] = Field(default_factory=dict)
    materials: tuple[HandedIn | Offered, ...] = ()


class Urge(StepAct):
    """The applicant presses those who have the step in hand (催办)."""

    name: ClassVar[str] = "urge"


class Gather(StepAct):
    """The decider has all materials that were offered; `kept` are the SHA-256 (hex) of those it looked for and has."""

    name: ClassVar[str] = "gather"
    kept: tuple[str, ...]


class Accept(StepAct):
    """Take the step up for decision (受理); `since` is when all that was handed in was with the decider."""

    name: ClassVar[str] = "accept"
    since: Moment | None = None
    legal_days: Days | None = None
    promised_days: Days | None = None
    deferrals: tuple[Deferral, ...] = ()
    authority: PinnedAuthority | None = None


class Deem(StepAct):
    """No notice was given in time: accepted by law from the day the material came."""

    name: ClassVar[str] = "deem"
    since: Moment | None = None
    legal_days: Days | None = None
    promised_days: Days | None = None
    deferrals: tuple[Deferral, ...] = ()
    authority: PinnedAuthority | None = None


class Decline(StepAct):
    """Do not take it up (不予受理), and name the right agency, and the division where that is if it is another one."""

    name: ClassVar[str] = "decline"
    reason: DeclineReason
    grounds: str
    agency: str = ""
    division: CodeOrNone = ""
    appeal: str = APPEAL


class Lapse(StepAct):
    """The time for an answer is over: the step ends as its item says."""

    name: ClassVar[str] = "lapse"


class Suspend(StepAct):
    """Begin a declared special procedure (特别程序); `days` are those that the notice names."""

    name: ClassVar[str] = "suspend"
    procedure: Text
    notice: Text
    days: Days


class Resume(StepAct):
    """End the special procedure."""

    name: ClassVar[str] = "resume"


class Extend(StepAct):
    """Give the step more working days, once (延长办理期限); `approver` is set when a letter tells it."""

    name: ClassVar[str] = "extend"
    days: Days
    reason: Text
    approver: str = ""


class Opine(StepAct):
    """Say what one's own department thinks (会签)."""

    name: ClassVar[str] = "opine"
    answer: Literal["agree", "object"]
    reason: str = ""


class ReturnOpinion(StepAct):
    """Send the opinion of one department back to it."""

    name: ClassVar[str] = "return_opinion"
    department: str
    reason: str


class Propose(StepAct):
    """Propose how to decide it, to those who decide (拟办)."""

    name: ClassVar[str] = "propose"
    outcome: Literal["approve", "refuse"]
    opinion: str


class Approve(StepAct):
    """Grant it (准予); `licence` is the file of it, if there is one, `grant` the electronic licence that it leads to.

    That one is the decider's alone: no letter has it.
    """

    name: ClassVar[str] = "approve"
    result: Mapping[str, str] = Field(default_factory=dict)
    licence: Offered | None = None
    grant: Grant | None = None


class Refuse(StepAct):
    """Refuse it, with grounds (不予)."""

    name: ClassVar[str] = "refuse"
    grounds: str
    appeal: str = APPEAL


class Deliver(StepAct):
    """Bring the licence to its holder (送达)."""

    name: ClassVar[str] = "deliver"
    delivery: Delivery
    licence: Offered | None = None


class LetGo(StepAct):
    """The decider lets a step go that the applicant asked back (from `step.withdrawn`)."""

    name: ClassVar[str] = "withdraw"
    grounds: str = ""


class AskWithdrawal(StepAct):
    """The home asks a step back for the applicant (from `step.withdrawal_asked`)."""

    name: ClassVar[str] = "ask_withdrawal"


class FollowUp(StepAct):
    """Settle, as the lead department, what a step brought after the case had closed."""

    name: ClassVar[str] = "follow_up"
    note: str


class Check(StepAct):
    """The home did its own part, and found this (核验通过): the step may be sent on."""

    name: ClassVar[str] = "check"
    finding: Text


class TurnBack(StepAct):
    """The home found that the step cannot be sent on as it is (核验不通过)."""

    name: ClassVar[str] = "turn_back"
    grounds: Text


class PostPaper(StepAct):
    """Post originals to the other place (寄出原件); `leg` as a letter names it."""

    name: ClassVar[str] = "post_paper"
    courier: Courier
    number: ParcelNumber
    leg: Leg | None = None


class ConfirmPaper(StepAct):
    """Confirm that originals have arrived (签收原件); a letter names leg, courier and number."""

    name: ClassVar[str] = "confirm_paper"
    courier: Courier | None = None
    number: ParcelNumber | None = None
    leg: Leg | None = None


class Bounce(StepAct):
    """Note at home that the decider's node refused a letter about the step (退回): its kind, and the refusal's code."""

    name: ClassVar[str] = "bounce"
    letter: str
    code: str


class Resend(StepAct):
    """Note at home that a letter that had come back was put before the decider's node again."""

    name: ClassVar[str] = "resend"
    letter: str


class FilePaper(StepAct):
    """Note that a paper of the step is sealed and kept; at home as the node that decides the step tells, without its
    `spoken_number`.
    """

    name: ClassVar[str] = "make_paper"
    of: EventNumber
    paper: PaperId
    paper_kind: PaperKind
    title: PaperName
    authority: PaperName
    dated_on: Day
    data_digest: Sha256
    file: PaperFile
    spoken_number: str = ""


class AskSignature(StepAct):
    """Ask the applicant to sign the file of a paper, which is kept as it is shown to them, before `ends_at`."""

    name: ClassVar[str] = "ask_signature"
    paper: PaperId
    request: SigningId
    signed_kind: SignedKind
    shown: PaperFile
    ends_at: Moment


class SignPaper(StepAct):
    """Sign as the applicant: the signed file is kept and has proven what was asked for, at the moment `signed_at`."""

    name: ClassVar[str] = "sign_paper"
    paper: PaperId
    request: SigningId
    signed: PaperFile
    signed_at: Moment


class Transfer(StepAct):
    """Hand it on to the authority that is competent, in the same province (移送); `authority` is set by the desk.

    A letter tells from which day the days for telling of gaps count.
    """

    name: ClassVar[str] = "transfer"
    authority: PinnedAuthority | None = None
    reason: Text
    days_from: DaysFrom | None = None

    @model_validator(mode="after")
    def _is_told_whole(self) -> Self:
        if self.at is not None and not (self.authority and self.days_from):
            raise ValueError("a letter must name the authority, and from which day the days count")
        return self


class Designate(StepAct):
    """Say as the common superior who decides it (指定管辖): after a transfer, or because its authority `is_gone`."""

    name: ClassVar[str] = "designate"
    authority: PinnedAuthority
    superior: PinnedAuthority
    reason: Text
    is_gone: bool = False


class TakeOver(StepAct):
    """The successor of an authority whose division was abolished goes on with it (承继)."""

    name: ClassVar[str] = "take_over"
    authority: PinnedAuthority
    reason: Text


class Withdraw(Act):
    """The applicant withdraws the whole case (撤回); `version` is that of the case they saw, if given."""

    name: ClassVar[str] = "withdraw_case"
    version: int | None = None
