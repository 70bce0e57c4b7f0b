"""Tasks in the store: the officers' worklists, each entry a projection of one step as of its last event."""

import asyncio
import heapq
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from itertools import islice
from operator import itemgetter

from server.domain.effects.effects import Task
from server.domain.errors import Missing
from server.domain.values import moment_key, moment_text
from server.store.database import Database, Document, is_safe
from server.store.latest import put_latest
from server.store.queries import BAR, JUST_AFTER, TASKS_OF_DEPARTMENT, TASKS_OF_NODE, under

TASKS = "tasks"
OPEN = "open"
ENDED = "ended"
NO_DUE = "9999-12-31"
KEYS_AT_ONCE = 1000
FIELDS = tuple(field.name for field in fields(Task))
MOMENTS = ("opened_at", "since", "urged_at")


class NoSuchTask(Missing):
    """There is no task of this id."""

    code = "no_such_task"
    title = "没有这个待办事项"


@dataclass(frozen=True)
class TaskKey:
    """What the key of an open task tells of it; `due` is empty if no due date is known."""

    id: str
    state: str
    due: str


class Tasks:
    """The tasks of all departments of this node; an ended one stays as a tombstone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, *tasks: Document) -> None:
        """Write each task, as `written_task` wrote it, unless it is there as of the same or a later event."""
        await put_latest(self._database, TASKS, map(_with_keys, tasks))

    @staticmethod
    def place(task: Task) -> str:
        """What orders tasks in any list, soonest due first: due date, opening of the case, id."""
        return _place(task.due_on, moment_key(task.opened_at), task.id)

    async def open_page(self, after: str, *, limit: int) -> tuple[list[Task], str]:
        """Open tasks of all departments in the order of their keys, and where the next page begins.

        `after` is what came with the page before.
        """
        low, high = under(OPEN)
        page = await self._database.between(TASKS_OF_NODE, max(low, after + JUST_AFTER), high, limit=limit)
        return [_task(document) for document in page], page[-1]["node_key"] if page else after

    async def redate(self, task: Task, due_on: str) -> bool:
        """Give a task another due date as of the same event; False if it has that one, or has moved on meanwhile."""
        if task.due_on == due_on:
            return False
        document = _with_keys(written_task(replace(task, due_on=due_on)))
        return await self._database.replace(TASKS, document, version=task.event)

    async def open_tasks(
        self,
        department: str,
        states: Sequence[str],
        *,
        dues: tuple[str, str] = ("", ""),
        after: str = "",
        limit: int,
    ) -> list[Task]:
        """The open tasks in these states of a department (empty: of all), soonest due first over all of them.

        `dues` are the first due date and the one after the last; `after` is the `place` of the last one already seen.
        """
        ranges = [_range(department, state, dues=dues, after=after) for state in states]
        query = TASKS_OF_DEPARTMENT if department else TASKS_OF_NODE
        reads = [self._database.between(query, low, high, limit=limit) for low, high in ranges if low < high]
        found = await asyncio.gather(*reads)
        return [_task(document) for document in islice(heapq.merge(*found, key=itemgetter("place")), limit)]

    async def open_places(self, department: str, *, at_once: int = KEYS_AT_ONCE) -> list[TaskKey]:
        """All open tasks of a department as their keys tell; the keys alone are read, page by page."""
        places: list[TaskKey] = []
        low, high = under(department, OPEN)
        while True:
            keys = await self._database.keys(TASKS_OF_DEPARTMENT, low, high, limit=at_once)
            places += [_told_by(key) for key in keys]
            if len(keys) < at_once:
                return places
            low = keys[-1] + JUST_AFTER

    async def task(self, id: str) -> Task:
        """The task of this id, open or ended; raises NoSuchTask."""
        document = await self._database.get(TASKS, id) if is_safe(id) else None
        if document is None:
            raise NoSuchTask("没有这个待办事项。")
        return _task(document)

    async def tasks(self, ids: Sequence[str]) -> list[Task]:
        """The tasks of these ids, as far as there are any."""
        return [_task(document) for document in (await self._database.get_many(TASKS, ids)).values()]


def written_task(task: Task) -> Document:
    """A task as it waits in its case."""
    told = {name: getattr(task, name) for name in MOMENTS}
    moments = {name: moment_text(at) if at else None for name, at in told.items()}
    return {"_id": task.id, **vars(task), **moments}


def _task(document: Document) -> Task:
    told = {name: document[name] for name in FIELDS}
    told |= {name: datetime.fromisoformat(told[name]) for name in MOMENTS if told[name]}
    return Task(**told)


def _with_keys(task: Document) -> Document:
    """The task with its keys, which follow from what it says."""
    place = _place(task["due_on"], f"t{task['opened_at']}", task["_id"])
    node_key = BAR.join((OPEN if task["is_open"] else ENDED, task["state"], place))
    keys = {"place": place, "node_key": node_key, "key": BAR.join((task["department"], node_key))}
    return {**task, **keys, "version": task["event"]}


def _place(due_on: str, opened_at: str, id: str) -> str:
    return BAR.join((f"d{due_on or NO_DUE}", opened_at, id))


def _range(department: str, state: str, *, dues: tuple[str, str], after: str) -> tuple[str, str]:
    """The bounds of the keys of one state; never beyond them, whatever `after` says."""
    parts = (department, OPEN, state) if department else (OPEN, state)
    (low, high), (first, before) = under(*parts), dues
    least = [low + after + JUST_AFTER if after else low, f"{low}d{first}" if first else low]
    return max(least), min(high, f"{low}d{before}") if before else high


def _told_by(key: str) -> TaskKey:
    _, _, state, due, _, id = key.split(BAR, 5)
    return TaskKey(id, state, "" if due == f"d{NO_DUE}" else due[1:])
