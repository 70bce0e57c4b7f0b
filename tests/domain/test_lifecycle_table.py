"""The table of moves: each row does what it says, and nothing else moves a step."""

from itertools import product
from typing import Any, get_args

import pytest

from server.domain import acts, events
from server.domain.acts import Act
from server.domain.case import ENDED, HELD, STATE_NAMES, Case, State
from server.domain.lifecycle import TABLE, StateForbids, decide, evolve, replay
from tests.world import FACTS, MONDAY, after, later, officer, opened, peer, planned, worked

STEP = "step"  # its need is decided in Zhejiang, it is decided here
STATES: tuple[State, ...] = get_args(State)
ROWS: dict[tuple[State, str], State] = {
    ("waiting", "send"): "sent",
    ("waiting", "skip"): "skipped",
    ("waiting", "withdraw"): "withdrawn",
    ("sent", "receive"): "received",
    ("sent", "withdraw"): "withdrawn",
    ("received", "accept"): "accepted",
    ("received", "withdraw"): "withdrawn",
    ("accepted", "approve"): "approved",
    ("accepted", "refuse"): "refused",
    ("accepted", "withdraw"): "withdrawn",
}
NEED_APPROVED, NEED_REFUSED = (worked("need", peer(), until=until) for until in ("approved", "refused"))
ACTS: dict[str, Act] = {
    "send": NEED_APPROVED[-1],  # nobody wishes for these two: they follow from what happens to the need
    "skip": NEED_REFUSED[-1],
    "receive": acts.Receive(id="act", by=officer(), step=STEP),
    "accept": acts.Accept(id="act", by=officer(), step=STEP),
    "approve": acts.Approve(id="act", by=officer(), step=STEP),
    "refuse": acts.Refuse(id="act", by=officer(), step=STEP, grounds="材料不实"),
    "withdraw": acts.LetGo(id="act", by=officer(), step=STEP),
}
WISHED = ("receive", "accept", "approve", "refuse", "withdraw")
SAID: dict[str, dict[str, Any]] = {  # what an event of this act must say besides
    "send": {"node": "320000", "directory_version": 1},
    "refuse": {"grounds": "材料不实"},
    "skip": {"waits_on": "need"},
}


def case_in(state: State) -> Case:
    """A case whose step stands in this state; while it waits, its need stands before the decision."""
    plan = [planned("need", division="330000"), planned(STEP, needs=["need"])]
    case = after(opened(plan), *NEED_APPROVED[:2])
    if state == "waiting":
        return case
    if state == "skipped":
        return after(case, ACTS["skip"])
    case = after(case, ACTS["send"])
    if state == "withdrawn":
        return after(case, ACTS["withdraw"])
    return after(case, *worked(STEP, officer(), until=state))


def test_the_table_has_these_rows_and_no_others():
    assert dict(TABLE) == ROWS


def test_every_state_has_a_chinese_name_and_an_ended_one_is_left_by_no_row():
    assert set(STATE_NAMES) == set(STATES)
    assert {state for state, _ in TABLE} == set(STATES) - ENDED
    assert set(STATES) - ENDED - {"waiting"} == HELD


@pytest.mark.parametrize(("row", "then"), ROWS.items(), ids=[f"{state}-{act}" for state, act in ROWS])
def test_each_row_of_the_table_moves_the_step_as_it_says(row: tuple[State, str], then: State):
    case = case_in(row[0])
    assert case.steps[STEP].state == row[0]
    moved = after(case, ACTS[row[1]]).steps[STEP]
    assert moved.state == then
    assert moved.version > case.steps[STEP].version


@pytest.mark.parametrize(
    ("state", "act"), [pair for pair in product(STATES, WISHED) if pair not in ROWS], ids=lambda part: str(part)
)
def test_every_other_act_is_refused_and_changes_nothing(state: State, act: str):
    case = case_in(state)
    before = case.model_dump_json()
    with pytest.raises(StateForbids, match=STATE_NAMES[state]):
        decide(case, ACTS[act], FACTS)
    assert case.model_dump_json() == before


def test_nobody_can_wish_for_a_step_to_be_sent_or_skipped():
    assert {kind.name for kind in acts.StepAct.__subclasses__()} == {*WISHED, "ask_withdrawal"}


@pytest.mark.parametrize(
    ("state", "kind"), list(product(STATES, events.Moved.__subclasses__())), ids=lambda part: getattr(part, "act", part)
)
def test_an_event_is_never_refused_and_moves_by_the_table_or_not_at_all(state: State, kind: type[events.Moved]):
    case = case_in(state)
    event = kind(number=90, at=later(days=1), by=peer(), act_id="a", step=STEP, **SAID.get(kind.act, {}))
    then = evolve(case, event).steps[STEP]
    assert then.state == ROWS.get((state, kind.act), state)
    assert (then.version, then.since) == (90, later(days=1))


def test_a_move_leaves_its_words_in_the_step():
    refused = after(case_in("accepted"), ACTS["refuse"]).steps[STEP]
    assert (refused.grounds, dict(refused.result)) == ("材料不实", {})
    granted = acts.Approve(id="a", by=officer(), step=STEP, result={"step_number": "7"})
    approved = after(case_in("accepted"), granted).steps[STEP]
    assert (approved.grounds, dict(approved.result)) == ("", {"step_number": "7"})


def test_without_a_first_event_there_is_no_case():
    receive = events.Received(number=1, at=MONDAY, by=officer(), act_id="a", step=STEP)
    with pytest.raises(ValueError, match="first event"):
        evolve(None, receive)
    with pytest.raises(ValueError, match="no events"):
        replay([])
