"""Tasks in the store: the officers' worklists, each entry a projection of one step as of its last event."""

from collections.abc import Sequence

from server.store.database import Database, Document, Duplicate
from server.store.queries import BAR, TASKS_OF_DEPARTMENT, under

TASKS = "tasks"
OPEN = "open"
ENDED = "ended"


class Tasks:
    """The tasks of all departments of this node; an ended one stays as a tombstone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, task: Document) -> None:
        """Write the task unless it is there already as of the same or a later event."""
        state = OPEN if task["is_open"] else ENDED
        key = BAR.join((task["department"], state, f"t{task['opened_at']}", task["_id"]))
        document = {**task, "key": key, "version": task["event"]}
        try:
            await self._database.insert(TASKS, document)
        except Duplicate:
            await self._overtake(document)

    async def _overtake(self, document: Document) -> None:
        while True:
            stored = await self._database.get(TASKS, document["_id"])
            if stored is None or stored["version"] >= document["version"]:
                return
            if await self._database.replace(TASKS, document, version=stored["version"]):
                return

    async def open_tasks_of(self, department: str, *, limit: int, after: str = "") -> list[Document]:
        """A department's open tasks, oldest first; `after` is the `key` of the last one already seen."""
        low, high = under(department, OPEN)
        return await self._database.between(TASKS_OF_DEPARTMENT, f"{after}!" if after else low, high, limit=limit)

    async def tasks_of(self, case: str, steps: Sequence[str]) -> list[Document]:
        """The tasks of these steps of a case, as far as there are any."""
        found = await self._database.get_many(TASKS, [f"{case}:{step}" for step in steps])
        return list(found.values())
