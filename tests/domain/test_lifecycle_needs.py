"""What follows from a move: steps start when all they need is approved, or are skipped, and cases close."""

from itertools import permutations

import pytest

from server.domain.aggregate.actors import Actor
from server.domain.case import acts
from server.domain.case.case import Case
from server.domain.rules.decide import decide
from tests.domain.places import directory_of
from tests.world import (
    FACTS,
    JIANGSU,
    MONDAY,
    NOWHERE,
    ZHEJIANG,
    after,
    citizen,
    facts,
    later,
    officer,
    opened,
    opening,
    peer,
    planned,
    request,
    worked,
)

DIAMOND = (
    planned("top"),
    planned("left", needs=["top"]),
    planned("right", needs=["top"], division="330106"),
    planned("bottom", needs=["left", "right"]),
    planned("last", needs=["bottom"]),
)
WITHDRAW = acts.Withdraw(id="withdraw", by=citizen())


def states(case: Case) -> dict[str, str]:
    """The state of each step, by its code."""
    return {code: step.state for code, step in case.steps.items()}


def test_opening_sends_every_step_that_needs_nothing_to_its_decider():
    case = opened([planned("here"), planned("there", division="330106"), planned("later", needs=["here"])])
    assert states(case) == {"here": "sent", "there": "sent", "later": "waiting"}
    assert (case.steps["here"].node, case.steps["there"].node, case.steps["later"].node) == (JIANGSU, ZHEJIANG, "")
    assert case.opened_at == MONDAY
    assert case.closed_at is None


@pytest.mark.parametrize("ending", list(permutations(["left", "right"])))
def test_a_step_starts_only_when_all_it_needs_is_approved(ending: tuple[str, str]):
    by = {"left": officer(), "right": peer()}
    case = after(opened(DIAMOND), *worked("top", officer()))
    assert states(case) == {"top": "approved", "left": "sent", "right": "sent", "bottom": "waiting", "last": "waiting"}
    case = after(case, *worked(ending[0], by[ending[0]]), *worked(ending[1], by[ending[1]])[:2])
    assert case.steps["bottom"].state == "waiting"
    case = after(case, worked(ending[1], by[ending[1]])[2])
    assert (case.steps["bottom"].state, case.steps["last"].state) == ("sent", "waiting")


def test_what_needs_a_refused_step_is_skipped_with_the_reason_and_so_is_what_needs_that():
    case = after(opened(DIAMOND), *worked("top", officer()), *worked("left", officer(), until="refused"))
    assert states(case) == {
        "top": "approved",
        "left": "refused",
        "right": "sent",
        "bottom": "skipped",
        "last": "skipped",
    }
    assert (case.steps["bottom"].waits_on, case.steps["last"].waits_on) == ("left", "bottom")


def test_what_needs_a_withdrawn_step_is_skipped():
    case = after(opened(DIAMOND), *worked("top", officer()))
    case = after(case, acts.LetGo(id="a", by=peer(), step="right"))
    assert (case.steps["bottom"].state, case.steps["bottom"].waits_on) == ("skipped", "right")


def test_a_refusal_at_the_top_skips_all_the_rest_in_one_decision():
    *way, refuse = worked("top", officer(), until="refused")
    case = after(opened(DIAMOND), *way)
    happened = decide(case, refuse, FACTS).events
    assert [event.kind for event in happened] == ["refused", "skipped", "skipped", "skipped", "skipped", "closed"]
    assert [event.number for event in happened] == list(range(case.version + 1, case.version + 7))


def test_what_follows_names_the_node_as_its_actor_and_the_act_as_its_cause():
    *way, grant = worked("top", officer())
    happened = decide(
        after(opened(DIAMOND), *way), grant.model_copy(update={"digest": "d"}), facts(at=later(hours=1))
    ).events
    assert [event.by for event in happened] == [officer(), *[Actor(node=JIANGSU, part="node")] * 2]
    assert {(event.act_id, event.act_digest, event.at) for event in happened} == {("top-approve", "d", later(hours=1))}


@pytest.mark.parametrize("ending", list(permutations(["one", "two", "three"])))
def test_a_case_closes_when_its_last_step_has_ended_and_not_before(ending: tuple[str, ...]):
    until = {"one": "approved", "two": "refused", "three": "approved"}
    case = opened([planned("one"), planned("two"), planned("three", division="330106")])
    for code in ending:
        assert (case.closed_at, case.outcome) == (None, None)
        by = peer() if code == "three" else officer()
        case = after(case, *worked(code, by, until=until[code]), facts=facts(at=later(days=2)))
    assert (case.closed_at, case.outcome) == (later(days=2), "completed")


@pytest.mark.parametrize(
    ("until", "outcome"),
    [("approved", "completed"), ("refused", "completed"), ("sent", "withdrawn"), ("accepted", "withdrawn")],
)
def test_the_outcome_is_withdrawn_only_if_nothing_was_decided(until: str, outcome: str):
    case = after(opened([planned("one"), planned("two", needs=["one"])]), *worked("one", officer(), until=until))
    case = case if case.closed_at else after(case, WITHDRAW)
    assert case.outcome == outcome


def test_a_case_of_which_all_was_withdrawn_or_skipped_is_withdrawn():
    case = opened([planned("one", division="330106"), planned("two", needs=["one"])])
    case = after(case, acts.LetGo(id="a", by=peer(), step="one"))
    assert (states(case), case.outcome) == ({"one": "withdrawn", "two": "skipped"}, "withdrawn")


def test_a_closed_case_is_not_closed_again():
    case = after(opened([planned("one")]), *worked("one", officer()))
    assert case.closed_at
    assert decide(case, acts.AskWithdrawal(id="a", by=peer(JIANGSU), step="one"), FACTS).events == ()


def test_the_copy_at_a_decider_is_not_closed_by_its_decision():
    there = facts(ZHEJIANG)
    by = officer("police", node=ZHEJIANG)
    case = after(None, request(), *worked("second", by), facts=there)
    assert (states(case), case.closed_at) == ({"second": "approved"}, None)


def test_a_step_whose_place_has_no_node_waits_until_the_directory_has_one():
    plan = [planned("one"), planned("far", division=f"{NOWHERE[:2]}0100")]
    case = opened(plan)
    assert states(case) == {"one": "sent", "far": "waiting"}
    wider = directory_of({JIANGSU: [JIANGSU], NOWHERE: [NOWHERE]})
    case = after(case, acts.Receive(id="a", by=officer(), step="one"), facts=facts(directory=wider))
    assert (case.steps["far"].state, case.steps["far"].node) == ("sent", NOWHERE)


def test_a_case_without_steps_is_closed_as_it_opens():
    happened = decide(None, opening([]), FACTS).events
    assert [event.kind for event in happened] == ["opened", "closed"]
