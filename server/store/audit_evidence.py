"""The audit as it lies in the database, with what is not ours: for those who ask whether anything was done to it."""

from collections.abc import Callable, Sequence
from typing import Any

from server.domain.audit_chain import EntryFound, LinkFound, said_by
from server.store.audit_chain import AUDIT, CHAIN, NAME, digest_of, number_in
from server.store.chains import link_of
from server.store.database import Database, Document
from server.store.numbered import NumberedLog
from server.store.queries import AUDIT_BY_TIME, BAR, JUST_AFTER, NEVER

PREFIX = "audit:"


class AuditEvidence:
    """Entries and links, read without belief; `is_ours` tells whether a document carries its proof."""

    def __init__(self, bare: Database, is_ours: Callable[[str, Document], bool]) -> None:
        self._bare = bare
        self._is_ours = is_ours
        self._log = NumberedLog(bare, NAME, collection=CHAIN)

    async def links(self, numbers: Sequence[int]) -> dict[int, LinkFound]:
        """Those of the links that exist, by number."""
        return {number: self._link(document) for number, document in (await self._log.entries(numbers)).items()}

    async def entries(self, ids: Sequence[str]) -> dict[str, EntryFound]:
        """Those of the entries that exist, by id."""
        return {id: self._entry(document) for id, document in (await self._bare.get_many(AUDIT, ids)).items()}

    async def documents(self, ids: Sequence[str]) -> dict[str, Document]:
        """Those of the entries that exist, by id, whole."""
        return await self._bare.get_many(AUDIT, ids)

    async def in_time(self, after: str, *, limit: int) -> list[EntryFound]:
        """Entries in the order of their places in time; `after` is such a place, and those there come again."""
        found = await self._bare.between(AUDIT_BY_TIME, after, NEVER, limit=limit)
        return [self._entry(document) for document in found]

    @staticmethod
    def behind(time_key: str) -> str:
        """The first place in time behind this one."""
        return time_key + JUST_AFTER

    def _entry(self, document: Document) -> EntryFound:
        id, place = document["_id"], _text(document.get("time_key"))
        return EntryFound(
            id=id,
            sha256=_sha256(document),
            is_ours=self._is_ours(AUDIT, document),
            is_in_place=place.rpartition(BAR)[2] == digest_of(id.removeprefix(PREFIX)),
            link=number_in(_text(document.get("chain"))),
            time_key=place,
        )

    def _link(self, document: Document) -> LinkFound:
        says = document.get("number")
        is_ours = self._is_ours(CHAIN, document)
        return LinkFound(link_of(document) if is_ours else None, says if isinstance(says, int) else 0)


def _sha256(document: Document) -> str:
    try:
        return said_by(document)
    except (KeyError, ValueError):
        return ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
