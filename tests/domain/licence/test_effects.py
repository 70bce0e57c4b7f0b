"""What follows the events of a licence: who finds it, who is told, what takes its place, and when clockwork looks."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from server.domain.aggregate.judging import Judgement
from server.domain.effects.effects import Effect
from server.domain.effects.licensing import (
    HINTS,
    OVER_HINT,
    LicensingFacts,
    alarm_of,
    effects_of_licence,
    finders,
    people_of,
    reminders_of,
)
from server.domain.licence.acts import IssueLicence
from server.domain.licence.decide import decide
from server.domain.licence.events import LicenceEvent
from server.domain.licence.granting import grant_of
from server.domain.licence.licence import OVER, Licence, Origin
from server.domain.values import CHINA
from tests.domain.licence.issued import (
    CLOCK,
    ISSUED_ON,
    LAST_DAY,
    PERMIT,
    WAY_TO,
    award,
    every_act,
    holder,
    issue,
    licence_after,
)
from tests.world import JIANGSU, ZHEJIANG

RESULTS = {"permit": PERMIT}
ABROAD = Origin(case=f"{ZHEJIANG}/abc", step="one", act_id="approve")


def key_of(number: str) -> str:
    return f"key of {number[-4:]}"


HOLDER_KEY = key_of(holder().number)


def knowing(day: date = ISSUED_ON) -> LicensingFacts:
    at = datetime(day.year, day.month, day.day, 10, tzinfo=CHINA)
    return LicensingFacts(here=JIANGSU, at=at, results=RESULTS, key_of=key_of, salt=b"s" * 16)


def issued(**change: Any) -> Judgement[Licence, LicenceEvent]:
    """The decision that issues the permit, of an award with this change."""
    return decide(None, issue(grant_of(PERMIT, award(**change), on=ISSUED_ON)), knowing())


def moved(name: str, **change: Any) -> Judgement[Licence, LicenceEvent]:
    """The decision that does this to it."""
    licence = issued(**change).values[-1]
    day = LAST_DAY + timedelta(days=1) if name == "expire" else ISSUED_ON
    return decide(licence, every_act(licence)[name], knowing(day))


def effects(decision: Judgement[Licence, LicenceEvent], threads: Mapping[str, str] | None = None) -> tuple[Effect, ...]:
    return effects_of_licence(decision, knowing(), threads=threads or {})[0]


def test_a_licence_of_a_case_here_is_found_by_its_holder_who_is_told():
    found = effects(issued())
    clues = [each.clues for each in found if each.clues]
    assert [each.text for clue in clues for each in clue.clues] == [HOLDER_KEY]
    assert [each.notice.person for each in found if each.notice] == [HOLDER_KEY]
    assert [(each.deed.act, each.deed.step) for each in found if each.deed] == [("issue", "one")]
    assert not [each for each in found if each.letter or each.issue]


def test_the_applicant_finds_and_hears_of_it_too():
    licence = issued(origin=Origin(case=f"{JIANGSU}/abc", step="one", act_id="approve", applicant="mother")).values[-1]
    assert finders(licence, key_of) == (HOLDER_KEY, "mother")
    assert people_of(licence, key_of) == (HOLDER_KEY, "mother")
    assert [each.person for each in reminders_of(licence, at=knowing().at, key_of=key_of)] == [HOLDER_KEY, "mother"]


def test_the_home_of_its_case_is_told_by_letters_in_order_and_tells_its_people_itself():
    found, threads = effects_of_licence(issued(origin=ABROAD), knowing(), threads={})
    [first] = [each.letter for each in found if each.letter]
    assert (first.to, first.after, threads) == (ZHEJIANG, None, {ZHEJIANG: first.id})
    assert not [each for each in found if each.notice]
    [second] = [each.letter for each in effects(moved("suspend", origin=ABROAD), threads) if each.letter]
    assert (second.after, second.body["state"]) == (first.id, "suspended")
    assert second.id != first.id


@pytest.mark.parametrize("name", ["renew", "change", "reissue", "correct"])
def test_what_takes_its_place_is_issued_next(name: str):
    decision = moved(name)
    [act] = [each.issue for each in effects(decision) if each.issue]
    assert isinstance(act, IssueLicence)
    assert (act.grant.previous, act.grant.id) == (decision.values[-1].id, decision.values[-1].successor)


def test_nobody_at_a_desk_has_done_what_the_clock_did():
    decision = moved("expire")
    assert decision.events[-1].by == CLOCK
    assert not [each for each in effects(decision) if each.deed]


@pytest.mark.parametrize("state", WAY_TO)
def test_each_state_is_told_with_what_to_do_next(state: str):
    names = WAY_TO[state]  # type: ignore[index]
    decision = moved(names[0]) if names else issued()
    [notice] = [each.notice for each in effects(decision) if each.notice]
    said = set(notice.values.values())
    assert ("已颁发" in said) == (state == "valid")
    assert said & {*HINTS.values(), OVER_HINT}


def test_clockwork_looks_when_it_reminds_and_when_the_last_day_is_over():
    licence = issued().values[-1]
    reminded = datetime(2031, 11, 1, 9, tzinfo=CHINA)
    assert alarm_of(licence, RESULTS) == reminded
    over = datetime(2031, 12, 2, tzinfo=CHINA)
    assert alarm_of(licence, RESULTS, after=reminded) == over
    assert alarm_of(licence, {}) == over
    assert alarm_of(licence, RESULTS, after=over) is None
    assert alarm_of(licence.model_copy(update={"expires_on": None}), RESULTS) is None


@pytest.mark.parametrize("state", [state for state in WAY_TO if state in OVER])
def test_clockwork_looks_at_none_that_is_over(state: str):
    assert alarm_of(licence_after(WAY_TO[state]), RESULTS) is None  # type: ignore[index]
