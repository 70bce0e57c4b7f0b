"""Reprojecting: when the calendar changes, every open step gets the date and the alarm that follow from the new one."""

from server.domain.case import Case
from server.domain.effects import due_on
from server.domain.names import moment_text
from server.domain.projecting import Projection
from server.domain.records import Record
from server.domain.rungs import next_at
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
    page = await node.store.tasks.open_page(known.cursor, limit=limit)
    records: dict[str, Record | None] = {}
    changed = known.changed
    for task in page:
        id = task["case"]
        if id not in records:
            records[id] = await node.store.cases.find(id)
            await _set_alarm(node, records[id])
        record = records[id]
        if record and task.get("part", "decide") == "decide":
            changed += await node.store.tasks.redate(task, due_on(record.case.step(task["step"]), calendar))
    if len(page) == limit:
        node.log.info("calendar.projecting", tasks=len(page), changed=changed)
        await node.store.calendar.put(known.model_copy(update={"cursor": page[-1]["node_key"], "changed": changed}))
        return True
    await _end(node, known.model_copy(update={"changed": changed}))
    return True


async def _set_alarm(node: Node, record: Record | None) -> None:
    if record is None:
        return
    case: Case = record.case
    at = next_at(case, here=node.here, calendar=node.published.calendar)
    alarm = {"case": record.id, "event": case.version, "at": moment_text(at) if at else None}
    await node.store.alarms.put(alarm)
    await node.store.alarms.advance(record.id, at, event=case.version)


async def _end(node: Node, done: Projection) -> None:
    """All dates follow the new calendar; why they have changed is noted for good."""
    about = {"from": done.calendar, "to": done.next_calendar, "dates_changed": str(done.changed)}
    if done.digest:
        id = f"calendar:{done.version}"
        await node.store.audit.note(id, "calendar.changed", at=node.clock.now(), about=about)
    if await node.store.calendar.put(done.ended()):
        node.log.info("calendar.projected", **about)
