"""Counting: how much lies on the desks, counted anew where something moved, and shown as of the last time."""

from datetime import timedelta

from server.desk.apart import each_in_turn
from server.domain.time.counts import ToCount, counts_of
from server.domain.values import china_day
from server.node import Node

AT_ONCE = 50
CLAIM = timedelta(minutes=1)


async def count(node: Node) -> bool:
    """Count the open tasks of authorities whose counts do not hold any more; True if there may be more."""
    now = node.clock.now()
    wanted = await node.store.counts.to_make(now=now, today=china_day(now), limit=AT_ONCE)

    async def count_anew(authority: str) -> None:
        await _count(node, versions[authority])

    versions = {each.authority: each for each in wanted}
    await each_in_turn(versions, count_anew)
    return len(wanted) == AT_ONCE


async def _count(node: Node, wanted: ToCount) -> None:
    at = node.clock.now()
    begun = await node.store.counts.begin(wanted, until=at + CLAIM)
    if begun is None:
        return
    tasks = [(task.state, task.due_on) async for task in node.store.tasks.every_open_task(begun.authority)]
    today = china_day(at)
    await node.store.counts.put(begun, counts_of(begun.authority, tasks, at=at, today=today), today=today)
