"""What follows a commit: letters that carry what the item declares and nothing else, and tasks where it is decided."""

import json
from typing import Any

import pytest

from server.domain import acts
from server.domain.case import Commission
from server.domain.effects import Effect, Task, commission_of, effects_of
from server.domain.letters import letter_id
from server.domain.lifecycle import decide
from tests.domain.carrying import Place, carry
from tests.world import (
    CASE,
    DIRECTORY,
    JIANGSU,
    MONDAY,
    UPLOADS,
    ZHEJIANG,
    after,
    citizen,
    commission,
    facts,
    later,
    officer,
    opened,
    opening,
    person,
    planned,
    worked,
)

POLICE = officer("police", node=ZHEJIANG)
WITHDRAW = acts.Withdraw(id="withdraw", by=citizen())
FIRST_DONE = worked("first", officer(), result={"birth_number": "A1"})


def home_after(*wishes: acts.Act) -> Place:
    """Jiangsu after these acts."""
    home = Place(JIANGSU)
    for act in wishes:
        home.do(act)
    return home


def decider_of(home: Place) -> Place:
    """Zhejiang after the letters of Jiangsu."""
    decider = Place(ZHEJIANG)
    assert not carry(home, decider)
    return decider


def requested_body() -> dict[str, Any]:
    """What the request for the second step says, as it goes over the wire."""
    (letter,) = home_after(opening(), *FIRST_DONE).written
    body: dict[str, Any] = json.loads(letter.text())["body"]
    return body


def test_a_request_carries_the_fields_that_the_item_declares_and_no_others():
    assert requested_body()["form"] == {
        "subject_name": "测试宝",
        "applicant_id": person().id_number,
        "birth_number": "A1",  # yielded by the first step
    }


def test_a_request_carries_the_digests_of_declared_materials_without_their_names_or_ids():
    assert requested_body()["materials"] == [
        {"code": code, "sha256": UPLOADS[id].sha256, "size": 1000, "media_type": "application/pdf"}
        for code, id in (("proof", "up-proof"), ("photo", "up-photo"))
    ]


def test_a_request_says_what_is_asked_of_whom_and_not_who_asks():
    body = requested_body()
    assert set(body) == set(Commission.model_fields)
    assert {body["bundle"], body["catalogue"], body["directory_version"]} == {"arrival", "2026.1", DIRECTORY.version}
    assert (body["step"]["code"], body["step"]["division"], body["step"]["needs"]) == ("second", "330102", [])
    text = json.dumps(body, ensure_ascii=False)
    for private in (person().name, person().key, "13800000000", "up-proof", "of the family.pdf"):
        assert private not in text


def test_a_result_of_another_step_wins_over_what_the_form_says():
    steps = [planned("one"), planned("two", needs=["one"], division=ZHEJIANG)]
    asks = steps[1].model_copy(update={"fields": ("one_number", "subject_name", "nobody_knows")})
    case = opened([steps[0], asks])
    case = case.model_copy(update={"form": {**case.form, "one_number": "typed"}})
    case = after(case, *worked("one", officer(), result={"one_number": "yielded"}))
    assert dict(commission_of(case, case.steps["two"]).form) == {"one_number": "yielded", "subject_name": "测试宝"}


def test_the_home_asks_and_the_decider_tells():
    home = home_after(opening(), *FIRST_DONE, WITHDRAW)
    assert [letter.kind for letter in home.written] == ["step.requested", "step.withdrawal_asked"]
    decider = decider_of(home)
    assert [letter.kind for letter in decider.written] == ["step.withdrawn"]


@pytest.mark.parametrize(
    ("until", "told"),
    [
        ("approved", {"outcome": "approved", "result": {"household_number": "B2"}}),
        ("refused", {"outcome": "refused", "grounds": "材料不实"}),
    ],
)
def test_the_decider_tells_each_move_with_its_words_and_no_more(until: str, told: dict[str, Any]):
    decider = decider_of(home_after(opening(), *FIRST_DONE))
    for act in worked("second", POLICE, until=until, result={"household_number": "B2"}):
        decider.do(act)
    bodies = [(letter.kind, dict(letter.body)) for letter in decider.written]
    assert bodies == [("step.received", {}), ("step.accepted", {}), ("step.decided", told)]
    assert {(letter.sender, letter.to, letter.case, letter.step) for letter in decider.written} == {
        (ZHEJIANG, JIANGSU, CASE, "second")
    }
    assert "officer-1" not in "".join(letter.text() for letter in decider.written)


def test_mirrored_events_make_no_letters_and_no_tasks():
    home = home_after(opening(), *FIRST_DONE)
    decider = decider_of(home)
    for act in worked("second", POLICE, until="refused"):
        decider.do(act)
    before = (len(home.written), len(home.tasks), len(home.events))
    assert not carry(decider, home)
    assert len(home.events) > before[2]
    assert (len(home.written), len(home.tasks)) == before[:2]


def test_steps_decided_at_home_make_no_letters():
    home = home_after(opening([planned("one"), planned("two")]), *worked("one", officer()), WITHDRAW)
    assert home.written == []


def test_each_letter_names_the_one_before_it_of_the_same_case_and_node():
    plan = [planned("far", division="440100"), planned("near", division=ZHEJIANG), planned("next", division="330106")]
    home = home_after(opening(plan), WITHDRAW)
    by_node: dict[str, list[Any]] = {}
    for letter in home.written:
        by_node.setdefault(letter.to, []).append(letter)
    assert {node: len(letters) for node, letters in by_node.items()} == {"440000": 2, "330000": 4}
    for letters in by_node.values():
        assert [letter.after for letter in letters] == [None, *[letter.id for letter in letters[:-1]]]
    assert home.threads == {node: letters[-1].id for node, letters in by_node.items()}


def test_a_commit_without_letters_keeps_the_threads():
    happened = decide(None, opening([planned("one")]), facts())
    given = {"440000": "ab" * 32}
    effects, threads = effects_of(None, happened, facts(), threads=given)
    assert [effect.letter for effect in effects] == [None]
    assert threads == given
    assert threads is not given


def test_the_id_of_a_letter_follows_from_the_event_it_tells_of():
    (letter,) = home_after(opening(), *FIRST_DONE).written
    (again,) = home_after(opening(), *FIRST_DONE).written
    sent = next(event for event in home_after(opening(), *FIRST_DONE).events if getattr(event, "step", "") == "second")
    assert letter.id == letter_id(JIANGSU, ZHEJIANG, CASE, sent.number, 1)
    assert letter.text() == again.text()
    assert letter.at == sent.at


def test_letters_of_one_commit_have_ids_and_salts_of_their_own():
    plan = [planned(f"s{each}", division=ZHEJIANG) for each in range(20)]
    letters = home_after(opening(plan)).written
    assert len({letter.id for letter in letters}) == len({letter.salt for letter in letters}) == 20


def test_another_commit_of_the_same_event_has_the_same_id_and_another_salt():
    happened = decide(None, opening([planned("one", division=ZHEJIANG)]), facts())
    (one,), _ = effects_of(None, happened, facts(salt=b"a" * 16), threads={})
    (two,), _ = effects_of(None, happened, facts(salt=b"b" * 16), threads={})
    assert one.letter
    assert two.letter
    assert one.letter.id == two.letter.id
    assert one.letter.salt != two.letter.salt


def test_tasks_stand_where_the_step_is_decided_and_follow_it():
    home = home_after(opening(), *FIRST_DONE)
    assert [(task.id, task.state, task.is_open) for task in home.tasks] == [
        ("case1:first", "sent", True),
        ("case1:first", "received", True),
        ("case1:first", "accepted", True),
        ("case1:first", "approved", False),
    ]
    decider = decider_of(home)
    decider.do(worked("second", POLICE)[0])
    assert [(task.id, task.department, task.state) for task in decider.tasks] == [
        (f"{JIANGSU}:case1:second", "police", "sent"),
        (f"{JIANGSU}:case1:second", "police", "received"),
    ]


def test_a_task_grows_with_the_event_it_shows():
    home = home_after(opening(), *FIRST_DONE)
    numbers = [task.event for task in home.tasks]
    assert numbers == sorted(set(numbers))
    assert [task.since for task in home.tasks] == [event.at for event in home.events if event.number in numbers]
    assert {task.opened_at for task in home.tasks} == {MONDAY}


def test_a_step_that_was_never_sent_leaves_no_task():
    home = home_after(opening(), WITHDRAW)
    assert {task.step for task in home.tasks} == {"first"}
    assert [task.is_open for task in home.tasks] == [True, False]


def test_a_task_shows_no_personal_data():
    whole = "".join(task.model_dump_json() for task in home_after(opening(), *FIRST_DONE).tasks)
    for private in (person().name, person().id_number, person().key, "测试宝", "13800000000"):
        assert private not in whole
    assert set(Task.model_fields).isdisjoint({"applicant", "form", "result", "grounds"})


def test_effects_have_places_of_their_own_and_survive_being_written_down():
    plan = [planned("one"), planned("two", division=ZHEJIANG)]
    happened = decide(None, opening(plan), facts(at=later(hours=1)))
    effects, _ = effects_of(None, happened, facts(at=later(hours=1)), threads={})
    assert [(effect.event, effect.index) for effect in effects] == [(2, 0), (3, 1)]
    assert [Effect.model_validate_json(effect.model_dump_json()) for effect in effects] == list(effects)


def test_what_a_home_sends_is_what_a_commission_is_made_of():
    case = after(opened(), *FIRST_DONE)
    sent = commission_of(case, case.steps["second"])
    assert sent.step == commission().step
    assert Commission.model_validate(sent.model_dump(mode="json")) == sent
