"""What people are told who has a step, decides it, or has done something to it: by name, never by a code."""

from server.domain.case.case import Case, Step
from server.domain.case.events import Designated, Event, Transferred
from server.domain.catalogue.deciders import missing_answers
from server.domain.catalogue.divisions import province_of
from server.domain.catalogue.pinning import PinnedAuthority, competent_here
from server.domain.errors import Refusal
from server.node import Node


def telling_name(node: Node, case: Case, step: Step, *, event: Event) -> str:
    """The authority at another node that did this, as its letter tells: mostly the one that decides the step now."""
    if isinstance(event, Designated):
        return event.superior.name
    return event.former.name if isinstance(event, Transferred) and event.former else decider_name(node, case, step)


def department_name(node: Node, case: Case, department: str) -> str:
    """The name of a department in the catalogue that the case was opened under."""
    return node.catalogue_of(case.catalogue).departments.get(department, department)


def decider_name(node: Node, case: Case, step: Step) -> str:
    """What the decider is called; as long as its node has not told it: by place and department."""
    if step.authority:
        return step.authority.name
    return place_and_department(node, case, step, division=step.plan.division)


def right_authority(node: Node, case: Case, step: Step) -> PinnedAuthority | None:
    """Who decides it in the division that was named as the right one; None if that cannot be said here.

    It cannot in another province, and where it depends on an answer, for a case keeps the form only.
    """
    division = step.right_division
    item = node.catalogue_of(case.catalogue).of(province_of(node.here)).item_of.get(step.plan.code)
    if item is None or province_of(division) != province_of(node.here):
        return None
    try:
        if missing_answers(node.published.authorities, item, case.form, division=division):
            return None
        return competent_here(item, case.form, division, context=node.context()).authority
    except Refusal:  # the data has changed since the division was named
        return None


def place_and_department(node: Node, case: Case, step: Step, *, division: str) -> str:
    """Who decides the step in a division, as long as nobody has said which authority that is."""
    place = node.published.divisions.name_in_full(division)
    return f"{place}{department_name(node, case, step.plan.department)}部门"


def node_name(node: Node, code: str) -> str:
    """The name of a node as the directory has it."""
    entry = node.directory.entry(code)
    return entry.name if entry else code


def window_name(node: Node, id: str) -> str:
    """What a window is called, one that is gone too; its id if it is not known, and empty for none."""
    found = node.published.windows.by_id.get(id)
    return found.name if found else id
