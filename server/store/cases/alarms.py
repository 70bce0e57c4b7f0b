"""Alarms: in each case the moment at which clockwork must look at it again, moved by a commit or by a look."""

from dataclasses import dataclass
from datetime import datetime

from server.store.cases.case_documents import ALARM, CASES, alarm_key
from server.store.database import Database, Mark
from server.store.queries import ALARMS_DUE


@dataclass(frozen=True)
class DueAlarm:
    """A due alarm: its case, and the event that set it."""

    case: str
    event: int


class Alarms:
    """The alarms of all cases; that of a case without a checkpoint is `done`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, now: datetime, *, limit: int) -> list[DueAlarm]:
        """The alarms whose time has come, the longest due first."""
        documents = await self._database.between(ALARMS_DUE, "t", alarm_key(now, "~"), limit=limit)
        return [DueAlarm(document["_id"], document["version"]) for document in documents]

    async def advance(self, case: str, at: datetime | None, *, event: int) -> bool:
        """Set the alarm to another moment, if it is still as of this event."""
        return await self._database.mark(CASES, Mark(case, {ALARM: alarm_key(at, case)}, event))
