"""Proposing (拟办): one person says how a step should be decided, and for some items another one decides it."""

from collections.abc import Collection
from typing import Literal

from server.domain.case import acts, events
from server.domain.case.case import Step
from server.domain.catalogue.terms import Proposal
from server.domain.errors import Conflict, Forbidden
from server.domain.rules.desk_forms import DeskForm, GroundsDecision
from server.domain.rules.move import Move
from server.domain.rules.moving import Moving


class ProposalNeeded(Conflict):
    """Two persons are needed for a decision on this item, and nobody has proposed one yet."""

    code = "proposal_needed"
    title = "请先由承办人员拟办"


class TwoPersonsNeeded(Forbidden):
    """The person who proposed the decision, or in whose place it was proposed, may not take it."""

    code = "two_persons_needed"
    title = "拟办和审批不能是同一人"


class ProposeDecision(GroundsDecision):
    """How the step should be decided, and why, as those who decide it read it."""

    outcome: Literal["approve", "refuse"]


def check_two_persons(proposed_by: Collection[str], deciding: Collection[str]) -> None:
    """Whether a decision is taken by other persons than it was proposed by; raises TwoPersonsNeeded."""
    if not set(proposed_by).isdisjoint(deciding):
        raise TwoPersonsNeeded("该事项应当由拟办人员以外的人员作出决定，代理他人岗位时也是如此。")


def check_proposed(moving: Moving[acts.StepAct]) -> None:
    """Whether a step may be decided as far as its proposal goes; raises ProposalNeeded, TwoPersonsNeeded."""
    step, by = moving.step, moving.act.by
    if moving.is_mirror or not step.plan.terms.two_persons:
        return
    if step.proposal is None:
        raise ProposalNeeded("该事项的决定应当先由另一人拟办。")
    check_two_persons(step.proposal.persons, {by.name, by.stands_in_for} - {""})


def _propose(moving: Moving[acts.Propose]) -> events.Proposed:
    return events.Proposed(**moving.header, outcome=moving.act.outcome, opinion=moving.act.opinion)


def _proposed(step: Step, event: events.Proposed) -> Step:
    proposal = Proposal(
        outcome=event.outcome,
        opinion=event.opinion,
        by=event.by.name,
        stands_in_for=event.by.stands_in_for,
        at=event.moment,
    )
    return step.model_copy(update={"proposal": proposal})


# A decision rests on the proposal, so that it is not silent: who saw the one before does not decide by this one.
PROPOSE = Move(
    act=acts.Propose,
    judge=_propose,
    desk=DeskForm(
        "propose",
        "提出拟办意见",
        ProposeDecision,
        lambda header, said: acts.Propose(**header, outcome=said.outcome, opinion=said.grounds),
        role="handler",
    ),
    event=events.Proposed,
    states={"accepted": "accepted"},
    leaves=_proposed,
    is_internal=True,
    name="拟办",
)
