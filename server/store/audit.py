"""The audit entries in the store: who looked at what and why, and what a peer tried that is not its own."""

from collections.abc import Mapping
from datetime import datetime

from server.domain.names import moment_text
from server.store.database import Database

AUDIT = "audit"


class Audit:
    """Insert-only; an entry names people by their keys and officers by name, and holds no personal data."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, id: str, kind: str, *, at: datetime, about: Mapping[str, str]) -> None:
        """Write one entry under an id that nobody else makes."""
        await self._database.insert_many(
            AUDIT, [{"_id": f"audit:{id}", "kind": kind, "at": moment_text(at), "about": dict(about)}]
        )
