"""Doing an act to an aggregate once: load, decide, commit, and after any doubt look first whether it was done."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from server.domain.aggregate.acts import Act
from server.domain.aggregate.happening import E, V
from server.domain.aggregate.judging import Judgement
from server.domain.aggregate.records import AnyRecord, R, Records
from server.domain.aggregate.words import AggregateWords
from server.domain.effects.commits import Commit
from server.domain.errors import Conflict, OutcomeUnknown, Refusal, StaleVersion
from server.node import Node

ATTEMPTS = 3
A = TypeVar("A", bound=Act)
F = TypeVar("F")


class IdempotencyKeyReused(Conflict):
    """The Idempotency-Key was used before for something else."""

    code = "idempotency_key_reused"
    title = "请求标识已用于其他内容"


class Room(Protocol[V, E, R]):
    """Where the aggregates of a kind are kept, as far as doing acts to them asks for it."""

    @property
    def words(self) -> AggregateWords:
        """What is said of this kind."""

    async def one(self, id: str) -> R:
        """The aggregate as it stands; raises what is said of one that is missing or was erased."""

    async def find_many(self, ids: Sequence[str]) -> Records[R]:
        """Those that are here, by id, and which of them were erased."""

    async def commit(self, record: R | None, commit: Commit[V, E]) -> R:
        """Move one, or begin it; raises StaleVersion and OutcomeUnknown."""

    async def commit_many(self, commits: Sequence[tuple[R | None, Commit[V, E]]]) -> list[R] | None:
        """Move or begin many; None if some were surely not moved. Raises OutcomeUnknown."""


@dataclass(frozen=True)
class Done(Generic[R]):
    """What came of acts on many: for each act that was tried (by its id) its refusal or None, and the records."""

    answers: Mapping[str, Refusal | None]
    records: Sequence[R]


async def _nothing_to_prepare(_node: Node, _records: Sequence[AnyRecord]) -> None:
    """A decision looks up nothing but its facts."""


@dataclass(frozen=True)
class Performing(Generic[V, E, R, A, F]):
    """How acts are done to one kind of aggregate: where it is kept, what a decision knows of the world, the decision,
    and what is written of it. `prepare` reads what the decision may look up of these records.
    """

    room: Callable[[Node], Room[V, E, R]]
    facts: Callable[[Node], F]
    decide: Callable[[V | None, A, F], Judgement[V, E]]
    commit_of: Callable[[R | None, Judgement[V, E], F], Commit[V, E]]
    prepare: Callable[[Node, Sequence[R]], Awaitable[None]] = _nothing_to_prepare

    async def perform(self, node: Node, id: str, act: A, *, known: R | None = None) -> R:
        """The record after the act, whether it is done now or was done before under the same act id.

        `known` is the record as it was just loaded; it is loaded anew only when it has moved since.
        Raises what is said of the missing and the erased, the refusals of `decide`, IdempotencyKeyReused; StaleVersion
        or OutcomeUnknown when the doubt outlasts three attempts.
        """
        room = self.room(node)
        doubt: StaleVersion | OutcomeUnknown | None = None
        for _ in range(ATTEMPTS):
            record, known = known or await room.one(id), None
            await self.prepare(node, [record])
            if (done := record.done_by(act.id)) is not None:
                return same(record, done, act.digest)
            facts = self.facts(node)
            decision = self.decide(record.value, act, facts)
            if not decision.events:
                return record
            try:
                commit = self.commit_of(record, decision, facts)
                return self.moved(node, await room.commit(record, commit), decision.events)
            except (StaleVersion, OutcomeUnknown) as fault:
                doubt = fault
        raise doubt or StaleVersion(room.words.moved_on)

    async def perform_many(self, node: Node, acts_by_id: Mapping[str, Sequence[A]]) -> Done[R]:
        """Do the acts on many aggregates (by id), those on one in order, in a few round trips for all of them.

        The first refusal ends the course of an aggregate: its further acts are not tried. An act may begin one.
        """
        room = self.room(node)
        answers: dict[str, Refusal | None] = {}
        records: list[R] = []
        left = dict(acts_by_id)
        for _ in range(ATTEMPTS):
            found = await room.find_many(list(left))
            await self.prepare(node, list(found.values()))
            answers |= {left[id][0].id: room.words.erased() for id in found.erased}
            courses = {
                id: self._course(node, found.get(id), acts) for id, acts in left.items() if id not in found.erased
            }
            moving = [each for each in courses.values() if each.events]
            after = await _commit(room, moving)
            if after is None:
                left = {id: left[id] for id, each in courses.items() if each.events}
            else:
                left = {}
                records += [self.moved(node, record, each.events) for record, each in zip(after, moving, strict=True)]
            for id, each in courses.items():
                if id not in left:
                    answers |= each.answers
                    records += [each.record] if each.record and not each.events else []
            if not left:
                break
        answers |= {acts[0].id: StaleVersion(room.words.moved_on) for acts in left.values()}
        return Done(answers, records)

    def _course(self, node: Node, record: R | None, acts: Sequence[A]) -> "_Course[V, E, R, A, F]":
        return _Course(self, record, acts, facts=self.facts(node))

    def moved(self, node: Node, record: R, events: Sequence[E]) -> R:
        """The record; what happened to it is logged by the names of the acts alone."""
        words = self.room(node).words
        node.log.info(words.moved, **{words.noun: record.id}, acts=[event.act for event in events])
        return record


async def _commit(room: Room[V, E, R], moving: Sequence["_Course[V, E, R, A, F]"]) -> list[R] | None:
    """The records after it; None if it is not sure that all have moved."""
    try:
        return await room.commit_many([(each.record, each.commit()) for each in moving])
    except OutcomeUnknown:
        return None


class _Course(Generic[V, E, R, A, F]):
    """The result of some acts on one aggregate in its present state."""

    def __init__(self, performing: Performing[V, E, R, A, F], record: R | None, acts: Sequence[A], *, facts: F) -> None:
        self.record = record
        self.events: list[E] = []
        self._values: list[V] = []
        self.answers: dict[str, Refusal | None] = {}
        self._performing = performing
        self._facts = facts
        value: V | None = record.value if record else None
        for act in acts:
            try:
                value = self._do(value, act)
            except Refusal as refusal:
                self.answers[act.id] = refusal
                return
            self.answers[act.id] = None

    def _do(self, value: V | None, act: A) -> V | None:
        if self.record and (done := self.record.done_by(act.id)) is not None:
            same(self.record, done, act.digest)
            return value
        decision = self._performing.decide(value, act, self._facts)
        self.events += decision.events
        self._values += decision.values
        return decision.values[-1] if decision.values else value

    def commit(self) -> Commit[V, E]:
        decision = Judgement(tuple(self.events), tuple(self._values))
        return self._performing.commit_of(self.record, decision, self._facts)


def same(record: R, done: str, requested: str) -> R:
    """The record, if the same request was done under the key; raises IdempotencyKeyReused."""
    if done != requested:
        raise IdempotencyKeyReused("同一请求标识不能用于不同的内容。")
    return record
