"""Beginning again: what a citizen would hand in for a step that was declined as another place's, all filled in."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from server.domain.case.case import Application, Case, HandedIn, Step
from server.domain.catalogue.answers import AnswersIncomplete, answer_faults, is_asked, pointer, questions_of
from server.domain.catalogue.bundles import Bundle
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.context import Context
from server.domain.catalogue.depths import pointer_of
from server.domain.catalogue.divisions import province_of
from server.domain.catalogue.items import HOME, Material
from server.domain.catalogue.merging import merge
from server.domain.catalogue.pinning import is_elsewhere
from server.domain.catalogue.plan import Plan, lay_out
from server.domain.errors import Conflict, FieldFault
from server.domain.exchange.directory import Directory
from server.domain.exchange.routing import find_node, route
from server.domain.rules.drafts import UnfinishedSubmission
from server.domain.rules.opening import MaterialGiven
from server.domain.values import Value


class NotDeclined(Conflict):
    """Only a step that was declined is begun again."""

    code = "not_declined"
    title = "该事项没有被不予受理"


class NoPlaceNamed(Conflict):
    """The decision names no other place where the step belongs, or one that is not known here."""

    code = "no_place_named"
    title = "没有告知应当受理的地区"


class NoLongerOffered(Conflict):
    """The item can no longer be applied for here, or with these answers."""

    code = "no_longer_offered"
    title = "现在不能在这里申请这个事项"


class OnlyTogether(Conflict):
    """The item is not applied for alone, and the whole bundle would ask again for what goes on or was decided."""

    code = "only_together"
    title = "这个事项不能单独重新申请"


class BeginThere(Conflict):
    """The right place does not take the item from here: one applies to it directly.

    `division` and `division_name` tell where that is, `node` and `origin` which node decides there; empty: none does.
    """

    code = "begin_there"
    title = "请直接向应当受理的地区申请"


@dataclass(frozen=True)
class Before:
    """The case in which the step was declined, what was handed in, and the ids of those materials that are kept."""

    case: Case
    step: Step
    application: Application
    kept: Collection[str]


class Again(Value):
    """What would be handed in, which materials it needs, and the names of the case's steps that are not part of it."""

    wish: UnfinishedSubmission
    needed: tuple[Material, ...]
    left_out: tuple[str, ...]


def again_of(before: Before, *, catalogue: Catalogue, directory: Directory, context: Context) -> Again:
    """The application as it was, in the right place and by today's catalogue; what no longer fits is left out.

    Raises NotDeclined, NoPlaceNamed, NoLongerOffered, OnlyTogether, BeginThere, NoNodeFor, and AnswersIncomplete if
    nothing is decided in the right place today.
    """
    step = before.step
    _check_declined(step, context)
    bundle = _bundle(before, catalogue.of(province_of(context.home)))
    _check_takes_from_here(step, catalogue, directory, context=context)
    place = catalogue.item_of[step.plan.code].jurisdiction
    if place == HOME:
        context = context.model_copy(update={"division": step.right_division})
        answers: Mapping[str, str] = before.application.answers
    else:
        context = context.model_copy(update={"division": _still_valid(before.application.division, context)})
        answers = {**before.application.answers, place: step.right_division}
    faults = [
        fault for fault in _faults(catalogue, bundle, answers, context=context) if fault.pointer == pointer_of(place)
    ]
    if faults:
        raise AnswersIncomplete(errors=faults)
    answers = _fitting(catalogue, bundle, answers, context=context)
    plan = lay_out(catalogue, bundle, answers, context=context)
    _check_applies(step, plan)
    return _filled(before, catalogue, bundle, plan=plan, wish=_wish(bundle, answers, context))


def _check_declined(step: Step, context: Context) -> None:
    """Whether it was declined, with another place named; raises NotDeclined, NoPlaceNamed."""
    if step.state != "declined":
        raise NotDeclined("只有不予受理的事项可以在应当受理的地区重新申请。")
    if context.divisions.find(step.right_division) is None:
        raise NoPlaceNamed("不予受理的决定没有写明应当受理的地区，请按决定中的说明办理。")


def _bundle(before: Before, catalogue: Catalogue) -> Bundle:
    """The same bundle, unless other steps of the case have gone on; then that of the item alone."""
    case, step = before.case, before.step
    code, whole = step.plan.code, catalogue.bundle_of.get(case.bundle)
    has_it = whole is not None and code in {each.item for each in whole.steps}
    others = (other for other in case.steps.values() if other.plan.code != code)
    if whole and has_it and all(_came_to_nothing(other, step) for other in others):
        return whole
    if code in catalogue.bundle_of:
        return catalogue.bundle_of[code]
    if has_it:
        raise OnlyTogether(
            f"“{step.plan.name}”不能单独申请，而这件事的其他事项已在办理或者办完，请直接向应当受理的机关申请。"
        )
    raise NoLongerOffered(f"目录中已没有“{step.plan.name}”，请向应当受理的机关询问。")


def _came_to_nothing(other: Step, step: Step) -> bool:
    """Whether it may be asked for once more: nothing was decided on it, or the same as on this step."""
    is_alike = other.state == "declined" and other.right_division == step.right_division
    return is_alike or other.state in ("skipped", "withdrawn")


def _check_takes_from_here(step: Step, catalogue: Catalogue, directory: Directory, *, context: Context) -> None:
    """Whether the right place is in this province, or lets the item be applied for from here."""
    division = step.right_division
    if not is_elsewhere(division, context):
        return
    item = catalogue.of(province_of(division)).item_of[step.plan.code]
    if item.jurisdiction != HOME and item.handled_from(province_of(context.home), context.on):
        route(directory, division)
        return
    name, entry = context.divisions.name_in_full(division), find_node(directory, division)
    more = {"division": division, "division_name": name}
    more |= {"node": entry.node if entry else "", "origin": entry.origin if entry else ""}
    raise BeginThere(f"“{step.plan.name}”应当由{name}受理，不能在这里申请，请直接向当地申请。", more=more)


def _still_valid(division: str, context: Context) -> str:
    """The place inside the home where they applied, unless it was abolished since."""
    return division if context.divisions.at(division, context.on) else ""


def _faults(catalogue: Catalogue, bundle: Bundle, answers: Mapping[str, str], *, context: Context) -> list[FieldFault]:
    return answer_faults(catalogue, bundle, answers, context=context, must_be_complete=False)


def _fitting(catalogue: Catalogue, bundle: Bundle, answers: Mapping[str, str], *, context: Context) -> dict[str, str]:
    """Those answers that the bundle still asks for and takes, each with those before it."""
    found: dict[str, str] = {}
    for question in questions_of(catalogue, bundle):
        code = question.code
        if code in answers and is_asked(question, found):
            tried = {**found, code: answers[code]}
            faulty = {fault.pointer for fault in _faults(catalogue, bundle, tried, context=context)}
            found = found if pointer("answers", code) in faulty else tried
    return found


def _check_applies(step: Step, plan: Plan) -> None:
    """Whether the plan has the step, or may have it once the rest is answered; raises NoLongerOffered."""
    verdict = next(each for each in plan.verdicts if each.step == step.plan.code)
    if verdict.applies == "no":
        raise NoLongerOffered(verdict.why)


def _wish(bundle: Bundle, answers: Mapping[str, str], context: Context) -> UnfinishedSubmission:
    return UnfinishedSubmission(bundle=bundle.code, division=context.division, answers=answers)


def _filled(before: Before, catalogue: Catalogue, bundle: Bundle, *, plan: Plan, wish: UnfinishedSubmission) -> Again:
    """The wish with what is known of what this plan asks: form, what other steps yielded, materials that are kept."""
    case, merged = before.case, merge(catalogue, bundle, plan.steps)
    known = {**case.form, **{code: value for other in case.steps.values() for code, value in other.result.items()}}
    asked = {each.material.code: each for each in merged.materials}
    given = tuple(
        MaterialGiven(code=each.code, id=each.id)
        for each in case.materials
        if isinstance(each, HandedIn) and each.id in before.kept and each.code in asked
    )
    here = {each.code for each in given}
    may_wait = (code for code in case.deferred if code in asked and asked[code].may_be_deferred)
    update = {
        "form": {each.field.code: known[each.field.code] for each in merged.fields if each.field.code in known},
        "materials": given,
        "deferred": tuple(code for code in may_wait if code not in here),
    }
    planned = {each.step for each in plan.verdicts if each.applies != "no"}
    return Again(
        wish=wish.model_copy(update=update),
        needed=tuple(each.material for each in merged.materials if each.is_required),
        left_out=tuple(other.plan.name for other in case.steps.values() if other.plan.code not in planned),
    )
