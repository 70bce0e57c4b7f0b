"""What officers say at their desk when they request an act, and how the act is made of it."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Generic, Literal, TypedDict, TypeVar

from pydantic import Field, StringConstraints, model_validator

from server.domain.aggregate.actors import Actor
from server.domain.canonical import LARGEST_INTEGER
from server.domain.case.acts import StepAct
from server.domain.people.posts import PostRole
from server.domain.values import Value, WrittenText

TaskPart = Literal["decide", "opinion", "follow_up", "check", "paper"]  # what a task asks its desk for
ShortText = Annotated[str, StringConstraints(max_length=100)]
DaysGiven = Annotated[int, Field(ge=1, le=1000)]


class Decision(Value):
    """What an officer says with an act: here only the version of the step that they saw, if the act needs no more.

    Each act that needs or takes more has a model below this one. A required member that is left blank is missing.
    """

    version: Annotated[int, Field(ge=0, lt=LARGEST_INTEGER)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _blank_is_missing(cls, said: object) -> object:
        if not isinstance(said, dict):
            return said
        required = {name for name, field in cls.model_fields.items() if field.is_required()}
        return {name: value for name, value in said.items() if name not in required or not _is_blank(value)}


class GroundsDecision(Decision):
    """An act that needs nothing but a reason."""

    grounds: WrittenText


class LicenceDecision(Decision):
    """An act that may bring the file of a licence: `licence` is the id under which it was handed in."""

    licence: ShortText = ""


class StepActHeader(TypedDict):
    """What every act of an officer on a step carries."""

    id: str
    digest: str
    by: Actor
    step: str
    version: int | None


A = TypeVar("A", bound=StepAct, covariant=True)
D = TypeVar("D", bound=Decision)


class AnyDeskForm(ABC, Generic[A]):
    """How officers request one kind of act at their desk.

    `path` is the last part of its address, `summary` says in zh-CN what a call does, `decision` is the body. `role` is
    that of the posts it is for, beside the head's; `part` the kind of task that it is done for. One that `needs_two`
    is not for who proposed it, where the item asks for two persons.
    """

    path: str
    summary: str
    decision: type[Decision]
    role: PostRole
    part: TaskPart
    needs_two: bool

    @abstractmethod
    def act_of(self, header: StepActHeader, decision: Decision) -> A:
        """The act that is requested; TypeError for a decision of another kind."""


@dataclass(frozen=True)
class DeskForm(AnyDeskForm[A], Generic[A, D]):
    """The same with the kind of its decision; `make` puts every member of it into a field of the act.

    Only the licence is left to the desk, which knows the file.
    """

    path: str
    summary: str
    decision: type[D]
    make: Callable[[StepActHeader, D], A]
    role: PostRole
    part: TaskPart = "decide"
    needs_two: bool = False

    def act_of(self, header: StepActHeader, decision: Decision) -> A:
        if not isinstance(decision, self.decision):
            raise TypeError(f"{type(decision).__name__} is not of the kind {self.decision.__name__}")
        return self.make(header, decision)


def _is_blank(value: object) -> bool:
    return value is None or value in ([], {}) or (isinstance(value, str) and not value.strip())
