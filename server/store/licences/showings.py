"""Shown licences in the store: one document for each code, changed by compare-and-set, gone after an hour."""

from server.crypto.fields import DataKey, FieldRing
from server.domain.licence.showing import KEPT, Showing
from server.domain.values import moment_key
from server.store.database import Database, Document, Duplicate, is_safe
from server.store.members import changed, read
from server.store.queries import BAR, SHOWINGS_OF_OWNER, hour_bucket, under
from server.store.sealing import key_kept, opened, sealed

SHOWINGS = "licence_showings"


class Showings:
    """All codes with what came of them, by the id that follows from the code."""

    def __init__(self, database: Database, ring: FieldRing) -> None:
        self._database = database
        self._ring = ring

    async def add(self, showing: Showing) -> bool:
        """Store a new one; False if there is one under its id."""
        key = self._ring.new_key(showing.id)
        try:
            await self._database.insert(SHOWINGS, {**self._written(showing, key), "data_key": key.wrapped})
        except Duplicate:
            return False
        return True

    async def find(self, id: str) -> Showing | None:
        """The one of this id, which may come from outside, or None."""
        document = await self._database.get(SHOWINGS, id) if is_safe(id) else None
        return self._showing(document) if document else None

    async def change(self, after: Showing) -> bool:
        """Put it in the place of the version before; False if somebody has changed that."""
        before = await self._database.get(SHOWINGS, after.id)
        if before is None or before["version"] != after.version - 1:
            return False
        key = key_kept(before, self._ring)
        written = changed(self._showing(before), after, self._written(after, key))
        written = {**before, **written, "data_key": key.wrapped}
        return await self._database.replace(SHOWINGS, written, version=after.version - 1)

    async def of_owner(self, owner: str, *, limit: int) -> list[Showing]:
        """What this person has shown of late, the newest first."""
        low, high = under(owner)
        found = await self._database.between(SHOWINGS_OF_OWNER, low, high, limit=limit, is_descending=True)
        return [self._showing(document) for document in found]

    def _written(self, showing: Showing, key: DataKey) -> Document:
        document = sealed(showing, key, showing.id)
        return {
            "_id": document.pop("id"),
            **document,
            "owner_key": BAR.join((showing.owner, moment_key(showing.made_at), showing.id)),
            "bucket": hour_bucket(showing.made_at + KEPT),
        }

    def _showing(self, document: Document) -> Showing:
        id = document["_id"]
        return read(Showing, {**opened(document, self._ring.key(document["data_key"], id), id), "id": id})
