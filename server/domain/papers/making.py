"""Making papers: what whoever makes a file must be given, and what is said if it cannot be made now."""

from server.domain.papers.data import PaperData
from server.domain.values import Moment, Value


class PaperToMake(Value):
    """A paper with its number: its data, the id of the authority that seals it, and the moment of the seal."""

    data: PaperData
    authority: str
    at: Moment


class PapersWait(Exception):
    """No paper can be made here now; it is tried again later."""


def pause_seconds(failures: int) -> float:
    """How long to wait after so many failed attempts: five seconds, doubling up to ten minutes."""
    return min(5.0 * 2.0**failures, 600.0)
