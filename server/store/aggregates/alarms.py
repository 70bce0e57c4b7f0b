"""Alarms: in each aggregate the moment at which clockwork must look at it again, moved by a commit or by a look."""

from datetime import datetime

from server.domain.aggregate.alarms import DueAlarm
from server.store.aggregates.marks import ALARM, alarm_key
from server.store.database import Database, Mark, Query


class Alarms:
    """The alarms of all aggregates of a kind, found by `query`; that of one without a checkpoint is `done`."""

    def __init__(self, database: Database, query: Query) -> None:
        self._database = database
        self._query = query

    async def due(self, now: datetime, *, limit: int) -> list[DueAlarm]:
        """The alarms whose time has come, the longest due first."""
        documents = await self._database.between(self._query, "t", alarm_key(now, "~"), limit=limit)
        return [DueAlarm(document["_id"], document["version"]) for document in documents]

    async def advance(self, id: str, at: datetime | None, *, event: int) -> bool:
        """Set the alarm to another moment, if it is still as of this event."""
        return await self._database.mark(self._query.collection, Mark(id, {ALARM: alarm_key(at, id)}, event))
