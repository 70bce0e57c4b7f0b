"""The catalogues that this node has ever put in force, for a case keeps to the one it was opened under."""

import hashlib
from contextlib import suppress

from server.domain.catalogue.catalogue import Catalogue
from server.store.database import Database, Duplicate
from server.store.members import read_text
from server.store.queries import CATALOGUES, PUBLISHED

MOST_VERSIONS = 10_000


class CatalogueChanged(ValueError):
    """A catalogue differs from the one that was put in force under the same version."""


class Catalogues:
    """One document per version, written once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, catalogue: Catalogue) -> None:
        """Keep this version; raises CatalogueChanged if another catalogue was kept under it."""
        text = catalogue.model_dump_json(exclude_defaults=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        document = {"_id": f"version:{catalogue.version}", "kind": PUBLISHED, "digest": digest, "text": text}
        stored = await self._database.get(CATALOGUES.collection, document["_id"])
        if stored is None:
            with suppress(Duplicate):
                await self._database.insert(CATALOGUES.collection, document)
            stored = await self._database.get(CATALOGUES.collection, document["_id"])
        if stored and stored["digest"] != digest:
            raise CatalogueChanged(
                f"this node has put another catalogue in force as version {catalogue.version}: "
                "give the changed one a new version"
            )

    async def all(self, *known: Catalogue) -> dict[str, Catalogue]:
        """Every version that was kept, by its name; those that are known already are not read again."""
        versions = {catalogue.version: catalogue for catalogue in known}
        read = {f"version:{version}" for version in versions}
        found = await self._database.equal(CATALOGUES, PUBLISHED, limit=MOST_VERSIONS)
        kept = [read_text(Catalogue, document["text"]) for document in found if document["_id"] not in read]
        return versions | {catalogue.version: catalogue for catalogue in kept}
