"""History: what happened to the steps in which an officer has a part, in plain words and in order."""

from collections.abc import Mapping

from server.desk.citizen.timeline import by_whom
from server.desk.officer.seeing import Seen
from server.desk.steps import LocalMoment
from server.desk.wording import ACT_NAMES, words_of
from server.domain.case.case import Case
from server.domain.case.events import Event
from server.domain.case.happening import Moved
from server.domain.case.papers import PaperAsked
from server.domain.effects.effects import step_of
from server.domain.effects.records import CaseRecord
from server.domain.people.accounts import DeskEntry
from server.domain.rules.lifecycle import evolve
from server.domain.rules.table import TRANSITIONS
from server.domain.values import Value
from server.node import Node


class HistoryEntry(Value):
    """One thing that happened to a step: when, what, by whom, and in words.

    `officer` is who did it, and `stands_in_for` in whose place, told to their own authority only.
    `words` are empty if the name is enough.
    """

    at: LocalMoment
    step: str
    step_name: str
    act: str
    act_name: str
    by: str
    officer: str
    stands_in_for: str
    words: str


def history_of(
    node: Node, entry: DeskEntry, record: CaseRecord, *, parts: Mapping[str, Seen]
) -> tuple[HistoryEntry, ...]:
    """What happened to these steps; who only follows one up is told that and no more."""
    case: Case | None = None
    entries, catalogue = [], node.catalogue_of(record.case.catalogue)
    own = {post.authority for post in entry.posts if post.authority}
    for event in record.events:
        case = evolve(case, event)
        step = step_of(case, event)
        part = parts[step.plan.code].mine.part if step and step.plan.code in parts else None
        if step is None or not _is_told(event, part):
            continue
        by = event.by
        is_own = by.part == "officer" and by.node == node.here and by.authority in own
        entries.append(
            HistoryEntry(
                at=event.at,
                step=step.plan.code,
                step_name=step.plan.name,
                act=event.act,
                act_name=ACT_NAMES[event.act],
                by=by_whom(node, case, event),
                officer=by.name if is_own else "",
                stands_in_for=by.stands_in_for if is_own else "",
                words="" if part == "follow_up" else words_of(catalogue, case, event),
            )
        )
    return tuple(entries)


def _is_told(event: Event, part: str | None) -> bool:
    """What is internal is for those who decide the step; the rest for all who have a part in it."""
    is_internal = isinstance(event, PaperAsked) or (isinstance(event, Moved) and TRANSITIONS[type(event)].is_internal)
    return part is not None and (part == "decide" or not is_internal)
