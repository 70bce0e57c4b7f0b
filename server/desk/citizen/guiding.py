"""Guiding: what a bundle asks of a citizen with the answers given so far, and what it saves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from server.domain.catalogue.answers import AnswersIncomplete, answer_faults
from server.domain.catalogue.authorities import NobodyDecides, PlaceTooBroad
from server.domain.catalogue.bundles import Bundle, Question
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.context import Context
from server.domain.catalogue.depths import depth_faults
from server.domain.catalogue.divisions import province_of
from server.domain.catalogue.durations import Days, days_of
from server.domain.catalogue.forms import schema_of
from server.domain.catalogue.items import HOME, Item, Level
from server.domain.catalogue.merging import MergedForm, MergedMaterial, Saved, items_of, merge
from server.domain.catalogue.pinning import competent_here, is_elsewhere
from server.domain.catalogue.plan import Mode, Plan, PlannedStep, Verdict, lay_out
from server.domain.exchange.routing import route
from server.domain.remembering import itself
from server.domain.values import Value
from server.node import Node


class GuideRequest(Value):
    """The answers given so far, and where inside this province one applies (empty: the province as such)."""

    answers: Mapping[str, str] = {}
    division: str = ""


class GuideQuestion(Question):
    """A question still open; `level` is how deep the place must be that it asks for; empty: it asks for none."""

    level: Level | Literal[""] = ""


class GuideStep(Value):
    """A step of the plan, and who decides it; division and node are empty while the question for it is open.

    `authority_name` is the decider's full name; empty: an answer is missing, or another province says who it is.
    `part` is what the home does itself before it sends the step on.
    """

    step: str
    name: str
    department: str
    department_name: str
    authority_name: str
    division: str
    division_name: str
    node: str
    node_name: str
    mode: Mode
    part: str
    needs: tuple[str, ...]
    yields: str
    promised_days: int
    legal_days: int
    fee_fen: int


class GuideMaterial(Value):
    """A material to hand in once, the steps that need it, and why in words."""

    code: str
    name: str
    hint: str
    is_required: bool
    form: str
    copies: int
    may_be_deferred: bool
    needed_by: tuple[str, ...]
    why: str


class Yield(Value):
    """What a step itself will yield: a licence or paper (empty: an answer in words), and what stands in it."""

    step: str
    licence: str
    licence_name: str
    fields: tuple[str, ...]


class Shared(Value):
    """A material that authorities share with each other, so that nobody hands it in."""

    code: str
    name: str


class Guide(Value):
    """What a bundle asks: one form as JSON Schema, materials, steps, days, fees, and what is saved.

    `verdicts` say of each step why it applies or not; `questions` are those still open, the next to ask first.
    `level` is how deep the place inside the province must be where one applies; `province`: none need be named.
    """

    bundle: str
    catalogue: str
    division: str
    level: Level
    questions: tuple[GuideQuestion, ...]
    verdicts: tuple[Verdict, ...]
    form: dict[str, Any]
    materials: tuple[GuideMaterial, ...]
    steps: tuple[GuideStep, ...]
    yields: tuple[Yield, ...]
    shared: tuple[Shared, ...]
    days: Days
    fee_fen: int
    saved: Saved


def guide(node: Node, code: str, request: GuideRequest) -> Guide:
    """What the bundle asks with these answers, which may be incomplete.

    The same answers in the same place on the same day give the same object. Raises NoSuchBundle, AnswersIncomplete for
    answers that are wrong, NoNodeFor.
    """
    catalogue = node.catalogue
    found = catalogue.of(province_of(node.here)).bundle(code)
    context = node.context(request.division)
    told = tuple(sorted(request.answers.items()))
    key = ("guide", itself(found), told, context.key, itself(node.directory))
    return catalogue.made.of(key, lambda: _made(node, found, request, context=context))


def _made(node: Node, found: Bundle, request: GuideRequest, *, context: Context) -> Guide:
    catalogue = node.catalogue
    faults = answer_faults(catalogue, found, request.answers, context=context, must_be_complete=False)
    if faults:
        raise AnswersIncomplete(errors=faults)
    plan = lay_out(catalogue, found, request.answers, context=context)
    faults = depth_faults(plan.placed(catalogue), request.answers, context=context, must_be_complete=False)
    if faults:
        raise AnswersIncomplete(errors=faults)
    return _guide(node, plan, found, told=_Told(context, request.answers))


def _guide(node: Node, plan: Plan, found: Bundle, *, told: "_Told") -> Guide:
    catalogue = node.catalogue
    merged = merge(catalogue, found, plan.steps)
    return Guide(
        bundle=found.code,
        catalogue=catalogue.version,
        division=node.here,
        level=plan.levels.get(HOME, "province"),
        questions=tuple(_question(each, plan) for each in plan.open),
        verdicts=plan.verdicts,
        form=schema_of(merged.fields),
        materials=tuple(_material(catalogue, each) for each in merged.materials),
        steps=tuple(_step(node, step, told) for step in plan.steps),
        yields=tuple(_yields(catalogue, plan)),
        shared=_shared(catalogue, merged),
        days=days_of(found, plan.steps),
        fee_fen=sum(item.fee_fen for item in items_of(catalogue, plan.steps)),
        saved=merged.saved,
    )


def _question(question: Question, plan: Plan) -> GuideQuestion:
    level = plan.levels.get(question.code, "province") if question.type == "division" else ""
    return GuideQuestion(**question.model_dump(), level=level)


def _material(catalogue: Catalogue, merged: MergedMaterial) -> GuideMaterial:
    names = "、".join(catalogue.item_of[code].name for code in merged.needed_by)
    return GuideMaterial(
        name=merged.material.name,
        code=merged.material.code,
        hint=merged.material.hint,
        why=f"办理{names}需要。",
        **merged.model_dump(exclude={"material"}),
    )


def _shared(catalogue: Catalogue, merged: MergedForm) -> tuple[Shared, ...]:
    return tuple(Shared(code=code, name=catalogue.material_of[code].name) for code in merged.shared)


def _yields(catalogue: Catalogue, plan: Plan) -> list[Yield]:
    return [
        Yield(
            step=step.code,
            licence=step.yields,
            licence_name=catalogue.results[step.yields].name if step.yields else "",
            fields=step.yields_fields,
        )
        for step in plan.steps
        if step.yields or step.yields_fields
    ]


@dataclass(frozen=True)
class _Told:
    """What is known when somebody asks: where and when they apply, and their answers so far."""

    context: Context
    answers: Mapping[str, str]

    def authority_name(self, item: Item, division: str) -> str:
        """Who decides it there, as far as place and answers tell; of another province nothing."""
        if not division or is_elsewhere(division, self.context):
            return ""
        try:
            found = competent_here(item, self.answers, division, context=self.context).authority
        except (PlaceTooBroad, NobodyDecides):
            return ""
        return found.name if found else ""


def _step(node: Node, step: PlannedStep, told: "_Told") -> GuideStep:
    entry = route(node.directory, step.division) if step.division else None
    (item,) = items_of(node.catalogue, [step])
    return GuideStep(
        step=step.code,
        name=step.name,
        department=step.department,
        department_name=node.catalogue.departments[step.department],
        authority_name=told.authority_name(item, step.division),
        division=step.division,
        division_name=node.published.divisions.name_in_full(step.division) if step.division else "",
        node=entry.node if entry else "",
        node_name=entry.name if entry else "",
        mode=step.mode,
        part=step.part.name if step.part else "",
        needs=step.needs,
        yields=step.yields,
        promised_days=step.promised_days,
        legal_days=item.legal_days,
        fee_fen=item.fee_fen,
    )
