"""Who is responsible for which part of a step at a node: the authorities whose officers see it and act on it there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from server.domain.aggregate.happening import Happened
from server.domain.case.case import Case, Step
from server.domain.case.events import Designated
from server.domain.catalogue.pinning import PinnedAuthority
from server.domain.rules.desk_forms import TaskPart


@dataclass(frozen=True)
class Responsible:
    """An authority with its part in a step, by the power of which department."""

    part: TaskPart
    department: str
    authority: PinnedAuthority


def responsible(case: Case, step: Step, *, here: str) -> Iterator[Responsible]:
    """All that have a part in the step at this node, who decides it first; of what has not begun nobody."""
    plan, is_home = step.plan, case.home == here
    if step.node == here:
        yield from _one("decide", plan.department, step.authority)
        for department in step.opinions:
            yield from _one("opinion", department, plan.competent.heard.get(department))
    if is_home and plan.part and step.node != here and step.state not in ("waiting", "skipped"):
        yield from _one("check", plan.part.department, plan.competent.checker)
    if plan.part and plan.part.has_paper and step.node not in ("", case.home):
        if is_home:
            yield from _one("paper", plan.part.department, plan.competent.checker)
        elif step.node == here:
            yield from _one("paper", plan.department, step.authority)
    if is_home and case.leaves_to_lead(step):
        yield from _one("follow_up", case.lead, case.leader)


def names_of(case: Case, step: Step | None) -> Mapping[str, str]:
    """What each authority that is pinned in the case or this step is called, by id."""
    pinned = [case.leader, *(each for other in case.steps.values() for each in (*other.formers, other.authority))]
    if step:
        competent = step.plan.competent
        pinned += [step.authority, competent.authority, competent.checker, *competent.heard.values()]
    return {each.id: each.name for each in pinned if each}


def acting_name(case: Case, event: Happened) -> str:
    """The authority whose officer did this, by the name under which it is pinned; its id if none is."""
    if isinstance(event, Designated):
        return event.superior.name
    code = getattr(event, "step", "")
    return names_of(case, case.steps.get(code)).get(event.by.authority, event.by.authority)


def _one(part: TaskPart, department: str, authority: PinnedAuthority | None) -> Iterator[Responsible]:
    if authority:
        yield Responsible(part, department, authority)
