"""Clues: what a case is found by follows from the types of its fields, and all of a kind are written in one way."""

import pytest

from server.domain.aggregate.acts import Act
from server.domain.case import acts
from server.domain.case.case import Case
from server.domain.case.events import Event
from server.domain.effects.clues import (
    CaseClues,
    Clue,
    ClueKind,
    ClueUnfit,
    clue,
    clue_given,
    clues_added,
    clues_ever,
    clues_in,
    ids_of,
    is_spoken,
)
from server.domain.effects.deeds import deed_of
from server.domain.effects.effects import effects_of, step_of
from server.domain.people.mandates import AgentOf
from server.domain.people.persons import SubjectGiven
from server.domain.rules.decide import decide
from server.domain.spoken_numbers import in_groups, spoken_number
from tests.world import (
    CASE,
    CATALOGUE,
    JIANGSU,
    MONDAY,
    ZHEJIANG,
    after,
    citizen,
    commission,
    facts,
    lacking,
    officer,
    opened,
    opening,
    peer,
    person,
    planned,
    request,
    told_again,
    worked,
)

TYPES = {field.code: field.type for field in CATALOGUE.fields} | {"subject_name": "person_name"}
APPLICANT, CHILD, AGENT = person(), person("测试宝", sequence="003"), person("测试代理", sequence="005")
NUMBERS = (Clue("number", "case1"), Clue("number", CASE))
SPOKEN = spoken_number(JIANGSU, 12_345_678)
FIRST, ABROAD = officer(), officer("police", node=ZHEJIANG)


def added(before: Case | None, act: Act, *, here: str = JIANGSU) -> list[CaseClues | None]:
    """What each event of an act adds."""
    decision = decide(before, act, facts(here))
    return [
        clues_added(case, event, TYPES, here=here) for event, case in zip(decision.events, decision.values, strict=True)
    ]


def texts(found: list[CaseClues | None]) -> set[tuple[str, str]]:
    return {(each.kind, each.text) for some in found if some for each in some.clues}


@pytest.mark.parametrize(
    ("kind", "written", "text"),
    [
        ("name", " 测试 甲 ", "测试甲"),
        ("name", "阿卜杜•测试", "阿卜杜·测试"),
        ("name", "zhang san", "ZHANGSAN"),
        ("id_number", "32000019900101001x", "32000019900101001X"),
        ("id_number", "３２００００ 19900101 001X", "32000019900101001X"),
        ("mobile", "+86 138-0000 0000", "13800000000"),
        ("number", "320000:case1", "320000/case1"),
        ("number", " case1", "case1"),
        ("number", "3200 0000-0005", "320000000005"),
        ("number", "３２０００００００００５", "320000000005"),
        ("number", "330000:3200-1", "330000/3200-1"),
    ],
)
def test_what_is_looked_for_is_written_as_what_is_kept(kind: ClueKind, written: str, text: str):
    assert clue(kind, written) == Clue(kind, text)


@pytest.mark.parametrize(
    ("kind", "text", "rule"),
    [
        ("id_number", "32000019900101", "id_number"),
        ("id_number", f"{APPLICANT.id_number[:17]}?", "id_number"),
        ("id_number", f"00{APPLICANT.id_number[2:]}", "id_number"),
        ("id_number", f"99{APPLICANT.id_number[2:]}", "id_number_address"),
        ("id_number", "32000020991231001X", "id_number_birth_date"),
        ("mobile", "1380000", "mobile"),
        ("mobile", "02512345678", "mobile_prefix"),
        ("name", "甲", "person_name_length"),
        ("name", "测试1", "person_name_digits"),
        ("name", "   ", "person_name_length"),
        ("number", "no such/number", "case_number"),
        ("number", "%", "case_number"),
        ("number", SPOKEN[:-1] + str((int(SPOKEN[-1]) + 1) % 10), "spoken_number_check"),
        ("number", SPOKEN[:-1], "spoken_number_length"),
        ("number", f"{SPOKEN} 1", "spoken_number_length"),
    ],
)
def test_what_is_none_of_its_kind_is_refused_by_name(kind: ClueKind, text: str, rule: str):
    with pytest.raises(ClueUnfit) as refusal:
        clue_given(kind, text, on=MONDAY.date())
    assert [(fault.pointer, fault.code) for fault in refusal.value.errors] == [("/text", rule)]
    assert text.strip() not in refusal.value.detail or not text.strip()


def test_a_new_case_is_found_by_its_persons_and_fields_of_their_types():
    subject, agent = SubjectGiven(name=CHILD.name, id_number=CHILD.id_number), AgentOf
    by = agent(person=AGENT, mandate="m1", ends_on=MONDAY.date())
    first, *others = added(None, opening(subject=subject, agent=by))
    assert first
    assert not any(others)
    assert (first.case, first.event, first.opened_at) == ("case1", 1, MONDAY)
    persons = {(kind, getattr(each, kind)) for each in (APPLICANT, CHILD, AGENT) for kind in ("name", "id_number")}
    expected = persons | {("mobile", "13800000000")}
    assert texts([first]) == expected
    assert len(first.clues) == len(expected)  # each once, although the form repeats the applicant


def test_a_copy_is_found_by_what_the_item_declares_and_nothing_else():
    (found, *_) = added(None, request(commission(form={"subject_name": "测试宝"})), here=ZHEJIANG)
    assert found
    assert found.case == f"{JIANGSU}:case1"
    assert texts([found]) == {("name", "测试宝")}


def test_a_supplement_and_a_result_add_clues():
    asked = acts.AskSupplement(id="ask", by=FIRST, step="first", gaps=(lacking("mobile"),))
    asking = [*worked("first", FIRST, until="received"), asked]
    answer = acts.Supply(id="supply", by=citizen(), step="first", form={"mobile": "13900000000"})
    assert texts(added(after(opened(), *asking), answer)) == {("mobile", "13900000000")}
    *before, approve = worked("first", FIRST, result={"birth_number": CHILD.id_number})
    types = {**TYPES, "birth_number": "id_number"}
    decision = decide(after(opened(), *before), approve, facts())
    found = [
        clues_added(case, event, types, here=JIANGSU)
        for event, case in zip(decision.events, decision.values, strict=True)
    ]
    assert texts(found) == {("id_number", CHILD.id_number)}


@pytest.mark.parametrize(
    ("number", "ids"),
    [
        ("case1", ("case1", f"{ZHEJIANG}:case1")),
        (CASE, ("case1",)),
        (f"{ZHEJIANG}/case1", (f"{ZHEJIANG}:case1",)),
        ("440000/case1", ("440000:case1",)),
    ],
)
def test_ids_follow_from_a_number(number: str, ids: tuple[str, ...]):
    assert ids_of(number, here=JIANGSU, homes=(JIANGSU, ZHEJIANG)) == ids


def test_how_many_clues_there_can_be_is_known_whatever_a_field_once_was():
    told = events_of(None, opening(), *worked("first", FIRST, result={"birth_number": CHILD.id_number}))
    added = [clues_added(case, event, {**TYPES, "birth_number": "id_number"}, here=JIANGSU) for case, event in told]
    most = clues_ever(told[-1][0], [event for _, event in told], here=JIANGSU)
    real = {each.event: len(each.clues) for each in added if each}
    assert real.keys() == most.keys()
    assert all(most[event] >= count for event, count in real.items())


def test_other_events_add_nothing():
    assert not any(added(opened(), worked("first", FIRST)[0]))


def test_who_sees_no_step_finds_by_number_only():
    assert clues_in(opened(), (), TYPES) == frozenset(NUMBERS)


def test_a_case_is_found_by_the_number_that_people_say_if_it_has_one():
    case = after(None, opening().model_copy(update={"spoken_number": SPOKEN}))
    assert case.spoken_number == SPOKEN
    said = clue_given("number", in_groups(SPOKEN), on=MONDAY.date())
    assert is_spoken(said)
    assert clues_in(case, (), TYPES) == {*NUMBERS, said}


@pytest.mark.parametrize("number", ["case1", CASE, f"{ZHEJIANG}/{SPOKEN}"])
def test_a_number_with_its_home_in_front_or_with_letters_is_none_that_people_say(number: str):
    assert not is_spoken(clue_given("number", number, on=MONDAY.date()))


def test_a_name_of_digits_is_no_number():
    assert not is_spoken(Clue("mobile", SPOKEN))


def test_who_decides_finds_by_what_the_item_declares():
    case = opened()
    assert Clue("mobile", "13800000000") in clues_in(case, [case.steps["first"]], TYPES)
    third = clues_in(case, [case.steps["third"]], TYPES)  # which declares no telephone
    assert {each.kind for each in third} == {"number", "name", "id_number"}


def test_what_a_supplement_has_changed_is_still_found():
    asked = acts.AskSupplement(id="ask", by=FIRST, step="first", gaps=(lacking("mobile"),))
    answer = acts.Supply(id="supply", by=citizen(), step="first", form={"mobile": "13900000000"})
    case = after(opened(), *worked("first", FIRST, until="received"), asked, answer)
    found = {each.text for each in clues_in(case, [case.steps["first"]], TYPES) if each.kind == "mobile"}
    assert found == {"13800000000", "13900000000"}


def test_a_clue_tells_nobody_what_it_is():
    assert APPLICANT.name not in repr(clue("name", APPLICANT.name))


def events_of(case: Case | None, *wishes: Act, here: str = JIANGSU) -> list[tuple[Case, Event]]:
    """The events of these acts, each with the case after it."""
    found: list[tuple[Case, Event]] = []
    for wish in wishes:
        decision = decide(case, wish, facts(here))
        found += zip(decision.values, decision.events, strict=True)
        case = decision.values[-1]
    return found


def test_a_deed_is_what_an_officer_of_this_node_did():
    told = events_of(None, opening([planned("one")]), *worked("one", FIRST))
    deeds = [deed_of(case, step, event, here=JIANGSU) for case, event in told if (step := step_of(case, event))]
    made = [each for each in deeds if each]
    assert [(each.act, each.officer, each.case, each.step) for each in made] == [
        (act, "officer-1", "case1", "one") for act in ("receive", "accept", "approve")
    ]
    assert {each.item_name for each in made} == {"事项one"}


def test_what_citizens_rules_and_other_nodes_do_is_no_deed():
    told = events_of(None, opening([planned("one", division=ZHEJIANG)]))
    case = told[-1][0]
    told += events_of(case, acts.Receive(id="r", by=peer(), step="one"))
    assert not [deed_of(case, step, event, here=JIANGSU) for case, event in told if (step := step_of(case, event))][-1]
    abroad = events_of(None, request(), acts.Receive(id="r", by=ABROAD, step="second"), here=ZHEJIANG)
    made = [deed_of(case, step, event, here=JIANGSU) for case, event in abroad if (step := step_of(case, event))]
    assert not any(made)


def test_a_deed_is_an_effect_beside_the_task():
    events = [event for _, event in events_of(None, opening([planned("one")]), *worked("one", FIRST))]
    effects, _ = effects_of(told_again(events), facts(), threads={})
    assert [each.deed.act for each in effects if each.deed] == ["receive", "accept", "approve"]
