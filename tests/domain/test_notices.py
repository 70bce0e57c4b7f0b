"""What citizens are told of their cases, in words that fit the platform's templates and name nobody."""

from datetime import date, timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from server.domain.aggregate.actors import Actor
from server.domain.aggregate.happening import Happened
from server.domain.case import events
from server.domain.case.case import Case, Step
from server.domain.case.happening import Moved
from server.domain.effects.notices import (
    EXPIRING,
    LONGEST,
    TOLD,
    Notice,
    Template,
    Templates,
    data_of,
    draft_notice,
    notice_of,
    pause_after,
)
from tests.world import FORM, JIANGSU, MONDAY, person, planned

FULL = Template(
    name="decided",
    id="sample",
    keys={"bundle": "thing1", "item": "thing2", "state": "phrase3", "date": "date4", "hint": "thing5"},
)
BY = Actor(node=JIANGSU, part="officer", authority="health/320000", name="officer-1")


def case(**change: Any) -> Case:
    """A case at home with one step."""
    whole = Case(
        home=JIANGSU,
        number="case1",
        bundle="arrival",
        bundle_name="新生儿出生",
        catalogue="2026.1",
        opened_at=MONDAY,
        applicant=person(),
        form=FORM,
        materials=(),
        steps={"first": Step(plan=planned("first"), since=MONDAY, version=1)},
    )
    return whole.model_copy(update=change)


def happened(act: str, **more: Any) -> Happened:
    """An event of an act by this name, whether there is such an act or not."""
    kind = type(act.title(), (Moved,), {"__module__": __name__, "act": act, "__annotations__": {"act": ClassVar[str]}})
    event: Happened = kind(number=7, at=MONDAY, by=BY, act_id="a", step="first", **more)
    return event


def test_an_acceptance_is_told_to_the_applicant() -> None:
    event = events.Accepted(number=3, at=MONDAY, by=BY, act_id="a", step="first")
    assert notice_of(case(), event) == Notice(
        id="case1:3",
        person=person().key,
        template="accepted",
        page="pages/case/case?id=case1",
        values={
            "bundle": "新生儿出生",
            "item": "事项first",
            "state": "已受理",
            "hint": "已开始审查，可随时查看进度",
            "date": "2026年11月23日",
        },
        at=MONDAY,
    )


@pytest.mark.parametrize("act", [act for act in TOLD if act not in ("open", "close", "withdraw")])
def test_each_act_of_the_table_is_told_by_its_template_whether_there_is_such_an_event_or_not(act: str) -> None:
    notice = notice_of(case(), happened(act))
    assert notice is not None
    assert (notice.template, notice.values["state"]) == (TOLD[act].template, TOLD[act].state)


@pytest.mark.parametrize(
    "act", ["send", "receive", "skip", "withdraw", "ask_supplement", "ask_withdrawal", "never_heard_of"]
)
def test_what_the_table_does_not_name_is_not_told(act: str) -> None:
    assert notice_of(case(), happened(act)) is None


@pytest.mark.parametrize(("outcome", "is_told"), [("completed", True), ("withdrawn", False)])
def test_a_closing_is_told_unless_the_applicant_took_all_back_himself(outcome: Any, is_told: bool) -> None:
    event = events.Closed(number=9, at=MONDAY, by=BY, act_id="a", outcome=outcome)
    notice = notice_of(case(outcome=outcome), event)
    assert (notice is not None) is is_told
    if notice is not None:
        assert (notice.template, notice.values["item"]) == ("closed", "新生儿出生")


def test_a_step_that_is_lost_by_not_answering_is_told_and_one_that_was_taken_back_is_not() -> None:
    lost, taken_back = (
        events.Withdrawn(number=7, at=MONDAY, by=BY, act_id="a", step="first", grounds=grounds)
        for grounds in ("逾期未补正", "")
    )
    notice = notice_of(case(outcome="withdrawn"), lost)
    assert notice is not None
    assert notice.values["state"] == "视为撤回"
    assert notice_of(case(), taken_back) is None


def test_what_must_be_put_right_is_told_with_the_last_day_for_it() -> None:
    told = events.Told(number=7, at=MONDAY, by=BY, act_id="a", step="first", due_on=date(2026, 12, 14))
    notice = notice_of(case(), told)
    assert notice is not None
    assert (notice.template, notice.values["due"]) == ("supplement_asked", "2026年12月14日")


def test_the_day_is_the_one_on_which_the_decider_did_it_not_that_of_its_letter() -> None:
    at, done_at = MONDAY + timedelta(days=2), MONDAY - timedelta(days=1)
    event = events.Accepted(number=3, at=at, by=BY, act_id="a", step="first", done_at=done_at)
    notice = notice_of(case(), event)
    assert notice is not None
    assert notice.values["date"] == "2026年11月22日"


def test_only_the_home_tells_for_only_it_knows_the_applicant() -> None:
    assert notice_of(case(applicant=None), happened("accept")) is None


def test_the_day_is_that_of_china() -> None:
    event = events.Accepted(number=3, at=MONDAY + timedelta(hours=13), by=BY, act_id="a", step="first")
    notice = notice_of(case(), event)
    assert notice is not None
    assert notice.values["date"] == "2026年11月24日"


def test_a_notice_names_the_day_until_when_if_its_event_does() -> None:
    told = events.Told(number=7, at=MONDAY, by=BY, act_id="a", step="first", due_on=date(2026, 12, 1))
    notices = notice_of(case(), told), notice_of(case(), happened("accept"))
    assert [notice and notice.values.get("due") for notice in notices] == ["2026年12月1日", None]


def test_two_events_of_a_case_are_two_notices_and_one_event_told_twice_is_one() -> None:
    first, again, other = (notice_of(case(), happened(act)) for act in ("accept", "accept", "approve"))
    assert first == again
    later = happened("approve").model_copy(update={"number": 8})
    assert {notice and notice.id for notice in (first, other, notice_of(case(), later))} == {"case1:7", "case1:8"}


def test_an_application_is_told_to_the_applicant_if_his_agent_handed_it_in() -> None:
    event = happened("open")
    assert notice_of(case(), event) is None
    notice = notice_of(case(), event.model_copy(update={"by": BY.model_copy(update={"is_agent": True})}))
    assert notice is not None
    assert notice.template == "received"


def test_no_notice_names_anybody() -> None:
    told = [notice_of(case(), happened(act)) for act in TOLD if act not in ("open", "withdraw")]
    text = "".join(notice.model_dump_json() for notice in told if notice)
    assert all(told)
    assert [each for each in (person().name, person().id_number, *FORM.values()) if each in text] == []


def test_a_draft_is_told_once_for_each_day_on_which_it_would_expire() -> None:
    made = [
        draft_notice("d1", owner, bundle_name="新生儿出生", due_on=date(2026, 12, day), at=MONDAY)
        for owner, day in (("key-1", 1), ("key-1", 1), ("key-1", 2), ("key-2", 1))
    ]
    assert made[0] == made[1]
    assert len({each.id for each in made}) == 3
    assert (made[0].template, made[0].page) == ("draft_expiring", "pages/draft/draft?id=d1")
    assert made[0].values["due"] == "2026年12月1日"


def test_the_states_and_hints_fit_without_being_cut() -> None:
    for telling in (*TOLD.values(), EXPIRING):
        assert len(telling.state) <= LONGEST["phrase"]
        assert len(telling.hint) <= LONGEST["thing"]


def test_the_values_stand_at_the_keys_of_the_template() -> None:
    notice = notice_of(case(), happened("refuse"))
    assert notice is not None
    assert data_of(notice, FULL) == {
        "thing1": {"value": "新生儿出生"},
        "thing2": {"value": "事项first"},
        "phrase3": {"value": "不予"},
        "date4": {"value": "2026年11月23日"},
        "thing5": {"value": "请查看理由和救济途径"},
    }


@given(st.text("办件事项abc", min_size=1, max_size=60))
def test_a_long_name_is_cut_to_what_its_place_shows_and_says_so(name: str) -> None:
    notice = draft_notice("d1", "key", bundle_name=name, due_on=date(2026, 12, 1), at=MONDAY)
    shown = data_of(notice, FULL)["thing1"]["value"]
    assert len(shown) == min(len(name), 20)
    assert shown == name or (shown.endswith("…") and name.startswith(shown[:-1]))


def test_what_a_notice_does_not_say_is_left_out() -> None:
    notice = notice_of(case(), happened("accept"))
    template = Template(name="accepted", id="sample", keys={"bundle": "thing1", "due": "date2"})
    assert notice is not None
    assert data_of(notice, template).keys() == {"thing1"}


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({}, "at least one key"),
        ({"bundle": "thing1", "item": "thing1"}, "only once"),
        ({"bundle": "phrase1"}, "keys.bundle must stand at a key of the kind thing"),
        ({"date": "thing1"}, "kind date"),
        ({"state": "date1"}, "phrase or thing"),
        ({"state": "name1"}, "pattern"),
        ({"applicant": "thing1"}, "Input should be"),
    ],
)
def test_a_template_whose_values_do_not_fit_their_keys_is_refused(keys: Any, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        Template(name="decided", id="sample", keys=keys)


def test_each_template_is_named_once_and_found_by_its_name() -> None:
    assert Templates(template=(FULL,)).find("decided") == FULL
    assert Templates(template=(FULL,)).find("closed") is None
    with pytest.raises(ValidationError, match="only once"):
        Templates(template=(FULL, FULL))


def test_the_pauses_double_from_five_seconds_to_ten_minutes() -> None:
    assert [pause_after(attempts).total_seconds() for attempts in range(1, 11)] == [
        *(5, 10, 20, 40, 80, 160, 320),
        *(600, 600, 600),
    ]
