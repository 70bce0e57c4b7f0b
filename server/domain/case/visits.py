"""Visits (跑动): somebody came to a window for a case; each is kept, counted, and may be rated later by its id."""

from typing import Annotated, Literal

from server.domain.case.case import Case
from server.domain.errors import Conflict, FieldFault, Invalid
from server.domain.values import SENSITIVE, Moment, Value

MOST_VISITS = 100

Visitor = Literal["applicant", "agent", "other"]


class WindowUnknown(Invalid):
    """This province has no such window now, or neither the visit nor the case names one."""

    code = "window_unknown"
    title = "没有这个窗口"


class VisitorUnknown(Invalid):
    """The agent is said to have come, and the case has none."""

    code = "visitor_unknown"
    title = "该办件没有代理人"


class TooManyVisits(Conflict):
    """A case has at most a hundred visits."""

    code = "too_many_visits"
    title = "该办件登记的跑动次数已达上限"


class Visit(Value):
    """One visit: who came, to which window, when, for which case (as this node calls it), and for what.

    `person` is the key of who came, if this node knows it: only the home does. `officer` recorded it.
    """

    id: str
    case: str
    window: str
    at: Moment
    visitor: Visitor
    person: str
    purpose: Annotated[str, SENSITIVE]
    officer: str
    authority: str

    def is_of_same_wish(self, other: "Visit") -> bool:
        """Whether both were recorded with the same request, whenever."""
        return self == other.model_copy(update={"at": self.at})


def person_of(case: Case, visitor: Visitor, *, here: str) -> str:
    """The key of who came, empty where it is not known; raises VisitorUnknown for an agent that the home has not."""
    if visitor == "agent" and case.agent is None and case.home == here:
        detail = "该办件没有代理人，请核对到场的人。"
        fault = FieldFault(pointer="/visitor", code="visitor_unknown", detail=detail)
        raise VisitorUnknown(detail, errors=[fault])
    if visitor == "agent":
        return case.agent.person.key if case.agent else ""
    return case.applicant.key if visitor == "applicant" and case.applicant else ""


def check_room(count: int) -> None:
    """Whether a case with so many visits may have another; raises TooManyVisits."""
    if count >= MOST_VISITS:
        raise TooManyVisits(f"一个办件最多登记 {MOST_VISITS} 次跑动。")
