"""Counts in the store: one document for each department, made anew again and again by `work`."""

from collections.abc import Sequence

from server.domain.time.counts import DepartmentCounts
from server.store.database import Database, Duplicate

COUNTS = "counts"


class Counts:
    """The last counts of each department."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def counts(self, departments: Sequence[str]) -> dict[str, DepartmentCounts]:
        """The last counts of these departments, as far as they were ever counted."""
        found = await self._database.get_many(COUNTS, departments)
        shown = DepartmentCounts.model_fields
        return {
            id: DepartmentCounts.model_validate({name: document[name] for name in shown})
            for id, document in found.items()
        }

    async def put(self, counts: DepartmentCounts) -> None:
        """Keep these counts, unless there are later ones."""
        document = {"_id": counts.department, **counts.model_dump(mode="json")}
        while True:
            stored = await self._database.get(COUNTS, counts.department)
            if stored is None:
                try:
                    return await self._database.insert(COUNTS, {**document, "version": 1})
                except Duplicate:
                    continue
            version = stored["version"]
            is_late = stored["counted_at"] >= document["counted_at"]
            if is_late or await self._database.replace(COUNTS, {**document, "version": version + 1}, version=version):
                return None
