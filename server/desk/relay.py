"""The relay: carries what must follow a commit from the case document to where it belongs, as often as need be."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from server.desk import apart
from server.domain.effects.records import Record
from server.domain.errors import StaleVersion, Unavailable
from server.node import Node

SWEPT_AT_ONCE = 100


async def relay(node: Node, *records: Record) -> None:
    """Carry all pending effects of the records; again and in any order does no harm."""
    await carry(node, [effect for record in records for effect in pending(record)])
    await node.store.cases.mark_relayed(records)


async def relay_soon(node: Node, *records: Record) -> None:
    """Carry the effects now, and leave them to the sweep if that raises anything unforeseen.

    What was committed is done: whoever did it goes on, and the sweep finds out which effect it is and sets it apart.
    """
    try:
        await relay(node, *records)
    except (StaleVersion, Unavailable):
        raise
    except Exception as fault:  # noqa: BLE001 # the sweep meets it again, and tells
        node.log.warning("relay.left", cases=[record.id for record in records], fault=apart.name_of(fault))


def pending(record: Record) -> list[Mapping[str, Any]]:
    """The effects that are not known to be carried."""
    return [effect for effect in record.document["effects"] if effect["event"] > record.document["relayed"]]


async def carry(node: Node, effects: Sequence[Mapping[str, Any]]) -> None:
    """Carry these effects, all of one kind in one round trip."""
    store = node.store
    rooms: Mapping[str, Any] = {
        "task": store.tasks,
        "letter": store.letters_out,
        "notice": store.notices,
        "alarm": store.alarms,
        "fetch": store.fetches,
    }
    for kind, room in rooms.items():
        documents = [effect[kind] for effect in effects if kind in effect]
        if documents:
            await room.put(*documents)
            node.metrics.effects_relayed.labels(kind).inc(len(documents))


async def sweep(node: Node) -> bool:
    """Carry what a crash left behind; True if there may be more."""
    due = await node.store.cases.due_for_relay(node.clock.now(), limit=SWEPT_AT_ONCE)
    await apart.set_apart_unread(node, due, kind="effects")
    await apart.all_or_each(node, {record.id: record for record in due}, partial(_carry_all, node), kind="effects")
    return due.seen == SWEPT_AT_ONCE


async def _carry_all(node: Node, records: Sequence[Record]) -> None:
    await relay(node, *records)
