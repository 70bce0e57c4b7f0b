"""What an act comes to, whatever it is done to."""

from dataclasses import dataclass
from typing import Generic

from server.domain.aggregate.happening import E, V


@dataclass(frozen=True)
class Judgement(Generic[V, E]):
    """The events that an act comes to, and the aggregate after each of them; both empty if nothing is left to do."""

    events: tuple[E, ...]
    values: tuple[V, ...]
