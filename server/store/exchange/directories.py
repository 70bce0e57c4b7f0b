"""The last good copy of the signed directory, for a start when its source is gone."""

from contextlib import suppress

from server.store.database import Database, Duplicate

DIRECTORIES, LATEST = "directories", "directory"


class Directories:
    """One text: the directory as its publisher signed it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def latest(self) -> str | None:
        """The text of the highest version that was kept, or None."""
        document = await self._database.get(DIRECTORIES, LATEST)
        return document["text"] if document else None

    async def keep(self, version: int, text: str) -> None:
        """Keep this text unless one of the same or a higher version is kept already."""
        document = {"_id": LATEST, "version": version, "text": text}
        stored = await self._database.get(DIRECTORIES, LATEST)
        if stored is None:
            with suppress(Duplicate):
                await self._database.insert(DIRECTORIES, document)
            stored = await self._database.get(DIRECTORIES, LATEST)
        if stored and stored["version"] < version:
            await self._database.replace(DIRECTORIES, {**stored, **document}, version=stored["version"])
