"""Uses of licences in the store: one document for each use of each licence, found by the licence, what for sealed."""

from collections.abc import Iterable

from server.crypto.fields import FieldRing
from server.domain.licence.uses import LicenceUse
from server.domain.values import moment_key
from server.store.database import Database, Document
from server.store.members import read
from server.store.queries import BAR, USES_OF_LICENCE, under
from server.store.sealing import opened, sealed

USES = "licence_uses"


class LicenceUses:
    """The uses of the licences that this node issued, and of those that its citizens used here."""

    def __init__(self, database: Database, ring: FieldRing) -> None:
        self._database = database
        self._ring = ring

    async def note(self, uses: Iterable[LicenceUse]) -> None:
        """Keep these; what is kept under the same id already stays as it is."""
        documents = [self._written(use) for use in uses]
        if documents:
            await self._database.insert_many(USES, documents)

    async def of_licence(self, identifier: str, *, before: str = "", limit: int) -> dict[str, LicenceUse]:
        """The uses of a licence by their places, the newest first; `before` is the place of the last that is known."""
        low, high = under(identifier)
        high = low + before if before else high
        found = await self._database.between(USES_OF_LICENCE, low, high, limit=limit, is_descending=True)
        return {document["licence_key"].removeprefix(low): self._use(document) for document in found}

    def _written(self, use: LicenceUse) -> Document:
        key = self._ring.new_key(use.id)
        document = sealed(use, key, use.id)
        return {
            "_id": document.pop("id"),
            **document,
            "data_key": key.wrapped,
            "licence_key": BAR.join((use.licence, moment_key(use.at), use.id)),
        }

    def _use(self, document: Document) -> LicenceUse:
        id = document["_id"]
        return read(LicenceUse, {**opened(document, self._ring.key(document["data_key"], id), id), "id": id})
