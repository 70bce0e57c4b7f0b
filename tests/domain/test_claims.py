"""Who has a task in hand: one officer at a time, for as long as his lease runs or nobody else wants it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.errors import Refusal
from server.domain.people.claims import (
    Claim,
    ClaimedByAnother,
    ClaimLost,
    ClaimNeeded,
    HandOver,
    check_free,
    claimed,
    extended,
    handed_over,
    released,
)

START = datetime(2026, 11, 23, 5, 45, tzinfo=UTC)
LEASE = timedelta(minutes=15)
NOBODYS = Claim(id="c:first", case="c", step="first", authority="health/320102")
NAMES = ("anna", "bert", "cara")


def minutes(number: float) -> datetime:
    return START + timedelta(minutes=number)


def annas(at: datetime = START) -> Claim:
    return claimed(NOBODYS, "anna", at=at, until=at + LEASE)


def pass_on(claim: Claim, by: str, to: str = "bert", *, note: str = "", at: datetime = START, **more: bool) -> Claim:
    passing = HandOver(by=by, to=to, note=note, at=at)
    return handed_over(claim, passing, **{"is_head": False, **more}, until=at + LEASE)


def test_a_task_that_nobody_has_is_had_by_who_claims_it() -> None:
    claim = annas()
    assert (claim.holder, claim.until, claim.version) == ("anna", minutes(15), 1)
    assert not claim.is_anothers("anna", minutes(14))
    assert claim.is_anothers("bert", minutes(14))


def test_a_claimed_task_is_refused_with_its_holder_and_until_when() -> None:
    with pytest.raises(ClaimedByAnother) as told:
        claimed(annas(), "bert", at=minutes(14), until=minutes(29))
    assert told.value.more == {"holder": "anna", "until": "2026-11-23T14:00:00.000+08:00"}
    assert "anna" in told.value.detail


def test_at_its_very_end_a_lease_is_over_and_another_may_claim() -> None:
    assert annas().is_live(minutes(15) - timedelta(milliseconds=1))
    assert not annas().is_live(minutes(15))
    taken = claimed(annas(), "bert", at=minutes(15), until=minutes(30))
    assert (taken.holder, taken.version) == ("bert", 2)


def test_claiming_twice_is_going_on() -> None:
    assert claimed(annas(), "anna", at=minutes(5), until=minutes(20)).until == minutes(20)


def test_a_heartbeat_goes_on_also_after_the_end_if_nobody_took_it() -> None:
    assert extended(annas(), "anna", at=minutes(10), until=minutes(25)).until == minutes(25)
    assert extended(annas(), "anna", at=minutes(60), until=minutes(75)).until == minutes(75)


def test_a_heartbeat_of_who_lost_the_task_names_who_has_it_now() -> None:
    berts = claimed(annas(), "bert", at=minutes(20), until=minutes(35))
    with pytest.raises(ClaimLost) as told:
        extended(berts, "anna", at=minutes(21), until=minutes(36))
    assert told.value.more["holder"] == "bert"
    for free in (released(berts, "bert", at=minutes(22)), berts):
        with pytest.raises(ClaimLost) as told:
            extended(free, "anna", at=minutes(50), until=minutes(65))
        assert told.value.more == {}


def test_a_released_task_is_free_and_releasing_it_again_changes_nothing() -> None:
    free = released(annas(), "anna", at=minutes(1))
    assert (free.holder, free.until, free.version) == ("", None, 2)
    assert released(free, "anna", at=minutes(2)) is free
    assert released(free, "bert", at=minutes(2)) is free
    check_free(free, "bert", at=minutes(2))


def test_nobody_releases_what_another_has_in_hand() -> None:
    with pytest.raises(ClaimedByAnother):
        released(annas(), "bert", at=minutes(1))
    over = annas()
    assert released(over, "bert", at=minutes(16)) is over


def test_a_hand_over_gives_the_colleague_a_lease_and_the_note() -> None:
    passed = pass_on(annas(), "anna", note="已电话核实", at=minutes(5))
    assert (passed.holder, passed.until) == ("bert", minutes(20))
    assert passed.hand_over == HandOver(by="anna", to="bert", note="已电话核实", at=minutes(5))
    assert pass_on(passed, "anna", note="已电话核实", at=minutes(6)) is passed, "a repeat changes nothing"
    with pytest.raises(ClaimedByAnother):
        pass_on(passed, "anna", note="另一说明", at=minutes(6))


def test_the_note_of_a_hand_over_outlives_the_lease_and_the_next_claim() -> None:
    passed = pass_on(annas(), "anna", note="已电话核实")
    free = released(passed, "bert", at=minutes(1))
    again = claimed(free, "cara", at=minutes(2), until=minutes(17))
    assert passed.hand_over == free.hand_over == again.hand_over


def test_an_officer_passes_on_only_what_he_has() -> None:
    with pytest.raises(ClaimNeeded):
        pass_on(NOBODYS, "anna")
    with pytest.raises(ClaimedByAnother):
        pass_on(annas(), "bert", "cara", at=minutes(1))
    with pytest.raises(ClaimNeeded):
        pass_on(annas(), "bert", "cara", at=minutes(16))
    assert pass_on(annas(), "anna", at=minutes(16)).holder == "bert", "his, as long as nobody took it"


def test_a_head_of_the_authority_passes_on_anybodys() -> None:
    for claim in (NOBODYS, annas()):
        assert pass_on(claim, "cara", at=minutes(1), is_head=True).holder == "bert"
        with pytest.raises(Refusal):
            pass_on(claim, "cara", at=minutes(1))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("claim", "extend", "release", "pass")),
        st.sampled_from(NAMES),
        st.sampled_from(NAMES),
        st.floats(0, 12),
    ),
    max_size=30,
)


@given(STEPS)
def test_whatever_officers_do_a_live_lease_changes_hands_by_its_holder_alone(steps: list[Any]) -> None:
    claim, at = NOBODYS, START
    for what, who, other, pause in steps:
        at += timedelta(minutes=pause)
        before, until = claim, at + LEASE
        try:
            if what == "pass":
                claim = pass_on(claim, who, other, note=str(at), at=at)
            elif what == "release":
                claim = released(claim, who, at=at)
            else:
                claim = (claimed if what == "claim" else extended)(claim, who, at=at, until=until)
        except Refusal:
            assert claim is before
            continue
        assert not before.is_anothers(who, at), "only who has it, or anybody when nobody has it"
        assert claim.version - before.version == (claim is not before)
        assert claim.is_live(at) == (what != "release")
        assert claim.holder == {"claim": who, "extend": who, "pass": other}.get(what, claim.holder)
