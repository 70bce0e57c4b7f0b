"""Doing an act to a case once: load, decide, commit, and after any doubt look first whether it was done already."""

from collections.abc import Sequence

from server.domain.acts import Act, Facts
from server.domain.case import NoSuchCase
from server.domain.deciding import decide
from server.domain.effects import effects_of
from server.domain.errors import Conflict, OutcomeUnknown, StaleVersion
from server.domain.events import Event
from server.domain.records import Commit, Record
from server.node import Node

ATTEMPTS = 3


class IdempotencyKeyReused(Conflict):
    """The Idempotency-Key was used before for something else."""

    title = "请求标识已用于其他内容"


async def perform(node: Node, id: str, act: Act) -> Record:
    """The case after the act, whether it is done now or was done before under the same act id.

    Raises NoSuchCase, the refusals of `decide`, IdempotencyKeyReused; StaleVersion or OutcomeUnknown when the
    doubt outlasts three attempts.
    """
    doubt: StaleVersion | OutcomeUnknown | None = None
    for _ in range(ATTEMPTS):
        record = await node.store.cases.case(id)
        if done := record.done_by(act.id):
            return same(record, done[0].act_digest, act.digest)
        facts = node.facts()
        events = decide(record.case, act, facts)
        if not events:
            return record
        try:
            return moved(node, await node.store.cases.commit(record, commit_of(record, events, facts)), events)
        except (StaleVersion, OutcomeUnknown) as fault:
            doubt = fault
    raise doubt or StaleVersion("办件已有新的进展，请刷新后重试。")


async def take_up(node: Node, id: str, act: Act) -> Record:
    """The same for an act that may begin this node's copy of another node's case."""
    try:
        return await perform(node, id, act)
    except NoSuchCase:
        facts = node.facts()
        events = decide(None, act, facts)
        return moved(node, await node.store.cases.commit(None, commit_of(None, events, facts)), events)


def moved(node: Node, record: Record, events: Sequence[Event]) -> Record:
    """The record; what happened to it is logged by the names of the acts alone."""
    node.log.info("case.moved", case=record.id, acts=[event.act for event in events])
    return record


def commit_of(record: Record | None, events: Sequence[Event], facts: Facts) -> Commit:
    """The events with all that must follow them."""
    case, threads = (record.case, record.threads) if record else (None, {})
    effects, threads = effects_of(case, events, facts, threads=threads)
    return Commit(events=events, effects=effects, threads=threads)


def same(record: Record, done: str, wished: str) -> Record:
    """The record, if what was done under the key is what is wished; raises IdempotencyKeyReused."""
    if done != wished:
        raise IdempotencyKeyReused("同一请求标识不能用于不同的内容。")
    return record
