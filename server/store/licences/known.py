"""What other nodes have told of licences that come from cases of this node; one document for each step, sealed."""

from collections.abc import Sequence
from datetime import datetime

from server.crypto.fields import FieldRing
from server.domain.licence.telling import KNOWN, KnownLicence
from server.store.aggregates.marks import ALARM, alarm_key
from server.store.database import Database, Document, Duplicate, is_safe
from server.store.members import read_text


class KnownLicences:
    """The last that was told of each: what is older than what is here changes nothing."""

    def __init__(self, database: Database, ring: FieldRing) -> None:
        self._database = database
        self._ring = ring

    async def keep(self, known: KnownLicence, *, alarm: datetime | None) -> bool:
        """Keep what was told, unless the same or something later is here already; whether it was news.

        At `alarm` clockwork looks at it.
        """
        while True:
            before = await self._database.get(KNOWN, known.id)
            if before is not None and before["version"] >= known.told.age:
                return False
            document = self._written(known, alarm)
            if before is not None:
                if await self._database.replace(KNOWN, {**before, **document}, version=before["version"]):
                    return True
                continue
            try:
                await self._database.insert(KNOWN, document)
            except Duplicate:  # another worker was first: what is later counts
                continue
            return True

    async def find(self, ids: Sequence[str]) -> dict[str, KnownLicence]:
        """Those of these that are here, by id; ids come from outside."""
        found = await self._database.get_many(KNOWN, [id for id in ids if is_safe(id)])
        return {id: self._opened(document) for id, document in found.items()}

    async def forget(self, ids: Sequence[str]) -> None:
        """Delete what is known of these, as far as anything is."""
        await self._database.delete(KNOWN, list(ids))

    def _written(self, known: KnownLicence, alarm: datetime | None) -> Document:
        id, key = known.id, self._ring.new_key(known.id)
        text = key.seal(known.model_dump_json(), id)
        told = {"text": text, "data_key": key.wrapped, ALARM: alarm_key(alarm, id)}
        return {"_id": id, "version": known.told.age, **told}

    def _opened(self, document: Document) -> KnownLicence:
        id = document["_id"]
        return read_text(KnownLicence, self._ring.key(document["data_key"], id).open(document["text"], id))
