"""What is said of a kind of aggregate where one cannot be had, or cannot be moved."""

from collections.abc import Callable
from dataclasses import dataclass

from server.domain.errors import Refusal


@dataclass(frozen=True)
class AggregateWords:
    """The `noun` of a kind in the log, and what whoever asks for one of it, or would move it, is told.

    `missing`: there is none under this id. `erased`: there was one. `unfinished`: its effects are not all carried, so
    that it cannot be erased yet. `moved_on`: it was moved meanwhile.
    """

    noun: str
    missing: Callable[[], Refusal]
    erased: type[Refusal]
    unfinished: Callable[[], Refusal]
    moved_on: str
