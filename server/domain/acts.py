"""What people and peers may wish done to a case: imperatives, each with the id under which it is done once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from server.domain.case import Actor, Application, Commission
from server.domain.directory import Directory
from server.domain.names import Moment, Value


@dataclass(frozen=True)
class Facts:
    """What a decision may know of the world: which node this is, the moment, the directory, 128 random bits."""

    here: str
    at: Moment
    directory: Directory
    salt: bytes


class Act(Value):
    """What every act carries; `digest` tells two acts under one id apart."""

    name: ClassVar[str]
    id: str
    digest: str = ""
    by: Actor


class Open(Act):
    """Open a case from a checked application (提交)."""

    name: ClassVar[str] = "open"
    number: str
    application: Application


class Request(Act):
    """Take up a step of another node's case (from `step.requested`)."""

    name: ClassVar[str] = "request"
    case: str
    commission: Commission


class StepAct(Act):
    """An act on one step; `version` is that of the step the actor saw, if he says so."""

    step: str
    version: int | None = None


class Receive(StepAct):
    """Take the step onto a desk (收件)."""

    name: ClassVar[str] = "receive"


class Accept(StepAct):
    """Take the step up for decision (受理)."""

    name: ClassVar[str] = "accept"


class Approve(StepAct):
    """Grant it (准予)."""

    name: ClassVar[str] = "approve"
    result: Mapping[str, str] = {}


class Refuse(StepAct):
    """Refuse it, with grounds (不予)."""

    name: ClassVar[str] = "refuse"
    grounds: str


class LetGo(StepAct):
    """The decider lets a step go that the applicant asked back (from `step.withdrawn`)."""

    name: ClassVar[str] = "withdraw"


class AskWithdrawal(StepAct):
    """The home asks a step back for the applicant (from `step.withdrawal_asked`)."""

    name: ClassVar[str] = "ask_withdrawal"


class Withdraw(Act):
    """The applicant takes the whole case back (撤回); `version` is that of the case he saw, if he says so."""

    name: ClassVar[str] = "withdraw_case"
    version: int | None = None
