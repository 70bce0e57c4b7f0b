"""What every event of a case carries, and those that move a step."""

from datetime import datetime
from typing import ClassVar, TypedDict

from server.domain.case.case import Actor
from server.domain.values import Moment, Value


class Header(TypedDict):
    """What all events carry, as it is given to them when they are made."""

    number: int
    at: datetime
    by: Actor
    act_id: str
    act_digest: str


class StepHeader(Header):
    """The same for those that move a step."""

    step: str
    done_at: datetime | None


class Happened(Value):
    """What all events carry: their number in the case, when, by whom, and the id and digest of the act."""

    act: ClassVar[str]

    number: int
    at: Moment
    by: Actor
    act_id: str
    act_digest: str = ""


class Moved(Happened):
    """Something about a step, by the table of the rules; its subclasses name the move.

    `done_at` is when its decider did it, where that is another node, which told us later.
    """

    step: str
    done_at: Moment | None = None

    @property
    def moment(self) -> datetime:
        """When it was done."""
        return self.done_at or self.at
