"""What nodes tell each other of a step: the home asks and answers, the decider tells what it has done."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from server.domain.aggregate.happening import Happened
from server.domain.case import events, handover
from server.domain.case.case import Case, Commission, Offered, Step
from server.domain.case.happening import Moved
from server.domain.case.papers import SAID_OF_PAPER, PaperMade
from server.domain.rules.move import LetterForm
from server.domain.rules.table import TRANSITIONS

Added = Callable[[Case, Step, Any], dict[str, Any]]


class LetterContent(NamedTuple):
    """What a letter says: its kind, its body, and whether the receiver may ignore it."""

    kind: str
    body: dict[str, Any]
    may_ignore: bool = False


def told(case: Case, step: Step, event: events.Event, *, is_home: bool) -> LetterContent | None:
    """What the letter says by which this side of the step tells the other of the event, if it does.

    What moves the step has its letter among the moves; the rest is what the applicant and the couriers do.
    """
    if isinstance(event, Moved):
        form = TRANSITIONS[type(event)].letter
        if form is None or form.is_homes != is_home:
            return None
        return LetterContent(form.kind, _body(form, step, event, case=case), form.may_ignore)
    if isinstance(event, handover.PaperPosted | handover.PaperArrived):
        is_ours = event.by.node == (case.home if is_home else step.node)
        return _paper(event) if is_ours else None
    if isinstance(event, PaperMade):
        return None if is_home else LetterContent("step.paper_made", _said(event, *SAID_OF_PAPER), may_ignore=True)
    if isinstance(event, events.WithdrawalAsked) and is_home:
        return LetterContent("step.withdrawal_asked", {})
    if isinstance(event, events.Answered) and is_home:
        offered = [each.model_dump(mode="json") for each in offers(event.materials)]
        return LetterContent("step.supplied", {"form": dict(event.form), "materials": offered})
    return None


def _body(form: LetterForm, step: Step, event: Moved, *, case: Case) -> dict[str, Any]:
    said = _said(event, *form.says)
    unfolded = _said(event, form.unfolds)[form.unfolds] if form.unfolds else {}
    added = {name: value for each in form.adds for name, value in ADDED[each](case, step, event).items()}
    return {**form.marks, **said, **unfolded, **added}


def _paper(event: handover.PaperPosted | handover.PaperArrived) -> LetterContent:
    """Originals were posted, or have arrived; each side tells the other what it did itself."""
    move = "sent" if isinstance(event, handover.PaperPosted) else "arrived"
    return LetterContent("step.paper", {"move": move, "number": event.parcel, **_said(event, "courier", "leg")})


def _said(event: Happened, *names: str) -> dict[str, Any]:
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


# How many persons decide, and whether it may go to another authority there, are the decider's own matters, and known to
# it from its own catalogue.
OWN_MATTERS = {"step": {"terms": {"two_persons", "transfer"}}}
# What a letter adds to the words of its event. The approver of an extension is named by department, not by name.
ADDED: Mapping[str, Added] = {
    "commission": lambda case, step, _: commission_of(case, step).model_dump(mode="json", exclude=OWN_MATTERS),
    "days": lambda _, step, __: {
        "legal_days": step.plan.terms.legal_days,
        "promised_days": step.plan.promised_days,
    },
    "authority": lambda _, step, __: {"authority": step.authority.model_dump()} if step.authority else {},
    "approver": lambda _, step, __: {"approver": step.plan.department},
    "licence": lambda _, __, event: _said(event, "licence") if event.licence else {},
}
