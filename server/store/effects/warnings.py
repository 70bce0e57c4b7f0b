"""Warnings in the store: what the clocks told the officers and heads of authorities, insert-only, each once."""

import asyncio
import heapq
from collections.abc import Collection
from datetime import date, datetime
from itertools import islice
from operator import itemgetter

from server.domain.effects.warnings import DeskWarning, WarningReader
from server.domain.values import moment_key, moment_text
from server.store.database import Database, Document, Duplicate
from server.store.members import known
from server.store.queries import BAR, WARNINGS_OF_AUTHORITY

WARNINGS = "warnings"


class Warnings:
    """All warnings of this node."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, warning: DeskWarning) -> bool:
        """Add a warning; False if one of its id was there already."""
        try:
            await self._database.insert(WARNINGS, _written(warning))
        except Duplicate:
            return False
        return True

    @staticmethod
    def place(warning: DeskWarning) -> str:
        """What orders warnings in any list: moment, then id."""
        return BAR.join((moment_key(warning.at), warning.id))

    async def warnings(
        self, readers: Collection[tuple[str, WarningReader]], *, limit: int, before: str = ""
    ) -> list[DeskWarning]:
        """Those to these readers, each of an authority, the newest first.

        `before` is the `place` of the last one already seen.
        """
        starts = [BAR.join((authority, reader, "")) for authority, reader in readers]
        ranges = [(start + "t", start + min(before or "u", "u")) for start in starts]
        reads = [
            self._database.between(WARNINGS_OF_AUTHORITY, low, high, limit=limit, is_descending=True)
            for low, high in ranges
            if low < high
        ]
        found = await asyncio.gather(*reads)
        newest = heapq.merge(*found, key=itemgetter("place"), reverse=True)
        return [_warning(document) for document in islice(newest, limit)]


def _written(warning: DeskWarning) -> Document:
    told = {name: value for name, value in vars(warning).items() if name != "id"}
    told |= {"due_on": warning.due_on.isoformat(), "at": moment_text(warning.at)}
    place = Warnings.place(warning)
    keys = {"place": place, "key": BAR.join((warning.authority, warning.reader, place))}
    return {"_id": warning.id, **told, **keys}


def _warning(document: Document) -> DeskWarning:
    due_on, at = date.fromisoformat(document["due_on"]), datetime.fromisoformat(document["at"])
    return DeskWarning(**known(DeskWarning, document) | {"id": document["_id"], "due_on": due_on, "at": at})
