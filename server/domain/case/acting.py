"""For which authority an officer acted on a step."""

from server.domain.case.case import Case, Step
from server.domain.case.handover import Checked, TurnedBack
from server.domain.case.happening import Happened
from server.domain.catalogue.pinning import PinnedAuthority


def authority_of(case: Case, step: Step, event: Happened) -> PinnedAuthority | None:
    """The authority whose officer did this to the step, as the case (after it) knows them; None if it knows none."""
    competent, department = step.plan.competent, event.by.department
    if isinstance(event, Checked | TurnedBack):
        return competent.checker
    if department == step.plan.department:
        return step.authority
    return competent.heard.get(department) or (case.leader if department == case.lead else competent.checker)
