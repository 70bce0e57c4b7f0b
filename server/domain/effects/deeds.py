"""Deeds: what an officer of this node has done to a step, for their own list; without personal data."""

from dataclasses import dataclass
from datetime import datetime

from server.domain.aggregate.happening import Happened
from server.domain.case.case import Case, Step, local_id
from server.domain.rules.responsible import acting_name


@dataclass(frozen=True, kw_only=True)
class Deed:
    """One act of an officer: on which step of which case, when, and for which authority.

    They may have acted in the place of another (`stands_in_for`).
    """

    officer: str
    stands_in_for: str
    at: datetime
    case: str
    event: int
    step: str
    act: str
    item_name: str
    authority: str
    authority_name: str


def deed_of(case: Case, step: Step, event: Happened, *, here: str) -> Deed | None:
    """What an officer of this node did to the step by this event, the last of the case; None if none did."""
    by = event.by
    if by.part != "officer" or by.node != here:
        return None
    return Deed(
        officer=by.name,
        stands_in_for=by.stands_in_for,
        at=event.at,
        case=local_id(case.name, here),
        event=event.number,
        step=step.plan.code,
        act=event.act,
        item_name=step.plan.name,
        authority=by.authority,
        authority_name=acting_name(case, event),
    )
