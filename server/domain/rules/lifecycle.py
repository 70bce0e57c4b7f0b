"""The life of a case: one table of moves, and `evolve`, which never refuses: an event is a fact."""

from collections.abc import Iterable, Mapping
from typing import Any

from server.domain.case import events, handover
from server.domain.case.bouncing import Bounced, Resent
from server.domain.case.case import Case, Offered, State, Step, Supplement
from server.domain.case.happening import Moved
from server.domain.catalogue.terms import Opinion, Paper
from server.domain.time.clock import Extension, Ledger, deemed_accepted, extend, pause, resume

TABLE: Mapping[tuple[State, str], State] = {
    ("waiting", "send"): "sent",
    ("waiting", "skip"): "skipped",
    ("waiting", "withdraw"): "withdrawn",
    ("waiting", "ask_check"): "checking",
    ("checking", "check"): "checking",
    ("checking", "turn_back"): "withdrawn",
    ("checking", "send"): "sent",
    ("checking", "withdraw"): "withdrawn",
    ("sent", "receive"): "received",
    ("sent", "gather"): "sent",
    ("sent", "deem"): "accepted",
    ("sent", "withdraw"): "withdrawn",
    ("received", "gather"): "received",
    ("received", "ask_supplement"): "supplementing",
    ("received", "accept"): "accepted",
    ("received", "deem"): "accepted",
    ("received", "decline"): "declined",
    ("received", "withdraw"): "withdrawn",
    ("supplementing", "tell"): "supplementing",
    ("supplementing", "gather"): "supplementing",
    ("supplementing", "supply"): "received",
    ("supplementing", "decline"): "declined",
    ("supplementing", "withdraw"): "withdrawn",
    ("accepted", "supply"): "accepted",
    ("accepted", "gather"): "accepted",
    ("accepted", "suspend"): "suspended",
    ("accepted", "extend"): "accepted",
    ("accepted", "opine"): "accepted",
    ("accepted", "return_opinion"): "accepted",
    ("accepted", "approve"): "approved",
    ("accepted", "refuse"): "refused",
    ("accepted", "withdraw"): "withdrawn",
    ("suspended", "supply"): "suspended",
    ("suspended", "gather"): "suspended",
    ("suspended", "opine"): "suspended",
    ("suspended", "resume"): "accepted",
    ("suspended", "withdraw"): "withdrawn",
    ("approved", "deliver"): "delivered",
}

_KEPT: Mapping[type[Moved], tuple[str, ...]] = {  # what a step keeps of its event word by word
    events.Refused: ("grounds", "appeal"),
    events.Declined: ("grounds", "agency", "appeal"),
    events.Withdrawn: ("grounds",),
    handover.TurnedBack: ("grounds",),
    events.Delivered: ("delivery",),
    events.Skipped: ("waits_on",),
}


def evolve(case: Case | None, event: events.Event) -> Case:
    """The case after the event."""
    if isinstance(event, events.Opened):
        case = _opened(event)
    elif isinstance(event, events.Requested):
        case = _requested(case, event)
    elif case is None:
        raise ValueError("the first event of a case opens it or requests a step of it")
    elif isinstance(event, Moved):
        case = _moved(case, case.steps[event.step], event)
    elif isinstance(event, events.WithdrawalAsked):
        asked = {"withdrawal_asked_at": event.at}
        case = _with_step(case, case.steps[event.step].model_copy(update=asked))
    elif isinstance(event, events.Answered):
        case = _put_right(case, case.steps[event.step], event)
    elif isinstance(event, handover.PaperPosted | handover.PaperArrived):
        case = _posted(case, case.steps[event.step], event)
    elif isinstance(event, Bounced | Resent):
        bounced = event.letter if isinstance(event, Bounced) else ""
        case = _with_step(case, case.steps[event.step].model_copy(update={"bounced": bounced}))
    elif isinstance(event, events.FollowedUp):
        case = case.model_copy(update={"followed_up": (*case.followed_up, event.step)})
    else:
        closed = {"closed_at": event.at, "outcome": event.outcome, "open_at_closing": event.open_steps}
        case = case.model_copy(update=closed)
    return case.model_copy(update={"version": event.number})


REVISION = 2  # raised whenever `evolve` makes another case of the same events than before


def replay(told: Iterable[events.Event]) -> Case:
    """The case that these events made; ValueError when there are none."""
    case: Case | None = None
    for event in told:
        case = evolve(case, event)
    if case is None:
        raise ValueError("no events, no case")
    return case


def _opened(event: events.Opened) -> Case:
    home, _, number = event.case.partition("/")
    application = event.application
    return Case(
        home=home,
        number=number,
        bundle=application.bundle,
        bundle_name=application.bundle_name,
        catalogue=application.catalogue,
        opened_at=event.at,
        applicant=application.applicant,
        subject=application.subject,
        agent=application.agent,
        form=application.form,
        materials=application.materials,
        deferred=application.deferred,
        undertakings=application.undertakings,
        steps={plan.code: Step(plan=plan, since=event.at, version=event.number) for plan in application.steps},
        closing=application.closing,
        lead=application.lead,
    )


def _requested(case: Case | None, event: events.Requested) -> Case:
    home, _, number = event.case.partition("/")
    application = event.commission
    if case is None:
        case = Case(
            home=home,
            number=number,
            bundle=application.bundle,
            bundle_name=application.bundle_name,
            catalogue=application.catalogue,
            opened_at=event.at,
            applicant=None,
            form={},
            materials=(),
            steps={},
        )
    known = set(case.materials)
    added = tuple(material for material in application.materials if material not in known)
    deferred = tuple(dict.fromkeys((*case.deferred, *application.deferred)))
    change = {"form": {**case.form, **application.form}, "materials": case.materials + added, "deferred": deferred}
    step = Step(
        plan=application.step,
        state="sent",
        since=event.at,
        version=event.number,
        node=event.node,
        directory_version=application.directory_version,
        arrived_at=None if application.materials else event.at,
        is_gathering=bool(application.materials),
        finding=application.finding,
    )
    return _with_step(case.model_copy(update=change), step)


def _moved(case: Case, step: Step, event: Moved) -> Case:
    """An event that the table does not know in this state moves nothing, but it has happened.

    With any word of its decider it is over that a letter had come back.
    """
    if event.by.node == step.node:
        step = step.model_copy(update={"bounced": ""})
    if (step.state, event.act) not in TABLE:
        return _with_step(case, step.model_copy(update={"version": event.number}))
    state = TABLE[step.state, event.act]
    since = event.moment if state != step.state else step.since
    licence = getattr(event, "licence", None) or step.licence  # it comes with the decision or the delivery
    moved = {"state": state, "since": since, "version": event.number, "licence": licence}
    step = step.model_copy(update=moved | _said(step, event))
    return _put_right(case, step, event) if isinstance(event, events.Supplied) else _with_step(case, step)


def _said(step: Step, event: Moved) -> dict[str, Any]:
    """What the event leaves in the step besides its state."""
    if isinstance(event, events.Approved):
        return {"result": event.result, "decided_at": event.moment}
    if type(event) in _KEPT:
        return {name: getattr(event, name) for name in _KEPT[type(event)]}
    if isinstance(event, events.Sent):
        return {"node": event.node, "directory_version": event.directory_version, "arrived_at": event.moment}
    if isinstance(event, handover.Checked):
        return {"finding": event.finding, "checked_at": event.moment}
    if isinstance(event, events.SupplementAsked):
        return {"supplement": Supplement(asked_at=event.moment, gaps=event.gaps)}
    if isinstance(event, events.Told) and step.supplement:
        return {"supplement": step.supplement.model_copy(update={"due_on": event.due_on})}
    if isinstance(event, events.Supplied | events.Gathered):
        return _arrived(step, event)
    if isinstance(event, events.TakenUp):
        return _taken_up(step, event)
    return _clocked(step, event) or _heard(step, event)


def _arrived(step: Step, event: events.Supplied | events.Gathered) -> dict[str, Any]:
    """Since when the decider has all of it; once the clock runs that is settled."""
    if isinstance(event, events.Gathered):
        return {"is_gathering": False, "arrived_at": step.arrived_at if step.clock else event.moment}
    if step.state != "supplementing":
        return {}
    return {"arrived_at": None if step.is_gathering else event.moment}


def _taken_up(step: Step, event: events.TakenUp) -> dict[str, Any]:
    days = {
        "legal_days": event.legal_days or step.plan.terms.legal_days,
        "promised_days": event.promised_days or step.plan.promised_days,
    }
    if isinstance(event, events.Deemed):
        clock = deemed_accepted(event.since, **days)
    else:
        clock = Ledger(accepted_at=event.moment, **days)
    rule, due_on = step.plan.terms.opinions, event.opinions_due_on
    asked = Opinion(asked_at=event.moment, due_on=due_on) if due_on else None
    opinions = dict.fromkeys(rule.departments, asked) if rule and asked else {}
    return {"clock": clock, "officer": event.by.name, "deferrals": event.deferrals, "opinions": opinions}


def _clocked(step: Step, event: Moved) -> dict[str, Any]:
    """What the event does to the clock, which runs since the step was taken up."""
    clock = step.clock
    if clock is None:
        return {}
    if isinstance(event, events.Suspended):
        clock = pause(clock, event.moment, reason=event.procedure, notice=event.notice, days=event.days)
    elif isinstance(event, events.Resumed):
        clock = resume(clock, event.moment)
    elif isinstance(event, events.Extended):
        clock = extend(clock, Extension(days=event.days, approver=event.approver, reason=event.reason))
    return {"clock": clock} if clock is not step.clock else {}


def _heard(step: Step, event: Moved) -> dict[str, Any]:
    """What the event does to the opinions; that of one department touches no other."""
    if isinstance(event, events.OpinionGiven):
        said = {"answer": event.answer, "reason": event.reason, "given_at": event.moment}
        opinion = step.opinions[event.department].model_copy(update=said)
    elif isinstance(event, events.OpinionReturned):
        opinion = Opinion(asked_at=event.moment, due_on=event.due_on, reason=event.reason)
    else:
        return {}
    return {"opinions": {**step.opinions, event.department: opinion}}


def _put_right(case: Case, step: Step, event: events.Supplied | events.Answered) -> Case:
    """The case with what came in the place of what was there; the supplement remembers both."""
    codes = {material.code for material in event.materials}
    replaced = tuple(material for material in case.materials if material.code in codes)
    supplement = step.supplement
    if supplement and supplement.answered_at is None and (event.form or event.materials):
        answer = {
            "answered_at": event.at,
            "form_before": {code: case.form[code] for code in event.form if code in case.form},
            "form_after": event.form,
            "materials_before": replaced,
            "materials_after": event.materials,
        }
        supplement = supplement.model_copy(update=answer)
    deferrals = tuple(
        each.model_copy(update={"came_at": event.at}) if each.material in codes and not each.came_at else each
        for each in step.deferrals
    )
    kept: tuple[Offered, ...] = tuple(material for material in case.materials if material.code not in codes)
    change = {
        "form": {**case.form, **event.form},
        "materials": (*kept, *event.materials),
        "deferred": tuple(code for code in case.deferred if code not in codes),
    }
    step = step.model_copy(update={"supplement": supplement, "deferrals": deferrals})
    if isinstance(event, events.Supplied) and event.materials and step.node != case.home:
        step = step.model_copy(update={"is_gathering": True, "arrived_at": step.arrived_at if step.clock else None})
    return _with_step(case.model_copy(update=change), step)


def _posted(case: Case, step: Step, event: handover.PaperPosted | handover.PaperArrived) -> Case:
    """The step with what is known of the originals: a parcel that has arrived stays, whatever a later letter says."""
    parcel, before = {"courier": event.courier, "number": event.parcel}, step.papers.get(event.leg)
    if isinstance(event, handover.PaperArrived):
        paper = before.model_copy(update={**parcel, "arrived_at": event.at}) if before else None
    elif before:
        is_on_its_way = before.arrived_at is None
        corrected = {**parcel, "posted_at": event.at} if is_on_its_way else {}
        paper = before.model_copy(update={**corrected, "postings": before.postings + 1})
    else:
        paper = Paper(**parcel, posted_at=event.at)
    papers = {**step.papers, event.leg: paper} if paper else step.papers
    return _with_step(case, step.model_copy(update={"papers": papers, "version": event.number}))


def _with_step(case: Case, step: Step) -> Case:
    return case.model_copy(update={"steps": {**case.steps, step.plan.code: step}})
