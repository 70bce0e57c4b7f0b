"""The life of a case: one table of moves, `decide` that refuses or tells what happens, `evolve` that never refuses."""

from collections.abc import Iterable, Mapping
from typing import Any

from server.domain import acts, events
from server.domain.case import ENDED, HELD, STATE_NAMES, Actor, Case, NoSuchCase, State, Step
from server.domain.errors import Conflict, Forbidden, StaleVersion
from server.domain.routing import find_node

TABLE: Mapping[tuple[State, str], State] = {
    ("waiting", "send"): "sent",
    ("waiting", "skip"): "skipped",
    ("waiting", "withdraw"): "withdrawn",
    ("sent", "receive"): "received",
    ("sent", "withdraw"): "withdrawn",
    ("received", "accept"): "accepted",
    ("received", "withdraw"): "withdrawn",
    ("accepted", "approve"): "approved",
    ("accepted", "refuse"): "refused",
    ("accepted", "withdraw"): "withdrawn",
}


class StateForbids(Conflict):
    """The table has no such act in the step's present state."""

    title = "事项当前状态不允许此操作"


class NotOurStep(Conflict):
    """Another node decides this step; only that node moves it."""

    title = "该事项由其他地区办理"


class NotYourDepartment(Forbidden):
    """Another department decides this step."""

    title = "该事项由其他部门办理"


class NothingToWithdraw(Conflict):
    """Every step has ended, or its withdrawal has been asked already."""

    title = "没有可以撤回的事项"


class NotYielded(Conflict):
    """The result names a field that this item does not yield."""

    title = "办理结果中有该事项不产生的内容"


class StepAlreadyRequested(Conflict):
    """The home asks a second time for a step that is here already."""

    title = "该事项已经转来"


class _Minutes:
    """The minutes of one decision: events are taken down, and the case follows each of them."""

    def __init__(self, case: Case | None, act: acts.Act, facts: acts.Facts) -> None:
        self.case = case
        self.act = act
        self.facts = facts
        self.events: list[events.Event] = []

    def note(self, kind: type[events.Happened], *, by: Actor | None = None, **payload: Any) -> Case:
        """Take down that this happened, by the act's own actor unless another is named."""
        event: Any = kind(
            number=(self.case.version if self.case else 0) + 1,
            at=self.facts.at,
            by=by or self.act.by,
            act_id=self.act.id,
            act_digest=self.act.digest,
            **payload,
        )
        self.events.append(event)
        self.case = evolve(self.case, event)
        return self.case


def decide(case: Case | None, act: acts.Act, facts: acts.Facts) -> tuple[events.Event, ...]:
    """What happens if this act is done to the case now; raises a Refusal. No events: nothing remains to be done."""
    minutes = _Minutes(case, act, facts)
    if isinstance(act, acts.Open):
        minutes.note(events.Opened, case=f"{facts.here}/{act.number}", application=act.application)
    elif isinstance(act, acts.Request):
        _request(minutes, act)
    elif case is None:
        raise NoSuchCase("没有这个办件。")
    elif isinstance(act, acts.Withdraw):
        _withdraw(minutes, case, act)
    elif isinstance(act, acts.AskWithdrawal):
        _answer_withdrawal(minutes, case, act)
    elif isinstance(act, acts.StepAct):
        _move(minutes, case, act)
    if minutes.case and minutes.case.home == facts.here:
        _go_on(minutes, minutes.case)
    return tuple(minutes.events)


def _request(minutes: _Minutes, act: acts.Request) -> None:
    step = act.commission.step
    if minutes.case and step.code in minutes.case.steps:
        raise StepAlreadyRequested("该事项已经转来，不能重复。")
    if act.by.node != act.case.partition("/")[0]:
        raise NotOurStep("只有办件的受理地可以转来事项。")
    decider = find_node(minutes.facts.directory, step.division)
    if decider is None or decider.node != minutes.facts.here:
        raise NotOurStep("该事项不由本地办理。")
    minutes.note(events.Requested, case=act.case, node=decider.node, commission=act.commission)


def _move(minutes: _Minutes, case: Case, act: acts.StepAct) -> None:
    step = case.step(act.step)
    _check_decider(case, step, act.by)
    if act.by.part == "officer" and act.by.department != step.plan.department:
        raise NotYourDepartment("该事项由其他部门办理。")
    if act.version is not None and act.version != step.version:
        raise StaleVersion("该事项已有新的进展，请刷新后重试。")
    if (step.state, act.name) not in TABLE:
        raise StateForbids(f"事项处于“{STATE_NAMES[step.state]}”，不能执行此操作。")
    if isinstance(act, acts.Receive):
        minutes.note(events.Received, step=act.step)
    elif isinstance(act, acts.Accept):
        minutes.note(events.Accepted, step=act.step)
    elif isinstance(act, acts.Approve):
        if not set(act.result) <= set(step.plan.yields_fields):
            raise NotYielded("办理结果中有该事项不产生的内容。")
        minutes.note(events.Approved, step=act.step, result=act.result)
    elif isinstance(act, acts.Refuse):
        minutes.note(events.Refused, step=act.step, grounds=act.grounds)
    elif isinstance(act, acts.LetGo):
        minutes.note(events.Withdrawn, step=act.step)


def _check_decider(case: Case, step: Step, by: Actor) -> None:
    """One writer per step: its pinned decider, and the home while none is pinned, whoever asks and by whatever door."""
    if by.node != (step.node or case.home):
        raise NotOurStep("该事项由其他地区办理，只有办理地可以作出处理。")


def _withdraw(minutes: _Minutes, case: Case, act: acts.Withdraw) -> None:
    if act.by.node != case.home:
        raise NotOurStep("只能在提交地撤回。")
    if act.version is not None and act.version != case.version:
        raise StaleVersion("办件已有新的进展，请刷新后重试。")
    for code, step in case.steps.items():
        is_ours = step.node in ("", case.home)
        if is_ours and (step.state, "withdraw") in TABLE:
            minutes.note(events.Withdrawn, step=code)
        elif not is_ours and step.state in HELD and step.withdrawal_asked_at is None:
            minutes.note(events.WithdrawalAsked, step=code)
    if not minutes.events:
        raise NothingToWithdraw("所有事项都已办结或已申请撤回。")


def _answer_withdrawal(minutes: _Minutes, case: Case, act: acts.AskWithdrawal) -> None:
    """The decider lets the step go; if it has ended, its decision came first and has been told already."""
    if act.by.node != case.home:
        raise NotOurStep("只有办件的受理地可以代申请人撤回。")
    step = case.step(act.step)
    if step.node != minutes.facts.here:
        raise NotOurStep("该事项由其他地区办理，应由办理地答复撤回。")
    if not step.has_ended:
        minutes.note(events.Withdrawn, by=Actor(node=minutes.facts.here, part="node"), step=act.step)


def _go_on(minutes: _Minutes, case: Case) -> None:
    """What follows at home: skip what can no more be done, send what may start, close when all has ended.

    Steps stand in the order of the plan, so that one pass sees every need before what waits on it.
    """
    by = Actor(node=minutes.facts.here, part="node")
    directory = minutes.facts.directory
    for code in case.steps:
        step = case.steps[code]
        if step.state != "waiting":
            continue
        needed = {need: case.steps[need].state for need in step.plan.needs}
        lost = next((need for need, state in needed.items() if state in ENDED and state != "approved"), None)
        decider = find_node(directory, step.plan.division)
        if lost:
            case = minutes.note(events.Skipped, by=by, step=code, waits_on=lost)
        elif decider and all(state == "approved" for state in needed.values()):
            pinned = {"node": decider.node, "directory_version": directory.version}
            case = minutes.note(events.Sent, by=by, step=code, **pinned)
    if case.closed_at is None and all(step.has_ended for step in case.steps.values()):
        is_withdrawn = all(step.state in ("withdrawn", "skipped") for step in case.steps.values())
        minutes.note(events.Closed, by=by, outcome="withdrawn" if is_withdrawn else "completed")


def evolve(case: Case | None, event: events.Event) -> Case:
    """The case after the event; total: an event is a fact and is never refused."""
    if isinstance(event, events.Opened):
        case = _opened(event)
    elif isinstance(event, events.Requested):
        case = _requested(case, event)
    elif case is None:
        raise ValueError("the first event of a case opens it or requests a step of it")
    elif isinstance(event, events.Moved):
        case = _with_step(case, _moved(case.steps[event.step], event))
    elif isinstance(event, events.WithdrawalAsked):
        asked = {"withdrawal_asked_at": event.at}
        case = _with_step(case, case.steps[event.step].model_copy(update=asked))
    else:
        case = case.model_copy(update={"closed_at": event.at, "outcome": event.outcome})
    return case.model_copy(update={"version": event.number})


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
    wish = event.application
    return Case(
        home=home,
        number=number,
        bundle=wish.bundle,
        bundle_name=wish.bundle_name,
        catalogue=wish.catalogue,
        opened_at=event.at,
        applicant=wish.applicant,
        form=wish.form,
        materials=wish.materials,
        steps={plan.code: Step(plan=plan, since=event.at, version=event.number) for plan in wish.steps},
    )


def _requested(case: Case | None, event: events.Requested) -> Case:
    home, _, number = event.case.partition("/")
    wish = event.commission
    if case is None:
        case = Case(
            home=home,
            number=number,
            bundle=wish.bundle,
            bundle_name=wish.bundle_name,
            catalogue=wish.catalogue,
            opened_at=event.at,
            applicant=None,
            form={},
            materials=(),
            steps={},
        )
    known = set(case.materials)
    added = tuple(material for material in wish.materials if material not in known)
    case = case.model_copy(update={"form": {**case.form, **wish.form}, "materials": case.materials + added})
    step = Step(plan=wish.step, state="sent", since=event.at, version=event.number, node=event.node)
    return _with_step(case, step.model_copy(update={"directory_version": wish.directory_version}))


def _moved(step: Step, event: events.Moved) -> Step:
    change: dict[str, Any] = {"state": TABLE.get((step.state, event.act), step.state)}
    change |= {"since": event.at, "version": event.number}
    if isinstance(event, events.Sent):
        change |= {"node": event.node, "directory_version": event.directory_version}
    elif isinstance(event, events.Approved):
        change["result"] = event.result
    elif isinstance(event, events.Refused):
        change["grounds"] = event.grounds
    elif isinstance(event, events.Skipped):
        change["waits_on"] = event.waits_on
    return step.model_copy(update=change)


def _with_step(case: Case, step: Step) -> Case:
    return case.model_copy(update={"steps": {**case.steps, step.plan.code: step}})
