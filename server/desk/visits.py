"""What people are shown of the visits (跑动) for a case."""

from typing import Self

from server.desk.naming import window_name
from server.desk.steps import LocalMoment
from server.domain.case.visits import MOST_VISITS, Visit, Visitor
from server.domain.values import Value
from server.node import Node


class VisitShown(Value):
    """One visit: when, to which window, who came, and for what."""

    id: str
    at: LocalMoment
    window: str
    window_name: str
    visitor: Visitor
    purpose: str

    @classmethod
    def of(cls, node: Node, visit: Visit) -> Self:
        """All of it that this shape shows."""
        shown = visit.model_dump(include=set(cls.model_fields) - {"window_name"})
        return cls(**shown, window_name=window_name(node, visit.window))


async def visits_of(node: Node, case: str) -> list[Visit]:
    """The visits for a case that were recorded at this node, in order of time."""
    return await node.store.visits.of_case(case, limit=MOST_VISITS)
