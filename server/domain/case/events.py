"""What has happened to a case: facts in the past tense, each with the act that caused it."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import ConfigDict, Field, NonNegativeInt, PositiveInt, TypeAdapter

from server.domain.aggregate.happening import Happened
from server.domain.case.bouncing import Bounced, Resent
from server.domain.case.case import Application, Commission, HandedIn, Offered, Outcome
from server.domain.case.handover import CheckAsked, Checked, PaperArrived, PaperPosted, TurnedBack
from server.domain.case.happening import Moved
from server.domain.case.papers import PaperAsked, PaperMade
from server.domain.case.signings import PaperSigned, SignatureAsked
from server.domain.catalogue.items import DaysFrom
from server.domain.catalogue.pinning import PinnedAuthority
from server.domain.catalogue.terms import DeclineReason, Deferral, Delivery, Gap
from server.domain.licence.licence import Grant
from server.domain.values import SENSITIVE, Moment


class Opened(Happened):
    """The citizen handed in the application (提交), and was given the number that people say, if there was one."""

    act: ClassVar[str] = "open"
    kind: Literal["opened"] = "opened"
    case: str
    spoken_number: str = ""
    application: Application


class Requested(Happened):
    """The case's home asked this node (`node`) to decide a step (转办)."""

    act: ClassVar[str] = "request"
    kind: Literal["requested"] = "requested"
    case: str
    node: str
    commission: Commission


class Sent(Moved):
    """The step was handed to its decider (转办)."""

    act: ClassVar[str] = "send"
    kind: Literal["sent"] = "sent"
    node: str
    directory_version: int


class Received(Moved):
    """The decider has the step on a desk (收件); `authority` is who decides it, as its node tells the home."""

    act: ClassVar[str] = "receive"
    kind: Literal["received"] = "received"
    authority: PinnedAuthority | None = None


class SupplementAsked(Moved):
    """The decider asks for everything that must be put right (补正), once and all at once."""

    act: ClassVar[str] = "ask_supplement"
    kind: Literal["supplement_asked"] = "supplement_asked"
    gaps: tuple[Gap, ...]


class Told(Moved):
    """The applicant was told what to put right; from now until `due_on` the applicant's time runs."""

    act: ClassVar[str] = "tell"
    kind: Literal["told"] = "told"
    due_on: date


class Urged(Moved):
    """The applicant pressed those who have the step in hand."""

    act: ClassVar[str] = "urge"
    kind: Literal["urged"] = "urged"


class Answered(Happened):
    """At home: the applicant put right what another node asked for; that node is told."""

    act: ClassVar[str] = "answer"
    kind: Literal["answered"] = "answered"
    step: str
    form: Annotated[Mapping[str, str], SENSITIVE] = Field(default_factory=dict)
    materials: tuple[HandedIn | Offered, ...] = ()


class Supplied(Moved):
    """The decider has what was put right, or a deferred material."""

    act: ClassVar[str] = "supply"
    kind: Literal["supplied"] = "supplied"
    form: Annotated[Mapping[str, str], SENSITIVE] = Field(default_factory=dict)
    materials: tuple[HandedIn | Offered, ...] = ()


class Gathered(Moved):
    """All materials that were offered are kept here, where they are decided about."""

    act: ClassVar[str] = "gather"
    kind: Literal["gathered"] = "gathered"


class TakenUp(Moved):
    """The clock runs, by the days that its decider counts; deferred materials and opinions have their last days.

    `authority` as in `Received`: what is accepted by law may not have been received.

    At home `forwarding_days` went by before all was with the decider (转送时间): they are nobody's working days.
    """

    legal_days: PositiveInt | None = None
    promised_days: PositiveInt | None = None
    deferrals: tuple[Deferral, ...] = ()
    opinions_due_on: date | None = None
    forwarding_days: NonNegativeInt = 0
    authority: PinnedAuthority | None = None


class Accepted(TakenUp):
    """The decider took the step up for decision (受理)."""

    act: ClassVar[str] = "accept"
    kind: Literal["accepted"] = "accepted"
    since: Moment | None = None


class Deemed(TakenUp):
    """No notice within five working days (行政许可法第三十二条): accepted by law from the day all material came."""

    act: ClassVar[str] = "deem"
    kind: Literal["deemed"] = "deemed"
    since: Moment


class Declined(Moved):
    """The decider does not take it up (不予受理): why, and where to turn to instead; `division` if it is elsewhere."""

    act: ClassVar[str] = "decline"
    kind: Literal["declined"] = "declined"
    reason: DeclineReason
    grounds: Annotated[str, SENSITIVE]
    agency: str = ""
    division: str = ""
    appeal: str


class Suspended(Moved):
    """A special procedure (特别程序) began; its time does not count, and a written notice tells how long it takes."""

    act: ClassVar[str] = "suspend"
    kind: Literal["suspended"] = "suspended"
    procedure: str
    notice: Annotated[str, SENSITIVE]
    days: int


class Resumed(Moved):
    """The special procedure is over, and the clock runs on."""

    act: ClassVar[str] = "resume"
    kind: Literal["resumed"] = "resumed"


class Extended(Moved):
    """The head gave the step more working days (延长办理期限), for a reason that the applicant is told."""

    act: ClassVar[str] = "extend"
    kind: Literal["extended"] = "extended"
    days: int
    approver: str
    reason: Annotated[str, SENSITIVE]


class OpinionGiven(Moved):
    """A department that must be heard said what it thinks (会签)."""

    act: ClassVar[str] = "opine"
    kind: Literal["opinion_given"] = "opinion_given"
    department: str
    answer: Literal["agree", "object"]
    reason: Annotated[str, SENSITIVE] = ""


class OpinionReturned(Moved):
    """The deciding department sent one opinion back; that one's time begins again."""

    act: ClassVar[str] = "return_opinion"
    kind: Literal["opinion_returned"] = "opinion_returned"
    department: str
    reason: Annotated[str, SENSITIVE]
    due_on: date


class Proposed(Moved):
    """It was proposed to those who decide how to do it (拟办), in the place of what was proposed before."""

    act: ClassVar[str] = "propose"
    kind: Literal["proposed"] = "proposed"
    outcome: Literal["approve", "refuse"]
    opinion: Annotated[str, SENSITIVE]


class Approved(Moved):
    """The decider granted it (准予); `result` holds the fields that the item yields.

    `grant` is the electronic licence that it leads to, where it was decided.
    """

    act: ClassVar[str] = "approve"
    kind: Literal["approved"] = "approved"
    result: Annotated[Mapping[str, str], SENSITIVE] = Field(default_factory=dict)
    licence: Offered | None = None
    grant: Grant | None = None


class Refused(Moved):
    """The decider refused it (不予), on these grounds, and says how to appeal."""

    act: ClassVar[str] = "refuse"
    kind: Literal["refused"] = "refused"
    grounds: Annotated[str, SENSITIVE]
    appeal: str


class Delivered(Moved):
    """The licence reached its holder (送达)."""

    act: ClassVar[str] = "deliver"
    kind: Literal["delivered"] = "delivered"
    delivery: Delivery
    licence: Offered | None = None


class Withdrawn(Moved):
    """The applicant took the step back (撤回) and it was let go; `grounds` are set if the answer never came."""

    act: ClassVar[str] = "withdraw"
    kind: Literal["withdrawn"] = "withdrawn"
    grounds: str = ""


class Skipped(Moved):
    """The step cannot be done, for one it needs (`waits_on`) ended otherwise than approved."""

    act: ClassVar[str] = "skip"
    kind: Literal["skipped"] = "skipped"
    waits_on: str


class Transferred(Moved):
    """Its authority handed it on to another one in the province (移送); the days of its clock go on."""

    act: ClassVar[str] = "transfer"
    kind: Literal["transferred"] = "transferred"
    authority: PinnedAuthority
    former: PinnedAuthority | None
    reason: Annotated[str, SENSITIVE]
    days_from: DaysFrom


class Designated(Moved):
    """The common superior said who decides it (指定管辖)."""

    act: ClassVar[str] = "designate"
    kind: Literal["designated"] = "designated"
    authority: PinnedAuthority
    former: PinnedAuthority | None
    superior: PinnedAuthority
    reason: Annotated[str, SENSITIVE]


class TakenOver(Moved):
    """The successor of an authority whose division was abolished goes on with it (承继)."""

    act: ClassVar[str] = "take_over"
    kind: Literal["taken_over"] = "taken_over"
    authority: PinnedAuthority
    former: PinnedAuthority | None
    reason: str


HandedOn = Transferred | Designated | TakenOver  # what gives a step another authority


class FollowedUp(Happened):
    """The lead department settled what a step brought that ended after the case had closed."""

    act: ClassVar[str] = "follow_up"
    kind: Literal["followed_up"] = "followed_up"
    step: str
    note: Annotated[str, SENSITIVE]


class WithdrawalAsked(Happened):
    """The applicant wants a step back that another node decides; that node answers."""

    act: ClassVar[str] = "ask_withdrawal"
    kind: Literal["withdrawal_asked"] = "withdrawal_asked"
    step: str


class Closed(Happened):
    """The case is done (办结), which does not mean that all was approved; `open_steps` are settled afterwards."""

    act: ClassVar[str] = "close"
    kind: Literal["closed"] = "closed"
    outcome: Outcome
    open_steps: tuple[str, ...] = ()


# What moves a step, by the tables of the rules.
StepEvent = (
    Sent
    | CheckAsked
    | Checked
    | TurnedBack
    | Received
    | SupplementAsked
    | Told
    | Supplied
    | Urged
    | Gathered
    | Accepted
    | Deemed
    | Declined
    | Suspended
    | Resumed
    | Extended
    | OpinionGiven
    | OpinionReturned
    | Proposed
    | Transferred
    | Designated
    | TakenOver
    | Approved
    | Refused
    | Delivered
    | Withdrawn
    | Skipped
)
Event = Annotated[
    StepEvent
    | Opened
    | Requested
    | Answered
    | WithdrawalAsked
    | FollowedUp
    | PaperPosted
    | PaperArrived
    | Bounced
    | Resent
    | PaperAsked
    | PaperMade
    | SignatureAsked
    | PaperSigned
    | Closed,
    Field(discriminator="kind"),
]
KINDS = frozenset(kind.model_fields["kind"].default for kind in get_args(get_args(Event)[0]))
EVENT: TypeAdapter[Event] = TypeAdapter(Event, config=ConfigDict(hide_input_in_errors=True))
