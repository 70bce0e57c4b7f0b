"""A move: all that one act on a licence is in its life, in one place; the table of `moves` is derived from them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypedDict, TypeVar

from server.domain.aggregate.actors import Actor
from server.domain.licence.acts import GroundedAct, LicenceFacts
from server.domain.licence.events import LicenceMoved, LicenceMoveEvent
from server.domain.licence.licence import Licence, LicenceState
from server.domain.values import Moment, china_day

A = TypeVar("A", bound=GroundedAct)
A_co = TypeVar("A_co", bound=GroundedAct, covariant=True)
E = TypeVar("E", bound=LicenceMoved)


class GroundedHeader(TypedDict):
    """What all events that move a licence carry, as it is given to them when they are made."""

    number: int
    at: Moment
    by: Actor
    act_id: str
    act_digest: str
    reason: str
    basis: str


@dataclass(frozen=True)
class LicenceMoving(Generic[A_co]):
    """An act that is about to move a licence, with all that it is judged by."""

    licence: Licence
    act: A_co
    facts: LicenceFacts

    @property
    def header(self) -> GroundedHeader:
        """What the event that the act comes to carries beside its own words."""
        act = self.act
        return {
            "number": self.licence.version + 1,
            "at": self.facts.at,
            "by": act.by,
            "act_id": act.id,
            "act_digest": act.digest,
            "reason": act.reason,
            "basis": act.basis,
        }

    @property
    def today(self) -> date:
        """The day on which it is done."""
        return china_day(self.facts.at)


class AnyLicenceMove(ABC):
    """The move of some kind of act."""

    act: type[GroundedAct]
    event: type[LicenceMoved]
    name: str
    states: Mapping[LicenceState, LicenceState]
    may_follow: bool

    @abstractmethod
    def event_of(self, licence: Licence, act: GroundedAct, facts: LicenceFacts) -> LicenceMoveEvent:
        """The event that the act comes to if it is done now; TypeError for an act of another kind."""

    @abstractmethod
    def left_by(self, event: LicenceMoved) -> Mapping[str, Any]:
        """What the event changes in the licence beside its state, by member; TypeError for an event of another kind."""


def nothing_else(_event: LicenceMoved) -> Mapping[str, Any]:
    """The event leaves nothing in the licence but its state."""
    return {}


@dataclass(frozen=True, kw_only=True)
class LicenceMove(AnyLicenceMove, Generic[A, E]):
    """How one kind of act is judged, where its event leads by the state of the licence, and what that leaves in it.

    `judge` makes the event, or raises a refusal. `name` is what a timeline calls it (zh-CN). Officers of the issuing
    authority do it; the node itself only what `may_follow` by rule, from an approved step or from the clock.
    """

    act: type[A]
    event: type[E]
    name: str
    states: Mapping[LicenceState, LicenceState]
    judge: Callable[[LicenceMoving[A]], LicenceMoveEvent]
    leaves: Callable[[E], Mapping[str, Any]] = nothing_else
    may_follow: bool = False

    def event_of(self, licence: Licence, act: GroundedAct, facts: LicenceFacts) -> LicenceMoveEvent:
        if not isinstance(act, self.act):
            raise TypeError(f"{type(act).__name__} is not of the kind {self.act.__name__}")
        return self.judge(LicenceMoving(licence, act, facts))

    def left_by(self, event: LicenceMoved) -> Mapping[str, Any]:
        if not isinstance(event, self.event):
            raise TypeError(f"{type(event).__name__} is not of the kind {self.event.__name__}")
        return self.leaves(event)
