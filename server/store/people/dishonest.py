"""Who is listed as seriously dishonest (严重失信主体), by the keyed digest of the person and nothing else."""

from collections.abc import Iterable

from server.store.database import Database, Duplicate

DISHONEST = "dishonest"


class Dishonest:
    """The list, as the credit authority last told it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def has(self, person: str) -> bool:
        """Whether this person stands on the list; raises NotAuthentic if somebody else has put them there."""
        document = await self._database.get(DISHONEST, person)
        return document is not None and "_id" in document  # asking for a member asks whether the document is ours

    async def add(self, person: str) -> bool:
        """Put the person on the list; False if they were on it already."""
        try:
            await self._database.insert(DISHONEST, {"_id": person})
        except Duplicate:
            return False
        return True

    async def remove(self, persons: Iterable[str]) -> int:
        """Take these persons off the list, whoever has put them there; answers how many stood on it."""
        listed = await self._database.get_many(DISHONEST, list(persons))
        await self._database.delete(DISHONEST, list(listed))
        return len(listed)
