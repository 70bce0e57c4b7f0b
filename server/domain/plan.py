"""The plan of a case: which steps of a bundle's graph apply to given answers, in which order, decided where."""

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from server.domain.catalogue import Bundle, Catalogue, Item, Question
from server.domain.divisions import CODE, Ground
from server.domain.errors import FieldFault, Invalid
from server.domain.names import Value

HOME = "home"


class AnswersIncomplete(Invalid):
    """An answer that the plan depends on is missing, or is none of those offered."""

    title = "请先回答以下问题"


class PlannedStep(Value):
    """One step that applies: what of its item a case must remember for good, its division, and what it waits for."""

    code: str
    name: str
    department: str
    division: str
    needs: tuple[str, ...]
    fields: tuple[str, ...]
    materials: tuple[str, ...]
    yields: str
    yields_fields: tuple[str, ...]
    promised_days: int


def order(needs: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """The steps so that each comes after all it needs; raises CycleError with the circle in `args[1]`."""
    sorter = TopologicalSorter({step: sorted(before) for step, before in needs.items()})
    return tuple(sorter.static_order())


def circle(needs: Mapping[str, Iterable[str]]) -> list[str]:
    """The steps of a circle in the graph, or nothing."""
    try:
        order(needs)
    except CycleError as fault:
        return list(fault.args[1])
    return []


def pointer(part: str, name: str) -> str:
    """RFC 6901 pointer to one value of a part of the wish; a name nobody knows is cut to 60 characters."""
    return f"/{part}/{name[:60].replace('~', '~0').replace('/', '~1')}"


def check_answers(bundle: Bundle, answers: Mapping[str, str]) -> list[FieldFault]:
    """What is wrong with the answers: missing, unknown, or not among the choices."""
    asked = {question.code: question for question in bundle.questions}
    faults = [
        FieldFault(pointer=pointer("answers", code), code="unknown", detail="没有这个问题。")
        for code in answers
        if code not in asked
    ]
    for question in bundle.questions:
        fault = _fault_of(question, answers.get(question.code))
        if fault:
            faults.append(FieldFault(pointer=pointer("answers", question.code), code=fault[0], detail=fault[1]))
    return faults


def _fault_of(question: Question, answer: str | None) -> tuple[str, str] | None:
    if answer is None:
        return "required", f"请回答：{question.name}"
    if question.type == "division" and not CODE.fullmatch(answer):
        return "division", f"{question.name}：请选择行政区划。"
    if question.type == "choice" and answer not in question.choices:
        return "choice", f"{question.name}：请从所列选项中选择。"
    return None


def require_answers(bundle: Bundle, answers: Mapping[str, str], ground: Ground) -> None:
    """Raises AnswersIncomplete with every fault of the answers, places that are none any more among them."""
    faults = check_answers(bundle, answers)
    for question in bundle.questions:
        answer = answers.get(question.code, "")
        if question.type == "division" and CODE.fullmatch(answer):
            faults += division_faults(ground, answer, at=pointer("answers", question.code), must_decide=True)
    if faults:
        raise AnswersIncomplete(errors=faults)


def division_faults(ground: Ground, code: str, *, at: str, must_decide: bool) -> list[FieldFault]:
    """Why this code cannot be given today: unknown, not valid, or (`must_decide`) nothing is decided there."""
    found = ground.divisions.find(code)
    if found is None:
        return [FieldFault(pointer=at, code="division_unknown", detail="没有这个行政区划代码，请重新选择。")]
    if not found.is_valid(ground.on):
        names = [ground.divisions.name_in_full(each) for each in found.successors]
        instead = f"请按实际所在地选择：{'、'.join(names)}。" if names else "请重新选择。"
        detail = f"{found.name}（{code}）现在不是有效的行政区划，{instead}"
        return [FieldFault(pointer=at, code="division_not_valid", detail=detail)]
    if must_decide and not found.is_routable:
        detail = f"{found.name}不能单独办理，请选择所属的县（市、区）或市。"
        return [FieldFault(pointer=at, code="division_not_routable", detail=detail)]
    return []


def make_plan(
    catalogue: Catalogue, bundle: Bundle, answers: Mapping[str, str], *, home: str
) -> tuple[PlannedStep, ...]:
    """The steps that apply, each after those it needs; raises AnswersIncomplete.

    A need for a step that does not apply falls away.
    """
    faults = check_answers(bundle, answers)
    if faults:
        raise AnswersIncomplete(errors=faults)
    apply = {
        step.item: step
        for step in bundle.steps
        if all(answers.get(question) in allowed for question, allowed in step.when.items())
    }
    needs = {code: tuple(need for need in step.needs if need in apply) for code, step in apply.items()}
    items = [catalogue.item_of[code] for code in order(needs)]
    return tuple(
        _planned(item, needs[item.code], division=home if item.jurisdiction == HOME else answers[item.jurisdiction])
        for item in items
    )


def _planned(item: Item, needs: tuple[str, ...], *, division: str) -> PlannedStep:
    return PlannedStep(
        code=item.code,
        name=item.name,
        department=item.department,
        division=division,
        needs=needs,
        fields=tuple(need.code for need in item.fields),
        materials=tuple(need.code for need in item.materials),
        yields=item.yields,
        yields_fields=tuple(need.code for need in item.yields_fields),
        promised_days=item.promised_days,
    )
