"""Meanwhile: what happened to a step since an officer looked at it, told with the refusal of their act."""

from collections.abc import Iterator

from server.desk.acting import perform
from server.desk.catalogues import case_of
from server.desk.naming import node_name
from server.desk.wording import ACT_NAMES, APPLICANT, BY_RULE
from server.domain.case.acts import StepAct
from server.domain.case.events import Event
from server.domain.case.happening import Moved
from server.domain.effects.records import CaseRecord
from server.domain.errors import FieldFault, StaleVersion
from server.domain.rules.responsible import acting_name
from server.domain.values import CHINA
from server.node import Node


class StepChanged(StaleVersion):
    """The step moved since the officer saw it; each fault names one thing that happened to it."""

    code = "step_changed"
    title = "事项已有新的进展"


async def perform_as_seen(node: Node, id: str, act: StepAct, *, known: CaseRecord | None = None) -> CaseRecord:
    """`perform` for an officer: if the step has moved since the version in the act, the refusal tells how.

    Changes of other steps of the case do not matter. Raises StepChanged, and what `perform` raises.
    """
    try:
        return await perform(node, id, act, known=known)
    except StaleVersion as fault:
        record = await case_of(node, id)
        changes = tuple(_changes(node, record, act))
        if not changes:
            raise
        raise StepChanged("您查看之后，该事项已有新的进展，请核对后再办理。", errors=changes) from fault


def _changes(node: Node, record: CaseRecord, act: StepAct) -> Iterator[FieldFault]:
    """Each event of the act's step after the version that the act names."""
    if act.version is None:
        return
    for event in record.events:
        if event.number > act.version and getattr(event, "step", "") == act.step:
            yield FieldFault(pointer="/version", code=event.act, detail=_sentence(node, record, event))


def _sentence(node: Node, record: CaseRecord, event: Event) -> str:
    """What happened, when and by whom: `2026年11月23日13:45，由卫健收件。`"""
    at = (event.moment if isinstance(event, Moved) else event.at).astimezone(CHINA)
    who = APPLICANT if event.by.part == "citizen" else BY_RULE
    if event.by.part == "node" and event.by.node != node.here:
        who = node_name(node, event.by.node)
    if event.by.part == "officer":
        who = acting_name(record.case, event)
    return f"{at.year}年{at.month}月{at.day}日{at:%H:%M}，由{who}{ACT_NAMES[event.act]}。"
