"""What one decision writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic

from server.domain.aggregate.happening import E, V
from server.domain.effects.effects import Effect


@dataclass(frozen=True)
class Commit(Generic[V, E]):
    """The events, the aggregate that they make, what must follow, the last letter about it to each node.

    `alarm` is when clockwork must look at it again: at its first checkpoint, even a past one, which may not have been
    handled yet; never without one.
    """

    events: Sequence[E]
    value: V
    effects: Sequence[Effect] = ()
    threads: Mapping[str, str] = field(default_factory=dict)
    alarm: datetime | None = None
