"""The case file: what officers are shown of a case, each look noted with its reason before anything is given."""

from collections.abc import Mapping
from datetime import date
from typing import Literal, Self

from server.desk.background.gathering import bytes_here
from server.desk.catalogues import case_of
from server.desk.electronic import ElectronicShown, electronics_of
from server.desk.naming import window_name
from server.desk.officer.covered import Checking, CoveredAtDesk, covered_at_desk
from server.desk.officer.history import HistoryEntry, history_of
from server.desk.officer.seeing import Seen, noted, parts_of
from server.desk.papers import PaperLine, paper_lines, result_paper
from server.desk.recording import note, of_case
from server.desk.showing import CopyOf, Looking
from server.desk.steps import (
    FieldShown,
    GapShown,
    LocalMoment,
    MaterialAtDesk,
    MaterialShown,
    StepView,
    fields_shown,
    gaps_shown,
    materials_at_desk,
    materials_shown,
    step_view,
)
from server.desk.visits import VisitShown, visits_of
from server.domain.case.case import Case, Step, Supplement
from server.domain.catalogue.bundles import Applicant
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.items import SpecialStep
from server.domain.catalogue.results import ResultKind
from server.domain.effects.letters_out import commission_of
from server.domain.effects.records import CaseRecord
from server.domain.people.accounts import DeskEntry
from server.domain.rules.desk_forms import TaskPart
from server.domain.rules.results import result_of
from server.domain.spoken_numbers import in_groups
from server.domain.values import Value
from server.node import Node

REASONS: Mapping[TaskPart, str] = {
    "decide": "decides",
    "opinion": "is heard on",
    "check": "checks",
    "follow_up": "follows up",
}


class OpinionShown(Value):
    """What one department was asked for (会签), by the end of which day, and what it answered; empty: nothing yet.

    `name` is that of the authority which is asked.
    """

    department: str
    name: str
    answer: Literal["", "agree", "object"]
    reason: str
    due_on: date
    given_at: LocalMoment | None


class ProposalShown(Value):
    """How somebody proposed to decide the step (拟办), and in whose place, if they stood in for another."""

    outcome: Literal["approve", "refuse"]
    opinion: str
    by: str
    stands_in_for: str
    at: LocalMoment


class SupplementShown(Value):
    """A supplement (补正) with both versions of what was changed; `due_on` is empty until the applicant was told."""

    asked_at: LocalMoment
    gaps: tuple[GapShown, ...]
    due_on: date | None
    answered_at: LocalMoment | None
    form_before: tuple[FieldShown, ...]
    form_after: tuple[FieldShown, ...]
    materials_before: tuple[MaterialShown, ...]
    materials_after: tuple[MaterialShown, ...]

    @classmethod
    def of(cls, supplement: Supplement, catalogue: Catalogue) -> Self:
        """All of it, in full."""
        return cls(
            asked_at=supplement.asked_at,
            gaps=gaps_shown(catalogue, supplement.gaps),
            due_on=supplement.due_on,
            answered_at=supplement.answered_at,
            form_before=fields_shown(catalogue, supplement.form_before, is_masked=False),
            form_after=fields_shown(catalogue, supplement.form_after, is_masked=False),
            materials_before=materials_shown(catalogue, supplement.materials_before),
            materials_after=materials_shown(catalogue, supplement.materials_after),
        )


class ResultField(Value):
    """A field that an approval may fill in: what it takes, an example, and its choices by code and name."""

    code: str
    name: str
    type: str
    is_required: bool
    hint: str
    example: str
    choices: Mapping[str, str]


class VisitAtDesk(VisitShown):
    """A visit as officers see it: also which officer recorded it, for which authority."""

    officer: str
    authority: str


class DeskStep(Value):
    """A step and the part that an authority has in it whose officer sees it.

    Who decides it, is heard on it, or checks it before another node decides, sees in full what its item declares, and
    what was asked and answered on the way; `yields_kind` is what an approval comes to: a file goes with a licence or a
    paper, and with no text; `result_paper` is the id of the paper that is the result, made in place of such a file. Who
    follows it up sees only where it stands. `special_steps` are the special
    procedures that may stop its clock, `finding` is what its home found in its own part. Only who decides it sees the
    `proposal`, and `two_persons`: whether another one than who proposed must decide. `electronic` is the electronic
    licence that the approval led to, where there can be one. `covered` are those materials whose place a licence takes.
    """

    part: TaskPart
    authority: str
    authority_name: str
    step: StepView
    form: tuple[FieldShown, ...] = ()
    materials: tuple[MaterialAtDesk, ...] = ()
    yields_name: str = ""
    yields_kind: ResultKind | Literal[""] = ""
    yields_fields: tuple[ResultField, ...] = ()
    result_paper: str | None = None
    opinions: tuple[OpinionShown, ...] = ()
    supplement: SupplementShown | None = None
    special_steps: tuple[SpecialStep, ...] = ()
    finding: str = ""
    proposal: ProposalShown | None = None
    two_persons: bool = False
    electronic: ElectronicShown | None = None
    covered: tuple[CoveredAtDesk, ...] = ()


class DeskCaseView(Value):
    """A case as an officer sees it: only the steps that their posts let them see.

    `number` is the one that people say, empty elsewhere than at home. `applicant_kind`: whether the subject or a
    relative applies (None: only the home knows); `is_by_agent`: at home, whether an agent handed it in, and `window` is
    the one that the applicant chose, if any.
    `visits` are those that were recorded at this node, `history` is what happened to these steps, `papers` what
    was given in writing about them.
    """

    id: str
    name: str
    number: str
    bundle: str
    bundle_name: str
    opened_at: LocalMoment
    applicant_kind: Applicant | None
    is_by_agent: bool
    window: str
    window_name: str
    visits: tuple[VisitAtDesk, ...]
    steps: tuple[DeskStep, ...]
    history: tuple[HistoryEntry, ...]
    papers: tuple[PaperLine, ...]
    version: int


async def desk_case(node: Node, entry: DeskEntry, id: str, *, copy_of: CopyOf) -> DeskCaseView:
    """A case with the data of the steps that the officer's posts let them see; the look is noted before.

    Raises NoSuchCase, also if they let them see none.
    """
    record = await case_of(node, id)
    parts = parts_of(node, entry, record.case)
    looking = Looking(entry.officer.name, node.here, copy_of)
    about = {**of_case(record.case), **noted(entry, parts.values()), "reason": _reason(parts)}
    await note(node, "case.read", about)
    return DeskCaseView(
        id=record.id,
        name=record.case.name,
        number=in_groups(record.case.spoken_number),
        bundle=record.case.bundle,
        bundle_name=record.case.bundle_name,
        opened_at=record.case.opened_at,
        applicant_kind=_applicant_kind(node, record.case),
        is_by_agent=record.case.agent is not None,
        window=record.case.window,
        window_name=window_name(node, record.case.window),
        visits=await _visits(node, record, parts),
        steps=tuple(
            [
                await _desk_step(node, record.case, record.case.steps[code], seen=seen, looking=looking)
                for code, seen in parts.items()
            ]
        ),
        history=history_of(node, entry, record, parts=parts),
        papers=paper_lines(record.case, frozenset(parts)),
        version=record.case.version,
    )


async def _visits(node: Node, record: CaseRecord, parts: Mapping[str, Seen]) -> tuple[VisitAtDesk, ...]:
    """The visits recorded at this node; none for who only follows up, and so sees no more than where a step stands."""
    if {seen.mine.part for seen in parts.values()} == {"follow_up"}:
        return ()
    return tuple(VisitAtDesk.of(node, each) for each in await visits_of(node, record.id))


def _reason(seen: Mapping[str, Seen]) -> str:
    """Why the officer is shown the case: `decides a, b; is heard on c; follows up d`."""
    steps = {part: [code for code, each in seen.items() if each.mine.part == part] for part in REASONS}
    return "; ".join(f"{REASONS[part]} {', '.join(codes)}" for part, codes in steps.items() if codes)


def _applicant_kind(node: Node, case: Case) -> Applicant | None:
    """As the application says; elsewhere than at home as far as the bundle leaves no choice."""
    if case.applicant:
        return "relative" if case.subject else "subject"
    bundle = node.catalogue_of(case.catalogue).bundle_of.get(case.bundle)
    return bundle.applicants[0] if bundle and len(bundle.applicants) == 1 else None


async def _desk_step(node: Node, case: Case, step: Step, *, seen: Seen, looking: Looking) -> DeskStep:
    """The step as this part in it needs it: how far its materials have come, and what an approval may yield."""
    view, part, authority = step_view(node, case, step=step), seen.mine.part, seen.mine.authority
    if part == "follow_up":
        return DeskStep(part=part, authority=authority.id, authority_name=authority.name, step=view)
    catalogue, commission = node.catalogue_of(case.catalogue), commission_of(case, step)
    here = await bytes_here(node, case, step) if step.is_gathering else {}
    result, paper = result_of(catalogue, step.plan), result_paper(case, step)
    return DeskStep(
        part=part,
        authority=authority.id,
        authority_name=authority.name,
        step=view,
        form=fields_shown(catalogue, commission.form, is_masked=False),
        materials=materials_at_desk(catalogue, commission.materials, here),
        yields_name=result.name if result else "",
        yields_kind=result.kind if result else "",
        yields_fields=_result_fields(catalogue, step),
        result_paper=paper.id if paper else None,
        opinions=_opinions(step),
        supplement=SupplementShown.of(step.supplement, catalogue) if step.supplement else None,
        special_steps=step.plan.terms.special_steps,
        finding=step.finding,
        proposal=_proposal(step) if part == "decide" else None,
        two_persons=part == "decide" and step.plan.terms.two_persons,
        covered=await covered_at_desk(
            node, step, case=case.name, materials=commission.materials, checking=Checking(looking, authority.name)
        ),
        electronic=(await electronics_of(node, case, [step])).get(step.plan.code),
    )


def _result_fields(catalogue: Catalogue, step: Step) -> tuple[ResultField, ...]:
    """What its item declares, as far as the catalogue knows it."""
    item = catalogue.item_of.get(step.plan.code)
    is_required = {need.code: need.is_required for need in item.yields_fields} if item else {}
    fields = [catalogue.field_of[code] for code in step.plan.yields_fields if code in catalogue.field_of]
    shown = set(ResultField.model_fields) - {"is_required"}
    return tuple(
        ResultField(**field.model_dump(include=shown), is_required=is_required.get(field.code, False))
        for field in fields
    )


def _proposal(step: Step) -> ProposalShown | None:
    return ProposalShown(**dict(step.proposal)) if step.proposal else None


def _opinions(step: Step) -> tuple[OpinionShown, ...]:
    return tuple(
        OpinionShown(
            department=department,
            name=step.plan.competent.heard[department].name,
            **opinion.model_dump(include={"answer", "reason", "due_on", "given_at"}),
        )
        for department, opinion in step.opinions.items()
    )
