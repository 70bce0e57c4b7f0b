"""What people are shown of a step: where it stands, who has it until when, and what is asked of the applicant."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import PlainSerializer

from server.desk.naming import decider_name, department_name, node_name, place_and_department, right_authority
from server.domain.case.case import ENDED, STATE_NAMES, Case, Offered, State, Step
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.plan import Mode
from server.domain.catalogue.terms import Delivery, Gap, Leg
from server.domain.effects.effects import due_on
from server.domain.people.masking import masked
from server.domain.rules.moves.urging import URGE, urge_again_on
from server.domain.time.clock import due
from server.domain.values import CHINA, Value, china_day
from server.node import Node

LEG_NAMES: Mapping[Leg, str] = {"out": "受理地寄往办理地", "back": "办理地寄回受理地"}


def local_text(at: datetime) -> str:
    """RFC 3339 with the offset of China: `2026-11-23T13:45:00.123+08:00`."""
    return at.astimezone(CHINA).isoformat(timespec="milliseconds")


LocalMoment = Annotated[datetime, PlainSerializer(local_text, return_type=str)]


BOUNCED: Mapping[str, str] = {"step.withdrawal_asked": "撤回申请", "step.supplied": "补充内容"}


class Holder(Value):
    """Who has a step in hand: an authority or an organisation, at a node, with a power of a department.

    `authority` is empty as long as the decider's node has not told it; then `authority_name` says where, and of what.
    """

    node: str
    node_name: str
    authority: str
    authority_name: str
    department: str
    department_name: str


class GapShown(Value):
    """One thing that the applicant is to put right, and why."""

    kind: Literal["field", "material"]
    code: str
    name: str
    reason: str


class RequestToApplicant(Value):
    """What the applicant is asked for in a step: a supplement (补正) or deferred materials; until the end of a day."""

    gaps: tuple[GapShown, ...]
    due_on: date | None


class Stopped(Value):
    """A special procedure that stops the clock, with its written notice; the time it needs, in working days."""

    procedure: str
    notice: str
    days: int


class PartShown(Value):
    """What the home does itself in a step that another node decides, and whether it is done.

    `has_paper`: originals travel between the two by post. `authority_name` is who does it; empty: it is not known here.
    """

    authority_name: str
    department: str
    department_name: str
    name: str
    has_paper: bool
    is_done: bool


class PaperShown(Value):
    """Originals on their way from the home to the decider (`out`) or back: in which parcel, and since when."""

    leg: Leg
    leg_name: str
    courier: str
    number: str
    posted_at: LocalMoment
    arrived_at: LocalMoment | None


class RightPlace(Value):
    """Where a step belongs that was declined as another place's, and by which authority it is decided there.

    `authority` is empty where another province says who it is; then `authority_name` says where, and of what.
    """

    division: str
    division_name: str
    authority: str
    authority_name: str


class StepView(Value):
    """Where one step stands; `since` is when it came into this state, `version` what an act on it may name.

    `due_on` is the last day for its holder. If that depends on days that no notice has settled, or the clock is
    stopped, it is not confirmed, and is the day as far as can be said. `bounced` tells, in words, that what went to the
    decider came back. `urged_at` is when the applicant last pressed for it, `may_urge_on` the first day on which they
    may do so (again), null while they may not. `right_place` is set if it was declined as another place's, where the
    applicant may begin again.
    """

    step: str
    name: str
    state: State
    state_name: str
    holder: Holder | None
    since: LocalMoment
    due_on: date | None
    is_due_confirmed: bool
    needs: tuple[str, ...]
    asked: RequestToApplicant | None
    stopped: Stopped | None
    is_withdrawal_asked: bool
    grounds: str
    appeal: str
    agency: str
    right_place: RightPlace | None
    delivery: Delivery | None
    waits_on: str
    mode: Mode
    part: PartShown | None
    papers: tuple[PaperShown, ...]
    bounced: str
    urged_at: LocalMoment | None
    may_urge_on: date | None
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


class MaterialAtDesk(MaterialShown):
    """The same at the desk that decides: `sha256` opens it; `bytes_here` of its `size` have come from its home."""

    sha256: str
    bytes_here: int


def step_view(node: Node, case: Case, *, step: Step) -> StepView:
    """Where a step stands."""
    last, is_confirmed = _due(node, step)
    stop = step.clock.open_stop if step.clock else None
    return StepView(
        step=step.plan.code,
        name=step.plan.name,
        state=step.state,
        state_name=STATE_NAMES[step.state],
        holder=_holder(node, case, step),
        since=step.since,
        due_on=last,
        is_due_confirmed=is_confirmed,
        needs=step.plan.needs,
        asked=_asked(node.catalogue_of(case.catalogue), step),
        stopped=Stopped(procedure=stop.reason, notice=stop.notice, days=stop.days) if stop else None,
        is_withdrawal_asked=step.withdrawal_asked_at is not None,
        grounds=step.grounds,
        appeal=step.appeal,
        agency=step.agency,
        right_place=right_place(node, case, step),
        delivery=step.delivery,
        waits_on=step.waits_on,
        mode=step.plan.mode,
        part=_part(node, case, step),
        papers=_papers(step),
        bounced=bounced_words(step.bounced) if step.bounced else "",
        urged_at=step.urged_at,
        may_urge_on=_may_urge_on(node, step),
        version=step.version,
    )


def bounced_words(letter: str) -> str:
    """What the applicant is told of a letter of this kind that came back from the decider's node."""
    return f"{BOUNCED.get(letter, '转办')}被对方退回，正在处理。"


def right_place(node: Node, case: Case, step: Step) -> RightPlace | None:
    """Where it belongs instead; None if that was not named, or is a division that is not known here."""
    division = step.right_division
    if node.published.divisions.find(division) is None:
        return None
    authority = right_authority(node, case, step)
    return RightPlace(
        division=division,
        division_name=node.published.divisions.name_in_full(division),
        authority=authority.id if authority else "",
        authority_name=authority.name if authority else place_and_department(node, case, step, division=division),
    )


def _holder(node: Node, case: Case, step: Step) -> Holder | None:
    """Its decider, or its home while that does its own part."""
    held_at, department, authority = step.node, step.plan.department, step.authority
    if step.state == "checking" and step.plan.part:
        held_at, department, authority = case.home, step.plan.part.department, step.plan.competent.checker
    if not held_at or step.state in ENDED:
        return None
    return Holder(
        node=held_at,
        node_name=node_name(node, held_at),
        authority=authority.id if authority else "",
        authority_name=authority.name if authority else decider_name(node, case, step),
        department=department,
        department_name=department_name(node, case, department),
    )


def _part(node: Node, case: Case, step: Step) -> PartShown | None:
    part = step.plan.part
    if part is None:
        return None
    checker = step.plan.competent.checker
    return PartShown(
        authority_name=checker.name if checker else "",
        department=part.department,
        department_name=department_name(node, case, part.department),
        name=part.name,
        has_paper=part.has_paper,
        is_done=bool(step.checked_at or step.finding),
    )


def _papers(step: Step) -> tuple[PaperShown, ...]:
    return tuple(
        PaperShown(leg=leg, leg_name=LEG_NAMES[leg], **paper.model_dump(exclude={"postings"}))
        for leg, paper in step.papers.items()
    )


def _due(node: Node, step: Step) -> tuple[date | None, bool]:
    """The last day, and whether it is sure; of a step that runs or is stopped also a day that is not."""
    sure = due_on(step, node.published.calendar) if step.state not in ("waiting", "checking", *ENDED) else ""
    if sure:
        return date.fromisoformat(sure), True
    if step.clock and not step.has_ended:
        last = due(step.clock, node.published.calendar, "promised")
        return last.on or last.earliest_on, False
    return None, False


def _may_urge_on(node: Node, step: Step) -> date | None:
    if step.state not in URGE.states:
        return None
    today = china_day(node.clock.now())
    return max(today, urge_again_on(step, node.published.calendar) or today)


def _asked(catalogue: Catalogue, step: Step) -> RequestToApplicant | None:
    supplement = step.supplement
    if step.state == "supplementing" and supplement and supplement.answered_at is None:
        gaps = list(supplement.gaps)
        last = supplement.due_on
    elif step.awaited and not step.has_ended:
        later = "容缺受理，请在期限内补交。"
        gaps = [Gap(kind="material", code=deferral.material, reason=later) for deferral in step.awaited]
        last = min(deferral.due_on for deferral in step.awaited)
    else:
        return None
    return RequestToApplicant(gaps=gaps_shown(catalogue, gaps), due_on=last)


def gaps_shown(catalogue: Catalogue, gaps: Iterable[Gap]) -> tuple[GapShown, ...]:
    """What is to be put right, with the names in the catalogue."""
    return tuple(GapShown(**gap.model_dump(), name=catalogue.name_of(gap.kind, gap.code)) for gap in gaps)


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


def materials_at_desk(
    catalogue: Catalogue, materials: Sequence[Offered], here: Mapping[str, int]
) -> tuple[MaterialAtDesk, ...]:
    """The same at the desk; `here` is how much has come of those that are not all here, by SHA-256 (hex)."""
    shown = zip(materials_shown(catalogue, materials), materials, strict=True)
    return tuple(
        MaterialAtDesk(**vars(line), sha256=each.sha256, bytes_here=here.get(each.sha256, each.size))
        for line, each in shown
    )
