"""A case (办件): one person's run through one bundle, as its events have made it."""

from collections.abc import Mapping
from typing import Annotated, Literal

from server.domain.errors import Missing
from server.domain.names import SENSITIVE, Moment, Value
from server.domain.persons import Person
from server.domain.plan import PlannedStep

State = Literal["waiting", "sent", "received", "accepted", "approved", "refused", "withdrawn", "skipped"]
ENDED: frozenset[State] = frozenset(("approved", "refused", "withdrawn", "skipped"))
HELD: frozenset[State] = frozenset(("sent", "received", "accepted"))
Outcome = Literal["completed", "withdrawn"]
STATE_NAMES: Mapping[State, str] = {
    "waiting": "等待前序事项",
    "sent": "已转办",
    "received": "已收件",
    "accepted": "已受理",
    "approved": "准予",
    "refused": "不予",
    "withdrawn": "已撤回",
    "skipped": "不再办理",
}


class NoSuchCase(Missing):
    """There is no such case, or the asker has no right to know of it."""

    title = "没有这个办件"


class NoSuchStep(Missing):
    """The case has no step of this code."""

    title = "没有这个事项"


class Actor(Value):
    """Who did something: at which node, in which part, and for an officer the department and name.

    `node` as a part means that the node did it by rule, as a consequence of something else.
    """

    node: str
    part: Literal["citizen", "officer", "node"]
    department: str = ""
    name: str = ""


class Offered(Value):
    """A material as a letter offers it: which kind it is, and the SHA-256 (hex) of its content."""

    code: str
    sha256: Annotated[str, SENSITIVE]
    size: int
    media_type: str


class HandedIn(Offered):
    """A material as the citizen handed it in: `id` is what this node calls it, `name` that of the file."""

    id: str
    name: Annotated[str, SENSITIVE]


class Application(Value):
    """What the citizen handed in (申请): checked, with every field and material that the plan asks for."""

    bundle: str
    bundle_name: str
    catalogue: str
    applicant: Person
    answers: Mapping[str, str]
    form: Annotated[Mapping[str, str], SENSITIVE]
    materials: tuple[HandedIn, ...]
    steps: tuple[PlannedStep, ...]


class Commission(Value):
    """What a home sends to the decider of one step (转办件): what the item declares, and nothing else."""

    bundle: str
    bundle_name: str
    catalogue: str
    step: PlannedStep
    directory_version: int
    form: Annotated[Mapping[str, str], SENSITIVE]
    materials: tuple[Offered, ...]


class Step(Value):
    """One item inside a case. `node` is the decider, pinned with the directory's version when the step is sent.

    `version` is the number of the last event that moved it; `waits_on` tells why it was skipped.
    """

    plan: PlannedStep
    state: State = "waiting"
    since: Moment
    version: int
    node: str = ""
    directory_version: int = 0
    withdrawal_asked_at: Moment | None = None
    grounds: Annotated[str, SENSITIVE] = ""
    result: Annotated[Mapping[str, str], SENSITIVE] = {}
    waits_on: str = ""

    @property
    def has_ended(self) -> bool:
        """Whether nothing can move this step any more."""
        return self.state in ENDED


class Case(Value):
    """One case; `number` is unique at its home node, and `name` is unique everywhere."""

    home: str
    number: str
    bundle: str
    bundle_name: str
    catalogue: str
    opened_at: Moment
    applicant: Person | None
    form: Annotated[Mapping[str, str], SENSITIVE]
    materials: tuple[Offered, ...]
    steps: Mapping[str, Step]
    closed_at: Moment | None = None
    outcome: Outcome | None = None
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


def local_id(name: str, here: str) -> str:
    """The id under which this node keeps a case: its bare number at home, `home:number` elsewhere.

    So nobody but the home can speak of the home's own case by a bare number.
    """
    home, _, number = name.partition("/")
    return number if home == here else f"{home}:{number}"
