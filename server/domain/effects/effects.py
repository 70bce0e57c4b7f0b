"""What must follow a commit: tasks, letters, notices, fetches, clues, deeds, licences; told by the events alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from server.domain.aggregate.judging import Judgement
from server.domain.case import events
from server.domain.case.acts import Facts
from server.domain.case.case import Case, State, Step, local_id
from server.domain.case.fetches import Fetch, fetch_of
from server.domain.case.papers import PaperAsked, PaperMade, PaperOrder
from server.domain.case.signings import PaperSigned, SignatureAsked
from server.domain.catalogue.terms import DELIVERY_DAYS, NOTIFY_DAYS
from server.domain.effects.clues import CaseClues, clues_added
from server.domain.effects.deeds import Deed, deed_of
from server.domain.effects.letters_out import told
from server.domain.effects.notices import Notice, notice_of
from server.domain.exchange.letters import CASE, About, Letter, letter_id, letter_salt
from server.domain.licence.acts import IssueLicence
from server.domain.licence.decide import issue_of
from server.domain.rules.desk_forms import TaskPart
from server.domain.rules.parts import paper_is_due
from server.domain.rules.responsible import Responsible, responsible
from server.domain.time.calendar import Calendar, add_working_days
from server.domain.time.clock import due
from server.domain.values import Value, china_day

LETTER, NOTICE, FETCH, CLUES, DEED, ISSUE, FIRST_TASK = range(7)
PAPER = FIRST_TASK  # an event that asks for a paper changes no task


@dataclass(frozen=True, kw_only=True)
class Task:
    """An officer's worklist entry: a projection of a step, as of one event; without personal data.

    It lies at an authority, for the power of a department, and at the window that the applicant chose, if any. `left`
    is the authority that it lay at before, if it goes to another one with this event: both count anew. `part`
    is what is to be done: decide, give an opinion, follow up what ended after the closing, check at home what another
    node decides, or see to originals that travel by post.
    `due_on` is the last day for it (`2026-12-01`), empty while there is none; `urged_at` is when the applicant last
    pressed for it.
    """

    case: str
    step: str
    event: int
    authority: str
    authority_name: str
    department: str
    window: str = ""
    part: TaskPart = "decide"
    state: State
    is_open: bool
    item_name: str
    bundle_name: str
    opened_at: datetime
    since: datetime
    due_on: str = ""
    urged_at: datetime | None = None
    left: str = ""

    @property
    def id(self) -> str:
        """Its id, which never changes."""
        return task_id(self.case, self.step, part=self.part, department=self.department)


def task_id(case: str, step: str, *, part: TaskPart, department: str) -> str:
    """The one task for a step and what a department is to do with it; whoever decides, the step has one for that."""
    own = f"{case}:{step}"
    return own if part == "decide" else f"{own}:{part}:{department}"


class Effect(Value):
    """One thing that must follow the event of this number; the index tells those of one event apart."""

    event: int
    index: int
    task: Task | None = None
    letter: Letter | None = None
    notice: Notice | None = None
    fetch: Fetch | None = None
    clues: CaseClues | None = None
    deed: Deed | None = None
    paper: PaperOrder | None = None
    issue: IssueLicence | None = None


def effects_of(
    decision: Judgement[Case, events.Event], facts: Facts, *, threads: Mapping[str, str]
) -> tuple[tuple[Effect, ...], dict[str, str]]:
    """The effects of a decision, and the last letter to each node after it.

    `threads` maps a node to the id of our last letter about this case to it.
    """
    effects: list[Effect] = []
    last = dict(threads)
    for event, case in zip(decision.events, decision.values, strict=True):
        step = step_of(case, event)
        letter = _letter(case, event, facts, step=step, after=last) if step else None
        if letter:
            effects.append(Effect(event=event.number, index=LETTER, letter=letter))
            last[letter.to] = letter.id
        notice = notice_of(case, event) if case.home == facts.here else None
        if notice:
            effects.append(Effect(event=event.number, index=NOTICE, notice=notice))
        fetch = fetch_of(case, step, event, here=facts.here) if step else None
        if fetch:
            effects.append(Effect(event=event.number, index=FETCH, fetch=fetch))
        effects += _projections(case, step, event, facts=facts)
    return tuple(effects), last


def _projections(case: Case, step: Step | None, event: events.Event, *, facts: Facts) -> Iterator[Effect]:
    """What officers find the case by, what they have done and have to do, as far as this event changes it."""
    number = event.number
    if isinstance(event, PaperAsked | SignatureAsked | PaperSigned):
        if isinstance(event, PaperAsked | PaperSigned):
            yield Effect(event=number, index=PAPER, paper=order_of(case, event, here=facts.here))
        return
    clues = clues_added(case, event, facts.field_types, here=facts.here)
    if clues:
        yield Effect(event=number, index=CLUES, clues=clues)
    if step is None or isinstance(event, PaperMade):
        return
    if isinstance(event, events.Approved) and event.grant:
        yield Effect(event=number, index=ISSUE, issue=issue_of(event.grant, here=facts.here))
    deed = deed_of(case, step, event, here=facts.here)
    if deed:
        yield Effect(event=number, index=DEED, deed=deed)
    for index, task in enumerate(tasks_of(case, step, event=event, facts=facts), FIRST_TASK):
        yield Effect(event=number, index=index, task=task)


def order_of(case: Case, event: PaperAsked | PaperSigned, *, here: str) -> PaperOrder:
    """What is to be made because the case asked for it; what is signed is sealed under the id of its request."""
    id = local_id(case.name, here)
    paper = event.paper if isinstance(event, PaperAsked) else event.request
    return PaperOrder(paper=paper, case=id, step=event.step, event=event.number, at=event.at)


def step_of(case: Case, event: events.Event) -> Step | None:
    """The step that the event is about, if it is about one."""
    if isinstance(event, events.Requested):
        return case.steps[event.commission.step.code]
    code = getattr(event, "step", None)
    return case.steps[code] if code else None


def tasks_of(case: Case, step: Step, *, event: events.Event, facts: Facts) -> Iterator[Task]:
    """The worklist entries that this event changes: one for each authority that has a part in the step here."""
    left = event.former.id if isinstance(event, events.HandedOn) and event.former else ""
    for each in responsible(case, step, here=facts.here):
        is_open, last_day = _what_is_left(case, step, each, facts=facts)
        yield Task(
            case=local_id(case.name, facts.here),
            step=step.plan.code,
            event=event.number,
            authority=each.authority.id,
            authority_name=each.authority.name,
            department=each.department,
            window=case.window if case.home == facts.here else "",
            part=each.part,
            state=step.state,
            is_open=is_open,
            item_name=step.plan.name,
            bundle_name=case.bundle_name,
            opened_at=case.opened_at,
            since=step.since,
            due_on=last_day,
            urged_at=step.urged_at,
            left=left if each.authority == step.authority else "",
        )


def _what_is_left(case: Case, step: Step, part: Responsible, *, facts: Facts) -> tuple[bool, str]:
    """Whether something is left to be done for this part, and its last day."""
    match part.part:
        case "decide":
            return is_in_hand(step), due_on(step, facts.calendar)
        case "opinion":
            opinion = step.opinions[part.department]
            return not opinion.answer and not step.has_ended, opinion.due_on.isoformat()
        case "check":
            return step.state == "checking" and not step.checked_at, ""
        case "paper":
            return paper_is_due(step, is_home=case.home == facts.here), ""
        case "follow_up":
            return step.plan.code not in case.followed_up, ""


def is_in_hand(step: Step) -> bool:
    """Whether its authority still has something to do: to decide, or to deliver a document."""
    return not step.has_ended or (step.state == "approved" and bool(step.plan.yields))


def due_on(step: Step, calendar: Calendar) -> str:
    """The last day for what is to be done next, as far as that is sure; empty if it is not, or nothing is."""
    if step.state == "supplementing" and step.supplement:
        return step.supplement.due_on.isoformat() if step.supplement.due_on else ""
    if step.clock and not step.has_ended:
        last = due(step.clock, calendar, "promised")
        return last.on.isoformat() if last.on and last.is_confirmed else ""
    since, days = (step.since, DELIVERY_DAYS) if step.has_ended else (step.notify_from, NOTIFY_DAYS)
    if since is None:
        return ""
    first = china_day(since)
    last_day = add_working_days(first, days, calendar)
    return last_day.isoformat() if calendar.are_confirmed(first, last_day) and is_in_hand(step) else ""


def _letter(case: Case, event: events.Event, facts: Facts, *, step: Step, after: Mapping[str, str]) -> Letter | None:
    """The home asks, the decider tells; a mirrored event tells nobody anything."""
    is_home = case.home == facts.here
    to = step.node if is_home else case.home
    message = told(case, step, event, is_home=is_home) if to != facts.here else None
    if message is None:
        return None
    return Letter(
        id=letter_id(facts.here, to, CASE, case.name, event.number, 1),
        sender=facts.here,
        to=to,
        after=after.get(to),
        about=About(kind=CASE, name=case.name, part=step.plan.code),
        kind=message.kind,
        may_ignore=message.may_ignore,
        at=event.at,
        salt=letter_salt(facts.salt, event.number, 1),
        body=message.body,
    )
