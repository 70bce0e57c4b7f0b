"""Reading: what citizens are shown of their cases, with their own data masked."""

from collections.abc import Sequence, Set
from typing import Any

from server.desk import apart
from server.desk.citizen.applying import note_agent, own_case
from server.desk.citizen.licences import LicenceLine, licence_lines
from server.desk.citizen.results import ResultLine, result_lines
from server.desk.electronic import electronics_of
from server.desk.naming import window_name
from server.desk.papers import PaperLine, paper_lines
from server.desk.steps import (
    FieldShown,
    LocalMoment,
    MaterialShown,
    StepView,
    fields_shown,
    materials_shown,
    step_view,
)
from server.domain.case.case import Outcome
from server.domain.case.lines import Line, line_of
from server.domain.effects.records import CaseRecord
from server.domain.people.masking import masked_name
from server.domain.spoken_numbers import in_groups
from server.domain.values import Value
from server.node import Node


class CaseView(Value):
    """A case as its applicant or the applicant's agent sees it, by the rules of `CaseLine`.

    `subject_name` and `agent_name`, both masked, are set if these are not the applicant. `window` is the one that was
    chosen, if any. `results` are what approved steps have come to, `licences` the documents among them by number,
    `papers` what authorities have given in writing.
    """

    id: str
    number: str
    bundle: str
    bundle_name: str
    on_behalf_of: str
    subject_name: str
    agent_name: str
    window: str
    window_name: str
    state: str
    outcome: Outcome | None
    opened_at: LocalMoment
    closed_at: LocalMoment | None
    steps: tuple[StepView, ...]
    form: tuple[FieldShown, ...]
    materials: tuple[MaterialShown, ...]
    licences: tuple[LicenceLine, ...]
    results: tuple[ResultLine, ...]
    papers: tuple[PaperLine, ...]
    version: int


class CaseLine(Value):
    """A case as it stands in a list; `number` is the one that people say, empty if it has none.

    `on_behalf_of` is the applicant's name, masked, if an agent handed it in.
    """

    id: str
    number: str
    bundle: str
    bundle_name: str
    on_behalf_of: str
    state: str
    outcome: Outcome | None
    opened_at: LocalMoment


class CaseList(Value):
    """A citizen's cases, newest first; `next` goes into `?before=` for the following page.

    A page may be short although there are more: cases under mandates that hold no more are left out.
    """

    cases: tuple[CaseLine, ...]
    next: str | None


class SubmittedView(Value):
    """What a submission is answered with, built from the first event only, so that a repeat gets the same."""

    id: str
    number: str
    bundle: str
    bundle_name: str
    opened_at: LocalMoment


def submitted(record: CaseRecord) -> SubmittedView:
    """The answer to a submission."""
    first = record.events[0]
    return SubmittedView(
        id=record.id,
        number=in_groups(record.case.spoken_number),
        bundle=record.case.bundle,
        bundle_name=record.case.bundle_name,
        opened_at=first.at,
    )


async def my_case(node: Node, owner: str, id: str) -> CaseView:
    """One of the owner's cases; an agent's look at it is noted before. Raises the refusals of `own_case`."""
    record = await own_case(node, owner, id)
    await note_agent(node, record, owner, kind="case.read")
    return await view(node, record)


async def my_cases(node: Node, owner: str, *, before: str, limit: int) -> CaseList:
    """The owner's cases and those they handed in as an agent under a mandate in force, newest first."""
    found = await node.store.cases.lines_of(owner, limit=limit, before=before)
    await apart.set_apart_unread(node, found, kind="stored")
    closed = await _closed_to(node, owner, found)
    lines = tuple(CaseLine(**_line(id, line)) for id, line in found if id not in closed)
    return CaseList(cases=lines, next=found.cursor or None)


async def _closed_to(node: Node, owner: str, lines: Sequence[tuple[str, Line]]) -> set[str]:
    """The cases that the owner handed in as an agent under mandates that have ended."""
    by = {id: line.mandate for id, line in lines if line.agent == owner}
    ended = await ended_mandates(node, set(by.values()))
    return {id for id, mandate in by.items() if mandate in ended}


async def ended_mandates(node: Node, mandates: Set[str]) -> set[str]:
    """Those of these mandates that do not hold now."""
    found = await node.store.mandates.mandates(mandates) if mandates else {}
    now = node.clock.now()
    return {each for each in mandates if each not in found or found[each].state(now) != "in_force"}


async def view(node: Node, record: CaseRecord) -> CaseView:
    """The case as its applicant sees it, with personal data masked."""
    case = record.case
    electronics = await electronics_of(node, case, case.steps.values())
    return CaseView(
        **_line(record.id, line_of(case)),
        subject_name=masked_name(case.subject.name) if case.subject else "",
        agent_name=masked_name(case.agent.person.name) if case.agent else "",
        window=case.window,
        window_name=window_name(node, case.window),
        closed_at=case.closed_at,
        steps=tuple(step_view(node, case, step=step) for step in case.steps.values()),
        form=fields_shown(node.catalogue_of(case.catalogue), case.form, is_masked=True),
        materials=materials_shown(node.catalogue_of(case.catalogue), case.materials),
        licences=licence_lines(node, case),
        results=result_lines(node, case, electronics),
        papers=paper_lines(case),
        version=case.version,
    )


def _line(id: str, line: Line) -> dict[str, Any]:
    return {
        "id": id,
        "number": in_groups(line.spoken_number),
        "bundle": line.bundle,
        "bundle_name": line.bundle_name,
        "on_behalf_of": masked_name(line.applicant) if line.applicant else "",
        "state": "closed" if line.closed_at else "open",
        "outcome": line.outcome,
        "opened_at": line.opened_at,
    }
