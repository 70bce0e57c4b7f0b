"""Warnings in the store: what the clocks told officers, heads and leaders, insert-only, each once."""

import asyncio
import heapq
from collections.abc import Sequence
from itertools import islice
from operator import itemgetter

from server.store.database import Database, Document, Duplicate
from server.store.queries import BAR, WARNINGS_OF_DEPARTMENT, WARNINGS_OF_NODE

WARNINGS = "warnings"


class Warnings:
    """All warnings; `place` orders them in any list: by moment, then id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, warning: Document) -> bool:
        """Add a warning, written as JSON; False if one of its id was there already."""
        place = BAR.join((f"t{warning['at']}", warning["id"]))
        keys = {"place": place, "node_key": place, "key": BAR.join((warning["department"], warning["rank"], place))}
        told = {name: value for name, value in warning.items() if name != "id"}
        try:
            await self._database.insert(WARNINGS, {"_id": warning["id"], **told, **keys})
        except Duplicate:
            return False
        return True

    async def warnings(self, department: str, ranks: Sequence[str], *, limit: int, before: str = "") -> list[Document]:
        """Those to these ranks of a department (empty: to everybody at this node), the newest first.

        `before` is the `place` of the last one already seen.
        """
        query = WARNINGS_OF_DEPARTMENT if department else WARNINGS_OF_NODE
        starts = [BAR.join((department, rank, "")) for rank in ranks] if department else [""]
        ranges = [(start + "t", start + min(before or "u", "u")) for start in starts]
        reads = [
            self._database.between(query, low, high, limit=limit, is_descending=True)
            for low, high in ranges
            if low < high
        ]
        found = await asyncio.gather(*reads)
        return list(islice(heapq.merge(*found, key=itemgetter("place"), reverse=True), limit))
