"""A plan holds the steps that apply, each after those it needs, and refuses incomplete answers."""

import re
from datetime import date
from graphlib import CycleError
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.catalogue.answers import NO, YES, AnswersIncomplete, questions_of
from server.domain.catalogue.bundles import Bundle, BundleStep, Question
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.divisions import province_of
from server.domain.catalogue.items import Handling, Item
from server.domain.catalogue.plan import (
    Applies,
    NothingToApplyFor,
    PlannedStep,
    Verdict,
    circle,
    lay_out,
    make_plan,
    order,
)
from tests.domain.invented import Made, answers_to, cases, catalogues
from tests.domain.places import CONTEXT, DECIDED, TODAY

CHINESE = re.compile(r"[\u4e00-\u9fff]")
FROM = {"source": "made up", "status": "sample"}
DAYS = {"legal_days": 2, "promised_days": 1}
QUESTIONS = (
    Question(code="place", name="在哪里办", type="division"),
    Question(code="kind", name="是哪一类", type="choice", choices={"small": "小", "large": "大"}),
)
STEPS = (
    BundleStep(item="last", needs=("middle", "first")),
    BundleStep(item="middle", needs=("first",), when={"kind": ("large",)}),
    BundleStep(item="first"),
)
ANSWERS = {"place": "330100", "kind": "large"}


def item(code: str, jurisdiction: str) -> Item:
    return Item(
        code=code,
        name=code,
        type="service",
        department="health",
        jurisdiction=jurisdiction,
        competence=DECIDED,
        handling=[{"mode": "joint", "certainty": "inferred", "source": "made up"}],
        **DAYS,
        **FROM,
    )


BUNDLE = Bundle(
    code="b",
    name="一件事",
    summary="b",
    subject="person",
    stage="s",
    lead="health",
    questions=QUESTIONS,
    steps=STEPS,
    **DAYS,
    **FROM,
)
CATALOGUE = Catalogue(
    version="1",
    departments={"health": "卫健"},
    results={},
    fields=(),
    materials=(),
    items=(item("first", "home"), item("middle", "place"), item("last", "home")),
    bundles=(BUNDLE,),
    **FROM,
)


def plan(**answers: str) -> tuple[PlannedStep, ...]:
    return make_plan(CATALOGUE, BUNDLE, {**ANSWERS, **answers}, context=CONTEXT)


def test_each_step_comes_after_those_it_needs_wherever_it_stands_in_the_bundle() -> None:
    assert [step.code for step in plan()] == ["first", "middle", "last"]


def test_a_step_is_decided_at_home_or_where_its_question_is_answered() -> None:
    assert {step.code: step.division for step in plan(place="330106")} == {
        "first": "320000",
        "middle": "330106",
        "last": "320000",
    }


def test_a_need_for_a_step_that_does_not_apply_falls_away() -> None:
    assert {step.code: step.needs for step in plan(kind="small")} == {"first": (), "last": ("first",)}
    assert {step.code: step.needs for step in plan()}["last"] == ("middle", "first")


@pytest.mark.parametrize(
    ("answers", "faults"),
    [
        ({}, [("/answers/place", "required"), ("/answers/kind", "required")]),
        ({"place": "330100"}, [("/answers/kind", "required")]),
        ({"place": "Hangzhou", "kind": "small"}, [("/answers/place", "division")]),
        ({"place": "330100", "kind": "huge"}, [("/answers/kind", "choice")]),
        ({**ANSWERS, "colour": "red"}, [("/answers/colour", "unknown")]),
        ({**ANSWERS, "a/b~c": "red"}, [("/answers/a~1b~0c", "unknown")]),
    ],
)
def test_incomplete_answers_are_refused_each_by_its_pointer(
    answers: dict[str, str], faults: list[tuple[str, str]]
) -> None:
    with pytest.raises(AnswersIncomplete) as refused:
        make_plan(CATALOGUE, BUNDLE, answers, context=CONTEXT)
    assert [(fault.pointer, fault.code) for fault in refused.value.errors] == faults


def test_a_missing_answer_is_told_with_its_question() -> None:
    with pytest.raises(AnswersIncomplete) as refused:
        make_plan(CATALOGUE, BUNDLE, {"kind": "small"}, context=CONTEXT)
    assert refused.value.errors[0].detail == "请回答：在哪里办。"


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
    """A graph without a circle, its steps in any order."""
    count = draw(st.integers(1, 8))
    steps = draw(st.permutations([f"s{n}" for n in range(count)]))
    needs = {step: tuple(draw(st.sets(st.sampled_from(steps[:n])))) if n else () for n, step in enumerate(steps)}
    return {step: needs[step] for step in draw(st.permutations(steps))}


@settings(max_examples=50)
@given(needs=graphs())
def test_any_graph_without_a_circle_is_put_in_order(needs: dict[str, tuple[str, ...]]) -> None:
    steps = order(needs)
    assert sorted(steps) == sorted(needs)
    assert all(steps.index(need) < steps.index(step) for step in needs for need in needs[step])
    assert circle(needs) == []


@settings(max_examples=50)
@given(needs=graphs(), ends=st.data())
def test_a_circle_is_named_by_its_steps(needs: dict[str, tuple[str, ...]], ends: st.DataObject) -> None:
    steps = order(needs)
    last = ends.draw(st.integers(0, len(steps) - 1))
    first = ends.draw(st.integers(0, last))
    closed = {**needs, steps[last]: (*needs[steps[last]], steps[first])}
    closed[steps[first]] = (*closed[steps[first]], steps[last])
    found = circle(closed)
    assert found[0] == found[-1]
    assert all(before in closed[after] for before, after in pairwise(found))
    with pytest.raises(CycleError):
        order(closed)


CHOOSING = BUNDLE.model_copy(
    update={
        "questions": (
            Question(code="kind", name="是哪一类", type="choice", choices={"small": "小", "large": "大"}),
            Question(
                code="sort", name="是哪一种", type="choice", choices={"a": "甲", "b": "乙"}, when={"kind": ("large",)}
            ),
            Question(code="which", name="选哪一项", type="one_of", when={"sort": ("a",)}),
            Question(code="place", name="在哪里办", type="division"),
        ),
        "steps": (
            BundleStep(item="first", when={"sort": ("b",)}),
            BundleStep(item="red", one_of="which"),
            BundleStep(item="blue", one_of="which", needs=("wished",)),
            BundleStep(item="wished", is_optional=True),
            BundleStep(item="middle"),
        ),
    }
)


def verdicts(handling: tuple[dict[str, Any], ...] = (), **answers: str) -> dict[str, tuple[Applies, str]]:
    """What is said of each step when the item decided elsewhere is handled so."""
    elsewhere = item("middle", "place").model_copy(update={"handling": tuple(Handling(**each) for each in handling)})
    items = (*[item(code, "home") for code in ("first", "red", "blue", "wished")], elsewhere)
    parts = {"departments": {"health": "卫健"}, "results": {}, "fields": (), "materials": (), "items": items}
    catalogue = Catalogue(version="1", bundles=(CHOOSING,), **parts, **FROM)
    plan = lay_out(catalogue, CHOOSING, answers, context=CONTEXT)
    return {each.step: (each.applies, each.why) for each in plan.verdicts}


@pytest.mark.parametrize(
    ("answers", "step", "applies", "why"),
    [
        ({}, "first", "open", "请先回答：是哪一类。"),
        ({"kind": "large"}, "first", "open", "请先回答：是哪一种。"),
        ({"kind": "small"}, "first", "no", "“是哪一种”与您的情况无关，不需要办理。"),
        ({"kind": "large", "sort": "a"}, "first", "no", "您对“是哪一种”的回答是“甲”，不需要办理。"),
        ({"kind": "large", "sort": "b"}, "first", "yes", "因为您回答的“是哪一种”是“乙”。"),
        ({}, "red", "open", "请先回答：是哪一类。"),
        ({"kind": "large"}, "red", "open", "请先回答：是哪一种。"),
        ({"kind": "small"}, "red", "no", "“选哪一项”与您的情况无关，不需要办理。"),
        ({"kind": "large", "sort": "b"}, "red", "no", "“选哪一项”与您的情况无关，不需要办理。"),
        ({"kind": "large", "sort": "a"}, "red", "open", "请先选择：选哪一项。"),
        ({"kind": "large", "sort": "a", "which": "blue"}, "red", "no", "您选择了“blue”，这几项只办其中一项。"),
        ({"kind": "large", "sort": "a", "which": "red"}, "red", "yes", "因为您回答的“选哪一项”是“red”。"),
        ({}, "wished", "open", "需要时可以一并办理，请选择。"),
        ({"wished": NO}, "wished", "no", "您没有选择一并办理。"),
        ({"wished": YES}, "wished", "yes", "您选择了一并办理。"),
        ({}, "middle", "yes", "办这件事都要办理这一项。"),
        ({"place": "320100"}, "middle", "yes", "办这件事都要办理这一项。"),
    ],
)
def test_the_applicant_is_told_why_a_step_applies_or_what_to_answer_first(
    answers: dict[str, str], step: str, applies: Applies, why: str
) -> None:
    assert verdicts(**answers)[step] == (applies, why)


@pytest.mark.parametrize(
    ("handling", "applies"),
    [
        ({}, "yes"),
        ({"areas": ["320000", "310000"]}, "yes"),
        ({"areas": ["310000"]}, "no"),
        ({"valid_to": TODAY}, "yes"),
        ({"valid_to": date(2026, 11, 22)}, "no"),
        ({"valid_from": date(2026, 11, 24)}, "no"),
    ],
)
def test_what_another_province_decides_is_taken_here_only_where_and_when_that_is_agreed(
    handling: dict[str, Any], applies: Applies
) -> None:
    agreed = {"mode": "online", "certainty": "stated", "source": "made up", **handling}
    assert verdicts((agreed,), place="330106")["middle"][0] == applies


def test_what_another_province_does_not_take_from_here_is_to_be_asked_of_it() -> None:
    why = "这一项由浙江省杭州市西湖区办理，尚未开通跨省通办，请直接向当地申请。"
    assert verdicts(place="330106")["middle"] == ("no", why)


def test_where_no_step_applies_each_reason_is_told() -> None:
    only = BUNDLE.model_copy(update={"steps": (BundleStep(item="middle", when={"kind": ("large",)}),)})
    with pytest.raises(NothingToApplyFor) as refused:
        make_plan(CATALOGUE, only, {"place": "330100", "kind": "small"}, context=CONTEXT)
    assert refused.value.detail == "middle：您对“是哪一类”的回答是“小”，不需要办理。"


def expected(made: Made, verdict: Verdict, answers: dict[str, str]) -> Applies:
    """Whether a step applies when all is answered, told from the catalogue alone."""
    (step,) = [each for each in made.bundle.steps if each.item == verdict.step]
    place = made.catalogue.item_of[step.item].jurisdiction
    province = province_of(answers[place]) if place in answers else CONTEXT.home
    handled = [each.covers(CONTEXT.home, TODAY) for each in made.catalogue.of(province).item_of[step.item].handling]
    is_wanted = (
        all(answers.get(code) in allowed for code, allowed in step.when.items())
        and (not step.one_of or answers.get(step.one_of) == step.item)
        and (not step.is_optional or answers.get(step.item) == YES)
    )
    return "yes" if is_wanted and (province == CONTEXT.home or any(handled)) else "no"


@settings(max_examples=30)
@given(case=cases())
def test_each_step_has_the_verdict_that_the_catalogue_gives_it_and_says_why(case: tuple[Made, dict[str, str]]) -> None:
    made, answers = case
    found = made.plan(answers).verdicts
    assert [each.step for each in found] == [step.item for step in made.bundle.steps]
    assert [each.applies for each in found] == [expected(made, each, answers) for each in found]
    assert all(CHINESE.search(each.why) for each in found)


@settings(max_examples=30)
@given(case=cases(), data=st.data())
def test_a_plan_is_a_sound_order_of_the_steps_that_apply_at_any_time(
    case: tuple[Made, dict[str, str]], data: st.DataObject
) -> None:
    made, answers = case
    known: dict[str, str] = {}
    for question in questions_of(made.catalogue, made.bundle):
        if question.code in answers and data.draw(st.booleans()):
            known |= {question.code: answers[question.code]} if question in made.open(known) else {}
    plan = made.plan(known)
    codes = [step.code for step in plan.steps]
    assert sorted(codes) == sorted(each.step for each in plan.verdicts if each.applies == "yes")
    declared = {step.item: step.needs for step in made.bundle.steps}
    for at, step in enumerate(plan.steps):
        assert set(step.needs) == set(declared[step.code]) & set(codes)
        assert set(step.needs) <= set(codes[:at])


@settings(max_examples=30)
@given(made=catalogues(), data=st.data())
def test_one_more_answer_changes_nothing_decided_but_where_a_step_goes(made: Made, data: st.DataObject) -> None:
    answers: dict[str, str] = {}
    before = made.plan(answers)
    while before.open:
        question = data.draw(st.sampled_from(before.open))
        answers[question.code] = data.draw(answers_to(question))
        after = made.plan(answers)
        assert {each.code for each in before.open} - {question.code} <= {each.code for each in after.open}
        for old, new in zip(before.verdicts, after.verdicts, strict=True):
            is_elsewhere = made.catalogue.item_of[old.step].jurisdiction == question.code and old.applies == "yes"
            assert new.applies == old.applies or old.applies == "open" or (is_elsewhere and new.applies == "no")
        before = after


@settings(max_examples=30)
@given(case=cases(), data=st.data())
def test_the_order_in_which_questions_were_answered_changes_nothing(
    case: tuple[Made, dict[str, str]], data: st.DataObject
) -> None:
    made, answers = case
    shuffled = dict(data.draw(st.permutations(sorted(answers.items()))))
    assert made.plan(shuffled) == made.plan(answers)
