"""What every event carries, of whatever it is."""

from datetime import datetime
from typing import ClassVar, TypedDict, TypeVar

from server.domain.aggregate.actors import Actor
from server.domain.values import Moment, Value


class Header(TypedDict):
    """What all events carry, as it is given to them when they are made."""

    number: int
    at: datetime
    by: Actor
    act_id: str
    act_digest: str


class Happened(Value):
    """What all events carry: their number in its life, when, by whom, and the id and digest of the act."""

    act: ClassVar[str]

    number: int
    at: Moment
    by: Actor
    act_id: str
    act_digest: str = ""


V = TypeVar("V", bound=Value)  # what the events of one kind of aggregate make
E = TypeVar("E", bound=Happened)
