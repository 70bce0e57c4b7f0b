"""The timeline: what happened to a case, in plain words and in order."""

from collections.abc import Iterable, Iterator

from server.desk.citizen.applying import note_agent, own_case
from server.desk.electronic import ON_ITS_WAY, ElectronicShown, electronics_of
from server.desk.naming import decider_name, node_name, telling_name
from server.desk.papers import PaperLine, paper_lines
from server.desk.steps import LocalMoment
from server.desk.visits import VisitShown, visits_of
from server.desk.wording import ACT_NAMES, AGENT, APPLICANT, BY_RULE, words_of
from server.domain.case import events
from server.domain.case.case import Case, Step
from server.domain.case.handover import PaperArrived, PaperPosted
from server.domain.case.happening import Moved
from server.domain.case.papers import PaperAsked, PaperMade
from server.domain.effects.awarding import NUMBER_UNKNOWN
from server.domain.effects.effects import step_of
from server.domain.effects.records import CaseRecord
from server.domain.rules.lifecycle import evolve
from server.domain.rules.responsible import acting_name
from server.domain.rules.table import TRANSITIONS
from server.domain.values import Value
from server.node import Node

BY_RULE_EVERYWHERE = (events.Supplied, events.Deemed, events.Withdrawn, events.TakenOver)


class TimelineEntry(Value):
    """One thing that happened: when, at which node, to which step, what, the state after it, by whom, and in words."""

    at: LocalMoment
    node: str
    node_name: str
    step: str | None
    step_name: str | None
    act: str
    act_name: str
    state: str
    by: str
    words: str


class Timeline(Value):
    """All that happened to a case, in order, its papers, and how often somebody came to a window for it (跑动).

    Of an electronic licence it tells how it stands now, and since when. What officers say among themselves is left out.
    """

    case: str
    timeline: tuple[TimelineEntry, ...]
    papers: tuple[PaperLine, ...]
    visit_count: int
    visits: tuple[VisitShown, ...]


async def my_timeline(node: Node, owner: str, id: str) -> Timeline:
    """What happened to one of the owner's cases; an agent's look at it is noted before. Raises NoSuchCase."""
    record = await own_case(node, owner, id)
    await note_agent(node, record, owner, kind="case.read")
    visits = await visits_of(node, record.id)
    return Timeline(
        case=record.id,
        timeline=tuple(_with_licences(list(_entries(node, record)), await _of_licences(node, record.case))),
        papers=paper_lines(record.case),
        visit_count=len(visits),
        visits=tuple(VisitShown.of(node, each) for each in visits),
    )


def _entries(node: Node, record: CaseRecord) -> Iterator[TimelineEntry]:
    case: Case | None = None
    for event in record.events:
        case = evolve(case, event)
        if isinstance(event, PaperAsked) or (isinstance(event, Moved) and TRANSITIONS[type(event)].is_internal):
            continue
        step = step_of(case, event)
        yield TimelineEntry(
            at=event.at,
            node=event.by.node,
            node_name=node_name(node, event.by.node),
            step=step.plan.code if step else None,
            step_name=step.plan.name if step else None,
            act=event.act,
            act_name=ACT_NAMES[event.act],
            state=step.state if step else "closed" if case.closed_at else "open",
            by=by_whom(node, case, event),
            words=words_of(node.catalogue_of(case.catalogue), case, event),
        )


def _with_licences(entries: list[TimelineEntry], licences: Iterable[TimelineEntry]) -> list[TimelineEntry]:
    """All in order; that there is no electronic licence follows the approval at once."""
    for licence in licences:
        approval = next((n for n, each in enumerate(entries) if (each.act, each.step) == ("approve", licence.step)), 0)
        later = (n for n, each in enumerate(entries) if n > approval and each.at > licence.at)
        place = approval + 1 if licence.words == NUMBER_UNKNOWN else next(later, len(entries))
        entries.insert(place, licence)
    return entries


async def _of_licences(node: Node, case: Case) -> list[TimelineEntry]:
    """How each electronic licence stands that the case has led to, or that there is none."""
    electronics = await electronics_of(node, case, case.steps.values())
    return [
        _entry_of_licence(node, case, case.steps[code], licence=each)
        for code, each in electronics.items()
        if each.words != ON_ITS_WAY
    ]


def _entry_of_licence(node: Node, case: Case, step: Step, *, licence: ElectronicShown) -> TimelineEntry:
    return TimelineEntry(
        at=licence.since or step.decided_at or step.since,
        node=step.node,
        node_name=node_name(node, step.node),
        step=step.plan.code,
        step_name=step.plan.name,
        act="licence",
        act_name="电子证照",
        state=step.state,
        by=decider_name(node, case, step),
        words=licence.words,
    )


def by_whom(node: Node, case: Case, event: events.Event) -> str:
    """The applicant or the agent, the department that moved the step, or the rule that did."""
    if event.by.part == "citizen":
        return AGENT if event.by.is_agent else APPLICANT
    if event.by.authority:
        return acting_name(case, event)
    if isinstance(event, PaperMade):
        return event.authority
    is_told = event.by.node != node.here and not isinstance(event, BY_RULE_EVERYWHERE)
    if is_told and isinstance(event, Moved | PaperPosted | PaperArrived):
        return telling_name(node, case, case.steps[event.step], event=event)
    return BY_RULE
