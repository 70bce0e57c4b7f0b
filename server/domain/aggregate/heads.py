"""Heads: how far each aggregate has come, told outside of it, and whether it still stands where they have seen it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from server.domain.chains import Chained
from server.domain.values import Value

BAR = "|"

HistoryTrouble = Literal[
    "removed",
    "altered",
    "rolled_back",
    "forked",
    "unlogged",
    "letter_missing",
    "letter_altered",
    "paper_unfit",
    "paper_missing",
    "paper_altered",
    "chain",
    "cut",
]
OF_THE_CHAIN: tuple[HistoryTrouble, ...] = ("chain", "cut")  # the others are of an aggregate


@dataclass(frozen=True)
class HistoryHead:
    """An aggregate (by the name that it has here) as of the event of this number, with the link of that event."""

    name: str
    version: int
    link: str

    @property
    def id(self) -> str:
        """What it is called where heads wait, and in the chain of heads."""
        return f"{self.name}{BAR}{self.version}"

    @classmethod
    def of(cls, named: Chained) -> "HistoryHead":
        """The head that a link of the chain of heads names."""
        name, _, version = named.id.rpartition(BAR)
        return cls(name, int(version), named.sha256)


@dataclass(frozen=True)
class HistoryStanding:
    """An aggregate as it stands: the link of each of its events, in order. None if it is not as this node wrote it.

    `acts` are the ids of the acts that brought its events about; None also if it was erased.
    """

    links: Sequence[str] | None
    acts: frozenset[str] | None = None


class HistoryFinding(Value):
    """What is wrong with an aggregate, or with the chain of heads itself, and how it is seen."""

    trouble: HistoryTrouble
    place: str
    detail: str


def finding_of(head: HistoryHead, found: HistoryStanding | None) -> HistoryFinding | None:
    """What is wrong with an aggregate of which this head was logged before it was read; None if it follows from it."""
    if found is None:
        return HistoryFinding(trouble="removed", place=head.name, detail=f"it had come to event {head.version}")
    if found.links is None:
        return HistoryFinding(trouble="altered", place=head.name, detail="it is not as this node wrote it")
    if len(found.links) < head.version:
        detail = f"it had come to event {head.version}, and stands at {len(found.links)}"
        return HistoryFinding(trouble="rolled_back", place=head.name, detail=detail)
    if found.links[head.version - 1] != head.link:
        return HistoryFinding(trouble="forked", place=head.name, detail=f"its event {head.version} is another one now")
    return None
