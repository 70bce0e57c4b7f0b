"""Tasks in the store: the officers' worklists, each entry a projection of one step as of its last event."""

import asyncio
import heapq
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby, islice
from operator import itemgetter

from server.domain.effects.effects import Task
from server.domain.people.claims import NoSuchTask
from server.domain.values import moment_key, moment_text
from server.store.database import Database, Document, Query, is_safe
from server.store.latest import put_latest
from server.store.members import known, rewrite
from server.store.queries import BAR, JUST_AFTER, TASKS_OF_AUTHORITY, TASKS_OF_NODE, TASKS_OF_WINDOW, under
from server.store.unproven import is_proven

TASKS = "tasks"
OPEN = "open"
ENDED = "ended"
NO_DUE = "9999-12-31"
READ_AT_ONCE = 1000
MOMENTS = ("opened_at", "since", "urged_at")


class Tasks:
    """The tasks of all authorities of this node; an ended one stays as a tombstone."""

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
        """Open tasks of all authorities in the order of their keys, and where the next page begins.

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
        return await rewrite(self._database, TASKS, task.id, change=lambda _: document, version=task.event)

    async def open_tasks(
        self,
        authorities: Collection[str],
        windows: Collection[str] = (),
        *,
        dues: tuple[str, str] = ("", ""),
        after: str = "",
        limit: int,
    ) -> list[Task]:
        """The open tasks of these authorities and these windows, soonest due first over all of them, each once.

        `dues` are the first due date and the one after the last; `after` is the `place` of the last one already seen.
        """
        ranges = [(TASKS_OF_AUTHORITY, *_range(id, dues, after)) for id in authorities]
        ranges += [(TASKS_OF_WINDOW, *_range(id, dues, after)) for id in windows]
        merged = heapq.merge(*await self._proven_of(ranges, limit=limit), key=itemgetter("place"))
        each_once = (next(same) for _, same in groupby(merged, key=itemgetter("place")))
        return [_task(document) for document in islice(each_once, limit)]

    async def _proven_of(self, ranges: Iterable[tuple[Query, str, str]], *, limit: int) -> list[list[Document]]:
        """The first documents of each range; one that is not ours is left out and hides no other."""
        wanted, left_out = [each for each in ranges if each[1] < each[2]], 0
        while True:
            most = limit + left_out
            reads = [self._database.between(query, low, high, limit=most) for query, low, high in wanted]
            found = await asyncio.gather(*reads)
            proven = [[document for document in each if is_proven(document)] for each in found]
            broken = max((len(each) - len(ours) for each, ours in zip(found, proven, strict=True)), default=0)
            if broken <= left_out:
                return proven
            left_out = broken

    async def every_open_task(self, authority: str, *, at_once: int = READ_AT_ONCE) -> AsyncIterator[Task]:
        """All open tasks of an authority, read page by page."""
        low, high = under(authority, OPEN)
        while True:
            page = await self._database.between(TASKS_OF_AUTHORITY, low, high, limit=at_once)
            for document in page:
                yield _task(document)
            if len(page) < at_once:
                return
            low = page[-1]["key"] + JUST_AFTER

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
    told = known(Task, document)
    return Task(**told | {name: datetime.fromisoformat(told[name]) for name in MOMENTS if told.get(name)})


def _with_keys(task: Document) -> Document:
    """The task with its keys, which follow from what it says."""
    place = _place(task["due_on"], f"t{task['opened_at']}", task["_id"])
    node_key = BAR.join((OPEN if task["is_open"] else ENDED, place))
    window_key = BAR.join((task["window"], node_key)) if task["window"] else ""
    keys = {"place": place, "node_key": node_key, "key": BAR.join((task["authority"], node_key))}
    return {**task, **keys, "window_key": window_key, "version": task["event"]}


def _place(due_on: str, opened_at: str, id: str) -> str:
    return BAR.join((f"d{due_on or NO_DUE}", opened_at, id))


def _range(id: str, dues: tuple[str, str], after: str) -> tuple[str, str]:
    """The bounds of the keys of an authority's or a window's open tasks; never beyond them, whatever `after` says."""
    (low, high), (first, before) = under(id, OPEN), dues
    least = [low + after + JUST_AFTER if after else low, f"{low}d{first}" if first else low]
    return max(least), min(high, f"{low}d{before}") if before else high
