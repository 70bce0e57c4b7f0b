"""Which questions are asked, in which order, and what is wrong with an answer."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.catalogue.answers import NO, YES, answer_faults, is_asked, open_questions, questions_of
from server.domain.catalogue.bundles import Bundle, BundleStep, Question
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.context import Context
from server.domain.catalogue.items import Item
from server.domain.catalogue.plan import NothingToApplyFor, make_plan
from server.domain.errors import FieldFault
from tests.domain.invented import CONTEXT, Made, answers_to, cases, catalogues
from tests.domain.places import AUTHORITIES, TODAY

CHINESE = re.compile(r"[\u4e00-\u9fff]")
FROM = {"source": "tests", "status": "sample"}
QUESTIONS = (
    Question(code="note", name="有无说明", type="choice", choices={"with": "有", "none": "无"}, is_required=False),
    Question(code="kind", name="是哪一类", type="choice", choices={"small": "小", "large": "大"}),
    Question(code="place", name="在哪里办", type="division", when={"kind": ("large",)}),
    Question(code="which", name="选哪一项", type="one_of"),
)
STEPS = (
    BundleStep(item="red", one_of="which"),
    BundleStep(item="blue", one_of="which", when={"note": ("with",)}),
    BundleStep(item="there", when={"kind": ("large",)}),
    BundleStep(item="extra", when={"kind": ("large",)}, is_optional=True),
)


def item(code: str, name: str, place: str = "home") -> Item:
    what = {"type": "service", "department": "health", "legal_days": 2, "promised_days": 1, "guidance": f"{name}须知"}
    return Item(code=code, name=name, jurisdiction=place, **what, **FROM)


BUNDLE = Bundle(
    code="b",
    name="一件事",
    summary="b",
    subject="person",
    stage="s",
    lead="health",
    questions=QUESTIONS,
    steps=STEPS,
    **FROM,
)
CATALOGUE = Catalogue(
    version="1",
    departments={"health": "卫健"},
    results={},
    fields=(),
    materials=(),
    items=(item("red", "红证"), item("blue", "蓝证"), item("there", "异地", "place"), item("extra", "加办")),
    bundles=(BUNDLE,),
    **FROM,
)


def asked_next(**answers: str) -> list[str]:
    return [question.code for question in open_questions(CATALOGUE, BUNDLE, answers)]


def faults(answers: dict[str, str], *, division: str = "", must_be_complete: bool = False) -> list[FieldFault]:
    context = Context(home="320000", on=TODAY, authorities=AUTHORITIES, division=division)
    return answer_faults(CATALOGUE, BUNDLE, answers, context=context, must_be_complete=must_be_complete)


def told(found: list[FieldFault]) -> list[tuple[str, str]]:
    return [(fault.pointer, fault.code) for fault in found]


def test_what_must_be_answered_is_asked_before_what_may_be() -> None:
    assert asked_next() == ["kind", "which", "note"]


def test_a_question_follows_the_answer_it_depends_on() -> None:
    assert asked_next(kind="small") == ["which", "note"]
    assert asked_next(kind="large") == ["place", "which", "note", "extra"]


def test_nothing_is_asked_twice() -> None:
    answers = {"kind": "large", "which": "red", "note": "none", "place": "330106", "extra": NO}
    assert asked_next(**answers) == []


def test_one_is_asked_for_an_optional_step_by_its_name_and_guidance() -> None:
    wish = questions_of(CATALOGUE, BUNDLE)[-1]
    assert (wish.code, wish.name, wish.hint) == ("extra", "是否一并办理：加办", "加办须知")
    assert (wish.choices, wish.is_required) == ({YES: "一并办理", NO: "不办理"}, False)


def test_a_choice_among_steps_offers_those_steps_by_name() -> None:
    (which,) = [each for each in questions_of(CATALOGUE, BUNDLE) if each.code == "which"]
    assert which.choices == {"red": "红证", "blue": "蓝证"}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"kind": "large", "place": "330106", "extra": YES, "which": "blue"}, []),
        ({"colour": "red"}, [("/answers/colour", "unknown")]),
        ({"place": "330106"}, [("/answers/place", "not_asked")]),
        ({"kind": "small", "place": "330106"}, [("/answers/place", "not_asked")]),
        ({"kind": "small", "extra": YES}, [("/answers/extra", "not_asked")]),
        ({"which": "there"}, [("/answers/which", "choice")]),
        ({"kind": "large", "extra": "maybe"}, [("/answers/extra", "choice")]),
        ({"kind": "large", "place": "3301"}, [("/answers/place", "division")]),
        ({"kind": "large", "place": "990000"}, [("/answers/place", "division_unknown")]),
        ({"kind": "large", "place": "500112"}, [("/answers/place", "division_not_valid")]),
        ({"kind": "large", "place": "330171"}, [("/answers/place", "division_not_routable")]),
    ],
)
def test_a_wrong_answer_is_named_by_its_pointer(answers: dict[str, str], expected: list[tuple[str, str]]) -> None:
    assert told(faults(answers)) == expected


@pytest.mark.parametrize(
    ("division", "expected"),
    [
        ("", []),
        ("320100", []),
        ("330106", [("/division", "division_elsewhere")]),
        ("320199", [("/division", "division_unknown")]),
    ],
)
def test_one_applies_in_this_province(division: str, expected: list[tuple[str, str]]) -> None:
    assert told(faults({}, division=division)) == expected


def test_only_what_must_be_answered_is_missed_and_only_once_it_is_asked() -> None:
    assert told(faults({}, must_be_complete=True)) == [("/answers/kind", "required"), ("/answers/which", "required")]
    missed = faults({"kind": "large", "which": "red"}, must_be_complete=True)
    assert [(fault.pointer, fault.detail) for fault in missed] == [("/answers/place", "请回答：在哪里办。")]
    assert faults({"kind": "small", "which": "red"}, must_be_complete=True) == []


def wrong(made: Made, answers: dict[str, str], *, is_complete: bool = False) -> list[FieldFault]:
    return answer_faults(made.catalogue, made.bundle, answers, context=CONTEXT, must_be_complete=is_complete)


@settings(max_examples=30)
@given(made=catalogues(), data=st.data())
def test_answering_the_first_question_again_and_again_comes_to_a_plan_or_to_nothing_to_apply_for(
    made: Made, data: st.DataObject
) -> None:
    answers: dict[str, str] = {}
    for _ in questions_of(made.catalogue, made.bundle):
        found = made.open(answers)
        if found:
            answers[found[0].code] = data.draw(answers_to(found[0]))
            assert wrong(made, answers) == []
    assert made.open(answers) == ()
    assert outcome(made, answers) == tuple(step.code for step in made.plan(answers).steps)


def outcome(made: Made, answers: dict[str, str]) -> tuple[str, ...]:
    """The steps of the plan, or none where it is said that there is nothing to apply for."""
    try:
        return tuple(step.code for step in make_plan(made.catalogue, made.bundle, answers, context=CONTEXT))
    except NothingToApplyFor:
        return ()


@settings(max_examples=30)
@given(made=catalogues(), data=st.data())
def test_once_nothing_is_open_that_must_be_answered_the_answers_are_complete(made: Made, data: st.DataObject) -> None:
    answers: dict[str, str] = {}
    while any(question.is_required for question in made.open(answers)):
        assert {fault.code for fault in wrong(made, answers, is_complete=True)} == {"required"}
        first = made.open(answers)[0]
        assert first.is_required
        answers[first.code] = data.draw(answers_to(first))
    assert wrong(made, answers, is_complete=True) == []


@settings(max_examples=30)
@given(case=cases(), data=st.data())
def test_an_answer_to_what_is_not_asked_is_a_fault(case: tuple[Made, dict[str, str]], data: st.DataObject) -> None:
    made, answers = case
    assert wrong(made, answers, is_complete=True) == []
    for question in questions_of(made.catalogue, made.bundle):
        if question.code not in answers:
            assert not is_asked(question, answers)
            more = {**answers, question.code: data.draw(answers_to(question))}
            assert (f"/answers/{question.code}", "not_asked") in told(wrong(made, more))


def anything() -> st.SearchStrategy[dict[str, Any]]:
    codes = st.sampled_from(["kind", "sub", "place", "elsewhere", "which", "i0", "i1", "alone"]) | st.text(max_size=5)
    return st.dictionaries(codes, st.sampled_from(["large", "one", "330106", "i0", YES]) | st.text(max_size=6))


@settings(max_examples=30)
@given(made=catalogues(), answers=anything())
def test_whatever_is_answered_each_fault_points_at_an_answer_in_words(made: Made, answers: dict[str, Any]) -> None:
    for fault in wrong(made, answers):
        assert fault.pointer.startswith("/answers/")
        assert CHINESE.search(fault.detail)
    if not wrong(made, answers):
        assert len(made.plan(answers).verdicts) == len(made.bundle.steps)
