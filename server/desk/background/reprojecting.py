"""Reprojecting: when the calendar changes, every open step gets the date and the alarm that follow from the new one."""

from collections.abc import Mapping, Sequence

from server.desk import apart
from server.domain.aggregate.names import FIRST
from server.domain.effects.deadlines import next_at
from server.domain.effects.effects import Task, due_on, task_id
from server.domain.time.reprojection import Projection
from server.node import Node

TASKS_AT_ONCE = 100


async def reproject(node: Node, *, limit: int = TASKS_AT_ONCE) -> bool:
    """Bring one page of open tasks to follow the calendar in force; True if there may be more.

    It goes on where it, or another process, has stopped.
    """
    calendar, known = node.published.calendar, await node.store.calendar.projection()
    if known.follows(calendar):
        return False
    if not known.is_on_the_way_to(calendar):
        await node.store.calendar.put(known.begun(calendar))
        return True
    page, cursor = await node.store.tasks.open_page(known.cursor, limit=limit)
    changed = known.changed
    for id, tasks in _by_case(page).items():
        changed += await apart.attempt(node, "dates", id, work=_redate(node, id, tasks)) or 0
    if len(page) == limit:
        node.log.info("calendar.projecting", tasks=len(page), changed=changed)
        await node.store.calendar.put(known.model_copy(update={"cursor": cursor, "changed": changed}))
        return True
    await _end(node, known.model_copy(update={"changed": changed}))
    return True


async def reproject_case(node: Node, id: str) -> None:
    """Bring one case to follow the calendar in force: it could not be done in its turn."""
    record = await node.store.cases.find(id)
    if record:
        ids = [task_id(id, code, part="decide", department="") for code in record.case.steps]
        await _redate(node, id, [task for task in await node.store.tasks.tasks(ids) if task.is_open])


def _by_case(tasks: Sequence[Task]) -> Mapping[str, Sequence[Task]]:
    found: dict[str, list[Task]] = {}
    for task in tasks:
        found.setdefault(task.case, []).append(task)
    return found


async def _redate(node: Node, id: str, tasks: Sequence[Task]) -> int:
    """Give a case's alarm and open tasks their new dates; answers how many tasks have changed."""
    record = await node.store.cases.find(id)
    if record is None:
        return 0
    case, calendar = record.case, node.published.calendar
    alarm = next_at(case, here=node.here, calendar=calendar)
    await node.store.alarms[FIRST].advance(id, alarm, event=case.version)
    moved = [
        task.authority
        for task in tasks
        if task.part == "decide" and await node.store.tasks.redate(task, due_on(case.step(task.step), calendar))
    ]
    await node.store.counts.mark_stale(moved)
    return len(moved)


async def _end(node: Node, done: Projection) -> None:
    """All dates follow the new calendar; why they have changed is noted for good."""
    about = {"from": done.calendar, "to": done.next_calendar, "dates_changed": str(done.changed)}
    if done.digest:
        id = f"calendar:{done.version}"
        await node.store.audit.note(id, "calendar.changed", at=node.clock.now(), about=about)
    if await node.store.calendar.put(done.ended()):
        node.log.info("calendar.projected", **about)
