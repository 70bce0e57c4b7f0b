"""The line of a case: what a list of many cases shows, without opening one of them."""

from collections.abc import Mapping

from server.domain.case.case import Case, Outcome, State
from server.domain.values import Moment, Value


class Line(Value):
    """What a case is called, since when it is open, and how its steps stand.

    Of a case that an agent handed in also their key, their mandate, and the name of the applicant.
    """

    bundle: str
    bundle_name: str
    opened_at: Moment
    closed_at: Moment | None = None
    outcome: Outcome | None = None
    states: Mapping[str, State]
    agent: str = ""
    mandate: str = ""
    applicant: str = ""
    spoken_number: str = ""


def line_of(case: Case) -> Line:
    """The line of a case as it stands."""
    return Line(
        bundle=case.bundle,
        bundle_name=case.bundle_name,
        opened_at=case.opened_at,
        closed_at=case.closed_at,
        outcome=case.outcome,
        states={code: step.state for code, step in case.steps.items()},
        agent=case.agent.person.key if case.agent else "",
        mandate=case.agent.mandate if case.agent else "",
        applicant=case.applicant.name if case.agent and case.applicant else "",
        spoken_number=case.spoken_number,
    )
