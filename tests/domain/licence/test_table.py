"""The table of a licence: each row does what it says, and nothing else moves a licence."""

from datetime import timedelta
from itertools import product
from typing import get_args

import pytest

from server.domain.aggregate.actors import Actor
from server.domain.errors import Forbidden, StaleVersion
from server.domain.licence import acts
from server.domain.licence.acts import GroundedAct, LicenceAct
from server.domain.licence.decide import (
    IssuedAlready,
    IssuedTooEarly,
    LicenceStateForbids,
    NotOurLicence,
    NotTheIssuer,
    decide,
    succession,
)
from server.domain.licence.events import LICENCE_EVENT, LICENCE_KINDS, LicenceReplaced
from server.domain.licence.licence import OVER, Grant, Licence, LicenceState, NeverIssued
from server.domain.licence.lifecycle import evolve, replay
from server.domain.licence.moves import (
    LICENCE_MOVES,
    LICENCE_TABLE,
    MOVE_OF_ACT,
    MOVE_OF_EVENT,
    DoesNotFollow,
    NoLaterEnd,
    NotOverYet,
)
from server.domain.licence.standing import standing_on
from tests.domain.licence.issued import (
    CLOCK,
    ISSUED_ON,
    LAST_DAY,
    PERMIT,
    WAY_TO,
    award,
    events_of,
    every_act,
    facts_on,
    holder,
    issue,
    licence_after,
    successor,
)
from tests.world import JIANGSU, citizen, officer, peer, pinned

STATES: tuple[LicenceState, ...] = get_args(LicenceState)
ROWS: dict[tuple[LicenceState, str], LicenceState] = {
    ("valid", "suspend"): "suspended",
    ("valid", "revoke"): "revoked",
    ("valid", "withdraw"): "withdrawn",
    ("valid", "annul"): "annulled",
    ("valid", "expire"): "expired",
    ("valid", "renew"): "replaced",
    ("valid", "change"): "replaced",
    ("valid", "reissue"): "replaced",
    ("valid", "correct"): "replaced",
    ("valid", "move_out"): "moved_out",
    ("suspended", "restore"): "valid",
    ("suspended", "revoke"): "revoked",
    ("suspended", "withdraw"): "withdrawn",
    ("suspended", "annul"): "annulled",
    ("suspended", "expire"): "expired",
    ("moved_out", "cancel_move_out"): "valid",
    ("moved_out", "revoke"): "revoked",
    ("moved_out", "withdraw"): "withdrawn",
    ("moved_out", "annul"): "annulled",
    ("moved_out", "expire"): "expired",
    ("expired", "reissue"): "replaced",
    ("expired", "annul"): "annulled",
    ("revoked", "annul"): "annulled",
    ("withdrawn", "annul"): "annulled",
}
NAMES = tuple(every_act(licence_after()))
SECOND = LAST_DAY + timedelta(days=1)


def test_the_table_has_these_rows_and_no_other():
    assert dict(LICENCE_TABLE) == ROWS
    assert set(NAMES) == {move.act.name for move in LICENCE_MOVES}
    assert {move.event.act for move in LICENCE_MOVES} == set(NAMES)


def test_nothing_leads_back_from_what_is_over():
    assert {state for (before, _), state in LICENCE_TABLE.items() if before in OVER} <= OVER
    assert {before for before, _ in LICENCE_TABLE} == set(STATES) - {"annulled", "replaced"}


def test_no_act_can_be_done_twice_in_a_row():
    assert [row for row, state in LICENCE_TABLE.items() if (state, row[1]) in LICENCE_TABLE] == []


def test_each_move_has_one_act_and_one_event():
    assert len(MOVE_OF_ACT) == len(MOVE_OF_EVENT) == len(LICENCE_MOVES) == 12
    assert {kind.model_fields["kind"].default for kind in MOVE_OF_EVENT} | {"issued"} == LICENCE_KINDS


@pytest.mark.parametrize(("state", "name"), list(product(STATES, NAMES)))
def test_each_act_in_each_state_does_what_its_row_says_or_is_refused(state: LicenceState, name: str):
    licence = licence_after(WAY_TO[state])
    assert licence.state == state
    day = SECOND if name == "expire" or state == "expired" else ISSUED_ON
    act = every_act(licence, on=day)[name]
    if (state, name) not in ROWS:
        with pytest.raises(LicenceStateForbids):
            decide(licence, act, facts_on(day))
        return
    (after,) = decide(licence, act, facts_on(day)).values
    assert after.state == ROWS[state, name]
    assert after.version == licence.version + 1
    assert (after.since, after.id) == (facts_on(day).at, licence.id)
    assert isinstance(act, GroundedAct)
    assert (after.reason, after.basis) == (act.reason, act.basis)


@pytest.mark.parametrize("name", NAMES)
def test_an_event_that_the_table_does_not_know_here_moves_nothing_but_has_happened(name: str):
    before = next(state for state in STATES if (state, name) in ROWS)
    event = events_of((*WAY_TO[before], name))[-1]
    for state in STATES:
        licence = licence_after(WAY_TO[state])
        after = evolve(licence, event)
        expected = ROWS.get((state, name), state)
        assert (after.state, after.version) == (expected, event.number)


@pytest.mark.parametrize("state", STATES)
def test_what_is_stored_is_read_and_replayed_alike(state: LicenceState):
    told = events_of(WAY_TO[state])
    read = [LICENCE_EVENT.validate_json(LICENCE_EVENT.dump_json(event)) for event in told]
    assert tuple(read) == told
    assert replay(read) == licence_after(WAY_TO[state])
    assert Licence.model_validate_json(replay(read).model_dump_json()) == replay(read)


def test_a_second_issue_changes_nothing():
    (event,) = events_of()
    licence = licence_after(("suspend",))
    assert evolve(licence, event.model_copy(update={"number": 3})) == licence.model_copy(update={"version": 3})
    with pytest.raises(IssuedAlready):
        decide(licence, issue(), facts_on(ISSUED_ON))


def test_nothing_happens_to_what_was_never_issued():
    act = every_act(licence_after())["suspend"]
    with pytest.raises(NeverIssued):
        decide(None, act, facts_on(ISSUED_ON))
    with pytest.raises(ValueError, match="no events"):
        replay([])
    with pytest.raises(ValueError, match="issues it"):
        evolve(None, events_of(("suspend",))[-1])


def test_an_act_of_no_kind_is_a_fault_of_the_program():
    with pytest.raises(TypeError, match="no rule judges"):
        decide(licence_after(), LicenceAct(id="x", by=CLOCK), facts_on(ISSUED_ON))
    move, (issued, suspended) = MOVE_OF_ACT[acts.RevokeLicence], events_of(("suspend",))
    with pytest.raises(TypeError, match="SuspendLicence is not"):
        move.event_of(
            licence_after(), acts.SuspendLicence(id="s", by=CLOCK, reason="x", basis="x"), facts_on(ISSUED_ON)
        )
    with pytest.raises(TypeError, match="LicenceSuspended is not"):
        move.left_by(suspended)
    assert issued.number == 1


@pytest.mark.parametrize("name", NAMES)
def test_only_the_issuing_authority_moves_a_licence_and_the_node_what_may_follow(name: str):
    before = next(state for state in STATES if (state, name) in ROWS)
    licence = licence_after(WAY_TO[before])
    day = SECOND if name == "expire" else ISSUED_ON
    act = every_act(licence, on=day)[name]
    posing = citizen().model_copy(update={"authority": licence.authority.id})
    for other in (citizen(), posing, officer("transport"), officer("health", node="330000"), peer()):
        with pytest.raises((NotTheIssuer, NotOurLicence)):
            decide(licence, act.model_copy(update={"by": other}), facts_on(day))
    by_rule = act.model_copy(update={"by": CLOCK})
    if name in ("annul", "expire", "renew", "change", "reissue", "move_out"):
        assert decide(licence, by_rule, facts_on(day)).events
    else:
        with pytest.raises(NotTheIssuer):
            decide(licence, by_rule, facts_on(day))


@pytest.mark.parametrize("by", [citizen(), officer("transport"), peer()])
def test_only_the_authority_on_its_face_issues_a_licence(by: Actor):
    with pytest.raises((Forbidden, NotOurLicence)):
        decide(None, issue(by=by), facts_on(ISSUED_ON))
    assert decide(None, issue(by=CLOCK), facts_on(ISSUED_ON)).values[-1].state == "valid"


def test_a_licence_is_issued_on_no_day_to_come():
    with pytest.raises(IssuedTooEarly):
        decide(None, issue(), facts_on(ISSUED_ON - timedelta(days=1)))


def test_an_officer_who_saw_an_older_licence_is_told_so():
    licence = licence_after(("suspend",))
    act = every_act(licence)["restore"]
    with pytest.raises(StaleVersion):
        decide(licence, act.model_copy(update={"version": 1}), facts_on(ISSUED_ON))
    assert decide(licence, act.model_copy(update={"version": 2}), facts_on(ISSUED_ON)).events


@pytest.mark.parametrize("state", ["valid", "suspended", "moved_out"])
def test_a_licence_expires_on_the_day_after_its_last_one(state: LicenceState):
    licence = licence_after(WAY_TO[state])
    act = every_act(licence)["expire"]
    with pytest.raises(NotOverYet):
        decide(licence, act, facts_on(LAST_DAY, hour=23))
    assert decide(licence, act, facts_on(SECOND, hour=0)).values[-1].state == "expired"


def test_what_has_not_begun_can_be_ended_already():
    licence = licence_after().model_copy(update={"effective_on": SECOND, "expires_on": None})
    assert standing_on(licence, ISSUED_ON) == "pending"
    for name in ("suspend", "revoke", "withdraw", "annul"):
        assert decide(licence, every_act(licence)[name], facts_on(ISSUED_ON)).events


def test_what_has_no_end_never_expires():
    licence = licence_after().model_copy(update={"expires_on": None})
    with pytest.raises(NotOverYet):
        decide(licence, every_act(licence)["expire"], facts_on(SECOND))


@pytest.mark.parametrize("name", NAMES)
def test_after_its_last_day_a_licence_is_treated_as_expired_though_the_clock_has_not_run(name: str):
    for state in ("valid", "suspended", "moved_out"):
        licence = licence_after(WAY_TO[state])
        assert standing_on(licence, SECOND) == "expired"
        act = every_act(licence, on=SECOND)[name]
        if name == "expire" or {(state, name), ("expired", name)} <= ROWS.keys():
            assert decide(licence, act, facts_on(SECOND)).values[-1].state in OVER
        else:
            with pytest.raises(LicenceStateForbids):
                decide(licence, act, facts_on(SECOND))


@pytest.mark.parametrize("name", ["renew", "change", "reissue", "correct"])
def test_another_licence_takes_the_place_of_one_that_was_replaced(name: str):
    licence = licence_after()
    (event,) = decide(licence, every_act(licence)[name], facts_on(ISSUED_ON)).events
    assert isinstance(event, LicenceReplaced)
    replaced = evolve(licence, event)
    following = decide(None, succession(event), facts_on(ISSUED_ON)).values[-1]
    assert (replaced.successor, following.previous) == (following.id, replaced.id)
    assert following.identifier == licence.identifier.next_version()
    assert (replaced.cause, following.state) == (event.kind, "valid")
    assert succession(event) == succession(event)
    assert succession(event).id == f"{name}/successor"
    act = every_act(licence)[name].model_copy(update={"digest": "abc"})
    (event,) = decide(licence, act, facts_on(ISSUED_ON)).events
    assert (event.act_digest, succession(event).digest) == ("abc", "abc")


GAPS: dict[str, tuple[str, dict[str, object]]] = {
    "another version": ("change", {"identifier": licence_after().identifier.model_copy(update={"version": 3})}),
    "another serial number": (
        "change",
        {"identifier": licence_after().identifier.model_copy(update={"version": 2, "serial": "X"})},
    ),
    "no name of the one before": ("correct", {"previous": ""}),
    "another authority": ("reissue", {"authority": pinned("transport", JIANGSU)}),
    "a day to come": ("change", {"effective_on": SECOND}),
    "an issue to come": ("change", {"issued_on": SECOND}),
    "another holder, renewed": ("renew", {"holders": (holder("测试乙", sequence="002"),)}),
    "another holder, issued anew": ("reissue", {"holders": (holder("测试乙", sequence="002"),)}),
}


@pytest.mark.parametrize(("name", "change"), GAPS.values(), ids=GAPS.keys())
def test_what_takes_the_place_of_a_licence_follows_it(name: str, change: dict[str, object]):
    licence = licence_after()
    act = every_act(licence)[name]
    assert isinstance(act, acts.ReplaceLicence)
    with pytest.raises(DoesNotFollow):
        decide(
            licence,
            act.model_copy(update={"successor": act.successor.model_copy(update=change)}),
            facts_on(ISSUED_ON),
        )


def test_a_change_or_a_correction_may_name_another_holder():
    licence = licence_after()
    for name in ("change", "correct"):
        act = every_act(licence)[name]
        other: Grant = successor(licence, holders=(holder("测试乙", sequence="002"),))
        assert decide(licence, act.model_copy(update={"successor": other}), facts_on(ISSUED_ON)).events


def test_a_licence_is_renewed_beyond_its_last_day_and_not_if_it_has_none():
    licence = licence_after()
    act = every_act(licence)["renew"]
    for last in (LAST_DAY, LAST_DAY - timedelta(days=1)):
        same = act.model_copy(update={"successor": successor(licence, expires_on=last)})
        with pytest.raises(NoLaterEnd):
            decide(licence, same, facts_on(ISSUED_ON))
    for later in (LAST_DAY + timedelta(days=1), None):
        longer = act.model_copy(update={"successor": successor(licence, expires_on=later)})
        assert decide(licence, longer, facts_on(ISSUED_ON)).events
    with pytest.raises(NoLaterEnd):
        decide(licence.model_copy(update={"expires_on": None}), act, facts_on(ISSUED_ON))


def test_a_place_that_it_moved_to_is_kept_until_it_comes_back():
    away = licence_after(("move_out",))
    assert away.moved_to == "示例地"
    back = decide(away, every_act(away)["cancel_move_out"], facts_on(ISSUED_ON)).values[-1]
    assert (back.state, back.moved_to) == ("valid", "")


def test_the_builders_make_what_the_catalogue_says():
    licence = licence_after()
    assert (licence.name, licence.expires_on, licence.face) == (PERMIT.name, LAST_DAY, award().face)
