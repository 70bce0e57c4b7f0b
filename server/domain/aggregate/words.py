"""What is said of a kind of aggregate where one cannot be had, or cannot be moved."""

from collections.abc import Callable
from dataclasses import dataclass

from server.domain.errors import Refusal


@dataclass(frozen=True)
class AggregateWords:
    """The `noun` of a kind in the log, its line there when one has `moved`, and what is told to whoever asks for one.

    `missing`: there is none under this id. `erased`: there was one. `unfinished`: its effects are not all carried, so
    that it cannot be erased yet. `moved_on`: it was moved meanwhile.
    """

    noun: str
    moved: str
    missing: Callable[[], Refusal]
    erased: type[Refusal]
    unfinished: Callable[[], Refusal]
    moved_on: str
