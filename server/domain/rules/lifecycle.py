"""The life of a case: `evolve`, which never refuses, for an event is a fact, and the replay of events."""

from collections.abc import Iterable

from server.domain.case import events, handover
from server.domain.case.bouncing import Bounced, Resent
from server.domain.case.case import Case, Offered, Step
from server.domain.case.happening import Moved
from server.domain.case.papers import PaperAsked, PaperMade, given_by
from server.domain.case.signings import PaperSigned, SignatureAsked, signing_asked
from server.domain.catalogue.plan import PlannedStep
from server.domain.catalogue.terms import Paper
from server.domain.rules.table import TRANSITIONS


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
    elif isinstance(event, events.WithdrawalAsked | Bounced | Resent):
        case = _noted(case, case.steps[event.step], event)
    elif isinstance(event, events.Answered):
        case = _put_right(case, case.steps[event.step], event)
    elif isinstance(event, handover.PaperPosted | handover.PaperArrived):
        case = _posted(case, case.steps[event.step], event)
    elif isinstance(event, PaperAsked | PaperMade | SignatureAsked | PaperSigned):
        case = _with_paper(case, event)
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
        spoken_number=event.spoken_number,
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
        steps={plan.code: _planned(plan, event) for plan in application.steps},
        window=application.window,
        closing=application.closing,
        lead=application.lead,
        leader=application.leader,
    )


def _planned(plan: PlannedStep, event: events.Opened) -> Step:
    return Step(plan=plan, since=event.at, version=event.number, authority=plan.competent.authority)


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
        authority=application.step.competent.authority,
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
    transition = TRANSITIONS[type(event)]
    state, version = transition.states.get(step.state), step.version if transition.is_silent else event.number
    if state is None:
        return _with_step(case, step.model_copy(update={"version": version}))
    since = event.moment if state != step.state else step.since
    licence = getattr(event, "licence", None) or step.licence  # it comes with the decision or the delivery
    moved = {"state": state, "since": since, "version": version, "licence": licence}
    step = transition.applied(step, event).model_copy(update=moved)
    return _put_right(case, step, event) if isinstance(event, events.Supplied) else _with_step(case, step)


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
        paper = Paper(courier=event.courier, number=event.parcel, posted_at=event.at)
    papers = {**step.papers, event.leg: paper} if paper else step.papers
    return _with_step(case, step.model_copy(update={"papers": papers, "version": event.number}))


def _noted(case: Case, step: Step, event: events.WithdrawalAsked | Bounced | Resent) -> Case:
    """The step with what was noted of what the home asked and what came back of it."""
    if isinstance(event, events.WithdrawalAsked):
        return _with_step(case, step.model_copy(update={"withdrawal_asked_at": event.at}))
    bounced = event.letter if isinstance(event, Bounced) else ""
    return _with_step(case, step.model_copy(update={"bounced": bounced}))


def _with_paper(case: Case, event: PaperAsked | PaperMade | SignatureAsked | PaperSigned) -> Case:
    """A paper that is made stands where it was asked for; nothing else of the step changes with it."""
    if isinstance(event, SignatureAsked | PaperSigned):
        return _with_signing(case, event)
    given = given_by(event)
    is_known = case.paper(given.id) is not None
    papers = tuple(given if each.id == given.id else each for each in case.given_papers)
    return case.model_copy(update={"given_papers": papers if is_known else (*papers, given)})


def _with_signing(case: Case, event: SignatureAsked | PaperSigned) -> Case:
    """The case once a signature is asked for, or given; nothing of the step itself changes with it."""
    if isinstance(event, SignatureAsked):
        return case.model_copy(update={"signings": (*case.signings, signing_asked(event))})
    done = {"signed": event.signed, "signed_at": event.signed_at}
    signings = tuple(each.model_copy(update=done) if each.id == event.request else each for each in case.signings)
    return case.model_copy(update={"signings": signings})


def _with_step(case: Case, step: Step) -> Case:
    return case.model_copy(update={"steps": {**case.steps, step.plan.code: step}})
