"""The relay: carries what must follow a commit from the case document to where it belongs, as often as need be."""

from collections.abc import Mapping
from typing import Any

from server.domain.records import Record
from server.node import Node

SWEPT_AT_ONCE = 100


async def relay(node: Node, record: Record) -> None:
    """Carry all pending effects of the record in the order of their events; again and in any order does no harm."""
    for effect in pending(record):
        await carry(node, effect)
    await node.store.cases.mark_relayed(record)


def pending(record: Record) -> list[Mapping[str, Any]]:
    """The effects that are not known to be carried."""
    return [effect for effect in record.document["effects"] if effect["event"] > record.document["relayed"]]


async def carry(node: Node, effect: Mapping[str, Any]) -> None:
    """Carry one effect."""
    if "task" in effect:
        await node.store.tasks.put(effect["task"])
        node.metrics.effects_relayed.labels("task").inc()
    if "letter" in effect:
        await node.store.letters.put(effect["letter"])
        node.metrics.effects_relayed.labels("letter").inc()
    if "notice" in effect:
        await node.store.notices.put(effect["notice"])
        node.metrics.effects_relayed.labels("notice").inc()
    if "fetch" in effect:
        await node.store.fetches.put(effect["fetch"])
        node.metrics.effects_relayed.labels("fetch").inc()
    if "alarm" in effect:
        await node.store.alarms.put(effect["alarm"])
        node.metrics.effects_relayed.labels("alarm").inc()


async def sweep(node: Node) -> bool:
    """Carry what a crash left behind; True if there may be more."""
    due = await node.store.cases.due_for_relay(node.clock.now(), limit=SWEPT_AT_ONCE)
    for record in due:
        await relay(node, record)
    return len(due) == SWEPT_AT_ONCE
