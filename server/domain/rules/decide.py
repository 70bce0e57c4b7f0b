"""Deciding: what happens to a case if an act is done to it now, or the refusal."""

from collections.abc import Collection

from server.domain.aggregate.actors import Actor
from server.domain.aggregate.acts import Act
from server.domain.aggregate.happening import Header
from server.domain.aggregate.judging import Judgement
from server.domain.case import acts, events
from server.domain.case.bouncing import Bounced, Resent
from server.domain.case.case import ENDED, GRANTED, HELD, STATE_NAMES, Case, NoSuchCase, Outcome, Step
from server.domain.case.events import Event
from server.domain.case.handover import CheckAsked
from server.domain.case.papers import MOST_PAPERS, SAID_OF_PAPER, GivenPaper, PaperMade
from server.domain.errors import Conflict, Forbidden, StaleVersion
from server.domain.exchange.routing import find_node
from server.domain.rules.lifecycle import evolve
from server.domain.rules.move import AnyRule, AnyTransition, Speaker
from server.domain.rules.moving import Moving
from server.domain.rules.parts import leg_of, paper_moved
from server.domain.rules.signings import PaperNotAsked, check_signed, paper_signed, signature_asked
from server.domain.rules.supplements import check_supply
from server.domain.rules.table import RULES, TRANSITIONS
from server.domain.time.calendar import add_working_days
from server.domain.values import china_day

HOME_SPEAKS = {"applicant", "home"}  # no officer says what these say


class StateForbids(Conflict):
    """The table has no such act in the step's present state."""

    code = "state_forbids"
    title = "事项当前状态不允许此操作"


class NotOurStep(Conflict):
    """Another node decides this step; only that node moves it."""

    code = "not_our_step"
    title = "该事项由其他地区办理"


class NotYourAuthority(Forbidden):
    """Another authority has this part in the step."""

    code = "not_your_authority"
    title = "该事项由其他机关办理"


class NothingToWithdraw(Conflict):
    """Every step has ended, or its withdrawal has been asked already."""

    code = "nothing_to_withdraw"
    title = "没有可以撤回的事项"


class StepAlreadyRequested(Conflict):
    """The home asks a second time for a step that is here already."""

    code = "step_already_requested"
    title = "该事项已经转来"


class _DecisionRecorder:
    """Records the events of one decision and applies each to the case at once."""

    def __init__(self, case: Case | None, act: Act, facts: acts.Facts) -> None:
        self.case = case
        self.act = act
        self.facts = facts
        self.events: list[Event] = []
        self.cases: list[Case] = []

    def header(self, by: Actor | None = None) -> Header:
        """What the next event carries, by the act's own actor unless another is named."""
        return {
            "number": (self.case.version if self.case else 0) + 1,
            "at": self.facts.at,
            "by": by or self.act.by,
            "act_id": self.act.id,
            "act_digest": self.act.digest,
        }

    def record(self, event: Event) -> Case:
        """Record that this happened, and answer the case after it."""
        case = self.case = evolve(self.case, event)
        self.events.append(event)
        self.cases.append(case)
        return case


def decide(case: Case | None, act: Act, facts: acts.Facts) -> Judgement[Case, Event]:
    """What happens if this act is done to the case now; raises a Refusal."""
    recorder = _DecisionRecorder(case, act, facts)
    if isinstance(act, acts.Open):
        case_name, said = f"{facts.here}/{act.number}", act.spoken_number
        header = recorder.header()
        recorder.record(events.Opened(**header, case=case_name, spoken_number=said, application=act.application))
    elif isinstance(act, acts.Request):
        _request(recorder, act)
    elif case is None:
        raise NoSuchCase("没有这个办件。")
    else:
        _do(recorder, case, act)
    if recorder.case and recorder.case.home == facts.here:
        _go_on(recorder, recorder.case)
    return Judgement(tuple(recorder.events), tuple(recorder.cases))


def _do(recorder: _DecisionRecorder, case: Case, act: Act) -> None:
    """Judge an act on a case that is here: by the table of moves, unless it is one of those with a way of their own."""
    match act:
        case acts.Withdraw():
            _withdraw(recorder, case, act)
        case acts.AskWithdrawal():
            _answer_withdrawal(recorder, case, act)
        case acts.FollowUp():
            _follow_up(recorder, case, act)
        case acts.PostPaper() | acts.ConfirmPaper():
            _paper(recorder, case, act)
        case acts.Bounce() | acts.Resend():
            _note_bounce(recorder, case, act)
        case acts.FilePaper():
            _file_paper(recorder, case, act)
        case acts.AskSignature():
            recorder.record(signature_asked(case, act, recorder.facts, header=recorder.header()))
        case acts.SignPaper():
            recorder.record(paper_signed(case, act, recorder.facts, header=recorder.header()))
        case acts.StepAct():
            _move(recorder, case, act)
        case _:
            raise TypeError(f"no rule judges {type(act).__name__}")


def _request(recorder: _DecisionRecorder, act: acts.Request) -> None:
    step = act.commission.step
    if recorder.case and step.code in recorder.case.steps:
        raise StepAlreadyRequested("该事项已经转来，不能重复。")
    if act.by.node != act.case.partition("/")[0]:
        raise NotOurStep("只有办件的受理地可以转来事项。")
    decider = find_node(recorder.facts.directory, step.division)
    if decider is None or decider.node != recorder.facts.here:
        raise NotOurStep("该事项不由本地办理。")
    header, commission = recorder.header(), act.commission
    recorder.record(events.Requested(**header, case=act.case, node=decider.node, commission=commission))


def _move(recorder: _DecisionRecorder, case: Case, act: acts.StepAct) -> None:
    step = case.step(act.step)
    moving = Moving(case, step, act, recorder.facts)
    rule = RULES[type(act)]
    _check_speaker(moving, rule.speaker)
    if rule.speaker in HOME_SPEAKS and _is_settled(recorder, moving):
        return
    if act.version is not None and act.version != step.version:
        raise StaleVersion("该事项已有新的进展，请刷新后重试。")
    event = rule.event_of(case, step, act, facts=recorder.facts) if _is_open(rule, step) else None
    if event is None or step.state not in TRANSITIONS[type(event)].states:
        raise StateForbids(f"事项处于“{STATE_NAMES[step.state]}”，不能执行此操作。")
    recorder.record(event)


def _is_open(rule: AnyRule, step: Step) -> bool:
    """Whether the act may be tried in this state; one without an event of its own in any."""
    return not isinstance(rule, AnyTransition) or step.state in rule.states


def _check_speaker(moving: Moving[acts.StepAct], speaker: Speaker) -> None:
    """One writer per step: its pinned decider, or the home while none is pinned. This holds for officers, citizens and
    peers.

    Only what the applicant says comes from the home. An officer speaks for the authority that decides, that is asked
    for its opinion, or that is above the one that decides.
    """
    case, step, by = moving.case, moving.step, moving.act.by
    is_homes = speaker in {*HOME_SPEAKS, "checker"} and not _is_ours_abroad(moving)
    node = case.home if is_homes else step.node
    if by.node != (node or case.home):
        raise NotOurStep("该事项由其他地区办理，只有办理地可以作出处理。")
    is_nobodys_yet = speaker == "decider" and step.authority is None  # the state forbids it
    if by.part == "officer" and not is_nobodys_yet and by.authority not in _authorities(moving, speaker):
        raise NotYourAuthority("该事项由其他机关办理。")
    if by.part == "citizen" and speaker != "applicant":
        raise NotYourAuthority("该事项由主管机关办理。")


def _authorities(moving: Moving[acts.StepAct], speaker: Speaker) -> Collection[str]:
    """Those whose officers may do it."""
    competent, act = moving.step.plan.competent, moving.act
    match speaker:
        case "checker":
            found = [competent.checker]
        case "heard":
            found = [competent.heard.get(department) for department in moving.step.opinions]
        case "decider":
            found = [moving.step.authority]
        case "superior":
            found = [act.superior] if isinstance(act, acts.Designate) else []
        case _:
            found = []
    return {each.id for each in found if each}


def _is_ours_abroad(moving: Moving[acts.StepAct]) -> bool:
    """Whether it is told by the decider that it has what the applicant supplied here."""
    return moving.is_mirror and moving.act.by.part == "node" and isinstance(moving.act, acts.Supply)


def _is_settled(recorder: _DecisionRecorder, moving: Moving[acts.StepAct]) -> bool:
    """Whether what the home says moves nothing here: it goes on by letter, or has come after the step had ended."""
    act = moving.act
    if act.by.part == "node" and not moving.is_mirror and moving.step.has_ended:
        return True
    if isinstance(act, acts.Supply) and not _is_ours_abroad(moving):
        check_supply(moving, act)
        if moving.is_mirror:
            header, given = recorder.header(), act.materials
            recorder.record(events.Answered(**header, step=act.step, form=act.form, materials=given))
            return True
    return False


def _paper(recorder: _DecisionRecorder, case: Case, act: acts.PostPaper | acts.ConfirmPaper) -> None:
    """Originals between home and decider: each tells what it does itself, the authority that has to do with them."""
    step = case.step(act.step)
    hands = {case.home: step.plan.competent.checker, step.node: step.authority}
    if act.by.node not in hands or act.leg not in (None, leg_of(case, act)):
        raise NotOurStep("只有受理地和办理地可以登记自己寄出和签收的原件。")
    hand = hands[act.by.node]
    if act.by.node == recorder.facts.here and (hand is None or act.by.authority != hand.id):
        raise NotYourAuthority("原件由负责核验或者办理的机关寄送和签收。")
    if act.version is not None and act.version != step.version:
        raise StaleVersion("该事项已有新的进展，请刷新后重试。")
    recorder.record(paper_moved(case, act, recorder.facts.here, header=recorder.header()))


def _follow_up(recorder: _DecisionRecorder, case: Case, act: acts.FollowUp) -> None:
    step = case.step(act.step)
    if act.by.node != case.home or case.leader is None or act.by.authority != case.leader.id:
        raise NotYourAuthority("只有牵头机关可以办理后续跟进。")
    if not case.leaves_to_lead(step) or act.step in case.followed_up:
        raise StateForbids("该事项没有需要后续跟进的内容。")
    recorder.record(events.FollowedUp(**recorder.header(), step=act.step, note=act.note))


def _note_bounce(recorder: _DecisionRecorder, case: Case, act: acts.Bounce | acts.Resend) -> None:
    """The home notes what became of its own word to the decider; the step itself is not moved by that."""
    if {act.by.node, recorder.facts.here} != {case.home} or act.by.part != "node":
        raise NotOurStep("只有办件的受理地记录转办函件的退回。")
    step = case.step(act.step)
    if step.has_ended or step.node in ("", case.home):
        return
    if isinstance(act, acts.Bounce):
        recorder.record(Bounced(**recorder.header(), step=act.step, letter=act.letter, code=act.code))
    elif step.bounced:
        recorder.record(Resent(**recorder.header(), step=act.step, letter=act.letter))


def _file_paper(recorder: _DecisionRecorder, case: Case, act: acts.FilePaper) -> None:
    """The node that decides the step has sealed what the case had asked for; the home believes that node alone."""
    step, here = case.step(act.step), recorder.facts.here
    if act.by.part != "node" or act.by.node != (step.node or case.home):
        raise NotOurStep("只有办理该事项的节点可以出具文书。")
    asked = case.paper(act.paper)
    is_full = sum(each.step == act.step for each in case.given_papers) >= MOST_PAPERS
    if (asked is None and (is_full or act.by.node == here)) or (asked is not None and not _is_to_be_made(asked, act)):
        raise PaperNotAsked("办件没有要求出具这份文书，或者文书已经出具。")
    check_signed(case, act.paper)
    told = {name: getattr(act, name) for name in SAID_OF_PAPER}
    recorder.record(PaperMade(**recorder.header(), step=act.step, spoken_number=act.spoken_number, **told))


def _is_to_be_made(asked: GivenPaper, act: acts.FilePaper) -> bool:
    """Whether this is the paper that was asked for, and it is not made yet."""
    return asked.file is None and (asked.step, asked.paper_kind, asked.event) == (act.step, act.paper_kind, act.of)


def _withdraw(recorder: _DecisionRecorder, case: Case, act: acts.Withdraw) -> None:
    if act.by.node != case.home:
        raise NotOurStep("只能在提交地撤回。")
    if act.version is not None and act.version != case.version:
        raise StaleVersion("办件已有新的进展，请刷新后重试。")
    for code, step in case.steps.items():
        if step.node not in ("", case.home):
            if step.state in HELD and step.withdrawal_asked_at is None:
                recorder.record(events.WithdrawalAsked(**recorder.header(), step=code))
        elif step.state in TRANSITIONS[events.Withdrawn].states:
            recorder.record(events.Withdrawn(**recorder.header(), step=code))
    if not recorder.events:
        raise NothingToWithdraw("所有事项都已办结或已申请撤回。")


def _answer_withdrawal(recorder: _DecisionRecorder, case: Case, act: acts.AskWithdrawal) -> None:
    """The decider lets the step go; if it has ended, its decision came first and has been told already."""
    if act.by.node != case.home:
        raise NotOurStep("只有办件的受理地可以代申请人撤回。")
    step = case.step(act.step)
    if step.node != recorder.facts.here:
        raise NotOurStep("该事项由其他地区办理，应由办理地答复撤回。")
    if not step.has_ended:
        by = Actor(node=recorder.facts.here, part="node")
        recorder.record(events.Withdrawn(**recorder.header(by), step=act.step))


def _go_on(recorder: _DecisionRecorder, case: Case) -> None:
    """What follows at home: tell the applicant, skip what can no more be done, send what may start, close the case.

    Steps stand in the order of the plan, so that one pass sees every need before what waits on it.
    """
    facts = recorder.facts
    by = Actor(node=facts.here, part="node")
    for code in case.steps:
        step = case.steps[code]
        if step.supplement and step.supplement.due_on is None:  # it was asked just now
            days = step.plan.terms.supplement_days
            due_on = add_working_days(china_day(facts.at), days, facts.calendar)
            case = recorder.record(events.Told(**recorder.header(by), step=code, due_on=due_on))
        if step.state not in ("waiting", "checking") or (step.state == "checking" and not step.checked_at):
            continue
        needed = {need: case.steps[need].state for need in step.plan.needs}
        lost = next((need for need, state in needed.items() if state in ENDED - GRANTED), None)
        decider = find_node(facts.directory, step.plan.division)
        if lost:
            case = recorder.record(events.Skipped(**recorder.header(by), step=code, waits_on=lost))
        elif decider and all(state in GRANTED for state in needed.values()):
            if step.plan.part and step.state == "waiting" and decider.node != facts.here:
                case = recorder.record(CheckAsked(**recorder.header(by), step=code))
                continue
            header, version = recorder.header(by), facts.directory.version
            case = recorder.record(events.Sent(**header, step=code, node=decider.node, directory_version=version))
    if case.closed_at is None and may_close(case):
        is_withdrawn = all(step.state in ("withdrawn", "skipped") for step in case.steps.values() if step.has_ended)
        left = tuple(code for code, step in case.steps.items() if not step.has_ended)
        outcome: Outcome = "withdrawn" if is_withdrawn else "completed"
        recorder.record(events.Closed(**recorder.header(by), outcome=outcome, open_steps=left))


def may_close(case: Case) -> bool:
    """Whether the bundle's rule lets the case close (办结): all steps have ended, or, against the applicant's
    undertaking, those of the lead department.
    """
    if all(step.has_ended for step in case.steps.values()):
        return True
    if case.closing == "all" or all(each.kind != "closing" for each in case.undertakings):
        return False
    led = [step for step in case.steps.values() if step.plan.department == case.lead]
    return bool(led) and all(step.has_ended for step in led)
