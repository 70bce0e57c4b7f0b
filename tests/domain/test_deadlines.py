"""The checkpoints of a step fall on the days of its deadlines, over holidays, stops, extensions and unknown years."""

from datetime import date, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.case.case import Case, State, Step, Supplement
from server.domain.catalogue.terms import Deferral, Gap, Opinion, Terms
from server.domain.effects.deadlines import (
    BY_SEVERITY,
    READERS,
    Checkpoint,
    CheckpointName,
    checkpoints_of,
    is_superseded,
    next_at,
)
from server.domain.time.calendar import DAY
from server.domain.time.clock import Extension, Ledger, consumed, due, extend, pause, resume
from server.domain.values import CHINA, china_day
from tests.world import CALENDAR, JIANGSU, ZHEJIANG, opened, planned

GAP = Gap(kind="field", code="subject_name", reason="请写全名")
CLOCKED = ("half", "four_fifths", "overdue", "overdue_long", "legally_overdue")


def china(month: int, day: int, hour: int = 10, *, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, tzinfo=CHINA)


def case_with(state: State, *, node: str = JIANGSU, promised: int = 5, legal: int = 10, **change: Any) -> Case:
    """A case of Jiangsu with one step in this state at this node."""
    plan = planned("one", division=node)
    plan = plan.model_copy(
        update={"promised_days": promised, "terms": Terms(legal_days=legal), "yields": "birth_licence"}
    )
    told = {"version": 1, "since": china(2, 9), "node": node, **change}
    step = Step(plan=plan, state=state, **told)
    return opened([plan]).model_copy(update={"steps": {"one": step}})


def ledger(accepted_at: datetime, *, legal: int = 10, promised: int = 5) -> Ledger:
    return Ledger(accepted_at=accepted_at, legal_days=legal, promised_days=promised)


def checkpoints(case: Case, *, here: str = JIANGSU) -> tuple[Checkpoint, ...]:
    return checkpoints_of(case, here=here, calendar=CALENDAR)


def days(case: Case, *, here: str = JIANGSU) -> dict[str, str]:
    """Checkpoint -> the day on which it is, in China."""
    return {checkpoint.name: f"{china_day(checkpoint.at):%m-%d}" for checkpoint in checkpoints(case, here=here)}


def test_the_rungs_of_a_running_clock_step_over_the_spring_festival():
    clock = ledger(china(2, 11), promised=5, legal=10)
    assert days(case_with("accepted", clock=clock)) == {
        "half": "02-15",  # used up on 12, 13 and 14 February, which is worked
        "four_fifths": "02-25",  # 24 February
        "overdue": "02-26",  # due on 25 February
        "overdue_long": "03-04",  # 28 February is worked
        "legally_overdue": "03-04",  # due on 3 March
    }


def test_five_days_for_telling_step_over_the_spring_festival():
    case = case_with("sent", arrived_at=china(2, 11))
    assert days(case) == {"notify_soon": "02-25", "deem": "02-26"}
    assert [checkpoint.to for checkpoint in checkpoints(case)] == ["officer", "head"]
    assert all(checkpoint.at.astimezone(CHINA).hour == 0 for checkpoint in checkpoints(case))


def test_a_budget_of_one_day_warns_as_its_day_begins():
    clock = ledger(china(2, 9), promised=1, legal=1)
    found = days(case_with("accepted", clock=clock))
    assert (found["half"], found["four_fifths"], found["overdue"]) == ("02-10", "02-10", "02-11")


def test_while_the_clock_is_stopped_nothing_fires_and_after_it_nothing_is_lost():
    clock = ledger(china(3, 2), promised=10, legal=20)
    before = days(case_with("accepted", clock=clock))
    stopped = pause(clock, china(3, 4), reason="听证", notice="通知", days=10)
    assert days(case_with("suspended", clock=stopped)) == {}
    after = days(case_with("accepted", clock=resume(stopped, china(3, 11))))
    assert before["half"] == "03-10"
    assert after == {
        "half": "03-17",
        "four_fifths": "03-20",
        "overdue": "03-24",
        "overdue_long": "03-31",
        "legally_overdue": "04-08",
    }


def test_a_rung_that_was_passed_before_a_stop_is_the_same_after_it_and_another_after_an_extension():
    clock = ledger(china(3, 2), promised=4, legal=20)
    stopped = resume(pause(clock, china(3, 5), reason="听证", notice="通知", days=10), china(3, 11))
    more = extend(clock, Extension(days=10, approver="局长", reason="案情复杂"))
    keys = [
        {each.name: each.key for each in checkpoints(case_with("accepted", clock=each))}
        for each in (clock, stopped, more)
    ]
    assert keys[0]["half"] == keys[1]["half"] != keys[2]["half"]
    assert keys[0]["overdue"] != keys[1]["overdue"]


def test_of_unconfirmed_days_nothing_happens_by_law_and_warnings_say_so():
    case = case_with("sent", arrived_at=china(12, 30))
    assert [(checkpoint.name, checkpoint.is_confirmed) for checkpoint in checkpoints(case)] == [("notify_soon", False)]
    supplement = Supplement(asked_at=china(12, 21), gaps=(GAP,), due_on=date(2027, 1, 12))
    names = {
        checkpoint.name: checkpoint.is_confirmed
        for checkpoint in checkpoints(case_with("supplementing", supplement=supplement))
    }
    assert names == {"remind": True, "lapse_blocked": False}
    clock = ledger(china(12, 28), promised=2, legal=10)
    confirmed = {
        checkpoint.name: checkpoint.is_confirmed for checkpoint in checkpoints(case_with("accepted", clock=clock))
    }
    assert (confirmed["half"], confirmed["overdue"], confirmed["legally_overdue"]) == (True, True, False)


@pytest.mark.parametrize(("asked", "due_on", "reminded"), [(9, 27, "02-24"), (9, 11, "02-10"), (9, 9, "02-09")])
def test_the_applicant_is_reminded_three_days_before_in_the_morning_but_not_on_the_day_he_was_asked(
    asked: int, due_on: int, reminded: str
):
    supplement = Supplement(asked_at=china(2, asked), gaps=(GAP,), due_on=date(2026, 2, due_on))
    case = case_with("supplementing", supplement=supplement)
    (remind,) = (checkpoint for checkpoint in checkpoints(case) if checkpoint.name == "remind")
    assert f"{remind.at.astimezone(CHINA):%m-%d %H}" == f"{reminded} 09"
    assert days(case)["lapse"] == f"02-{due_on + 1:02d}"


def test_an_answered_or_untold_supplement_has_no_deadline():
    untold = Supplement(asked_at=china(2, 9), gaps=(GAP,))
    answered = untold.model_copy(update={"due_on": date(2026, 2, 27), "answered_at": china(2, 10)})
    for supplement in (untold, answered):
        assert checkpoints(case_with("supplementing", supplement=supplement)) == ()


def test_of_another_nodes_step_the_home_has_what_its_citizen_needs_and_the_decider_the_rest():
    supplement = Supplement(asked_at=china(2, 9), gaps=(GAP,), due_on=date(2026, 2, 27))
    case = case_with("supplementing", node=ZHEJIANG, supplement=supplement)
    assert days(case) == {"remind": "02-24", "vouch": "02-27"}
    copy = case.model_copy(update={"applicant": None})
    assert days(copy, here=ZHEJIANG) == {"lapse": "02-28", "lapse_blocked": "03-04"}


def test_several_deferred_materials_of_one_day_are_one_deadline():
    deferrals = tuple(Deferral(material=code, due_on=date(2026, 3, 9)) for code in ("photo", "proof"))
    case = case_with("accepted", clock=ledger(china(3, 2)), deferrals=deferrals)
    assert [checkpoint.name for checkpoint in checkpoints(case)].count("lapse") == 1
    came = tuple(each.model_copy(update={"came_at": china(3, 3)}) for each in deferrals)
    assert "lapse" not in days(case_with("accepted", clock=ledger(china(3, 2)), deferrals=came))


def deferred_until(due_on: date) -> dict[str, Any]:
    return {"deferrals": (Deferral(material="photo", due_on=due_on),)}


def test_while_the_clock_is_stopped_a_deferral_does_not_lapse_but_the_applicants_days_run_on():
    stopped = pause(ledger(china(3, 2), promised=10), china(3, 4), reason="听证", notice="通知", days=10)
    asked = deferred_until(date(2026, 3, 9))
    assert days(case_with("suspended", clock=stopped, **asked)) == {"remind": "03-06"}
    abroad = case_with("suspended", node=ZHEJIANG, clock=stopped, **asked)
    assert days(abroad) == {"remind": "03-06", "vouch": "03-09"}
    assert days(abroad.model_copy(update={"applicant": None}), here=ZHEJIANG) == {}


@pytest.mark.parametrize(
    ("resumed", "lapse", "blocked"),
    [((3, 5), "03-10", "03-13"), ((3, 10), "03-10", "03-14"), ((3, 20), "03-20", "03-26")],
)
def test_a_deferral_that_ended_in_a_stop_lapses_on_the_day_of_the_resumption(
    resumed: tuple[int, int], lapse: str, blocked: str
):
    stopped = pause(ledger(china(3, 2), promised=10), china(3, 4), reason="听证", notice="通知", days=10)
    asked = deferred_until(date(2026, 3, 9))
    clock = resume(stopped, china(*resumed, 15))
    assert days(case_with("accepted", clock=clock, **asked))["lapse"] == lapse
    copy = case_with("accepted", node=ZHEJIANG, clock=clock, **asked).model_copy(update={"applicant": None})
    found = days(copy, here=ZHEJIANG)
    assert (found["lapse"], found["lapse_blocked"]) == (lapse, blocked)


def test_of_several_stops_it_is_the_last_resumption_that_counts():
    clock = ledger(china(3, 2), promised=10)
    for begins, ends in ((3, 4), (5, 20)):
        clock = resume(pause(clock, china(3, begins), reason="听证", notice="通知", days=10), china(3, ends))
    assert days(case_with("accepted", clock=clock, **deferred_until(date(2026, 3, 9))))["lapse"] == "03-20"


def test_opinions_and_deliveries_have_rungs_of_their_own():
    opinions = {
        "police": Opinion(asked_at=china(2, 9), due_on=date(2026, 2, 14)),
        "insurance": Opinion(asked_at=china(2, 9), due_on=date(2026, 2, 14), answer="agree"),
    }
    stopped = pause(ledger(china(2, 9)), china(2, 10), reason="听证", notice="通知", days=10)
    (opinion,) = checkpoints(case_with("suspended", clock=stopped, opinions=opinions))
    assert (opinion.name, opinion.department, opinion.to) == ("opinion_overdue", "police", "head")
    assert china_day(opinion.at) == date(2026, 2, 24)
    assert days(case_with("approved", since=china(3, 2))) == {"deliver_overdue": "03-17"}
    assert checkpoints(case_with("delivered", since=china(3, 2))) == ()


def test_of_rungs_passed_together_each_reader_is_told_of_the_highest():
    passed = [
        checkpoint
        for checkpoint in checkpoints(case_with("accepted", clock=ledger(china(2, 9))))
        if checkpoint.name in BY_SEVERITY
    ]
    told = [checkpoint.name for checkpoint in passed if not is_superseded(checkpoint, passed)]
    assert sorted(told) == ["legally_overdue", "overdue"]
    late = checkpoints(case_with("sent", arrived_at=china(2, 9)))
    assert [checkpoint.name for checkpoint in late if not is_superseded(checkpoint, late)] == ["deem"]


def test_the_next_moment_is_that_of_the_first_rung_or_of_the_first_later_one():
    case = case_with("sent", arrived_at=china(2, 11))
    first, second = (checkpoint.at for checkpoint in checkpoints(case))
    at = [next_at(case, here=JIANGSU, calendar=CALENDAR, after=after) for after in (None, first - DAY, first, second)]
    assert at == [first, first, second, None]
    assert set(READERS) == set(get_args(CheckpointName))


# The oracle walks day by day and asks of each morning what a person would ask.

STARTS = st.integers(0, 300).map(lambda number: datetime(2026, 1, 5, 10, tzinfo=CHINA) + timedelta(days=number))
SPANS = st.lists(st.integers(1, 12), max_size=4)


def lived(accepted_at: datetime, spans: list[int], promised: int, extension: int) -> Ledger:
    """A clock that was stopped and went on at the end of these spans of days; it runs at the end."""
    clock, at = ledger(accepted_at, promised=promised, legal=promised * 2), accepted_at
    for number in range(len(spans) // 2):
        at += timedelta(days=spans[number * 2])
        clock = pause(clock, at, reason="听证", notice="通知", days=10)
        at += timedelta(days=spans[number * 2 + 1])
        clock = resume(clock, at)
    return extend(clock, Extension(days=extension, approver="局长", reason="复杂")) if extension else clock


def by_hand(clock: Ledger, name: str) -> date:
    """The first morning on which the checkpoint is true, found by looking at one morning after the other."""
    day, budget = clock.accepted_on, clock.days("promised")
    late = 0
    while True:
        day += DAY
        used = consumed(clock, CALENDAR, day - DAY)
        if name == "half" and (used * 2 >= budget or consumed(clock, CALENDAR, day) >= budget):
            return day
        if name == "four_fifths" and (used * 5 >= budget * 4 or consumed(clock, CALENDAR, day) >= budget):
            return day
        most = clock.days("legal") if name == "legally_overdue" else budget
        if used >= most and CALENDAR.is_working(day):
            late += 1
            if name in ("overdue", "legally_overdue") or (name == "overdue_long" and late == 6):
                return day


@pytest.mark.no_cover
@given(STARTS, SPANS, st.integers(1, 25), st.sampled_from([0, 0, 5, 10]))
def test_each_rung_is_on_the_first_morning_on_which_it_is_true(
    accepted_at: datetime, spans: list[int], promised: int, extension: int
):
    clock = lived(accepted_at, spans, promised, extension)
    found = {
        checkpoint.name: checkpoint
        for checkpoint in checkpoints(case_with("accepted", clock=clock))
        if checkpoint.name in CLOCKED
    }
    assert {name: china_day(checkpoint.at) for name, checkpoint in found.items()} == {
        name: by_hand(clock, name) for name in CLOCKED
    }
    last = due(clock, CALENDAR, "promised").on
    assert last
    assert found["overdue"].is_confirmed == CALENDAR.are_confirmed(clock.accepted_on, china_day(found["overdue"].at))
