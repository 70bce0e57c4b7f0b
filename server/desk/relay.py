"""The relay: carries what must follow a commit from its document to where it belongs, as often as need be."""

from collections.abc import Sequence
from functools import partial

from server.desk import apart
from server.desk.licensing import issue_granted
from server.domain.aggregate.records import AnyRecord
from server.domain.apart import Found
from server.domain.errors import Refusal, StaleVersion, Unavailable
from server.node import Node

SWEPT_AT_ONCE = 100
CARRIED_AT_ONCE = 64


class Relays:
    """Relays what a process commits while it serves; what is committed meanwhile goes together in the next relay.

    So a process at rest carries at once, and a busy one carries many records, of any kinds, in the round trips of one.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._waiting: dict[str, AnyRecord] = {}
        self._is_carrying = False

    async def carry(self, records: Sequence[AnyRecord]) -> None:
        """Carry what must follow these commits, by this call or by the one that is under way.

        What cannot be carried now is left to the sweep.
        """
        for record in records:
            # A later record of the same has all that waits in an earlier one.
            if record.name not in self._waiting or self._waiting[record.name].head.version < record.head.version:
                self._waiting[record.name] = record
        if self._is_carrying:
            return
        self._is_carrying = True
        try:
            while self._waiting:
                await self._carry([self._waiting.pop(name) for name in list(self._waiting)[:CARRIED_AT_ONCE]])
        finally:
            self._is_carrying = False

    async def _carry(self, records: Sequence[AnyRecord]) -> None:
        try:
            await relay_soon(self._node, *records)
        except Refusal as refusal:
            self._node.log.warning("relay.postponed", cases=[record.name for record in records], code=refusal.code)


async def relay(node: Node, *records: AnyRecord) -> None:
    """Carry all pending effects of the records, and their heads; again and in any order does no harm.

    What is granted by one is issued, and what follows from that is carried too.
    """
    carried = await node.store.carry([effect for record in records for effect in record.pending])
    for kind, number in carried.items():
        node.metrics.effects_relayed.labels(kind).inc(number)
    await node.store.heads.put([record.head for record in records], at=node.clock.now())
    issued = await issue_granted(node, records)
    await node.store.mark_relayed(records)
    if issued:
        await relay(node, *issued)


async def relay_soon(node: Node, *records: AnyRecord) -> None:
    """Carry the effects now, and leave them to the sweep if that raises anything unforeseen.

    What was committed is done: whoever did it goes on, and the sweep finds out which effect it is and sets it apart.
    """
    try:
        await relay(node, *records)
    except (StaleVersion, Unavailable):
        raise
    except Exception as fault:  # noqa: BLE001 # the sweep meets it again, and tells
        node.log.warning("relay.left", cases=[record.name for record in records], fault=apart.name_of(fault))


async def sweep(node: Node) -> bool:
    """Carry what a crash left behind; True if there may be more."""
    may_be_more = False
    for room in node.store.aggregates.values():
        due: Found[AnyRecord] = await room.due_for_relay(node.clock.now(), limit=SWEPT_AT_ONCE)
        await apart.set_apart_unread(node, due, kind="effects")
        await apart.all_or_each(node, {each.name: each for each in due}, partial(_carry_all, node), kind="effects")
        may_be_more |= due.seen == SWEPT_AT_ONCE
    return may_be_more


async def _carry_all(node: Node, records: Sequence[AnyRecord]) -> None:
    await relay(node, *records)
