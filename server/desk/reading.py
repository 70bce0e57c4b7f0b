"""Reading: what citizens are shown of their cases, with their own data masked."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated

from pydantic import PlainSerializer

from server.desk.applying import own_case
from server.domain.case import ENDED, STATE_NAMES, Case, Offered, Outcome, State, Step
from server.domain.catalogue import Catalogue
from server.domain.masking import masked
from server.domain.names import CHINA, Value
from server.domain.records import Record
from server.node import Node


def local_text(at: datetime) -> str:
    """RFC 3339 with the offset of China: `2026-11-23T13:45:00.123+08:00`."""
    return at.astimezone(CHINA).isoformat(timespec="milliseconds")


LocalMoment = Annotated[datetime, PlainSerializer(local_text, return_type=str)]


class Holder(Value):
    """Who has a step in hand."""

    node: str
    node_name: str
    department: str
    department_name: str


class StepView(Value):
    """Where one step stands; `since` is when it came into this state, `version` what an act on it may name."""

    step: str
    name: str
    state: State
    state_name: str
    holder: Holder | None
    since: LocalMoment
    needs: tuple[str, ...]
    is_withdrawal_asked: bool
    grounds: str
    waits_on: str
    version: int


class FieldShown(Value):
    """One filled field; the value is masked where the whole is not needed."""

    code: str
    name: str
    value: str


class MaterialShown(Value):
    """One material that was handed in."""

    code: str
    name: str
    size: int
    media_type: str


class CaseView(Value):
    """A case as its applicant sees it."""

    id: str
    bundle: str
    bundle_name: str
    state: str
    outcome: Outcome | None
    opened_at: LocalMoment
    closed_at: LocalMoment | None
    steps: tuple[StepView, ...]
    form: tuple[FieldShown, ...]
    materials: tuple[MaterialShown, ...]
    version: int


class CaseLine(Value):
    """A case as it stands in a list."""

    id: str
    bundle: str
    bundle_name: str
    state: str
    outcome: Outcome | None
    opened_at: LocalMoment


class CaseList(Value):
    """An applicant's cases, newest first; `next` goes into `?before=` for the following page."""

    cases: tuple[CaseLine, ...]
    next: str | None


class SubmittedView(Value):
    """What a submission is answered with, built from the first event only, so that a repeat gets the same."""

    id: str
    bundle: str
    bundle_name: str
    opened_at: LocalMoment


def submitted(record: Record) -> SubmittedView:
    """The answer to a submission."""
    first = record.events[0]
    return SubmittedView(
        id=record.id, bundle=record.case.bundle, bundle_name=record.case.bundle_name, opened_at=first.at
    )


async def my_case(node: Node, owner: str, id: str) -> CaseView:
    """One of the owner's cases; raises NoSuchCase, also for another person's."""
    return view(node, await own_case(node, owner, id))


async def my_cases(node: Node, owner: str, *, before: str, limit: int) -> CaseList:
    """The owner's cases, newest first."""
    records = await node.store.cases.cases_of(owner, limit=limit, before=before and f"{owner}|{before}")
    lines = tuple(CaseLine(**_line(record)) for record in records)
    last = records[-1].document["owner_key"].partition("|")[2] if len(records) == limit else None
    return CaseList(cases=lines, next=last)


def view(node: Node, record: Record) -> CaseView:
    """The case as its applicant sees it, with his data masked."""
    case = record.case
    return CaseView(
        **_line(record),
        closed_at=case.closed_at,
        steps=tuple(step_view(node, case, step=step) for step in case.steps.values()),
        form=fields_shown(node.catalogue_of(case.catalogue), case.form, is_masked=True),
        materials=materials_shown(node.catalogue_of(case.catalogue), case.materials),
        version=case.version,
    )


def step_view(node: Node, case: Case, *, step: Step) -> StepView:
    """Where a step stands."""
    holder = None
    if step.node and step.state not in ENDED:
        holder = Holder(
            node=step.node,
            node_name=node_name(node, step.node),
            department=step.plan.department,
            department_name=department_name(node, case, step.plan.department),
        )
    return StepView(
        step=step.plan.code,
        name=step.plan.name,
        state=step.state,
        state_name=STATE_NAMES[step.state],
        holder=holder,
        since=step.since,
        needs=step.plan.needs,
        is_withdrawal_asked=step.withdrawal_asked_at is not None,
        grounds=step.grounds,
        waits_on=step.waits_on,
        version=step.version,
    )


def fields_shown(catalogue: Catalogue, form: Mapping[str, str], *, is_masked: bool) -> tuple[FieldShown, ...]:
    """Filled fields with their labels; the sensitive ones masked or not."""
    shown = []
    for code, value in form.items():
        field = catalogue.field_of.get(code)
        is_hidden = is_masked and (field is None or field.is_sensitive)
        kind = field.type if field else "text"
        name = field.name if field else code
        shown.append(FieldShown(code=code, name=name, value=masked(kind, value) if is_hidden else value))
    return tuple(shown)


def materials_shown(catalogue: Catalogue, materials: Iterable[Offered]) -> tuple[MaterialShown, ...]:
    """Materials with their names in the catalogue."""
    names = {code: material.name for code, material in catalogue.material_of.items()}
    return tuple(
        MaterialShown(code=each.code, name=names.get(each.code, each.code), size=each.size, media_type=each.media_type)
        for each in materials
    )


def department_name(node: Node, case: Case, department: str) -> str:
    """The name of a department in the catalogue that the case was opened under."""
    return node.catalogue_of(case.catalogue).departments.get(department, department)


def node_name(node: Node, code: str) -> str:
    """The name of a node as the directory has it."""
    entry = node.directory.entry(code)
    return entry.name if entry else code


def _line(record: Record) -> dict[str, object]:
    case = record.case
    return {
        "id": record.id,
        "bundle": case.bundle,
        "bundle_name": case.bundle_name,
        "state": "closed" if case.closed_at else "open",
        "outcome": case.outcome,
        "opened_at": case.opened_at,
    }
