"""The calendar in the store: which one all dates follow, one document changed only by who knows its last version."""

from server.domain.time.reprojection import Projection
from server.store.database import Database, Duplicate
from server.store.members import read, rewrite

CALENDAR = "calendar"
ID = "calendar"


class ProjectedCalendar:
    """One projection; of a node that is new it follows no calendar."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def projection(self) -> Projection:
        """As it stands."""
        document = await self._database.get(CALENDAR, ID)
        if document is None:
            return Projection()
        return read(Projection, document)

    async def put(self, projection: Projection) -> bool:
        """Write the projection that was made of the last one; False if somebody else was first."""
        version = projection.version
        document = {"_id": ID, **projection.model_dump(mode="json"), "version": version + 1}
        if version:
            return await rewrite(self._database, CALENDAR, ID, change=lambda _: document, version=version)
        try:
            await self._database.insert(CALENDAR, document)
        except Duplicate:
            return False
        return True
