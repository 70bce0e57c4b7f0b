"""Deciders of the province: the desk of an id, and which authority decides a step in another division."""

from datetime import date

from server.domain.case.case import Step
from server.domain.catalogue.authorities import NobodyDecides
from server.domain.catalogue.desks import find_desk
from server.domain.catalogue.divisions import province_of
from server.domain.catalogue.pinning import PinnedAuthority, competent_here
from server.domain.effects.records import CaseRecord
from server.node import Node


def desk_here(node: Node, id: str, *, on: date) -> PinnedAuthority | None:
    """The desk of this id in the node's province on this day, if there is one."""
    return find_desk(node.published.authorities, id, province=province_of(node.here), on=on)


def decider_in(node: Node, record: CaseRecord, step: Step, *, division: str) -> PinnedAuthority:
    """Who decides the step's item in this division of the province today, with the answers and the form of the case.

    Raises NoSuchDivision, DivisionNotInForce, PlaceTooBroad, NobodyDecides.
    """
    item = node.catalogue_of(record.case.catalogue).of(node.here).item_of.get(step.plan.code)
    found = competent_here(item, record.told, division, context=node.context()).authority if item else None
    if found is None:
        raise NobodyDecides(f"尚不清楚“{step.plan.name}”在该地区由哪个机关办理。")
    return found
