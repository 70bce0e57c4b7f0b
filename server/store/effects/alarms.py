"""Alarms in the store: for each case the moment at which clockwork must look at it again, as of its last event."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from server.domain.effects.effects import Alarm
from server.domain.values import moment_key
from server.store.database import Database, Document, Mark
from server.store.latest import put_latest
from server.store.queries import ALARMS_DUE, BAR

ALARMS = "alarms"
DONE = "done"


@dataclass(frozen=True)
class DueAlarm:
    """A due alarm: its case, and the event that set it."""

    case: str
    event: int


class Alarms:
    """The alarms of all cases that ever had one; that of a case without a checkpoint is `done`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, *alarms: Mapping[str, Any]) -> None:
        """Set each alarm, as it waits in its case, unless it is set already as of the same or a later event."""
        await put_latest(self._database, ALARMS, map(_written, alarms))

    async def set(self, alarm: Alarm) -> None:
        """Set an alarm as of its event, to its moment even if it was set to another as of the same event."""
        await self.put(alarm.model_dump(mode="json"))
        await self.advance(alarm.case, alarm.at, event=alarm.event)

    async def due(self, now: datetime, *, limit: int) -> list[DueAlarm]:
        """The alarms whose time has come, the longest due first."""
        high = _key("~", moment_key(now))
        documents = await self._database.between(ALARMS_DUE, "t", high, limit=limit)
        return [DueAlarm(document["_id"], document["version"]) for document in documents]

    async def advance(self, case: str, at: datetime | None, *, event: int) -> bool:
        """Set the alarm to another moment, if it is still as of this event."""
        key = _key(case, moment_key(at) if at else "")
        return await self._database.mark(ALARMS, Mark(case, {"key": key}, event))


def _written(alarm: Mapping[str, Any]) -> Document:
    key = _key(alarm["case"], f"t{alarm['at']}" if alarm["at"] else "")
    told = {name: member for name, member in alarm.items() if name not in Alarm.model_fields}
    return {**told, "_id": alarm["case"], "key": key, "version": alarm["event"]}


def _key(case: str, moment: str) -> str:
    return BAR.join((moment, case)) if moment else DONE
