"""A move: all that one act on a step is in the life of a case, in one place.

An act has a rule, which judges it and makes the event it comes to. An event has a transition: from which states it
leads to which, and what it leaves in the step. Most moves are both. What follows by itself is a transition alone; an
act that comes to the event of another move is a rule alone. The tables of `table` are derived from the moves.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from server.domain.case.acts import Facts, StepAct
from server.domain.case.case import Case, State, Step
from server.domain.case.events import StepEvent
from server.domain.case.happening import Moved
from server.domain.catalogue.catalogue import Catalogue
from server.domain.rules.announcement import Announcement
from server.domain.rules.desk_forms import AnyDeskForm
from server.domain.rules.moving import Moving

A = TypeVar("A", bound=StepAct)
E = TypeVar("E", bound=Moved)
Speaker = Literal["decider", "heard", "applicant", "home", "checker", "superior"]


@dataclass(frozen=True)
class LetterForm:
    """The letter by which the decider tells the home of an event, or the home the decider (`is_homes`).

    `marks` are the words of the body that tell apart the events of one kind of letter. It `says` these fields of the
    event as they stand, and the members of the field `unfolds` as if they were its own. What it `adds` is worked out
    when it is written: the commission, the days that the clock counts with, the department as approver, the offer of a
    licence if there is a file. A receiver that does not know the kind, or has no use for the letter, `may_ignore` it.
    """

    kind: str
    marks: Mapping[str, str] = field(default_factory=dict)
    says: tuple[str, ...] = ()
    unfolds: str = ""
    adds: tuple[Literal["commission", "days", "authority", "approver", "licence"], ...] = ()
    is_homes: bool = False
    may_ignore: bool = False


class AnyMove:
    """A move, a rule alone, or a transition alone."""


class AnyRule(AnyMove, ABC):
    """The rule of some kind of act."""

    act: type[StepAct]
    desk: AnyDeskForm[StepAct] | None
    speaker: Speaker

    @abstractmethod
    def event_of(self, case: Case, step: Step, act: StepAct, *, facts: Facts) -> StepEvent:
        """The event that the act comes to if it is done now; TypeError for an act of another kind."""


class AnyTransition(AnyMove, ABC):
    """The transition of some kind of event."""

    event: type[Moved]
    name: str
    states: Mapping[State, State]
    letter: LetterForm | None
    notice: Announcement | None
    is_silent: bool
    is_internal: bool

    @abstractmethod
    def words_of(self, catalogue: Catalogue, case: Case, event: Moved) -> str:
        """What the timeline tells the applicant of the event after its name; empty if the name is enough."""

    @abstractmethod
    def applied(self, step: Step, event: Moved) -> Step:
        """The step with what the event leaves in it, its state apart; TypeError for an event of another kind."""


def nothing_more(step: Step, _event: Moved) -> Step:
    """The event leaves nothing in the step but its state."""
    return step


def no_words(_catalogue: Catalogue, _case: Case, _event: Moved) -> str:
    """The name of the event says it all, or what is said is not for the applicant."""
    return ""


@dataclass(frozen=True, kw_only=True)
class Rule(AnyRule, Generic[A]):
    """How one kind of act is judged: `judge` makes its event, or raises a refusal. `desk`: how officers request it.

    `speaker` is who may do it: the authority that decides the step, one that is heard on it, one above that
    one (`superior`), the applicant, or of the home the node itself or the authority that checks its own part
    (`checker`).
    """

    act: type[A]
    judge: Callable[[Moving[A]], StepEvent]
    desk: AnyDeskForm[A] | None = None
    speaker: Speaker = "decider"

    def event_of(self, case: Case, step: Step, act: StepAct, *, facts: Facts) -> StepEvent:
        if not isinstance(act, self.act):
            raise TypeError(f"{type(act).__name__} is not of the kind {self.act.__name__}")
        return self.judge(Moving(case, step, act, facts))


@dataclass(frozen=True, kw_only=True)
class Transition(AnyTransition, Generic[E]):
    """Where one kind of event leads by the state of the step, what it leaves in it, and how it is told.

    `name` and `words` are what the timeline tells the applicant (zh-CN; `words` of the case after the event), `notice`
    what goes to the phone, `letter` what goes to the other side of the step. One that `is_silent` changes nothing that
    an act could rest on: an officer who saw the step before it may still act on what they saw. One that `is_internal`
    is between officers, and stands in no timeline.
    """

    event: type[E]
    states: Mapping[State, State]
    name: str
    leaves: Callable[[Step, E], Step] = nothing_more
    words: Callable[[Catalogue, Case, E], str] = no_words
    letter: LetterForm | None = None
    notice: Announcement | None = None
    is_silent: bool = False
    is_internal: bool = False

    def words_of(self, catalogue: Catalogue, case: Case, event: Moved) -> str:
        if not isinstance(event, self.event):
            raise TypeError(f"{type(event).__name__} is not of the kind {self.event.__name__}")
        return self.words(catalogue, case, event)

    def applied(self, step: Step, event: Moved) -> Step:
        if not isinstance(event, self.event):
            raise TypeError(f"{type(event).__name__} is not of the kind {self.event.__name__}")
        return self.leaves(step, event)


@dataclass(frozen=True, kw_only=True)
class Move(Rule[A], Transition[E]):
    """An act that has an event of its own."""
