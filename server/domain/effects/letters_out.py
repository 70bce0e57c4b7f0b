"""What nodes tell each other of a step: the home asks and answers, the decider tells what it has done."""

from collections.abc import Iterable
from typing import Any

from server.domain.case import events, handover
from server.domain.case.case import Case, Commission, Offered, Step

Body = tuple[str, dict[str, Any]]


def asked(case: Case, step: Step, event: events.Event) -> Body | None:
    """Kind and body of the letter by which the home asks the decider, if this event is one to ask for."""
    if isinstance(event, events.Sent):
        return "step.requested", commission_of(case, step).model_dump(mode="json")
    if isinstance(event, events.WithdrawalAsked):
        return "step.withdrawal_asked", {}
    if isinstance(event, events.Told):
        return "step.told", {"due_on": event.due_on.isoformat()}
    if isinstance(event, handover.PaperPosted | handover.PaperArrived) and event.by.node == case.home:
        return _paper(event)
    if isinstance(event, events.Answered):
        offered = [each.model_dump(mode="json") for each in offers(event.materials)]
        return "step.supplied", {"form": dict(event.form), "materials": offered}
    return None


def telling(step: Step, event: events.Event) -> Body | None:
    """Kind and body of the letter by which the decider tells the home, if this event is one to tell of."""
    if isinstance(event, events.Received):
        return "step.received", {}
    if isinstance(event, events.Accepted):
        return "step.accepted", {"by": "decider", **_days(step), **_said(event, "since", "deferrals")}
    if isinstance(event, events.Deemed):
        return "step.accepted", {"by": "law", **_days(step), **_said(event, "since", "deferrals")}
    if isinstance(event, events.Approved):
        return "step.decided", {"outcome": "approved", **_said(event, "result"), **_licence(event)}
    if isinstance(event, events.Refused):
        return "step.decided", {"outcome": "refused", **_said(event, "grounds", "appeal")}
    if isinstance(event, events.Declined):
        return "step.decided", {"outcome": "declined", **_said(event, "reason", "grounds", "agency", "appeal")}
    if isinstance(event, events.Delivered):
        return "step.delivered", {**event.delivery.model_dump(mode="json"), **_licence(event)}
    if isinstance(event, events.Withdrawn):
        return "step.withdrawn", _said(event, "grounds")
    if isinstance(event, handover.PaperPosted | handover.PaperArrived) and event.by.node == step.node:
        return _paper(event)
    notice = _notice(step, event)
    return ("step.notice", notice) if notice else None


def _notice(step: Step, event: events.Event) -> dict[str, Any]:
    """What happened on the way. The approver of an extension is named by department, not by name."""
    if isinstance(event, events.SupplementAsked):
        return {"about": "supplement", **_said(event, "gaps")}
    if isinstance(event, events.Supplied):
        return {"about": "supplied"}
    if isinstance(event, events.Suspended):
        return {"about": "suspension", **_said(event, "procedure", "notice", "days")}
    if isinstance(event, events.Resumed):
        return {"about": "resumption"}
    if isinstance(event, events.Extended):
        return {"about": "extension", "approver": step.plan.department, **_said(event, "days", "reason")}
    return {}


def _licence(event: events.Approved | events.Delivered) -> dict[str, Any]:
    """The licence that it offers, if there is a file of one."""
    return _said(event, "licence") if event.licence else {}


def _paper(event: handover.PaperPosted | handover.PaperArrived) -> Body:
    """Originals were posted, or have arrived; each side tells the other what it did itself."""
    move = "sent" if isinstance(event, handover.PaperPosted) else "arrived"
    return "step.paper", {"move": move, "number": event.parcel, **_said(event, "courier", "leg")}


def _days(step: Step) -> dict[str, int]:
    """What its clock counts with."""
    return {"legal_days": step.plan.terms.legal_days, "promised_days": step.plan.promised_days}


def _said(event: events.Event, *names: str) -> dict[str, Any]:
    return event.model_dump(mode="json", include=set(names))


def offers(materials: Iterable[Offered]) -> tuple[Offered, ...]:
    """The materials as a letter offers them."""
    return tuple(Offered(**each.model_dump(include=set(Offered.model_fields))) for each in materials)


def commission_of(case: Case, step: Step) -> Commission:
    """What the decider of this step gets: the fields and materials its item declares, and nothing else.

    A field that another step yielded comes from that step's result.
    """
    yielded = {code: value for other in case.steps.values() for code, value in other.result.items()}
    known = {**case.form, **yielded}
    return Commission(
        bundle=case.bundle,
        bundle_name=case.bundle_name,
        catalogue=case.catalogue,
        step=step.plan.model_copy(update={"needs": ()}),
        directory_version=step.directory_version,
        form={code: known[code] for code in step.plan.fields if code in known},
        materials=offers(each for each in case.materials if each.code in step.plan.materials),
        deferred=tuple(code for code in case.deferred if code in step.plan.materials),
        finding=step.finding,
    )
