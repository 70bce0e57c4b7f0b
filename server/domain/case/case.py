"""A case (办件): one person's run through one bundle, as its events have made it."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from server.domain.case.papers import GivenPaper
from server.domain.case.signings import Signing
from server.domain.catalogue.bundles import Closing
from server.domain.catalogue.pinning import PinnedAuthority
from server.domain.catalogue.plan import PlannedStep
from server.domain.catalogue.terms import Deferral, Delivery, Gap, Leg, Opinion, Paper, Proposal, Undertaking
from server.domain.errors import Missing
from server.domain.materials import MOST_BYTES
from server.domain.people.mandates import AgentOf
from server.domain.people.persons import Person, SubjectGiven
from server.domain.time.clock import Ledger
from server.domain.values import SENSITIVE, Moment, Value

State = Literal[
    "waiting",
    "checking",
    "sent",
    "received",
    "supplementing",
    "accepted",
    "suspended",
    "approved",
    "refused",
    "declined",
    "delivered",
    "withdrawn",
    "skipped",
]
GRANTED: frozenset[State] = frozenset(("approved", "delivered"))
ENDED: frozenset[State] = GRANTED | {"refused", "declined", "withdrawn", "skipped"}
HELD: frozenset[State] = frozenset(("sent", "received", "supplementing", "accepted", "suspended"))
Outcome = Literal["completed", "withdrawn"]
STATE_NAMES: Mapping[State, str] = {
    "waiting": "等待前序事项",
    "checking": "受理地核验中",
    "sent": "已转办",
    "received": "已收件",
    "supplementing": "待补正",
    "accepted": "已受理",
    "suspended": "特别程序中",
    "approved": "准予",
    "refused": "不予",
    "declined": "不予受理",
    "delivered": "已送达",
    "withdrawn": "已撤回",
    "skipped": "不再办理",
}


class NoSuchCase(Missing):
    """There is no such case, or the asker has no right to know of it."""

    code = "no_such_case"
    title = "没有这个办件"


class NoSuchStep(Missing):
    """The case has no step of this code."""

    code = "no_such_step"
    title = "没有这个事项"


class Offered(Value):
    """A content as a letter offers it: the material or licence that it is, and the SHA-256 (hex) of it."""

    code: str
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$"), SENSITIVE]
    size: Annotated[int, Field(ge=1, le=MOST_BYTES)]
    media_type: str


class HandedIn(Offered):
    """A material as the citizen handed it in: `id` is what this node calls it, `name` that of the file."""

    id: str
    name: Annotated[str, SENSITIVE]


class Application(Value):
    """What the citizen handed in (申请): checked, with every field and material that the plan asks for.

    Of the materials those of `deferred` come later. `closing` is the rule by which the case closes, `lead` the
    department that leads it, and `leader` that one's authority where the applicant is. `subject` and `agent` are set
    if they are not the applicant. `division` is where inside the home they apply, and `window` the one that they chose,
    if any.
    """

    bundle: str
    bundle_name: str
    catalogue: str
    division: str = ""
    window: str = ""
    closing: Closing = "all"
    lead: str = ""
    leader: PinnedAuthority | None = None
    applicant: Person
    subject: SubjectGiven | None = None
    agent: AgentOf | None = None
    answers: Mapping[str, str]
    form: Annotated[Mapping[str, str], SENSITIVE]
    materials: tuple[HandedIn, ...]
    deferred: tuple[str, ...] = ()
    undertakings: tuple[Undertaking, ...] = ()
    steps: tuple[PlannedStep, ...]


class Commission(Value):
    """What a home sends to the decider of one step (转办件): what the item declares, and nothing else.

    `finding` is what the home found in its own part.
    """

    bundle: str
    bundle_name: str
    catalogue: str
    step: PlannedStep
    directory_version: int
    form: Annotated[Mapping[str, str], SENSITIVE]
    materials: tuple[Offered, ...]
    deferred: tuple[str, ...] = ()
    finding: Annotated[str, SENSITIVE] = ""


class Supplement(Value):
    """One supplement (补正): what was asked, until when it may be answered, and both versions of what was changed.

    It may be answered until the end of `due_on`, which is known once the applicant has been told.
    """

    asked_at: Moment
    gaps: tuple[Gap, ...]
    due_on: date | None = None
    answered_at: Moment | None = None
    form_before: Annotated[Mapping[str, str], SENSITIVE] = Field(default_factory=dict)
    form_after: Annotated[Mapping[str, str], SENSITIVE] = Field(default_factory=dict)
    materials_before: tuple[HandedIn | Offered, ...] = ()
    materials_after: tuple[HandedIn | Offered, ...] = ()


class Step(Value):
    """One item inside a case. `node` is the decider, pinned with the directory's version when the step is sent.

    `authority` is who decides it there: pinned by the plan at home, elsewhere by the decider's node, which tells it.
    `since` is when it came into its state, `version` the number of the last event about it, `arrived_at` when the
    decider had all that was handed in; while `is_gathering`, materials are still coming. `waits_on` tells why it was
    skipped, `right_division` where it belongs, if it was declined for that. `officer` is who accepted it, `decided_at`
    when it was approved, `licence` the file of what it yielded, `electronic` the identifier of the electronic licence
    that its approval led to here. `finding` is what the home found in its own part,
    `checked_at` when; `papers` are the originals on their way between the two. `bounced` is the kind of the home's last
    letter about it, if that came back. `urged_at` is when the applicant last pressed those who have it. `proposal` is
    the last one of how to decide it. `formers` are who had it before its authority, `transfers` how often it was
    transferred or its authority designated, `notify_anew_at` when the days for telling of gaps began anew with that.
    """

    plan: PlannedStep
    state: State = "waiting"
    since: Moment
    version: int
    node: str = ""
    authority: PinnedAuthority | None = None
    directory_version: int = 0
    arrived_at: Moment | None = None
    is_gathering: bool = False
    officer: str = ""
    clock: Ledger | None = None
    supplement: Supplement | None = None
    deferrals: tuple[Deferral, ...] = ()
    opinions: Mapping[str, Opinion] = Field(default_factory=dict)
    withdrawal_asked_at: Moment | None = None
    grounds: Annotated[str, SENSITIVE] = ""
    appeal: str = ""
    agency: str = ""
    right_division: str = ""
    result: Annotated[Mapping[str, str], SENSITIVE] = Field(default_factory=dict)
    decided_at: Moment | None = None
    licence: Offered | None = None
    electronic: str = ""
    delivery: Delivery | None = None
    waits_on: str = ""
    finding: Annotated[str, SENSITIVE] = ""
    checked_at: Moment | None = None
    papers: Mapping[Leg, Paper] = Field(default_factory=dict)
    bounced: str = ""
    urged_at: Moment | None = None
    proposal: Proposal | None = None
    formers: tuple[PinnedAuthority, ...] = ()
    transfers: int = 0
    notify_anew_at: Moment | None = None

    @property
    def has_ended(self) -> bool:
        """Whether it is decided, or never will be: only a licence may still be delivered."""
        return self.state in ENDED

    @property
    def is_granted(self) -> bool:
        """Whether it is approved, its licence delivered or not."""
        return self.state in GRANTED

    @property
    def notify_from(self) -> Moment | None:
        """Since when the five days for telling the applicant run; None while its materials are still coming."""
        begun = self.arrived_at or self.since
        return None if self.is_gathering else max(begun, self.notify_anew_at or begun)

    @property
    def checked_by(self) -> str:
        """The department of the home that checks it, or has checked it; empty if none, or not yet."""
        is_begun = self.state == "checking" or self.checked_at is not None
        return self.plan.part.department if self.plan.part and is_begun else ""

    @property
    def awaited(self) -> tuple[Deferral, ...]:
        """The deferred materials that have not come."""
        return tuple(deferral for deferral in self.deferrals if deferral.came_at is None)


class Case(Value):
    """One case; `number` is unique at its home node, and `name` is unique everywhere.

    `spoken_number` is the one that people say: twelve digits, and nothing elsewhere than at home, in cases that are
    older than such numbers, and when there were none left.
    `open_at_closing` are the steps that were still open when it closed, which are settled afterwards, and then
    followed up by the lead department. `window` is the one that the applicant chose, if any; only the home knows it.
    `given_papers` are the papers (文书) of its steps, in the order in which they were asked for or told;
    `signings` are those of them that the applicant was asked to sign.
    """

    home: str
    number: str
    spoken_number: str = ""
    bundle: str
    bundle_name: str
    catalogue: str
    opened_at: Moment
    applicant: Person | None
    subject: SubjectGiven | None = None
    agent: AgentOf | None = None
    form: Annotated[Mapping[str, str], SENSITIVE]
    materials: tuple[HandedIn | Offered, ...]
    deferred: tuple[str, ...] = ()
    undertakings: tuple[Undertaking, ...] = ()
    steps: Mapping[str, Step]
    window: str = ""
    closing: Closing = "all"
    lead: str = ""
    leader: PinnedAuthority | None = None
    closed_at: Moment | None = None
    outcome: Outcome | None = None
    open_at_closing: tuple[str, ...] = ()
    followed_up: tuple[str, ...] = ()
    given_papers: tuple[GivenPaper, ...] = ()
    signings: tuple[Signing, ...] = ()
    version: int = 0

    @property
    def name(self) -> str:
        """How any node speaks of this case: `320000/abc...`."""
        return f"{self.home}/{self.number}"

    def step(self, code: str) -> Step:
        """The step of this code; raises NoSuchStep."""
        if code not in self.steps:
            raise NoSuchStep("办件中没有这个事项。")
        return self.steps[code]

    def paper(self, id: str) -> GivenPaper | None:
        """The paper of this id, or None."""
        return next((each for each in self.given_papers if each.id == id), None)

    def signing_of(self, paper: str) -> Signing | None:
        """How far the signature of the paper of this id has come; None if none was asked for."""
        return next((each for each in self.signings if each.paper == paper), None)

    def leaves_to_lead(self, step: Step) -> bool:
        """Whether the step ended after the case had closed, so that the lead department follows it up."""
        return step.plan.code in self.open_at_closing and step.has_ended and step.state != "skipped"


def local_id(name: str, here: str) -> str:
    """The id under which this node keeps a case: its bare number at home, `home:number` elsewhere.

    So nobody but the home can speak of the home's own case by a bare number.
    """
    home, _, number = name.partition("/")
    return number if home == here else f"{home}:{number}"


def full_name(id: str, here: str) -> str:
    """How any node speaks of the case that this node keeps under an id."""
    return id.replace(":", "/", 1) if ":" in id else f"{here}/{id}"
