"""Proposing (拟办): for some items one person proposes the decision and another one takes it, whoever stands in."""

from typing import Any

import pytest

from server.domain.aggregate.actors import Actor
from server.domain.case import acts, events
from server.domain.case.case import Case
from server.domain.catalogue.plan import PlannedStep
from server.domain.catalogue.terms import Terms
from server.domain.effects.effects import effects_of
from server.domain.effects.letters_out import commission_of
from server.domain.rules.decide import NotYourAuthority, StateForbids, decide
from server.domain.rules.lifecycle import evolve
from server.domain.rules.moves.proposing import ProposalNeeded, TwoPersonsNeeded
from tests.world import CATALOGUE, FACTS, JIANGSU, ZHEJIANG, after, officer, opened, opening, peer, planned, worked

STEP = "one"
ANNA, BERT, CARA = (officer(name=name) for name in ("anna", "bert", "cara"))


def accepted(*, two_persons: bool = True, until: str = "accepted", division: str = JIANGSU) -> Case:
    """A case whose step is accepted; its item asks for two persons, or does not."""
    terms = Terms(legal_days=10, two_persons=two_persons)
    by = officer(name="anna") if division == JIANGSU else peer(division)
    return after(opened([planned(STEP, terms=terms, division=division)]), *worked(STEP, by, until=until))


def propose(by: Actor, outcome: Any = "approve", **more: Any) -> acts.Propose:
    return acts.Propose(id=f"propose-{by.name}", by=by, step=STEP, outcome=outcome, opinion="材料齐全", **more)


def approve(by: Actor) -> acts.Approve:
    return acts.Approve(id="approve", by=by, step=STEP)


def refuse(by: Actor) -> acts.Refuse:
    return acts.Refuse(id="refuse", by=by, step=STEP, grounds="材料不实")


def in_place_of(name: str, by: Actor) -> Actor:
    return by.model_copy(update={"stands_in_for": name})


@pytest.mark.parametrize("decide_by", [approve, refuse])
def test_without_a_proposal_nothing_is_decided_where_two_persons_are_needed(decide_by: Any):
    with pytest.raises(ProposalNeeded):
        decide(accepted(), decide_by(BERT), FACTS)
    assert decide(accepted(two_persons=False), decide_by(BERT), FACTS).events


@pytest.mark.parametrize("decide_by", [approve, refuse])
def test_who_proposed_does_not_decide_under_any_name(decide_by: Any):
    proposed = after(accepted(), propose(in_place_of("cara", ANNA)))
    for same in (ANNA, CARA, in_place_of("bert", ANNA), in_place_of("anna", BERT), in_place_of("cara", BERT)):
        with pytest.raises(TwoPersonsNeeded):
            decide(proposed, decide_by(same), FACTS)
    assert decide(proposed, decide_by(BERT), FACTS).events


def test_a_proposal_of_another_department_or_before_acceptance_is_refused():
    with pytest.raises(NotYourAuthority):
        decide(accepted(), propose(officer("police")), FACTS)
    with pytest.raises(StateForbids):
        decide(accepted(until="received"), propose(ANNA), FACTS)


def test_a_new_proposal_takes_the_place_of_the_former():
    case = after(accepted(), propose(ANNA), propose(BERT, "refuse"))
    proposal = case.steps[STEP].proposal
    assert proposal
    assert (proposal.by, proposal.outcome, proposal.persons) == ("bert", "refuse", {"bert"})
    assert after(case, approve(ANNA)).steps[STEP].state == "approved"
    with pytest.raises(TwoPersonsNeeded):
        decide(case, approve(BERT), FACTS)


def test_a_proposal_moves_nothing_and_tells_nobody_but_the_worklist():
    case = accepted()
    judgement = decide(case, propose(ANNA), FACTS)
    effects, _ = effects_of(judgement, FACTS, threads={})
    assert [(bool(each.task), each.letter, each.notice) for each in effects if not each.deed] == [(True, None, None)]
    (event,) = judgement.events
    assert isinstance(event, events.Proposed)
    step = evolve(case, event).steps[STEP]
    assert (step.state, step.since) == ("accepted", case.steps[STEP].since)
    assert step.version == event.number, "who saw the former proposal decides by none that they did not see"


def test_what_another_node_decided_is_not_judged_again():
    abroad = accepted(division=ZHEJIANG)
    by = Actor(node=ZHEJIANG, part="node")
    assert decide(abroad, acts.Approve(id="told", by=by, step=STEP), FACTS).events


def test_how_many_persons_decide_stays_with_the_decider_and_is_in_no_letter():
    item = CATALOGUE.item_of["step2"].model_copy(update={"two_persons": True})
    plan = PlannedStep.of(item, item.yields, division=ZHEJIANG, needs=(), way=("online", None))
    assert plan.terms.two_persons
    judgement = decide(None, opening([plan]), FACTS)
    letters = [each.letter for each in effects_of(judgement, FACTS, threads={})[0] if each.letter]
    assert letters
    assert "two_persons" not in str([letter.body for letter in letters])
    case = judgement.values[-1]
    assert commission_of(case, case.steps["step2"]).step.terms.two_persons
