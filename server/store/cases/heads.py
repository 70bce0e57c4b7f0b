"""Heads of cases in the store: they wait beside the cases until they stand in a chain, and in files outside of it."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from server.domain.case.heads import CaseHead
from server.domain.chains import Chained
from server.domain.values import moment_key
from server.store.chains import UNCHAINED, Chain, Chaining, HeadFiles
from server.store.database import Database, Document
from server.store.queries import BAR, HEADS_UNCHAINED

HEADS, HEAD_CHAIN = "heads", "head_chain"
NAME = "heads"
FILES = "case-heads"


class CaseHeads:
    """The heads that wait to be chained, the chain that they stand in, and its newest heads, kept in files."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self.chain = Chain(database, HEADS_CHAIN)
        self.heads = HeadFiles(folder, FILES)

    async def put(self, heads: Iterable[CaseHead], *, at: datetime) -> None:
        """Put heads among those that wait; those that wait already stay, and once more does no harm."""
        waiting = [
            {"_id": head.id, "link": head.link, "chain": BAR.join((UNCHAINED, moment_key(at), head.id))}
            for head in heads
        ]
        await self._database.insert_many(HEADS, waiting)


def _chained(document: Document) -> Chained:
    return Chained(id=document["_id"], sha256=document["link"])


HEADS_CHAIN = Chaining(NAME, HEAD_CHAIN, HEADS_UNCHAINED, _chained, is_kept=False)
