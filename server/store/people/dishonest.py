"""Who is listed as seriously dishonest (严重失信主体), by the keyed digest of the person and nothing else."""

from collections.abc import Iterable

from server.store.database import Database, Duplicate

DISHONEST = "dishonest"


class Dishonest:
    """The list, as the credit authority last told it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def has(self, person: str) -> bool:
        """Whether this person stands on the list."""
        return await self._database.get(DISHONEST, person) is not None

    async def add(self, person: str) -> bool:
        """Put the person on the list; False if they were on it already."""
        try:
            await self._database.insert(DISHONEST, {"_id": person})
        except Duplicate:
            return False
        return True

    async def remove(self, persons: Iterable[str]) -> None:
        """Take these persons off the list."""
        await self._database.delete(DISHONEST, list(persons))
