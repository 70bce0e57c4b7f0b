"""The worklist: what officers are shown, and the note of each look at personal data with its reason."""

from server.desk.reading import (
    FieldShown,
    LocalMoment,
    MaterialShown,
    StepView,
    fields_shown,
    materials_shown,
    step_view,
)
from server.domain.case import Case, State, Step
from server.domain.effects import commission_of
from server.domain.lifecycle import NotYourDepartment
from server.domain.names import Value, moment_text
from server.domain.persons import Officer
from server.node import Node


class TaskLine(Value):
    """An entry of the worklist; without personal data."""

    case: str
    step: str
    item_name: str
    bundle_name: str
    state: State
    opened_at: LocalMoment
    since: LocalMoment
    version: int


class TaskList(Value):
    """The open tasks of the officer's department, oldest first; `next` goes into `?after=`."""

    tasks: tuple[TaskLine, ...]
    next: str | None


class DeskStep(Value):
    """A step of the officer's department with what its item declares, in full."""

    step: StepView
    form: tuple[FieldShown, ...]
    materials: tuple[MaterialShown, ...]
    yields_fields: tuple[FieldShown, ...]


class DeskCaseView(Value):
    """A case as an officer sees it: only the steps of his department that this node decides."""

    id: str
    name: str
    bundle: str
    bundle_name: str
    opened_at: LocalMoment
    steps: tuple[DeskStep, ...]
    version: int


async def tasks(node: Node, officer: Officer, *, after: str, limit: int) -> TaskList:
    """The open tasks of the officer's department."""
    prefix = f"{officer.department}|open|"
    found = await node.store.tasks.open_tasks_of(officer.department, limit=limit, after=after and prefix + after)
    shown = set(TaskLine.model_fields)
    lines = tuple(TaskLine(**{name: value for name, value in task.items() if name in shown}) for task in found)
    return TaskList(tasks=lines, next=found[-1]["key"].removeprefix(prefix) if len(found) == limit else None)


async def desk_case(node: Node, officer: Officer, id: str) -> DeskCaseView:
    """A case with the data that the officer's steps declare; the look is noted with its reason before it is given.

    Raises NoSuchCase, and NotYourDepartment if no step of the case is his department's to decide here.
    """
    record = await node.store.cases.case(id)
    steps = [
        step
        for step in record.case.steps.values()
        if step.node == node.here and step.plan.department == officer.department
    ]
    if not steps:
        raise NotYourDepartment("该办件没有由本部门办理的事项。")
    at = node.clock.now()
    about = {"case": record.case.name, "officer": officer.name, "department": officer.department}
    reason = {"reason": "decides " + ", ".join(step.plan.code for step in steps)}
    entry = f"{record.id}:{moment_text(at)}:{node.chance.token(8).hex()}"
    await node.store.audit.note(entry, "case.read", at=at, about=about | reason)
    return DeskCaseView(
        id=record.id,
        name=record.case.name,
        bundle=record.case.bundle,
        bundle_name=record.case.bundle_name,
        opened_at=record.case.opened_at,
        steps=tuple(desk_step(node, record.case, step) for step in steps),
        version=record.case.version,
    )


def desk_step(node: Node, case: Case, step: Step) -> DeskStep:
    """A step with what its item declares, and the fields that an approval may yield."""
    commission = commission_of(case, step)
    catalogue = node.catalogue_of(case.catalogue)
    return DeskStep(
        step=step_view(node, case, step=step),
        form=fields_shown(catalogue, commission.form, is_masked=False),
        materials=materials_shown(catalogue, commission.materials),
        yields_fields=fields_shown(catalogue, dict.fromkeys(step.plan.yields_fields, ""), is_masked=False),
    )
