"""The answers on which a plan depends: which questions a bundle asks, what is wrong with an answer, what is open."""

from collections.abc import Mapping

from server.domain.catalogue.bundles import Bundle, Question
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.context import Context
from server.domain.catalogue.divisions import CODE, prefix
from server.domain.errors import FieldFault, Invalid
from server.domain.sentences import sentences

YES, NO = "yes", "no"


class AnswersIncomplete(Invalid):
    """An answer that the plan depends on is missing, or is none of those offered."""

    code = "answers_incomplete"
    title = "请先回答以下问题"


def pointer(part: str, name: str) -> str:
    """RFC 6901 pointer to one value of a part of the wish; a name nobody knows is cut to 60 characters."""
    return f"/{part}/{name[:60].replace('~', '~0').replace('/', '~1')}"


def questions_of(catalogue: Catalogue, bundle: Bundle) -> tuple[Question, ...]:
    """All questions of the bundle, with the choices of those that choose a step, and one for each optional step."""
    asked = [_with_choices(catalogue, bundle, question) for question in bundle.questions]
    for step in bundle.steps:
        if step.is_optional:
            item = catalogue.item_of[step.item]
            name = f"是否一并办理：{item.name}"
            yes_or_no = {YES: "一并办理", NO: "不办理"}
            asked.append(
                Question(
                    code=item.code,
                    name=name,
                    type="choice",
                    choices=yes_or_no,
                    hint=item.guidance,
                    when=step.when,
                    is_required=False,
                )
            )
    return tuple(asked)


def _with_choices(catalogue: Catalogue, bundle: Bundle, question: Question) -> Question:
    if question.type != "one_of":
        return question
    steps = [step.item for step in bundle.steps if step.one_of == question.code]
    return question.model_copy(update={"choices": {code: catalogue.item_of[code].name for code in steps}})


def is_asked(question: Question, answers: Mapping[str, str]) -> bool:
    """Whether the answers given so far are those under which this question is asked."""
    return all(answers.get(code) in allowed for code, allowed in question.when.items())


def open_questions(catalogue: Catalogue, bundle: Bundle, answers: Mapping[str, str]) -> tuple[Question, ...]:
    """What is to be asked next: questions not answered that nothing unanswered stands before; those one must, first."""
    found = [each for each in questions_of(catalogue, bundle) if each.code not in answers and is_asked(each, answers)]
    return tuple(sorted(found, key=lambda question: not question.is_required))


def answer_faults(
    catalogue: Catalogue,
    bundle: Bundle,
    answers: Mapping[str, str],
    *,
    context: Context,
    must_be_complete: bool,
) -> list[FieldFault]:
    """What is wrong with the answers: unknown, not asked for, not among the choices, no place that decides, missing."""
    asked = {question.code: question for question in questions_of(catalogue, bundle)}
    faults = []
    for code, answer in answers.items():
        at = pointer("answers", code)
        if code not in asked:
            faults.append(FieldFault(pointer=at, code="unknown", detail="没有这个问题。"))
        elif not is_asked(asked[code], answers):
            faults.append(FieldFault(pointer=at, code="not_asked", detail=sentences(f"不需要回答：{asked[code].name}")))
        else:
            faults += _faults_of(asked[code], answer, at=at, context=context)
    if context.division:
        faults += division_faults(context, context.division, at="/division", must_decide=True)
        if not context.division.startswith(prefix(context.home)):
            faults.append(FieldFault(pointer="/division", code="division_elsewhere", detail="请选择本省内的地区。"))
    if must_be_complete:
        for question in open_questions(catalogue, bundle, answers):
            if question.is_required:
                at = pointer("answers", question.code)
                faults.append(FieldFault(pointer=at, code="required", detail=sentences(f"请回答：{question.name}")))
    return faults


def _faults_of(question: Question, answer: str, *, at: str, context: Context) -> list[FieldFault]:
    if question.type != "division":
        if answer in question.choices:
            return []
        return [FieldFault(pointer=at, code="choice", detail=f"{question.name}：请从所列选项中选择。")]
    if not CODE.fullmatch(answer):
        return [FieldFault(pointer=at, code="division", detail=f"{question.name}：请选择行政区划。")]
    return division_faults(context, answer, at=at, must_decide=True)


def division_faults(context: Context, code: str, *, at: str, must_decide: bool) -> list[FieldFault]:
    """Why this code cannot be given today: unknown, not valid, or (`must_decide`) nothing is decided there."""
    found = context.divisions.find(code)
    if found is None:
        return [FieldFault(pointer=at, code="division_unknown", detail="没有这个行政区划代码，请重新选择。")]
    if not found.is_valid(context.on):
        names = [context.divisions.name_in_full(each) for each in found.successors]
        instead = f"请按实际所在地选择：{'、'.join(names)}。" if names else "请重新选择。"
        detail = f"{found.name}（{code}）现在不是有效的行政区划，{instead}"
        return [FieldFault(pointer=at, code="division_not_valid", detail=detail)]
    if must_decide and not found.is_routable:
        detail = f"{found.name}不能单独办理，请选择所属的县（市、区）或市。"
        return [FieldFault(pointer=at, code="division_not_routable", detail=detail)]
    return []
