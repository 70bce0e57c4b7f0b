"""Visits in the store: each written once, found by its case and by its window, what they were for sealed."""

from collections.abc import Iterable
from datetime import datetime

from server.crypto.fields import FieldRing
from server.domain.case.visits import Visit
from server.domain.values import moment_key
from server.store.database import Database, Document, Duplicate
from server.store.members import read
from server.store.queries import BAR, VISITS_OF_CASE, VISITS_OF_WINDOW, under
from server.store.sealing import opened, sealed

VISITS = "visits"


class Visits:
    """The visits of all cases of this node, its own and those that it decides for others."""

    def __init__(self, database: Database, ring: FieldRing) -> None:
        self._database = database
        self._ring = ring

    async def find(self, id: str) -> Visit | None:
        """The visit of this id, or None."""
        document = await self._database.get(VISITS, id)
        return self._visit(document) if document else None

    async def add(self, visit: Visit) -> Visit:
        """Store a new visit; if there is one under its id already, that one comes back."""
        key = self._ring.new_key(visit.id)
        document = sealed(visit, key, visit.id)
        place = (moment_key(visit.at), visit.id)
        document |= {
            "_id": document.pop("id"),
            "data_key": key.wrapped,
            "case_key": BAR.join((visit.case, *place)),
            "window_key": BAR.join((visit.window, *place)),
        }
        try:
            await self._database.insert(VISITS, document)
        except Duplicate:
            return await self.find(visit.id) or visit
        return visit

    async def of_case(self, case: str, *, limit: int) -> list[Visit]:
        """The visits for a case, in order of time."""
        low, high = under(case)
        return [self._visit(each) for each in await self._database.between(VISITS_OF_CASE, low, high, limit=limit)]

    async def forget(self, visits: Iterable[Visit]) -> None:
        """Delete these visits."""
        await self._database.delete(VISITS, [visit.id for visit in visits])

    async def at_window(self, window: str, *, since: datetime, until: datetime, limit: int) -> list[Visit]:
        """The visits at a window from `since` to right before `until`, in order of time."""
        low, high = (BAR.join((window, moment_key(at))) for at in (since, until))
        return [self._visit(each) for each in await self._database.between(VISITS_OF_WINDOW, low, high, limit=limit)]

    def _visit(self, document: Document) -> Visit:
        id = document["_id"]
        fields = opened(document, self._ring.key(document["data_key"], id), id)
        return read(Visit, fields | {"id": id})
