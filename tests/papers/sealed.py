"""Sample papers as PDF, made once each in a process, for setting one takes a tenth of a second or more."""

from functools import cache

from server.domain.papers.texts import SealKind
from server.papers.printing import SetPaper, set_paper
from server.papers.sealing import seal_paper
from server.papers.stand_in import YEAR, FileSealer, StandInAuthority
from tests.papers.samples import AUTHORITY, NOW, paper, texts

CA = StandInAuthority(NOW - YEAR)


@cache
def set_of(kind: str) -> SetPaper:
    """The sample of this kind, not sealed yet."""
    return set_paper(paper(kind), texts())


@cache
def sealed(kind: str) -> bytes:
    """The sample of this kind, sealed now by its authority."""
    return seal_paper(set_of(kind), sealer(set_of(kind).seal), at=NOW)


def sealed_kinds() -> list[str]:
    """The kinds of paper that the seal of their authority closes, and nobody else signs."""
    return [text.code for text in texts().papers if text.signers == ("authority",)]


@cache
def sealer(kind: SealKind) -> FileSealer:
    """A seal of our authority, whose certificate counts for a year around now."""
    return CA.sealer(AUTHORITY, kind, begins_at=NOW - YEAR / 2, ends_at=NOW + YEAR / 2)
