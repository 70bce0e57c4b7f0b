"""Heads of cases: how far each has come, told outside of it, and whether it still stands where they have seen it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from server.domain.chains import Chained
from server.domain.values import Value

BAR = "|"

CaseTrouble = Literal[
    "removed",
    "altered",
    "rolled_back",
    "forked",
    "unlogged",
    "letter_missing",
    "letter_altered",
    "chain",
    "cut",
]
OF_THE_CHAIN: tuple[CaseTrouble, ...] = ("chain", "cut")  # the others are of a case


@dataclass(frozen=True)
class CaseHead:
    """A case (by the id it has here) as of the event of this number, with the link of that event."""

    case: str
    version: int
    link: str

    @property
    def id(self) -> str:
        """What it is called where heads wait, and in the chain of heads."""
        return f"{self.case}{BAR}{self.version}"

    @classmethod
    def of(cls, named: Chained) -> "CaseHead":
        """The head that a link of the chain of heads names."""
        case, _, version = named.id.rpartition(BAR)
        return cls(case, int(version), named.sha256)


@dataclass(frozen=True)
class CaseStanding:
    """A case as it stands: the link of each of its events, in order. None if it is not as this node wrote it.

    `acts` are the ids of the acts that brought its events about; None also if it was erased.
    """

    links: Sequence[str] | None
    acts: frozenset[str] | None = None


class CaseFinding(Value):
    """What is wrong with a case, or with the chain of heads itself, and how it is seen."""

    trouble: CaseTrouble
    place: str
    detail: str


def finding_of(head: CaseHead, found: CaseStanding | None) -> CaseFinding | None:
    """What is wrong with a case of which this head was logged before it was read; None if it follows from it."""
    if found is None:
        return CaseFinding(trouble="removed", place=head.case, detail=f"it had come to event {head.version}")
    if found.links is None:
        return CaseFinding(trouble="altered", place=head.case, detail="it is not as this node wrote it")
    if len(found.links) < head.version:
        detail = f"it had come to event {head.version}, and stands at {len(found.links)}"
        return CaseFinding(trouble="rolled_back", place=head.case, detail=detail)
    if found.links[head.version - 1] != head.link:
        return CaseFinding(trouble="forked", place=head.case, detail=f"its event {head.version} is another one now")
    return None
