"""All acts that officers may ask for at their desk, by the last part of their address."""

from collections.abc import Iterator, Mapping

from server.domain.case import acts
from server.domain.case.case import State
from server.domain.catalogue.terms import Courier, ParcelNumber
from server.domain.people.posts import PostRole
from server.domain.rules.desk_forms import AnyDeskForm, Decision, DeskForm, GroundsDecision, TaskPart
from server.domain.rules.move import AnyTransition
from server.domain.rules.table import RULES


class PostPaperDecision(Decision):
    """With which courier the originals travel, and the number of the parcel."""

    courier: Courier
    number: ParcelNumber


# What officers do that is no move of a step; the moves say themselves how they are requested.
_OWN: tuple[AnyDeskForm[acts.StepAct], ...] = (
    DeskForm(
        "follow-up",
        "登记办结后的后续处理",
        GroundsDecision,
        lambda header, said: acts.FollowUp(**header, note=said.grounds),
        role="handler",
        part="follow_up",
    ),
    DeskForm(
        "post-paper",
        "登记寄出原件",
        PostPaperDecision,
        lambda header, said: acts.PostPaper(**header, courier=said.courier, number=said.number),
        role="window",
        part="paper",
    ),
    DeskForm(
        "confirm-paper",
        "登记签收原件",
        Decision,
        lambda header, _: acts.ConfirmPaper(**header),
        role="window",
        part="paper",
    ),
)
ACTS: Mapping[str, AnyDeskForm[acts.StepAct]] = {
    form.path: form for form in (*(rule.desk for rule in RULES.values() if rule.desk), *_OWN)
}


def roles_next(part: TaskPart, state: State) -> frozenset[PostRole]:
    """The roles that what may be done next is for, beside the head's; none if nothing may be.

    Who decides the step moves it from its state. All other parts have one role, whatever the state.
    """
    return frozenset(
        form.role for form in (_deciding_from(state) if part == "decide" else ACTS.values()) if form.part == part
    )


def _deciding_from(state: State) -> Iterator[AnyDeskForm[acts.StepAct]]:
    for rule in RULES.values():
        if rule.desk and isinstance(rule, AnyTransition) and state in rule.states:
            yield rule.desk
