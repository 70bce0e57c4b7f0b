"""The catalogues that this node has ever put in force, for a case keeps to the one it was opened under.

One is read when it is first asked for. What all of them are asked for at once, the types of their fields, stands beside
them: a node that starts reads that, and of them only the one that its files were found to be when they were last read.
"""

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

import orjson

from server.domain.catalogue.alike import Pool
from server.domain.catalogue.catalogue import Catalogue
from server.domain.errors import CatalogueNotAtHand
from server.store.database import Database, Document, Duplicate, is_safe
from server.store.members import read_text
from server.store.queries import CATALOGUES, CATALOGUES_LISTED, FILES, PUBLISHED, TYPES
from server.store.unproven import is_proven

MOST_VERSIONS = 10_000
MOST_AT_HAND = 4
SPARED_SECONDS = 60.0  # whoever has loaded one asks for it within this time
ABSENT_SECONDS = 10.0  # another process may put in force what nobody knew: it is looked for again


class CatalogueChanged(ValueError):
    """A catalogue differs from the one that was put in force under the same version."""


@dataclass
class _AtHand:
    """A catalogue that was read, or None if this node never published such a version."""

    catalogue: Catalogue | None
    asked_at: float

    def is_spared(self, now: float) -> bool:
        return now - self.asked_at < (ABSENT_SECONDS if self.catalogue is None else SPARED_SECONDS)


class Catalogues:
    """One document per version, written once, and one with the types of the fields that came with it.

    Another one says which version certain files were found to be, in order: what came of them is never read from them
    again. Some versions stay in memory: those asked for lately.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._at_hand: dict[str, _AtHand] = {}

    async def found_in(self, files: str) -> Catalogue | None:
        """What files of this fingerprint were found to be; None if nobody has read them yet.

        Raises NotAuthentic if that version is not what this node wrote.
        """
        told = await self._database.get(CATALOGUES.collection, _id_of_files(files))
        if told is None or not is_proven(told):
            return None
        document = await self._database.get(CATALOGUES.collection, _id(told["text"]))
        return None if document is None else _read(document)

    async def tell_found(self, files: str, catalogue: Catalogue) -> None:
        """Remember that files of this fingerprint are this catalogue, which is in order and kept."""
        told = {"_id": _id_of_files(files), "kind": FILES, "text": catalogue.version}
        with suppress(Duplicate):
            await self._database.insert(CATALOGUES.collection, told)

    async def keep(self, catalogue: Catalogue) -> None:
        """Keep this version; raises CatalogueChanged if another catalogue was kept under it."""
        text = catalogue.model_dump_json(exclude_defaults=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        document = {"_id": _id(catalogue.version), "kind": PUBLISHED, "digest": digest, "text": text}
        stored = await self._database.get(CATALOGUES.collection, document["_id"])
        if stored is None:
            try:
                await self._database.insert(CATALOGUES.collection, document)
            except Duplicate:
                stored = await self._database.get(CATALOGUES.collection, document["_id"])
        if stored and stored["digest"] != digest:
            raise CatalogueChanged(
                f"this node has put another catalogue in force as version {catalogue.version}: "
                "give the changed one a new version"
            )

    async def load(self, versions: Iterable[str]) -> None:
        """Have these at hand for a minute at least; raises NotAuthentic for one that is not what this node wrote."""
        new = {_id(each): each for each in versions if is_safe(_id(each)) and not self._stays(each)}
        if not new:
            return
        found = await self._database.get_many(CATALOGUES.collection, list(new))
        for id, version in new.items():
            if not self._stays(version):  # somebody else may have read it meanwhile
                document = found.get(id)
                catalogue = _read(document) if document is not None else None
                self._at_hand[version] = _AtHand(catalogue, monotonic())
        self._forget()

    def of(self, version: str) -> Catalogue | None:
        """The one of this version, None if this node never published such; raises CatalogueNotAtHand unless loaded."""
        found = self._at_hand.get(version)
        if found is None and is_safe(_id(version)):
            raise CatalogueNotAtHand(version)
        if found is None:
            return None
        found.asked_at = monotonic() if found.catalogue else found.asked_at
        return found.catalogue

    async def field_types(self, catalogue: Catalogue) -> dict[str, str]:
        """The types of all fields that any version has or had, by code; those of this one, which is kept, go first.

        Only another version of which this does not stand in the store yet is read whole; what comes of it is written.
        Raises NotAuthentic for one that is not what this node wrote.
        """
        types = dict[str, str]()
        written = await self._database.equal(CATALOGUES, TYPES, limit=MOST_VERSIONS)
        told = {document["_id"]: document for document in written if is_proven(document)}
        for document in told.values():
            types |= orjson.loads(document["types"])
        for version in await self._versions():
            if _id_of_types(version) not in told:
                found = _types_of(catalogue) if version == catalogue.version else await self._types_in(version)
                types |= await self._tell_types(version, found, known=types)
        return types | _types_of(catalogue)

    async def _versions(self) -> list[str]:
        """The names of all versions; of their documents none is read whole."""
        found = await self._database.pick(CATALOGUES_LISTED, "0", "g", fields=("kind",), limit=MOST_VERSIONS)
        return sorted(document["_id"].removeprefix(_id("")) for document in found)

    async def _types_in(self, version: str) -> dict[str, str]:
        """The types of the fields of a version that is read whole; raises NotAuthentic."""
        document = await self._database.get(CATALOGUES.collection, _id(version))
        return _types_of(_read(document)) if document is not None else {}

    async def _tell_types(self, version: str, types: dict[str, str], *, known: dict[str, str]) -> dict[str, str]:
        """What the types of this version add to those that are known, written down."""
        added = {code: type for code, type in types.items() if known.get(code) != type}
        told: Document = {"_id": _id_of_types(version), "kind": TYPES, "types": orjson.dumps(added).decode()}
        with suppress(Duplicate):
            await self._database.insert(CATALOGUES.collection, told)
        return added

    def _stays(self, version: str) -> bool:
        """Whether it need not be read; it is spared from now on. What was absent is looked for again."""
        now, found = monotonic(), self._at_hand.get(version)
        if found is None or (found.catalogue is None and not found.is_spared(now)):
            return False
        found.asked_at = now if found.catalogue else found.asked_at
        return True

    def _forget(self) -> None:
        """Those asked for longest ago, as far as there are too many; whoever has just loaded one still gets it."""
        now = monotonic()
        idle = [version for version, each in self._at_hand.items() if not each.is_spared(now)]
        idle.sort(key=lambda version: self._at_hand[version].asked_at)
        for version in idle[: max(len(self._at_hand) - MOST_AT_HAND, 0)]:
            del self._at_hand[version]


def _id(version: str) -> str:
    return f"version:{version}"


def _id_of_types(version: str) -> str:
    return f"types:{version}"


def _id_of_files(fingerprint: str) -> str:
    return f"files:{fingerprint}"


def _read(document: Document) -> Catalogue:
    return read_text(Catalogue, document["text"], context=Pool())


def _types_of(catalogue: Catalogue) -> dict[str, str]:
    return {field.code: field.type for field in catalogue.fields}
