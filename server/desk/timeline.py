"""The timeline: what happened to a case, in plain words and in order."""

from collections.abc import Iterator, Mapping

from server.desk.applying import own_case
from server.desk.reading import LocalMoment, department_name, node_name
from server.domain import events
from server.domain.case import Case
from server.domain.lifecycle import evolve
from server.domain.names import Value
from server.domain.records import Record
from server.node import Node

APPLICANT, BY_RULE = "申请人", "系统"
ACT_NAMES: Mapping[str, str] = {
    "open": "提交申请",
    "request": "转来办理",
    "send": "转办",
    "receive": "收件",
    "accept": "受理",
    "approve": "准予",
    "refuse": "不予",
    "withdraw": "撤回",
    "ask_withdrawal": "申请撤回",
    "skip": "不再办理",
    "close": "办结",
}


class TimelineEntry(Value):
    """One thing that happened: when, at which node, to which step, what, the state after it, and by whom."""

    at: LocalMoment
    node: str
    node_name: str
    step: str | None
    step_name: str | None
    act: str
    act_name: str
    state: str
    by: str


class Timeline(Value):
    """All that happened to a case, in order."""

    case: str
    timeline: tuple[TimelineEntry, ...]


async def my_timeline(node: Node, owner: str, id: str) -> Timeline:
    """What happened to one of the owner's cases; raises NoSuchCase."""
    record = await own_case(node, owner, id)
    return Timeline(case=record.id, timeline=tuple(_entries(node, record)))


def _entries(node: Node, record: Record) -> Iterator[TimelineEntry]:
    case: Case | None = None
    for event in record.events:
        case = evolve(case, event)
        step = case.steps.get(_step_code(event) or "")
        yield TimelineEntry(
            at=event.at,
            node=event.by.node,
            node_name=node_name(node, event.by.node),
            step=step.plan.code if step else None,
            step_name=step.plan.name if step else None,
            act=event.act,
            act_name=ACT_NAMES[event.act],
            state=step.state if step else "closed" if case.closed_at else "open",
            by=_by(node, case, event),
        )


def _step_code(event: events.Event) -> str | None:
    if isinstance(event, events.Requested):
        return event.commission.step.code
    if isinstance(event, events.Moved | events.WithdrawalAsked):
        return event.step
    return None


def _by(node: Node, case: Case, event: events.Event) -> str:
    """The applicant, the department that moved the step, or the rule that follows from something else."""
    if event.by.part == "citizen":
        return APPLICANT
    is_decider = isinstance(event, events.Received | events.Accepted | events.Approved | events.Refused)
    if is_decider and isinstance(event, events.Moved):
        department = case.steps[event.step].plan.department
        return department_name(node, case, department)
    return BY_RULE
