"""What follows a commit: letters that carry what the item declares and nothing else, and tasks where it is decided."""

import json
from dataclasses import fields
from typing import Any

import pytest

from server.domain.aggregate.acts import Act
from server.domain.case import acts
from server.domain.case.case import Commission
from server.domain.catalogue.pinning import Competent, PinnedAuthority
from server.domain.catalogue.terms import APPEAL, Delivery, Terms
from server.domain.effects.effects import CLUES, FIRST_TASK, LETTER, NOTICE, Effect, Task, effects_of
from server.domain.effects.letters_out import commission_of
from server.domain.exchange.letters import letter_id
from server.domain.rules.decide import decide
from server.domain.values import moment_text
from tests.domain.carrying import Place, carry, exchange, places, step_at
from tests.world import (
    CASE,
    DIRECTORY,
    HEARING,
    JIANGSU,
    MONDAY,
    UPLOADS,
    ZHEJIANG,
    after,
    citizen,
    commission,
    facts,
    handed_in,
    lacking,
    later,
    of_graph,
    officer,
    opened,
    opening,
    peer,
    person,
    planned,
    worked,
)

POLICE = officer("police", node=ZHEJIANG)
WITHDRAW = acts.Withdraw(id="withdraw", by=citizen())
FIRST_DONE = worked("first", officer(), result={"birth_number": "A1"})
PINNED = {"authority": PinnedAuthority(id="police/330000", name="浙江省police").model_dump()}
ACCEPTED = {
    "by": "decider",
    "legal_days": 10,
    "promised_days": 5,
    "deferrals": [],
    "since": moment_text(later(seconds=1)),
}


def home_after(*wishes: Act) -> Place:
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
        ("refused", {"outcome": "refused", "grounds": "材料不实", "appeal": APPEAL}),
    ],
)
def test_the_decider_tells_each_move_with_its_words_and_no_more(until: str, told: dict[str, Any]):
    decider = decider_of(home_after(opening(), *FIRST_DONE))
    for act in worked("second", POLICE, until=until, result={"household_number": "B2"}):
        decider.do(act)
    bodies = [(letter.kind, dict(letter.body)) for letter in decider.written]
    assert bodies == [
        ("step.received", PINNED),
        ("step.accepted", {**ACCEPTED, **PINNED}),
        ("step.decided", told),
    ]
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
    effects, threads = effects_of(happened, facts(), threads=given)
    assert effects
    assert all(effect.letter is None for effect in effects)
    assert threads == given
    assert threads is not given


def test_the_id_of_a_letter_follows_from_the_event_it_tells_of():
    (letter,) = home_after(opening(), *FIRST_DONE).written
    (again,) = home_after(opening(), *FIRST_DONE).written
    sent = next(event for event in home_after(opening(), *FIRST_DONE).events if getattr(event, "step", "") == "second")
    assert letter.id == letter_id(JIANGSU, ZHEJIANG, "case", CASE, sent.number, 1)
    assert letter.text() == again.text()
    assert letter.at == sent.at


def test_letters_of_one_commit_have_ids_and_salts_of_their_own():
    plan = [planned(f"s{each}", division=ZHEJIANG) for each in range(20)]
    letters = home_after(opening(plan)).written
    assert len({letter.id for letter in letters}) == len({letter.salt for letter in letters}) == 20


def test_another_commit_of_the_same_event_has_the_same_id_and_another_salt():
    happened = decide(None, opening([planned("one", division=ZHEJIANG)]), facts())
    both = [effects_of(happened, facts(salt=salt), threads={})[0] for salt in (b"a" * 16, b"b" * 16)]
    one, two = (next(effect.letter for effect in effects if effect.letter) for effects in both)
    assert one.id == two.id
    assert one.salt != two.salt


def test_tasks_stand_where_the_step_is_decided_and_follow_it():
    home = home_after(opening(), *FIRST_DONE)
    assert [(task.id, task.state, task.is_open) for task in home.tasks] == [
        ("case1:first", "sent", True),
        ("case1:first", "received", True),
        ("case1:first", "accepted", True),
        ("case1:first", "approved", True),  # its licence is still to be delivered
    ]
    home.do(acts.Deliver(id="d", by=officer(), step="first", delivery=Delivery(method="window")))
    assert [(task.id, task.state, task.is_open) for task in home.tasks[-1:]] == [("case1:first", "delivered", False)]
    decider = decider_of(home)
    decider.do(worked("second", POLICE)[0])
    assert [(task.id, task.department, task.state) for task in decider.tasks] == [
        (f"{JIANGSU}:case1:second", "police", "sent"),
        (f"{JIANGSU}:case1:second", "police", "sent"),  # its materials have come
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
    whole = "".join(str(task) for task in home_after(opening(), *FIRST_DONE).tasks)
    for private in (person().name, person().id_number, person().key, "测试宝", "13800000000"):
        assert private not in whole
    assert {field.name for field in fields(Task)}.isdisjoint({"applicant", "form", "result", "grounds"})


def test_effects_have_places_of_their_own_and_survive_being_written_down():
    plan = [planned("one"), planned("two", division=ZHEJIANG)]
    by_agent = opening(plan).model_copy(update={"by": citizen().model_copy(update={"is_agent": True})})
    happened = decide(None, by_agent, facts(at=later(hours=1)))
    effects, _ = effects_of(happened, facts(at=later(hours=1)), threads={})
    places = [(effect.event, effect.index) for effect in effects]
    assert places == [(1, NOTICE), (1, CLUES), (2, FIRST_TASK), (3, LETTER)]
    assert len(set(places)) == len(places)
    assert [bool(effect.notice) for effect in effects if effect.index == NOTICE] == [True]
    assert [Effect.model_validate_json(effect.model_dump_json()) for effect in effects] == list(effects)


def test_what_a_home_sends_is_what_a_commission_is_made_of():
    case = after(opened(), *FIRST_DONE)
    sent = commission_of(case, case.steps["second"])
    assert sent.step == commission().step.model_copy(update={"competent": Competent()}), "its decider says who"
    assert Commission.model_validate(sent.model_dump(mode="json")) == sent


# What officers are to do, and until when.


def tasks_now(place: Place) -> dict[str, tuple[bool, str]]:
    """The newest task of each id: whether it is open, and its last day."""
    return {task.id: (task.is_open, task.due_on) for task in place.tasks}


def test_a_task_tells_the_last_day_for_what_is_to_be_done_next():
    home = home_after(opening([planned("one", yields="birth_licence", fields=("subject_name",))]))
    act: dict[str, Any] = {"by": officer(), "step": "one"}
    seen = [home.tasks[-1].due_on]
    for days, wish in (
        (0, acts.Receive(id="receive", **act)),
        (1, acts.AskSupplement(id="ask", gaps=(lacking("subject_name"),), **act)),
        (3, acts.Supply(id="supply", by=citizen(), step="one", form={"subject_name": "测试宝宝"})),
        (4, acts.Accept(id="accept", **act)),
        (7, acts.Approve(id="approve", **act)),
        (8, acts.Deliver(id="deliver", delivery=Delivery(method="window"), **act)),
    ):
        home.days = days
        home.do(wish)
        seen.append(home.tasks[-1].due_on)
    told, notified_again, decided, delivered = "2026-12-15", "2026-12-03", "2026-12-04", "2026-12-14"
    assert seen == ["2026-11-30", "2026-11-30", told, notified_again, decided, delivered, ""]
    assert [task.is_open for task in home.tasks[-3:]] == [True, True, False]


def test_a_task_tells_no_day_that_is_not_sure_or_while_the_clock_is_stopped():
    plan = [planned("one", terms=Terms(legal_days=10, special_steps=(HEARING,)))]
    home = home_after(opening(plan), *worked("one", officer(), until="accepted"))
    hearing = acts.Suspend(id="s", by=officer(), step="one", procedure="听证", notice="需要十日。", days=10)
    home.do(hearing)
    assert tasks_now(home) == {"case1:one": (True, "")}
    home.days = 50  # the last day lies in a year whose holidays nobody knows
    home.do(acts.Resume(id="r", by=officer(), step="one"))
    assert tasks_now(home) == {"case1:one": (True, "")}


def test_each_department_that_must_be_heard_has_a_task_of_its_own():
    home = home_after(opening([of_graph("step0")]), *worked("step0", officer(), until="accepted"))
    police, insurance = "case1:step0:opinion:police", "case1:step0:opinion:insurance"
    assert tasks_now(home) == {
        "case1:step0": (True, "2026-11-30"),
        police: (True, "2026-11-26"),
        insurance: (True, "2026-11-26"),
    }
    home.do(acts.Opine(id="opine", by=officer("police"), step="step0", answer="object"))
    assert tasks_now(home) | {police: (False, "2026-11-26")} == tasks_now(home)
    home.days = 2
    home.do(acts.ReturnOpinion(id="return", by=officer(), step="step0", department="police", reason="请写明依据"))
    assert (tasks_now(home)[police], tasks_now(home)[insurance]) == ((True, "2026-11-30"), (True, "2026-11-26"))
    home.do(acts.Refuse(id="refuse", by=officer(), step="step0", grounds="不符合条件"))
    assert [is_open for is_open, _ in tasks_now(home).values()] == [False, False, False]


# What the applicant is told.


def test_the_applicant_is_told_by_his_home_whoever_decides():
    home = home_after(opening(), *FIRST_DONE)
    decider = decider_of(home)
    told = [effect_notice.template for effect_notice in home.notices]
    assert told == ["accepted", "decided"]
    for act in worked("second", POLICE):
        decider.do(act)
    assert decider.notices == []
    assert not carry(decider, home)
    assert [notice.template for notice in home.notices][2:] == ["accepted", "decided"]
    assert {notice.person for notice in home.notices} == {person().key}


def test_a_question_is_told_with_the_day_until_which_it_may_be_answered():
    ask = acts.AskSupplement(id="ask", by=officer(), step="first", gaps=(lacking("subject_name"),))
    home = home_after(opening(), FIRST_DONE[0], ask)
    (notice,) = [each for each in home.notices if each.template == "supplement_asked"]
    assert (notice.values["item"], notice.values["due"]) == ("事项first", "2026年12月14日")
    assert "subject_name" not in notice.model_dump_json()


# Every letter means at the other node what it told of.


def on_the_way(code: str, *more: Act) -> list[Act]:
    """The acts at the decider, up to acceptance, and then these."""
    return [*worked(code, HEALTH, until="accepted"), *more]


HEALTH = officer(node=ZHEJIANG)
AT_DECIDER: dict[str, Any] = {"by": HEALTH, "step": "step1"}
SUSPEND = acts.Suspend(id="s", procedure="听证", notice="需要十日。", days=10, **AT_DECIDER)
ASK = acts.AskSupplement(id="ask", gaps=(lacking("subject_name"), lacking("proof", kind="material")), **AT_DECIDER)
EXTEND = acts.Extend(
    id="e", by=officer(node=ZHEJIANG, name="head-1", role="head"), step="step1", days=3, reason="案情复杂"
)
DECLINE = acts.Decline(
    id="d", reason="wrong_agency", grounds="不属于本机关", agency="民政局", division="330108", **AT_DECIDER
)
APPROVE = acts.Approve(id="a", result={"step1_number": "7"}, **AT_DECIDER)
DELIVER = acts.Deliver(id="v", delivery=Delivery(method="post", number="P1"), **AT_DECIDER)
OTHER, ABOVE = (PinnedAuthority(id=f"health/{code}", name=f"机关{code}") for code in ("330106", "above"))
TRANSFER = acts.Transfer(id="t", authority=OTHER, reason="属于该区", **AT_DECIDER)
DESIGNATE = acts.Designate(
    **{"id": "de", "step": "step1", "by": HEALTH.model_copy(update={"authority": ABOVE.id})},
    **{"authority": OTHER, "superior": ABOVE, "reason": "原机关撤销", "is_gone": True},
)
TAKE_OVER = acts.TakeOver(id="to", by=peer(ZHEJIANG), step="step1", authority=OTHER, reason="原机关撤销")
LIVES: dict[str, list[Act]] = {
    "step.received": [worked("step1", HEALTH)[0]],
    "step.accepted": on_the_way("step1"),
    "step.notice supplement": [worked("step1", HEALTH)[0], ASK],
    "step.notice suspension": on_the_way("step1", SUSPEND),
    "step.notice resumption": on_the_way("step1", SUSPEND, acts.Resume(id="r", **AT_DECIDER)),
    "step.notice extension": on_the_way("step1", EXTEND),
    "step.decided approved": on_the_way("step1", APPROVE),
    "step.decided refused": worked("step1", HEALTH, until="refused"),
    "step.decided declined": [worked("step1", HEALTH)[0], DECLINE],
    "step.delivered": on_the_way("step1", APPROVE, DELIVER),
    "step.transferred authority": [worked("step1", HEALTH)[0], TRANSFER],
    "step.transferred superior": on_the_way("step1", DESIGNATE),
    "step.transferred succession": [TAKE_OVER],
    "step.withdrawn": [acts.LetGo(id="go", **AT_DECIDER)],
}
SAME = {"state", "since", "supplement", "deferrals", "grounds", "appeal", "agency"} | {
    *("right_division", "result", "delivery", "transfers", "notify_anew_at"),
}


def same_step(place: Place, other: Place) -> bool:
    """Whether the step stands the same at both nodes, with its clock."""
    one, two = (step_at(each, "step1") for each in (place, other))
    clocks = [step.clock.model_dump(exclude={"extension"}) if step.clock else None for step in (one, two)]
    days = [step.clock.days("legal") if step.clock else 0 for step in (one, two)]
    return (
        one.model_dump(include=SAME) == two.model_dump(include=SAME) and clocks[0] == clocks[1] and len(set(days)) == 1
    )


@pytest.mark.parametrize("kind", LIVES)
def test_the_letter_of_each_move_makes_the_same_of_the_mirror_at_home(kind: str):
    home, decider = places(of_graph("step1", division="330106"))
    for seconds, act in enumerate(LIVES[kind]):
        decider.days = seconds  # a working day after another
        decider.do(act)
        exchange(home, decider)
    told = next(letter for letter in decider.written if letter.unique_id == home_cause(home))
    assert kind in (
        told.kind,
        f"{told.kind} {told.body.get('about') or told.body.get('outcome') or told.body.get('by')}",
    )
    assert same_step(home, decider)


def home_cause(home: Place) -> str:
    """The last letter that was obeyed at home."""
    return [each.act_id for each in home.events if each.by == peer(ZHEJIANG)][-1]


def test_what_the_home_says_makes_the_same_of_the_step_at_the_decider():
    home, decider = places(of_graph("step1", division="330106"))
    for act in LIVES["step.notice supplement"]:
        decider.do(act)
    exchange(home, decider)
    answer = {"form": {"subject_name": "测试宝宝"}, "materials": (handed_in("proof"),)}
    home.do(acts.Supply(id="supply", by=citizen(), step="step1", **answer))
    exchange(home, decider)
    home.do(WITHDRAW)
    exchange(home, decider)
    assert [letter.kind for letter in home.written] == [
        "step.requested",
        "step.told",
        "step.supplied",
        "step.withdrawal_asked",
    ]
    causes = [each.act_id for each in decider.events if each.by == peer(JIANGSU)]
    assert causes == [letter.unique_id for letter in home.written[:3]]
    assert step_at(home, "step1").state == step_at(decider, "step1").state == "withdrawn"


def test_no_home_sets_the_days_the_terms_or_the_results_of_another_nodes_step():
    ours = of_graph("step1", division="330106")
    generous = Terms(legal_days=900, supplement_days=900, deferrable=("proof",), extension_days=900)
    change = {"promised_days": 900, "terms": generous, "yields": "", "yields_fields": ("birth_number",), "name": "x"}
    _, decider = places(ours.model_copy(update=change))
    plan = step_at(decider, "step1").plan
    assert plan.competent.authority == PinnedAuthority(id="health/330000", name="浙江省卫生健康委员会")
    change = {"yields_fields": ("step1_number",), "competent": plan.competent}
    assert plan == ours.model_copy(update=change)
