"""Events that move a step, and what they carry beside what all events do."""

from datetime import datetime

from server.domain.aggregate.happening import Happened, Header
from server.domain.values import Moment


class StepHeader(Header):
    """What those that move a step carry, as it is given to them when they are made."""

    step: str
    done_at: datetime | None


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
