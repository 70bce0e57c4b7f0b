"""Erasing a case: what is left of it, when it may be erased, and what whoever asks for it is told then."""

from server.domain.case.case import Case
from server.domain.errors import Conflict, Missing
from server.domain.values import Moment, Value


class CaseErased(Missing):
    """The case was erased here (at `erased_at`): that it was there is known, and nothing of what it said."""

    code = "case_erased"
    title = "办件内容已依规删除"


class CaseNotErasable(Conflict):
    """The case goes on, or something about it is still under way: nothing of it was erased."""

    code = "case_not_erasable"
    title = "办件还不能删除"


class Erasure(Value):
    """What was erased of a case, or would be: how many letters, visits, fetches, claims, clues and papers with it.

    `known_licences`: how many licences of other nodes were known here from it. A licence that this node itself issued
    stays: it is a thing of its own.

    `erased_at` is empty as long as nothing was done.
    """

    id: str
    case: str
    erased_at: Moment | None
    letters_out: int
    letters_in: int
    visits: int
    fetches: int
    claims: int
    clues: int
    papers: int
    known_licences: int = 0


def check_over(case: Case, *, here: str) -> None:
    """Nothing may be left to be decided of it: it is closed, or a copy, and its steps ended; raises CaseNotErasable."""
    if (case.home == here and case.closed_at is None) or not all(step.has_ended for step in case.steps.values()):
        raise CaseNotErasable("办件尚未办结。")
