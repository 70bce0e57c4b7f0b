"""The plan of a case: which steps of a bundle's graph apply to given answers, in which order, where, and why."""

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Literal, Self

from server.domain.catalogue.answers import (
    YES,
    AnswersIncomplete,
    answer_faults,
    is_asked,
    open_questions,
    questions_of,
)
from server.domain.catalogue.authorities import NobodyDecides
from server.domain.catalogue.bundles import Bundle, BundleStep, Question
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.context import Context
from server.domain.catalogue.depths import (
    Placed,
    deeper,
    deepest_levels,
    depth_faults,
    level_of_lead,
    level_of_part,
    part_faults,
    pointer_of,
)
from server.domain.catalogue.divisions import province_of
from server.domain.catalogue.items import HOME, Handling, Item, Level, Part
from server.domain.catalogue.pinning import Competent, competent_at_home, competent_here, is_elsewhere
from server.domain.catalogue.terms import Terms
from server.domain.errors import FieldFault, Invalid
from server.domain.interning import Interned
from server.domain.remembering import itself
from server.domain.sentences import sentences
from server.domain.values import Value

Applies = Literal["yes", "no", "open"]
Mode = Literal["local", "online", "handover", "joint"]
Way = tuple[Mode, Part | None]


class NothingToApplyFor(Invalid):
    """With these answers no step of the bundle applies, or none that can be handled from here."""

    code = "nothing_to_apply_for"
    title = "没有可以办理的事项"


class PlannedStep(Interned):
    """One step that applies: what of its item a case must remember for good, its division, and what it waits for.

    The division is empty as long as the answer that names it is open. `mode`: how it is handled across provinces;
    `terms`: what its procedure allows for; `part`: what the home does itself before it sends the step on. `competent`:
    who does what, as far as it is known where this is kept. `yields` is the licence or paper of an approval; empty: the
    result is no document, so that nothing is delivered.
    """

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
    terms: Terms
    mode: Mode = "local"
    part: Part | None = None
    competent: Competent = Competent()

    @classmethod
    def of(cls, item: Item, document: str, *, division: str, needs: tuple[str, ...], way: Way) -> Self:
        """The step of this item, as the catalogue has it: the one place where a case takes over what an item says.

        `document` is what the catalogue has as `document_of` the item.
        """
        mode, part = way
        return cls(
            code=item.code,
            name=item.name,
            department=item.department,
            division=division,
            needs=needs,
            fields=tuple(need.code for need in item.fields),
            materials=tuple(need.code for need in item.materials if need.origin != "shared"),
            yields=document,
            yields_fields=tuple(need.code for need in item.yields_fields),
            promised_days=item.promised_days,
            terms=Terms.of(item),
            mode=mode,
            part=part,
        )


class Verdict(Value):
    """Whether a step of the bundle applies, and why (or why not), in words for the applicant."""

    step: str
    name: str
    applies: Applies
    why: str


class Plan(Value):
    """What a bundle comes to with the answers given so far; `open` are the questions to ask next, in that order.

    `levels`: how deep a place must be, by the question about it, or `home`.
    """

    steps: tuple[PlannedStep, ...]
    verdicts: tuple[Verdict, ...]
    open: tuple[Question, ...]
    levels: Mapping[str, Level]

    def placed(self, catalogue: Catalogue) -> tuple[Placed, ...]:
        """The items of the steps, each with its division."""
        return tuple((catalogue.item_of[step.code], step.division) for step in self.steps)

    def parts(self, catalogue: Catalogue) -> tuple[tuple[Item, Part], ...]:
        """The items of the steps in which the home has a part of its own, each with that."""
        return tuple((catalogue.item_of[step.code], step.part) for step in self.steps if step.part)


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


def make_plan(
    catalogue: Catalogue,
    bundle: Bundle,
    answers: Mapping[str, str],
    *,
    context: Context,
    form: Mapping[str, str] | None = None,
) -> tuple[PlannedStep, ...]:
    """The steps that apply, each after those it needs; what the form says may take them to another level.

    Raises AnswersIncomplete if any answer is wrong or missing, or names a place too broad to decide there,
    NothingToApplyFor if no step is left. What tells the same in the same context gives the same steps.
    """
    form = form or {}
    told = tuple((code, form[code]) for code in catalogue.level_codes if code in form)
    key = ("planned", itself(bundle), tuple(sorted(answers.items())), told, context.key)
    return catalogue.made.of(
        key, lambda: _planned(catalogue, bundle, answers, context=context, told={**dict(told), **answers})
    )


def _planned(
    catalogue: Catalogue, bundle: Bundle, answers: Mapping[str, str], *, context: Context, told: Mapping[str, str]
) -> tuple[PlannedStep, ...]:
    faults = answer_faults(catalogue, bundle, answers, context=context, must_be_complete=True)
    if faults:
        raise AnswersIncomplete(errors=faults)
    plan = lay_out(catalogue, bundle, answers, context=context)
    if not plan.steps:
        raise NothingToApplyFor(" ".join(f"{each.name}：{each.why}" for each in plan.verdicts))
    faults = depth_faults(plan.placed(catalogue), told, context=context, must_be_complete=True)
    faults += [] if faults else part_faults(plan.parts(catalogue), context)
    if faults:
        raise AnswersIncomplete(errors=faults)
    return tuple(pinned(step, catalogue, told, context=context) for step in plan.steps)


def pinned(step: PlannedStep, catalogue: Catalogue, told: Mapping[str, str], *, context: Context) -> PlannedStep:
    """The step with who does what in it; raises AnswersIncomplete where nobody is known who decides it."""
    item = catalogue.of(province_of(step.division)).item_of[step.code]
    try:
        if is_elsewhere(step.division, context):
            competent = competent_at_home(step.part, context=context)
        else:
            competent = competent_here(item, told, step.division, context=context)
    except NobodyDecides as refusal:
        at = pointer_of(item.jurisdiction)
        raise AnswersIncomplete(errors=[FieldFault(pointer=at, code=refusal.code, detail=refusal.detail)]) from refusal
    return step.model_copy(update={"competent": competent})


def lay_out(catalogue: Catalogue, bundle: Bundle, answers: Mapping[str, str], *, context: Context) -> Plan:
    """The plan as far as the answers tell, which must be right (`answer_faults`) and may be incomplete.

    A need for a step that does not apply falls away. The same answers in the same context give the same object.
    """
    told = tuple(sorted(answers.items()))
    key = ("laid out", itself(bundle), told, context.key)
    return catalogue.made.of(key, lambda: _laid_out(catalogue, bundle, answers, context=context))


def _laid_out(catalogue: Catalogue, bundle: Bundle, answers: Mapping[str, str], *, context: Context) -> Plan:
    questions = {question.code: question for question in questions_of(catalogue, bundle)}
    found = {
        step.item: _Judged(catalogue, step, answers=answers, questions=questions, context=context)
        for step in bundle.steps
    }
    apply = {code: judged for code, judged in found.items() if judged.applies == "yes"}
    needs = {code: tuple(need for need in each.step.needs if need in apply) for code, each in apply.items()}
    return Plan(
        steps=tuple(apply[code].planned(needs[code]) for code in order(needs)),
        verdicts=tuple(each.verdict() for each in found.values()),
        open=open_questions(catalogue, bundle, answers),
        levels=_levels(bundle, [each for each in found.values() if each.applies != "no"], answers, context=context),
    )


def _levels(
    bundle: Bundle, judged: Sequence["_Judged"], answers: Mapping[str, str], *, context: Context
) -> Mapping[str, Level]:
    """How deep each place must be: for what is decided there, and at the home for what is checked and who leads."""
    found = dict(deepest_levels([(each.item, each.division) for each in judged], answers, context=context))
    parts = [level_of_part(each.part, context) for each in judged if each.part]
    leading = level_of_lead(bundle.lead, context)
    for level in (*parts, *([leading] if leading else [])):
        found[HOME] = deeper(found.get(HOME, "province"), level)
    return found


class _Judged:
    """One step of the bundle under these answers."""

    def __init__(
        self,
        catalogue: Catalogue,
        step: BundleStep,
        *,
        answers: Mapping[str, str],
        questions: Mapping[str, Question],
        context: Context,
    ) -> None:
        self.step = step
        self._catalogue = catalogue
        self._answers = answers
        self._questions = questions
        self._context = context
        national = catalogue.item_of[step.item]
        place = national.jurisdiction
        self.division = (context.division or context.home) if place == HOME else answers.get(place, "")
        self._province = province_of(self.division) if self.division else ""
        self.item: Item = catalogue.of(self._province).item_of[step.item]
        self.applies, self._why = self._judge()

    def _judge(self) -> tuple[Applies, str]:
        for code, allowed in self.step.when.items():
            question = self._questions[code]
            answer = self._answers.get(code)
            if not is_asked(question, self._answers):
                return self._not_asked(question)
            if answer is None:
                return "open", sentences(f"请先回答：{question.name}")
            if answer not in allowed:
                return "no", f"您对“{question.name}”的回答是“{question.choices[answer]}”，不需要办理。"
        return self._chosen() or self._elsewhere() or ("yes", self._reason())

    def _chosen(self) -> tuple[Applies, str] | None:
        """What the choice among steps, or the wish for an optional one, says against it."""
        chooser = self.step.one_of or (self.step.item if self.step.is_optional else "")
        if not chooser:
            return None
        question, answer = self._questions[chooser], self._answers.get(chooser)
        if self.step.one_of:
            if not is_asked(question, self._answers):
                return self._not_asked(question)
            if answer is None:
                return "open", sentences(f"请先选择：{question.name}")
            if answer != self.step.item:
                return "no", f"您选择了“{question.choices[answer]}”，这几项只办其中一项。"
        elif answer != YES:
            return ("open", "需要时可以一并办理，请选择。") if answer is None else ("no", "您没有选择一并办理。")
        return None

    def _not_asked(self, question: Question) -> tuple[Applies, str]:
        """What it says that this question is not asked: nothing yet, as long as an answer it depends on is open."""
        before = self._awaited(question)
        if before is None:
            return "no", f"“{question.name}”与您的情况无关，不需要办理。"
        return "open", sentences(f"请先回答：{before.name}")

    def _awaited(self, question: Question) -> Question | None:
        """The first open question on whose answer it depends whether this one is asked; none if it never is."""
        if is_asked(question, self._answers):
            return question
        found = None
        for code, allowed in question.when.items():
            if self._answers.get(code) not in allowed:
                awaited = None if code in self._answers else self._awaited(self._questions[code])
                if awaited is None:
                    return None
                found = found or awaited
        return found

    def _elsewhere(self) -> tuple[Applies, str] | None:
        """Why it cannot be handled from here, if another province decides it and does not take it from here."""
        if self._mode() is None:
            place = self._context.divisions.name_in_full(self.division)
            return "no", f"这一项由{place}办理，尚未开通跨省通办，请直接向当地申请。"
        return None

    def _mode(self) -> Mode | None:
        if self._province in ("", province_of(self._context.home)):
            return "local"
        handling = self._handling()
        return handling.mode if handling else None

    def _handling(self) -> Handling | None:
        """How it is handled that is decided in another province and received here."""
        here = province_of(self._context.home)
        return self.item.handled_from(here, self._context.on) if self._province not in ("", here) else None

    def _reason(self) -> str:
        if self.step.is_optional:
            return "您选择了一并办理。"
        deciding = [code for code in (*self.step.when, self.step.one_of) if code]
        questions = [self._questions[code] for code in deciding]
        said = [f"“{each.name}”是“{each.choices[self._answers[each.code]]}”" for each in questions]
        return f"因为您回答的{'，'.join(said)}。" if said else "办这件事都要办理这一项。"

    def verdict(self) -> Verdict:
        return Verdict(step=self.step.item, name=self.item.name, applies=self.applies, why=self._why)

    @property
    def part(self) -> Part | None:
        """What the home does itself in it."""
        handling = self._handling()
        return handling.part if handling else None

    def planned(self, needs: tuple[str, ...]) -> PlannedStep:
        mode = self._mode() or "local"
        document = self._catalogue.document_of(self.item)
        return PlannedStep.of(self.item, document, division=self.division, needs=needs, way=(mode, self.part))
