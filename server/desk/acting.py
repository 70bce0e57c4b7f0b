"""Doing an act to a case once, with all that must follow it."""

from collections.abc import Mapping, Sequence

from server.desk.performing import Done, Performing
from server.domain.aggregate.acts import Act
from server.domain.aggregate.judging import Judgement
from server.domain.case.acts import Facts
from server.domain.case.case import Case
from server.domain.case.events import Event
from server.domain.effects.commits import Commit
from server.domain.effects.deadlines import next_at
from server.domain.effects.effects import effects_of
from server.domain.effects.records import CaseCommit, CaseRecord
from server.domain.paperwork.asking import FactsWithPapers, PaperRules, decide_with_papers
from server.node import Node


def commit_of(record: CaseRecord | None, decision: Judgement[Case, Event], facts: Facts) -> CaseCommit:
    """The decision (with at least one event) with all that must follow it; the case is evolved nowhere but there."""
    if not decision.values:
        raise ValueError("a commit without events moves nothing")
    threads = record.threads if record else {}
    effects, threads = effects_of(decision, facts, threads=threads)
    case = decision.values[-1]
    alarm = next_at(case, here=facts.here, calendar=facts.calendar)
    return Commit(events=decision.events, value=case, effects=effects, threads=threads, alarm=alarm)


def facts_of(node: Node) -> FactsWithPapers:
    """What a decision made now may know of the world, and what papers are asked for with if this node gives any."""
    texts = node.published.paper_texts
    rules = PaperRules(texts, node.catalogue_of, node.published.divisions, node.settings.origin) if texts else None
    return FactsWithPapers(**vars(node.facts()), papers=rules)


async def have_catalogues(node: Node, records: Sequence[CaseRecord]) -> None:
    """Have the catalogues at hand by which papers of these cases are called; without papers nothing is read."""
    if node.published.paper_texts:
        versions = {record.case.catalogue for record in records}
        await node.store.catalogues.load(versions - {node.catalogue.version})


CASES: Performing[Case, Event, CaseRecord, Act, FactsWithPapers] = Performing(
    room=lambda node: node.store.cases,
    facts=facts_of,
    decide=decide_with_papers,
    commit_of=commit_of,
    prepare=have_catalogues,
)


async def perform(node: Node, id: str, act: Act, *, known: CaseRecord | None = None) -> CaseRecord:
    """The case after the act, whether it is done now or was done before under the same act id.

    `known` is the case as it was just loaded; it is loaded anew only when it has moved since.
    Raises NoSuchCase, CaseErased, the refusals of `decide`, IdempotencyKeyReused; StaleVersion or OutcomeUnknown when
    the doubt outlasts three attempts.
    """
    return await CASES.perform(node, id, act, known=known)


async def perform_many(node: Node, acts_by_case: Mapping[str, Sequence[Act]]) -> Done[CaseRecord]:
    """Do the acts on many cases (by id), those on one case in order, in a few round trips for all of them.

    A case's first refusal ends its course: its further acts are not tried. A Request may begin a copy of a case.
    """
    return await CASES.perform_many(node, acts_by_case)


def moved(node: Node, record: CaseRecord, events: Sequence[Event]) -> CaseRecord:
    """The record; what happened to it is logged by the names of the acts alone."""
    return CASES.moved(node, record, events)
