"""The supplement (补正): asked once and all at once, answered as asked and in time, or accepted by law, or lapsed."""

from datetime import date
from typing import Any

import pytest

from server.domain.aggregate.actors import Actor
from server.domain.case import acts
from server.domain.case.case import Case
from server.domain.catalogue.terms import Gap, Terms
from server.domain.rules.decide import NotYourAuthority, StateForbids, decide
from server.domain.rules.moves.receiving import TooEarly
from server.domain.rules.moves.supplementing import (
    LATE_SUPPLEMENT,
    NothingToPutRight,
    NotifiedTooLate,
    SupplementAskedAlready,
)
from server.domain.rules.supplements import NothingAsked, SupplementIncomplete, SupplementOver
from tests.domain.carrying import Place, carry, exchange, places, step_at
from tests.world import (
    FORM,
    JIANGSU,
    MONDAY,
    UPLOADS,
    ZHEJIANG,
    after,
    citizen,
    facts,
    handed_in,
    lacking,
    later,
    of_graph,
    officer,
    opened,
    peer,
    planned,
)

NODE = Actor(node=JIANGSU, part="node")
GAPS = (lacking("subject_name"), lacking("photo", kind="material"))
NAME = {"subject_name": "测试宝宝"}
PHOTO = handed_in("photo")
FAR = "step2"  # an item that is decided in Zhejiang by the department insurance
LAST_DAY = 21  # from Monday to the 15th working day after it


def receive(step: str = "one", by: Actor | None = None) -> acts.Receive:
    return acts.Receive(id=f"{step}-receive", by=by or officer(), step=step)


def ask(*gaps: Gap, step: str = "one", by: Actor | None = None, id: str = "ask") -> acts.AskSupplement:
    return acts.AskSupplement(id=id, by=by or officer(), step=step, gaps=gaps)


def supply(step: str = "one", *, form: Any = NAME, materials: Any = (PHOTO,), id: str = "supply") -> acts.Supply:
    return acts.Supply(id=id, by=citizen(), step=step, form=form, materials=materials)


def deem(by: Actor = NODE, step: str = "one") -> acts.Deem:
    return acts.Deem(id="deem", by=by, step=step)


LAPSE = acts.Lapse(id="lapse", by=NODE, step="one")
ACCEPT = acts.Accept(id="accept", by=officer(), step="one")
DECLINE = acts.Decline(id="decline", by=officer(), step="one", reason="unfixed", grounds="未补正")


def received(**terms: Any) -> Case:
    """A case whose only step is on a desk here."""
    step = planned(
        "one",
        fields=("subject_name", "mobile"),
        materials=("photo", "proof"),
        terms=Terms(legal_days=10, **terms),
    )
    return after(opened([step]), receive())


def asked(*gaps: Gap, **terms: Any) -> Case:
    """The same when it was asked to put something right, and the applicant was told."""
    return after(received(**terms), ask(*(gaps or GAPS)))


def at(days: float) -> acts.Facts:
    """What is known at home so many days after Monday."""
    return facts(at=later(days=days))


def far_asked() -> tuple[Place, Place]:
    """Home and decider; the decider asks for GAPS, and all letters are carried."""
    home, decider = places(of_graph(FAR, division="330106"))
    by = officer("insurance", node=ZHEJIANG)
    decider.do(receive(FAR, by))
    decider.do(ask(*GAPS, step=FAR, by=by))
    exchange(home, decider)
    return home, decider


# Asking.


def test_a_supplement_is_asked_once():
    case = after(asked(), supply())
    assert case.steps["one"].state == "received"
    with pytest.raises(SupplementAskedAlready):
        decide(case, ask(GAPS[0], id="again"), at(0))


@pytest.mark.parametrize(
    "gaps",
    [
        (),
        (lacking("birth_number"),),
        (lacking("bank_card", kind="material"),),
        (lacking("subject_name", kind="material"),),
        (lacking("subject_name"), lacking("applicant_id")),
        (Gap(kind="field", code="subject_name", reason=" "),),
    ],
    ids=["none", "a field", "a material", "a field as material", "one of two", "no reason"],
)
def test_only_what_the_item_declares_may_be_asked_with_a_reason(gaps: tuple[Gap, ...]):
    with pytest.raises(NothingToPutRight):
        decide(received(), ask(*gaps), at(0))


def test_the_applicant_is_told_at_home_in_the_same_write_and_has_fifteen_working_days():
    happened = decide(received(), ask(*GAPS), at(0)).events
    assert [event.kind for event in happened] == ["supplement_asked", "told"]
    supplement = asked().steps["one"].supplement
    assert supplement
    assert (supplement.asked_at, supplement.gaps, supplement.due_on) == (MONDAY, GAPS, date(2026, 12, 14))


def test_the_item_says_how_long_the_applicant_has():
    supplement = asked(supplement_days=3).steps["one"].supplement
    assert supplement
    assert supplement.due_on == date(2026, 11, 26)


def test_the_decider_elsewhere_learns_by_letter_until_when_the_home_told_the_applicant():
    home, decider = far_asked()
    here, there = step_at(home, FAR).supplement, step_at(decider, FAR).supplement
    assert here
    assert there
    assert here.gaps == there.gaps == GAPS
    assert here.due_on == there.due_on == date(2026, 12, 14)
    assert [letter.kind for letter in home.written] == ["step.requested", "step.told"]


def test_the_time_runs_from_the_day_on_which_the_applicant_was_told_not_from_that_of_the_question():
    home, decider = places(of_graph(FAR, division="330106"))
    by = officer("insurance", node=ZHEJIANG)
    decider.do(receive(FAR, by))
    decider.do(ask(*GAPS, step=FAR, by=by))
    decider.days = 60
    with pytest.raises(TooEarly):  # nobody was told anything yet
        decider.do(acts.Lapse(id="lapse", by=peer(ZHEJIANG), step=FAR))
    home.days = decider.days = 3
    exchange(home, decider)
    supplement = step_at(decider, FAR).supplement
    assert supplement
    assert supplement.due_on == date(2026, 12, 17)


@pytest.mark.parametrize("act", [acts.Supply, acts.Tell])
def test_no_officer_says_what_the_applicant_says_or_until_when_he_was_told(act: type[acts.StepAct]):
    said = {"form": NAME, "materials": (PHOTO,)} if act is acts.Supply else {"due_on": date(2027, 3, 1)}
    with pytest.raises(NotYourAuthority):
        decide(asked(), act(id="a", by=officer(), step="one", **said), at(0))


# Answering.


@pytest.mark.parametrize(
    ("form", "materials", "faults"),
    [
        ({}, (), [("/form/subject_name", "required"), ("/materials", "required")]),
        (NAME, (), [("/materials", "required")]),
        ({}, (PHOTO,), [("/form/subject_name", "required")]),
        ({**NAME, "mobile": "13900000000"}, (PHOTO,), [("/form/mobile", "unknown")]),
        (NAME, (PHOTO, handed_in("proof")), [("/materials", "unknown")]),
        ({"photo": "x", **NAME}, (PHOTO,), [("/form/photo", "unknown")]),
    ],
)
def test_an_answer_holds_what_was_asked_no_less_and_no_more(form: Any, materials: Any, faults: list[tuple[str, str]]):
    with pytest.raises(SupplementIncomplete) as refused:
        decide(asked(), supply(form=form, materials=materials), at(0))
    assert [(fault.pointer, fault.code) for fault in refused.value.errors] == faults


def test_an_answer_comes_on_the_last_day_and_not_later():
    assert after(asked(), supply(), facts=at(LAST_DAY)).steps["one"].state == "received"
    with pytest.raises(SupplementOver):
        decide(asked(), supply(), at(LAST_DAY + 1))


def test_nothing_is_supplied_that_was_not_asked_or_twice():
    with pytest.raises(NothingAsked):
        decide(received(), supply(), at(0))
    with pytest.raises(NothingAsked):
        decide(after(asked(), supply()), supply(id="again"), at(0))


def test_both_versions_are_remembered_and_the_new_one_is_in_force():
    case = after(asked(), supply(), facts=at(2))
    supplement = case.steps["one"].supplement
    assert supplement
    assert supplement.answered_at == later(days=2)
    assert (dict(supplement.form_before), dict(supplement.form_after)) == ({"subject_name": "测试宝"}, NAME)
    assert [each.sha256 for each in supplement.materials_before] == [UPLOADS["up-photo"].sha256]
    assert supplement.materials_after == (PHOTO,)
    assert (case.form["subject_name"], case.form["mobile"]) == ("测试宝宝", FORM["mobile"])
    assert sorted(each.code for each in case.materials) == ["bank_card", "photo", "proof"]
    assert PHOTO in case.materials


def test_the_answer_goes_to_a_decider_elsewhere_by_letter_and_only_he_moves_the_step():
    home, decider = far_asked()
    home.days = 2
    (answered,) = home.do(supply(FAR))
    assert (answered.kind, step_at(home, FAR).state) == ("answered", "supplementing")
    assert (home.written[-1].kind, home.written[-1].body["form"]) == ("step.supplied", NAME)
    assert PHOTO.name not in home.written[-1].text()
    with pytest.raises(NothingAsked):
        home.do(supply(FAR, id="again"))
    decider.days = 2
    assert not carry(home, decider)
    assert ([each.kind for each in decider.events[-2:]], step_at(decider, FAR).state) == (
        ["supplied", "gathered"],
        "received",
    )
    assert (decider.written[-1].kind, dict(decider.written[-1].body)) == ("step.notice", {"about": "supplied"})
    assert not carry(decider, home)
    assert step_at(home, FAR).state == "received"


def test_both_versions_are_remembered_at_a_decider_elsewhere_and_at_home():
    home, decider = far_asked()
    home.do(supply(FAR))
    exchange(home, decider)
    for place in (home, decider):
        supplement = step_at(place, FAR).supplement
        assert supplement
        assert (dict(supplement.form_before), dict(supplement.form_after)) == ({"subject_name": "测试宝"}, NAME)
        assert [each.sha256 for each in supplement.materials_before] == [UPLOADS["up-photo"].sha256]
        assert [each.sha256 for each in supplement.materials_after] == [PHOTO.sha256]
        assert place.case
        assert place.case.form["subject_name"] == "测试宝宝"
        assert [each.sha256 for each in place.case.materials if each.code == "photo"] == [PHOTO.sha256]


def test_a_decider_takes_by_letter_only_what_it_asked_for():
    _, decider = far_asked()
    before = decider.case
    more = supply(FAR, form={**NAME, "mobile": "13900000000"}).model_copy(update={"by": peer(JIANGSU)})
    with pytest.raises(SupplementIncomplete):
        decider.do(more)
    assert decider.case == before


def test_an_answer_that_was_in_time_at_home_counts_though_its_letter_comes_late():
    home, decider = far_asked()
    home.days = LAST_DAY
    home.do(supply(FAR))
    home.days = decider.days = LAST_DAY + 4
    exchange(home, decider)
    assert step_at(decider, FAR).state == step_at(home, FAR).state == "received"


def test_the_five_days_run_at_the_decider_from_the_day_on_which_the_answer_came_to_it():
    home, decider = far_asked()
    home.do(supply(FAR))
    home.days = decider.days = 10
    exchange(home, decider)
    assert step_at(decider, FAR).arrived_at == decider.events[-1].at
    decider.days = 11
    with pytest.raises(TooEarly):
        decider.do(deem(peer(ZHEJIANG), FAR))


# By law.


def test_after_five_working_days_it_is_accepted_by_law_since_the_material_came():
    with pytest.raises(TooEarly):
        decide(received(), deem(), at(7))
    step = after(received(), deem(), facts=at(8)).steps["one"]
    assert (step.state, step.since) == ("accepted", later(days=8))
    assert step.clock
    assert (step.clock.accepted_at, step.clock.is_deemed) == (MONDAY, True)


def test_the_five_days_run_since_the_material_came_not_since_it_was_received():
    case = after(opened([planned("one")]), receive(), facts=at(3))
    step = after(case, deem(), facts=at(8)).steps["one"]
    assert step.clock
    assert step.clock.accepted_at == MONDAY


def test_what_nobody_received_is_accepted_by_law_too():
    case = after(opened([planned("one")]), deem(), facts=at(8))
    assert case.steps["one"].state == "accepted"


def test_then_it_is_too_late_to_ask():
    assert after(received(), ask(*GAPS), facts=at(7)).steps["one"].state == "supplementing"
    with pytest.raises(NotifiedTooLate):
        decide(received(), ask(*GAPS), at(8))


def test_accepting_it_then_is_the_same_as_by_law():
    (event,) = decide(received(), ACCEPT, at(8)).events
    assert (event.kind, event.by) == ("deemed", officer())
    step = after(received(), ACCEPT, facts=at(8)).steps["one"]
    assert step.clock
    assert (step.clock.accepted_at, step.clock.is_deemed, step.officer) == (MONDAY, True, "officer-1")
    (event,) = decide(received(), ACCEPT, at(7)).events
    assert event.kind == "accepted"


def test_while_the_calendar_is_unconfirmed_nothing_is_accepted_by_law():
    case = after(opened([planned("one")], facts=at(37)), receive(), facts=at(37))  # its five days end in 2027
    with pytest.raises(TooEarly):
        decide(case, deem(), at(80))
    assert decide(case, ACCEPT, at(80)).events[0].kind == "accepted"
    assert decide(case, ask(lacking("subject_name")), at(80)).events[0].kind == "supplement_asked"


def test_a_home_learns_by_letter_that_a_step_was_accepted_by_law_and_since_when():
    home, decider = places(of_graph(FAR, division="330106"))
    home.days = decider.days = 8
    decider.do(deem(peer(ZHEJIANG), FAR))
    exchange(home, decider)
    here, there = step_at(home, FAR), step_at(decider, FAR)
    assert here.clock
    assert there.clock
    assert here.state == there.state == "accepted"
    assert (here.clock.accepted_at, here.clock.is_deemed) == (there.clock.accepted_at, True)
    assert there.clock.accepted_on == MONDAY.date()


# Not answered.


@pytest.mark.parametrize("ending", ["withdrawn", "declined"])
def test_what_nobody_answers_in_time_ends_as_its_item_says(ending: str):
    case = asked(unanswered=ending)
    with pytest.raises(TooEarly):
        decide(case, LAPSE, at(LAST_DAY))
    case = after(case, LAPSE, facts=at(LAST_DAY + 1))
    assert (case.steps["one"].state, case.steps["one"].grounds) == (ending, LATE_SUPPLEMENT)
    assert case.closed_at == later(days=LAST_DAY + 1)


def test_what_was_answered_does_not_lapse():
    with pytest.raises(TooEarly):
        decide(after(asked(), supply()), LAPSE, at(LAST_DAY + 1))


def test_an_officer_declines_it_only_when_the_time_is_over():
    with pytest.raises(TooEarly):
        decide(asked(), DECLINE, at(LAST_DAY))
    assert after(asked(), DECLINE, facts=at(LAST_DAY + 1)).steps["one"].state == "declined"


@pytest.mark.parametrize(("code", "ending"), [("step1", "declined"), ("step2", "withdrawn")])
def test_a_home_learns_by_letter_how_an_unanswered_step_ended(code: str, ending: str):
    home, decider = places(of_graph(code, division="330106"))
    by = officer(of_graph(code).department, node=ZHEJIANG)
    decider.do(receive(code, by))
    decider.do(ask(*GAPS, step=code, by=by))
    exchange(home, decider)
    home.days = decider.days = LAST_DAY + 1
    decider.do(acts.Lapse(id="lapse", by=peer(ZHEJIANG), step=code))
    exchange(home, decider)
    assert (step_at(home, code).state, step_at(home, code).grounds) == (ending, LATE_SUPPLEMENT)


# Races.


def test_an_answer_to_a_step_that_ended_meanwhile_is_settled_without_effect():
    home, decider = far_asked()
    decider.days = LAST_DAY + 1
    decider.do(acts.Lapse(id="lapse", by=peer(ZHEJIANG), step=FAR))
    home.days = LAST_DAY
    home.do(supply(FAR))
    before = decider.case
    exchange(home, decider)
    assert decider.case == before
    assert step_at(home, FAR).state == step_at(decider, FAR).state == "withdrawn"


def test_being_told_of_a_question_whose_step_was_let_go_meanwhile_is_settled_without_effect():
    home, decider = places(of_graph(FAR, division="330106"))
    by = officer("insurance", node=ZHEJIANG)
    decider.do(receive(FAR, by))
    decider.do(ask(*GAPS, step=FAR, by=by))
    home.do(acts.Withdraw(id="withdraw", by=citizen()))  # it is asked back before the question arrives
    exchange(home, decider)
    assert [letter.kind for letter in home.written] == ["step.requested", "step.withdrawal_asked", "step.told"]
    assert step_at(home, FAR).state == step_at(decider, FAR).state == "withdrawn"


def test_what_has_ended_is_not_supplied_any_more():
    home, decider = far_asked()
    decider.do(acts.LetGo(id="go", by=officer("insurance", node=ZHEJIANG), step=FAR))
    exchange(home, decider)
    with pytest.raises(NothingAsked):
        home.do(supply(FAR))


def test_an_unanswered_step_is_not_accepted():
    with pytest.raises(StateForbids):
        decide(asked(), ACCEPT, at(0))
