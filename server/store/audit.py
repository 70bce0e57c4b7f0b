"""The audit entries in the store: who looked at what and why, and what a peer tried that is not its own."""

from collections.abc import Mapping
from datetime import datetime

from server.domain.values import moment_text
from server.store.database import Database, Document, Duplicate, Fields, Mark

AUDIT = "audit"
ATTEMPTS = 5


class Audit:
    """Insert-only but for counts. An entry names people by their keys and officers by name; no personal data."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._uncounted: dict[str, int] = {}

    async def note(self, id: str, kind: str, *, at: datetime, about: Mapping[str, str]) -> None:
        """Write one entry under an id that nobody else makes."""
        await self._database.insert_many(
            AUDIT, [{"_id": f"audit:{id}", "kind": kind, "at": moment_text(at), "about": dict(about)}]
        )

    async def count(self, id: str, kind: str, *, at: datetime, about: Mapping[str, str]) -> None:
        """Write one entry, or count it once more (`times`); processes that are too quick for each other count too few.

        However often it is called at once, one write is under way here: it takes along what came meanwhile.
        """
        is_writing = id in self._uncounted
        self._uncounted[id] = self._uncounted.get(id, 0) + 1
        if is_writing:
            return
        document = {"_id": f"audit:{id}", "kind": kind, "at": moment_text(at), "about": dict(about)}
        try:
            while times := self._uncounted[id]:
                self._uncounted[id] = 0
                await self._add(document, times)
        finally:
            del self._uncounted[id]

    async def _add(self, document: Document, times: int) -> None:
        for _ in range(ATTEMPTS):
            known = await self._database.get(AUDIT, document["_id"])
            if known is None:
                try:
                    await self._database.insert(AUDIT, {**document, "times": times, "version": 1})
                except Duplicate:
                    continue
                return
            more: Fields = {"times": known["times"] + times, "version": known["version"] + 1}
            if await self._database.mark(AUDIT, Mark(document["_id"], more, known["version"])):
                return
