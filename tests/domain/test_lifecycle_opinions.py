"""Opinions (会签): who must be heard before an approval, by which rule, and each department by its own day."""

from datetime import date
from typing import Any

import pytest

from server.domain.case import acts
from server.domain.case.case import Case
from server.domain.catalogue.items import OpinionRule
from server.domain.catalogue.terms import Terms
from server.domain.rules.decide import NotYourAuthority, decide
from server.domain.rules.moves.deciding import OpinionsOpen
from server.domain.rules.moves.opinions import NotHeard
from tests.domain.carrying import exchange, places, step_at
from tests.world import (
    HEARING,
    MONDAY,
    ZHEJIANG,
    after,
    citizen,
    facts,
    later,
    of_graph,
    officer,
    opened,
    planned,
    worked,
)

HEARD = ("police", "insurance", "housing")
APPROVE = acts.Approve(id="approve", by=officer(), step="one")
ALL_AGREE = dict.fromkeys(HEARD, "agree")


def heard(rule: str, answers: dict[str, str] | None = None, **more: Any) -> Case:
    """A case whose step is accepted, after these answers."""
    terms = Terms(
        legal_days=10,
        special_steps=(HEARING,),
        opinions=OpinionRule(rule=rule, departments=HEARD, days=3, **more),
    )
    case = after(opened([planned("one", terms=terms)]), *worked("one", officer(), until="accepted"))
    return after(case, *(opine(department, answer) for department, answer in (answers or {}).items()))


def opine(department: str, answer: str = "agree", **more: Any) -> acts.Opine:
    """One department says what it thinks."""
    return acts.Opine(id=f"opine-{department}", by=officer(department), step="one", answer=answer, **more)


def send_back(department: str, *, by: str = "health") -> acts.ReturnOpinion:
    """The deciding department sends one opinion back."""
    return acts.ReturnOpinion(id="return", by=officer(by), step="one", department=department, reason="请写明依据")


def at(days: float) -> acts.Facts:
    """What is known so many days after Monday."""
    return facts(at=later(days=days))


def may_approve(case: Case, *, days: float = 0) -> bool:
    """Whether the deciding department may approve now."""
    try:
        return decide(case, APPROVE, at(days)).events[0].kind == "approved"
    except OpinionsOpen:
        return False


def test_on_acceptance_every_department_is_asked_until_its_day():
    opinions = heard("all").steps["one"].opinions
    assert tuple(opinions) == HEARD
    assert {(each.asked_at, each.due_on, each.answer) for each in opinions.values()} == {
        (MONDAY, date(2026, 11, 26), "")
    }


def test_by_the_rule_all_everybody_must_agree_however_long_it_takes():
    assert may_approve(heard("all", ALL_AGREE))
    assert not may_approve(heard("all", {"police": "agree", "housing": "agree"}), days=30)
    assert not may_approve(heard("all", ALL_AGREE | {"housing": "object"}))


@pytest.mark.parametrize("needed", [1, 2, 3])
def test_by_the_rule_some_so_many_must_agree_whatever_the_others_say(needed: int):
    for agreeing in range(4):
        answers = dict.fromkeys(HEARD[:agreeing], "agree") | dict.fromkeys(HEARD[agreeing:], "object")
        assert may_approve(heard("some", answers, needed=needed)) == (agreeing >= needed)
        silent = dict.fromkeys(HEARD[:agreeing], "agree")
        assert may_approve(heard("some", silent, needed=needed), days=30) == (agreeing >= needed)


def test_by_the_rule_veto_who_keeps_silent_past_his_day_does_not_object():
    assert may_approve(heard("veto", ALL_AGREE))
    silent = heard("veto", {"police": "agree"})
    assert [may_approve(silent, days=days) for days in (0, 3, 4)] == [False, False, True]


def test_by_the_rule_veto_one_objection_is_enough_for_good():
    assert not may_approve(heard("veto", ALL_AGREE | {"police": "object"}), days=30)


@pytest.mark.parametrize("rule", ["all", "some", "veto"])
def test_a_refusal_needs_no_opinion(rule: str):
    refuse = acts.Refuse(id="refuse", by=officer(), step="one", grounds="不符合条件")
    assert after(heard(rule), refuse).steps["one"].state == "refused"


def test_returning_one_opinion_begins_its_time_anew_and_resets_no_other():
    before = heard("all", ALL_AGREE)
    case = after(before, send_back("housing"), facts=at(2))
    opinions = case.steps["one"].opinions
    assert opinions["housing"].answer == ""
    assert (opinions["housing"].asked_at, opinions["housing"].due_on) == (later(days=2), date(2026, 11, 30))
    assert opinions["housing"].reason == "请写明依据"
    for other in ("police", "insurance"):
        assert opinions[other] == before.steps["one"].opinions[other]
    assert not may_approve(case, days=2)
    assert may_approve(after(case, opine("housing")), days=2)


def test_each_has_its_own_day():
    case = after(heard("veto", {"housing": "object"}), send_back("housing"), facts=at(2))
    assert [may_approve(case, days=days) for days in (4, 7, 8)] == [False, False, True]


def test_only_an_opinion_that_was_given_is_returned_and_only_by_who_decides():
    case = heard("all", {"police": "agree"})
    for department in ("insurance", "nobody"):
        with pytest.raises(NotHeard):
            decide(case, send_back(department), at(0))
    with pytest.raises(NotYourAuthority):
        decide(case, send_back("police", by="police"), at(0))


def test_an_opinion_is_given_once_and_by_who_was_asked():
    case = heard("all", {"police": "agree"})
    with pytest.raises(NotHeard):
        decide(case, opine("police", "object"), at(0))
    with pytest.raises(NotYourAuthority):
        decide(case, opine("health"), at(0))
    with pytest.raises(NotYourAuthority):
        decide(case, opine("insurance").model_copy(update={"by": citizen()}), at(0))


def test_who_is_asked_for_an_opinion_decides_nothing():
    for act in (APPROVE, acts.Resume(id="r", by=officer(), step="one")):
        with pytest.raises(NotYourAuthority):
            decide(heard("all"), act.model_copy(update={"by": officer("police")}), at(0))


def test_opinions_may_come_while_the_clock_is_stopped():
    hearing = acts.Suspend(id="s", by=officer(), step="one", procedure="听证", notice="需要十日。", days=10)
    case = after(heard("all"), hearing, opine("police", "object", reason="需要听证"))
    opinion = case.steps["one"].opinions["police"]
    assert (opinion.answer, opinion.reason, opinion.given_at) == ("object", "需要听证", MONDAY)
    assert case.steps["one"].state == "suspended"


def test_what_is_accepted_by_law_asks_for_opinions_from_that_day_on():
    terms = Terms(legal_days=10, opinions=OpinionRule(rule="all", departments=HEARD, days=3))
    case = opened([planned("one", terms=terms)])
    case = after(case, acts.Deem(id="deem", by=officer(), step="one"), facts=at(8))
    assert {each.due_on for each in case.steps["one"].opinions.values()} == {date(2026, 12, 4)}


def test_opinions_are_a_matter_of_the_decider_of_which_no_letter_tells():
    home, decider = places(of_graph("step0", division="330106"))
    for act in worked("step0", officer(node=ZHEJIANG), until="accepted"):
        decider.do(act)
    exchange(home, decider)
    written = len(decider.written)
    for department in ("police", "insurance"):
        said = opine(department).model_copy(update={"by": officer(department, node=ZHEJIANG), "step": "step0"})
        decider.do(said)
    assert len(decider.written) == written
    assert step_at(home, "step0").opinions == {}
    decider.do(acts.Approve(id="approve", by=officer(node=ZHEJIANG), step="step0"))
    exchange(home, decider)
    assert step_at(home, "step0").state == "approved"
