"""Doing an act to a case once: load, decide, commit, and after any doubt look first whether it was done already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from server.domain.aggregate.acts import Act
from server.domain.aggregate.judging import Judgement
from server.domain.case.acts import Facts
from server.domain.case.case import Case
from server.domain.case.erasure import CaseErased
from server.domain.case.events import Event
from server.domain.effects.commits import Commit
from server.domain.effects.deadlines import next_at
from server.domain.effects.effects import effects_of
from server.domain.effects.records import CaseCommit, CaseRecord
from server.domain.errors import Conflict, OutcomeUnknown, Refusal, StaleVersion
from server.domain.rules.decide import decide
from server.node import Node

ATTEMPTS = 3


class IdempotencyKeyReused(Conflict):
    """The Idempotency-Key was used before for something else."""

    code = "idempotency_key_reused"
    title = "请求标识已用于其他内容"


async def perform(node: Node, id: str, act: Act, *, known: CaseRecord | None = None) -> CaseRecord:
    """The case after the act, whether it is done now or was done before under the same act id.

    `known` is the case as it was just loaded; it is loaded anew only when it has moved since.
    Raises NoSuchCase, the refusals of `decide`, IdempotencyKeyReused; StaleVersion or OutcomeUnknown when the
    doubt outlasts three attempts.
    """
    doubt: StaleVersion | OutcomeUnknown | None = None
    for _ in range(ATTEMPTS):
        record, known = known or await node.store.cases.case(id), None
        if (done := record.done_by(act.id)) is not None:
            return same(record, done, act.digest)
        facts = node.facts()
        decision = decide(record.case, act, facts)
        if not decision.events:
            return record
        try:
            commit = commit_of(record, decision, facts)
            return moved(node, await node.store.cases.commit(record, commit), decision.events)
        except (StaleVersion, OutcomeUnknown) as fault:
            doubt = fault
    raise doubt or StaleVersion("办件已有新的进展，请刷新后重试。")


@dataclass(frozen=True)
class Done:
    """What came of acts on many cases: for each act that was tried (by its id) its refusal or None, and the cases."""

    answers: Mapping[str, Refusal | None]
    records: Sequence[CaseRecord]


async def perform_many(node: Node, acts_by_case: Mapping[str, Sequence[Act]]) -> Done:
    """Do the acts on many cases (by id), those on one case in order, in a few round trips for all of them.

    A case's first refusal ends its course: its further acts are not tried. A Request may begin a copy of a case.
    """
    answers: dict[str, Refusal | None] = {}
    records: list[CaseRecord] = []
    left = dict(acts_by_case)
    for _ in range(ATTEMPTS):
        found = await node.store.cases.find_many(list(left))
        answers |= {left[id][0].id: CaseErased() for id in found.erased}
        courses = {id: _Course(node, found.get(id), acts) for id, acts in left.items() if id not in found.erased}
        moving = [each for each in courses.values() if each.events]
        after = await _commit(node, moving)
        if after is None:
            left = {id: left[id] for id, each in courses.items() if each.events}
        else:
            left = {}
            records += [moved(node, record, each.events) for record, each in zip(after, moving, strict=True)]
        for id, each in courses.items():
            if id not in left:
                answers |= each.answers
                records += [each.record] if each.record and not each.events else []
        if not left:
            break
    answers |= {acts[0].id: StaleVersion("办件已有新的进展，请刷新后重试。") for acts in left.values()}
    return Done(answers, records)


async def _commit(node: Node, moving: Sequence["_Course"]) -> list[CaseRecord] | None:
    """The cases after it; None if it is not sure that all have moved."""
    try:
        return await node.store.cases.commit_many([(each.record, each.commit()) for each in moving])
    except OutcomeUnknown:
        return None


class _Course:
    """The result of some acts on one case in its present state."""

    def __init__(self, node: Node, record: CaseRecord | None, acts: Sequence[Act]) -> None:
        self.record = record
        self.events: list[Event] = []
        self._cases: list[Case] = []
        self.answers: dict[str, Refusal | None] = {}
        self._facts = node.facts()
        case = record.case if record else None
        for act in acts:
            try:
                case = self._do(case, act)
            except Refusal as refusal:
                self.answers[act.id] = refusal
                return
            self.answers[act.id] = None

    def _do(self, case: Case | None, act: Act) -> Case | None:
        if self.record and (done := self.record.done_by(act.id)) is not None:
            same(self.record, done, act.digest)
            return case
        decision = decide(case, act, self._facts)
        self.events += decision.events
        self._cases += decision.values
        return decision.values[-1] if decision.values else case

    def commit(self) -> CaseCommit:
        return commit_of(self.record, Judgement(tuple(self.events), tuple(self._cases)), self._facts)


def moved(node: Node, record: CaseRecord, events: Sequence[Event]) -> CaseRecord:
    """The record; what happened to it is logged by the names of the acts alone."""
    node.log.info("case.moved", case=record.id, acts=[event.act for event in events])
    return record


def commit_of(record: CaseRecord | None, decision: Judgement[Case, Event], facts: Facts) -> CaseCommit:
    """The decision (with at least one event) with all that must follow it; the case is evolved nowhere but there."""
    if not decision.values:
        raise ValueError("a commit without events moves nothing")
    threads = record.threads if record else {}
    effects, threads = effects_of(decision, facts, threads=threads)
    case = decision.values[-1]
    alarm = next_at(case, here=facts.here, calendar=facts.calendar)
    return Commit(events=decision.events, value=case, effects=effects, threads=threads, alarm=alarm)


def same(record: CaseRecord, done: str, requested: str) -> CaseRecord:
    """The record, if the same request was done under the key; raises IdempotencyKeyReused."""
    if done != requested:
        raise IdempotencyKeyReused("同一请求标识不能用于不同的内容。")
    return record
