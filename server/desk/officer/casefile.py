"""The case file: what officers are shown of a case, each look noted with its reason before anything is given."""

from collections.abc import Mapping
from datetime import date
from typing import Literal, Self

from server.desk.background.gathering import bytes_here
from server.desk.naming import department_name, window_name
from server.desk.officer.history import HistoryEntry, history_of
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
from server.domain.effects.letters_out import commission_of
from server.domain.effects.records import Record
from server.domain.people.persons import Officer
from server.domain.rules.decide import NotYourDepartment
from server.domain.values import Value, moment_text
from server.node import Node

Part = Literal["decide", "opinion", "check", "follow_up"]
REASONS: Mapping[Part, str] = {
    "decide": "decides",
    "opinion": "is heard on",
    "check": "checks",
    "follow_up": "follows up",
}


class OpinionShown(Value):
    """What one department was asked for (会签), by the end of which day, and what it answered; empty: nothing yet."""

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


class VisitAtDesk(VisitShown):
    """A visit as officers see it: also which officer of which department recorded it."""

    officer: str
    department: str


class DeskStep(Value):
    """A step and the part that the officer's department has in it.

    Who decides it, is heard on it, or checks it before another node decides, sees in full what its item declares, and
    what was asked and answered on the way. Who follows it up sees only where it stands. `special_steps` are the special
    procedures that may stop its clock, `finding` is what its home found in its own part. Only who decides it sees the
    `proposal`, and `two_persons`: whether another one than who proposed must decide.
    """

    part: Part
    step: StepView
    form: tuple[FieldShown, ...] = ()
    materials: tuple[MaterialAtDesk, ...] = ()
    yields_fields: tuple[FieldShown, ...] = ()
    opinions: tuple[OpinionShown, ...] = ()
    supplement: SupplementShown | None = None
    special_steps: tuple[SpecialStep, ...] = ()
    finding: str = ""
    proposal: ProposalShown | None = None
    two_persons: bool = False


class DeskCaseView(Value):
    """A case as an officer sees it: only the steps that concern the officer's department.

    `applicant_kind`: whether the subject or a relative applies (None: only the home knows); `is_by_agent`: at home,
    whether an agent handed it in, and `window` is the one that the applicant chose, if any.
    `visits` are those that were recorded at this node, `history` is what happened to these steps.
    """

    id: str
    name: str
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
    version: int


async def desk_case(node: Node, officer: Officer, id: str) -> DeskCaseView:
    """A case with the data of the steps in which the officer's department has a part; the look is noted before.

    Raises NoSuchCase, and NotYourDepartment if it has a part in none.
    """
    record = await node.store.cases.case(id)
    parts = parts_of(record.case, officer.department, node.here)
    at = node.clock.now()
    about = {"case": record.case.name, "officer": officer.name, "department": officer.department}
    entry = f"{record.id}:{moment_text(at)}:{node.chance.token(8).hex()}"
    await node.store.audit.note(entry, "case.read", at=at, about=about | {"reason": _reason(parts)})
    return DeskCaseView(
        id=record.id,
        name=record.case.name,
        bundle=record.case.bundle,
        bundle_name=record.case.bundle_name,
        opened_at=record.case.opened_at,
        applicant_kind=_applicant_kind(node, record.case),
        is_by_agent=record.case.agent is not None,
        window=record.case.window,
        window_name=window_name(node, record.case.window),
        visits=await _visits(node, record, parts),
        steps=tuple(
            [await _desk_step(node, record.case, record.case.steps[code], part=part) for code, part in parts.items()]
        ),
        history=history_of(node, officer, record, parts=parts),
        version=record.case.version,
    )


def parts_of(case: Case, department: str, here: str) -> dict[str, Part]:
    """What the department has to do with steps of the case at this node, the most of each; raises NotYourDepartment."""
    found = {code: _part(case, step, department, here=here) for code, step in case.steps.items()}
    parts = {code: part for code, part in found.items() if part}
    if not parts:
        raise NotYourDepartment("该办件没有由本部门办理的事项。")
    return parts


async def _visits(node: Node, record: Record, parts: Mapping[str, Part]) -> tuple[VisitAtDesk, ...]:
    """The visits recorded at this node; none for who only follows up, and so sees no more than where a step stands."""
    if set(parts.values()) == {"follow_up"}:
        return ()
    return tuple(VisitAtDesk.of(node, each) for each in await visits_of(node, record.id))


def _part(case: Case, step: Step, department: str, *, here: str) -> Part | None:
    if step.node == here and step.plan.department == department:
        return "decide"
    if step.node == here and department in step.opinions:
        return "opinion"
    if case.home == here and step.checked_by == department:
        return "check"
    if case.home == here and case.lead == department and case.leaves_to_lead(step):
        return "follow_up"
    return None


def _reason(parts: Mapping[str, Part]) -> str:
    """Why the officer is shown the case: `decides a, b; is heard on c; follows up d`."""
    steps = {part: [code for code, found in parts.items() if found == part] for part in REASONS}
    return "; ".join(f"{REASONS[part]} {', '.join(codes)}" for part, codes in steps.items() if codes)


def _applicant_kind(node: Node, case: Case) -> Applicant | None:
    """As the application says; elsewhere than at home as far as the bundle leaves no choice."""
    if case.applicant:
        return "relative" if case.subject else "subject"
    bundle = node.catalogue_of(case.catalogue).bundle_of.get(case.bundle)
    return bundle.applicants[0] if bundle and len(bundle.applicants) == 1 else None


async def _desk_step(node: Node, case: Case, step: Step, *, part: Part) -> DeskStep:
    """The step as this part in it needs it: how far its materials have come, and what an approval may yield."""
    view = step_view(node, case, step=step)
    if part == "follow_up":
        return DeskStep(part=part, step=view)
    catalogue, commission = node.catalogue_of(case.catalogue), commission_of(case, step)
    here = await bytes_here(node, case, step) if step.is_gathering else {}
    return DeskStep(
        part=part,
        step=view,
        form=fields_shown(catalogue, commission.form, is_masked=False),
        materials=materials_at_desk(catalogue, commission.materials, here),
        yields_fields=fields_shown(catalogue, dict.fromkeys(step.plan.yields_fields, ""), is_masked=False),
        opinions=_opinions(node, case, step),
        supplement=SupplementShown.of(step.supplement, catalogue) if step.supplement else None,
        special_steps=step.plan.terms.special_steps,
        finding=step.finding,
        proposal=_proposal(step) if part == "decide" else None,
        two_persons=part == "decide" and step.plan.terms.two_persons,
    )


def _proposal(step: Step) -> ProposalShown | None:
    return ProposalShown(**dict(step.proposal)) if step.proposal else None


def _opinions(node: Node, case: Case, step: Step) -> tuple[OpinionShown, ...]:
    return tuple(
        OpinionShown(
            department=department,
            name=department_name(node, case, department),
            **opinion.model_dump(include={"answer", "reason", "due_on", "given_at"}),
        )
        for department, opinion in step.opinions.items()
    )
