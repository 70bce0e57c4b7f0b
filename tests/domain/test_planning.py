"""A plan holds the steps that apply, each after those it needs, and refuses incomplete answers."""

from graphlib import CycleError
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.catalogue import Bundle, BundleStep, Catalogue, Item, Question
from server.domain.plan import AnswersIncomplete, PlannedStep, circle, make_plan, order

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
    return Item(code=code, name=code, department="health", jurisdiction=jurisdiction, **DAYS, **FROM)


BUNDLE = Bundle(
    code="b", name="一件事", summary="", stage="", lead="health", questions=QUESTIONS, steps=STEPS, **DAYS, **FROM
)
CATALOGUE = Catalogue(
    version="1",
    departments={"health": "卫健"},
    licences={},
    fields=(),
    materials=(),
    items=(item("first", "home"), item("middle", "place"), item("last", "home")),
    bundles=(BUNDLE,),
    **FROM,
)


def plan(**answers: str) -> tuple[PlannedStep, ...]:
    return make_plan(CATALOGUE, BUNDLE, {**ANSWERS, **answers}, home="320000")


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
        make_plan(CATALOGUE, BUNDLE, answers, home="320000")
    assert [(fault.pointer, fault.code) for fault in refused.value.errors] == faults


def test_a_missing_answer_is_told_with_its_question() -> None:
    with pytest.raises(AnswersIncomplete) as refused:
        make_plan(CATALOGUE, BUNDLE, {"kind": "small"}, home="320000")
    assert refused.value.errors[0].detail == "请回答：在哪里办"


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
    """A graph without a circle, its steps in any order."""
    count = draw(st.integers(1, 8))
    steps = draw(st.permutations([f"s{n}" for n in range(count)]))
    needs = {step: tuple(draw(st.sets(st.sampled_from(steps[:n])))) if n else () for n, step in enumerate(steps)}
    return {step: needs[step] for step in draw(st.permutations(steps))}


@given(needs=graphs())
def test_any_graph_without_a_circle_is_put_in_order(needs: dict[str, tuple[str, ...]]) -> None:
    steps = order(needs)
    assert sorted(steps) == sorted(needs)
    assert all(steps.index(need) < steps.index(step) for step in needs for need in needs[step])
    assert circle(needs) == []


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
