"""What has happened to a case: facts in the past tense, each with the act that caused it."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, TypeAdapter

from server.domain.case import Actor, Application, Commission, Outcome
from server.domain.names import SENSITIVE, Moment, Value


class Happened(Value):
    """What all events carry: their number in the case, when, by whom, and the id and digest of the act."""

    act: ClassVar[str]

    number: int
    at: Moment
    by: Actor
    act_id: str
    act_digest: str = ""


class Opened(Happened):
    """The citizen handed in the application (提交)."""

    act: ClassVar[str] = "open"
    kind: Literal["opened"] = "opened"
    case: str
    application: Application


class Requested(Happened):
    """The case's home asked this node (`node`) to decide a step (转办)."""

    act: ClassVar[str] = "request"
    kind: Literal["requested"] = "requested"
    case: str
    node: str
    commission: Commission


class Moved(Happened):
    """A step went to another state by the table in `lifecycle`; its subclasses name the move."""

    step: str


class Sent(Moved):
    """The step was handed to its decider (转办)."""

    act: ClassVar[str] = "send"
    kind: Literal["sent"] = "sent"
    node: str
    directory_version: int


class Received(Moved):
    """The decider has the step on a desk (收件)."""

    act: ClassVar[str] = "receive"
    kind: Literal["received"] = "received"


class Accepted(Moved):
    """The decider took the step up for decision (受理)."""

    act: ClassVar[str] = "accept"
    kind: Literal["accepted"] = "accepted"


class Approved(Moved):
    """The decider granted it (准予); `result` holds the fields that the item yields."""

    act: ClassVar[str] = "approve"
    kind: Literal["approved"] = "approved"
    result: Annotated[Mapping[str, str], SENSITIVE] = {}


class Refused(Moved):
    """The decider refused it (不予), on these grounds."""

    act: ClassVar[str] = "refuse"
    kind: Literal["refused"] = "refused"
    grounds: Annotated[str, SENSITIVE]


class Withdrawn(Moved):
    """The applicant took the step back (撤回), and its decider, or its home while it waited, let it go."""

    act: ClassVar[str] = "withdraw"
    kind: Literal["withdrawn"] = "withdrawn"


class Skipped(Moved):
    """The step cannot be done, for one it needs (`waits_on`) ended otherwise than approved."""

    act: ClassVar[str] = "skip"
    kind: Literal["skipped"] = "skipped"
    waits_on: str


class WithdrawalAsked(Happened):
    """The applicant wants a step back that another node decides; that node answers."""

    act: ClassVar[str] = "ask_withdrawal"
    kind: Literal["withdrawal_asked"] = "withdrawal_asked"
    step: str


class Closed(Happened):
    """All steps have ended and the case is done (办结), which does not mean that all were approved."""

    act: ClassVar[str] = "close"
    kind: Literal["closed"] = "closed"
    outcome: Outcome


Event = Annotated[
    Opened
    | Requested
    | Sent
    | Received
    | Accepted
    | Approved
    | Refused
    | Withdrawn
    | Skipped
    | WithdrawalAsked
    | Closed,
    Field(discriminator="kind"),
]
EVENTS: TypeAdapter[tuple[Event, ...]] = TypeAdapter(tuple[Event, ...])
