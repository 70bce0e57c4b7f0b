"""A mandate lets one person act for another: in the bundles it names, until its day, as long as it is not revoked."""

from datetime import date, timedelta
from typing import Any

import pytest

from server.domain.case import acts
from server.domain.effects.letters_out import commission_of
from server.domain.effects.notices import notice_of
from server.domain.errors import Refusal
from server.domain.people.mandates import (
    MOST_DAYS,
    MOST_IN_FORCE,
    AgentOf,
    Mandate,
    MandateNamesAnother,
    MandateOver,
    MandateRevoked,
    MandateSpanUnfit,
    MandateTooNarrow,
    MandateToOneself,
    NoSuchMandate,
    TooManyMandates,
    agent_of,
    check_acting,
    check_giving,
)
from server.domain.people.persons import SubjectGiven
from server.domain.rules.decide import decide
from server.domain.rules.lifecycle import evolve
from server.domain.values import CHINA
from tests.world import FACTS, MONDAY, after, application, citizen, later, opened, person

TODAY = date(2026, 11, 23)
AGENT = person("测试代理", sequence="006")


def mandate(**change: Any) -> Mandate:
    """One for a month, in one bundle, with these changes."""
    whole = Mandate(
        id="m1",
        principal="key-of-principal",
        principal_name="测**",
        agent=AGENT.key,
        agent_name=AGENT.name,
        bundles=("arrival",),
        begins_on=TODAY,
        ends_on=TODAY + timedelta(days=30),
    )
    return whole.model_copy(update=change)


def refusal_of(given: Mandate, *, agent: str = AGENT.key, bundle: str = "arrival", at: Any = MONDAY) -> type[Refusal]:
    """By which name acting under it is refused."""
    with pytest.raises(Refusal) as refused:
        check_acting(given, agent=agent, bundle=bundle, at=at)
    return refused.type


def test_the_agent_acts_in_the_bundles_of_the_mandate():
    assert check_acting(mandate(), agent=AGENT.key, bundle="arrival", at=MONDAY) is None


def test_for_a_stranger_there_is_no_such_mandate_however_it_stands():
    for given in (
        mandate(),
        mandate(revoked_at=MONDAY),
        mandate(ends_on=TODAY - timedelta(days=1)),
        mandate(bundles=()),
    ):
        assert refusal_of(given, agent="key-of-stranger") is NoSuchMandate
        assert refusal_of(given, agent=given.principal) is NoSuchMandate


def test_a_mandate_holds_to_the_end_of_its_last_day_in_china():
    last = mandate(ends_on=TODAY)
    midnight = MONDAY.astimezone(CHINA).replace(hour=0, minute=0) + timedelta(days=1)
    assert check_acting(last, agent=AGENT.key, bundle="arrival", at=midnight - timedelta(milliseconds=1)) is None
    assert refusal_of(last, at=midnight) is MandateOver
    assert [last.state(at) for at in (MONDAY, midnight)] == ["in_force", "over"]


def test_what_is_revoked_is_refused_also_when_it_is_over():
    revoked = mandate(revoked_at=MONDAY)
    assert refusal_of(revoked) is MandateRevoked
    assert refusal_of(revoked, at=later(days=90)) is MandateRevoked
    assert revoked.state(MONDAY) == "revoked"


@pytest.mark.parametrize("bundles", [(), ("departure",), ("arriva",)])
def test_a_bundle_that_is_not_named_is_refused_and_an_empty_scope_names_none(bundles: tuple[str, ...]):
    assert refusal_of(mandate(bundles=bundles)) is MandateTooNarrow


@pytest.mark.parametrize(
    ("change", "in_force", "refusal"),
    [
        ({"agent": "key-of-principal"}, 0, MandateToOneself),
        ({"ends_on": TODAY - timedelta(days=1)}, 0, MandateSpanUnfit),
        ({"ends_on": TODAY + timedelta(days=MOST_DAYS + 1)}, 0, MandateSpanUnfit),
        ({}, MOST_IN_FORCE, TooManyMandates),
    ],
)
def test_what_is_no_mandate_is_not_given(change: dict[str, Any], in_force: int, refusal: type[Refusal]):
    with pytest.raises(refusal):
        check_giving(mandate(**change), in_force=in_force)


@pytest.mark.parametrize("days", [0, 365, MOST_DAYS])
def test_a_mandate_lasts_from_a_day_to_a_year(days: int):
    given = mandate(ends_on=TODAY + timedelta(days=days))
    assert check_giving(given, in_force=MOST_IN_FORCE - 1) is None


def test_a_case_remembers_who_handed_it_in_and_under_which_mandate():
    given = mandate()
    assert agent_of(given, AGENT) == AgentOf(person=AGENT, mandate="m1", ends_on=given.ends_on)


def test_whoever_has_the_number_and_another_name_is_not_the_one_who_was_meant():
    with pytest.raises(MandateNamesAnother):
        agent_of(mandate(agent_name="测试别人"), AGENT)


def test_two_mandates_of_one_wish_are_told_from_two_of_different_wishes():
    assert mandate().is_for(mandate(begins_on=TODAY - timedelta(days=1), revoked_at=MONDAY))
    assert not mandate().is_for(mandate(bundles=("arrival", "departure")))
    assert not mandate().is_for(mandate(ends_on=TODAY))


@pytest.mark.parametrize(("is_agent", "told"), [(False, set()), (True, {"已撤回"})])
def test_the_applicant_is_told_what_his_agent_took_back_and_not_what_he_took_back_himself(
    is_agent: bool, told: set[str]
):
    by = citizen().model_copy(update={"is_agent": is_agent})
    case, notices = opened(), []
    for event in decide(case, acts.Withdraw(id="withdraw", by=by), FACTS).events:
        case = evolve(case, event)
        notices.append(notice_of(case, event))
    assert {each.values["state"] for each in notices if each} == told
    assert {each.person for each in notices if each} <= {person().key}


def test_another_province_learns_nothing_of_the_agent_or_the_subject():
    agent = AgentOf(person=AGENT, mandate="m1", ends_on=TODAY)
    subject = SubjectGiven(name="测试逝者", id_number=person(sequence="003").id_number)
    whole = application().model_copy(update={"agent": agent, "subject": subject})
    case = after(None, acts.Open(id="open", by=citizen(), number="case1", application=whole))
    assert (case.agent, case.subject) == (agent, subject)
    sent = commission_of(case, case.step("second"))
    assert sent == commission_of(opened(), opened().step("second"))
    assert not [each for each in (AGENT.id_number, subject.id_number, "m1") if each in sent.model_dump_json()]
