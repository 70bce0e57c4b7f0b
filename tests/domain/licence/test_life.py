"""Whatever is done to a licence, in any order: its state is known, what is over stays over, and the events tell all."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.errors import Refusal
from server.domain.licence.decide import LicenceStateForbids, decide, succession
from server.domain.licence.events import LICENCE_EVENT, LicenceEvent, LicenceReplaced
from server.domain.licence.licence import OVER, Licence, LicenceState
from server.domain.licence.lifecycle import evolve, replay
from server.domain.licence.moves import DoesNotFollow, NoLaterEnd, NotOverYet
from server.domain.licence.standing import STANDINGS, standing_on, state_code_on, words_on
from tests.domain.licence.issued import ISSUED_ON, LAST_DAY, every_act, facts_on, issue, licence_after

NAMES = sorted(every_act(licence_after()))
# Days around the issue, the last day, and some between; each act is done some days after the one before.
WAITS = st.sampled_from([0, 0, 1, 30, 400, (LAST_DAY - ISSUED_ON).days, (LAST_DAY - ISSUED_ON).days + 1])
LIVES = st.lists(st.tuples(st.sampled_from(NAMES), WAITS), max_size=12)
REFUSALS = (LicenceStateForbids, NotOverYet, DoesNotFollow, NoLaterEnd)


def lived(life: Sequence[tuple[str, int]]) -> tuple[list[LicenceEvent], list[Licence], list[Refusal]]:
    """The events of a life, the licence after each, and the refusals that some of its acts got."""
    told = list(decide(None, issue(), facts_on(ISSUED_ON)).events)
    known, refused, day = [replay(told)], [], ISSUED_ON
    for place, (name, days) in enumerate(life):
        day = min(day + timedelta(days=days), date(2099, 1, 1))
        act = every_act(known[-1], on=day)[name].model_copy(update={"id": f"{name}-{place}"})
        try:
            judgement = decide(known[-1], act, facts_on(day))
        except REFUSALS as refusal:
            refused.append(refusal)
            continue
        told += judgement.events
        known += judgement.values
    return told, known, refused


@pytest.mark.no_cover
@given(LIVES)
def test_any_order_of_acts_leaves_a_state_that_is_known_and_can_be_told(life: list[tuple[str, int]]):
    _, known, refused = lived(life)
    for licence in known:
        assert licence.state in get_args(LicenceState)
        assert licence.state == "valid" or licence.since
        for day in (ISSUED_ON, LAST_DAY, LAST_DAY + timedelta(days=1)):
            assert words_on(licence, day)
            assert state_code_on(licence, day).code == "99" or not state_code_on(licence, day).words
    for refusal in refused:
        assert refusal.code
        assert refusal.detail


@pytest.mark.no_cover
@given(LIVES)
def test_the_events_make_the_same_licence_again_however_they_were_kept(life: list[tuple[str, int]]):
    told, known, _ = lived(life)
    read = [LICENCE_EVENT.validate_json(LICENCE_EVENT.dump_json(event)) for event in told]
    assert replay(read) == known[-1]
    assert [event.number for event in read] == list(range(1, len(told) + 1))
    assert known[-1].version == len(told)


@pytest.mark.no_cover
@given(LIVES)
def test_what_is_over_is_never_valid_again(life: list[tuple[str, int]]):
    _, known, _ = lived(life)
    states = [licence.state for licence in known]
    first = next((place for place, state in enumerate(states) if state in OVER), len(states))
    assert set(states[first:]) <= OVER
    for licence in known[first:]:
        assert standing_on(licence, date(2099, 1, 1)) in OVER


@pytest.mark.no_cover
@given(LIVES)
def test_a_licence_that_was_replaced_has_one_successor_and_only_that_may_be_valid(life: list[tuple[str, int]]):
    told, known, _ = lived(life)
    replaced = [event for event in told if isinstance(event, LicenceReplaced)]
    assert len(replaced) <= 1
    for event in replaced:
        following = decide(None, succession(event), facts_on(event.successor.issued_on)).values[-1]
        assert (known[-1].state, known[-1].successor) == ("replaced", following.id)
        assert following.previous == known[-1].id
        assert following.identifier.version == known[-1].identifier.version + 1


@pytest.mark.no_cover
@given(LIVES, st.data())
def test_any_events_in_any_order_are_borne(life: list[tuple[str, int]], data: st.DataObject):
    """`evolve` is total: a stored event is a fact, whatever a program thinks of the state it finds."""
    told, _, _ = lived(life)
    licence = licence_after()
    for event in data.draw(st.permutations(told)):
        licence = evolve(licence, event)
        assert licence.state in get_args(LicenceState)
        assert (licence.state, licence.cause) in STANDINGS
