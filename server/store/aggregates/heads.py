"""Heads in the store: they wait beside their aggregates until they stand in a chain, and in files outside of it.

The heads of all kinds stand in one chain: a name tells of which kind it is.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from server.domain.aggregate.heads import HistoryHead, HistoryStanding
from server.domain.aggregate.names import kind_and_id, name_of
from server.domain.chains import Chained
from server.domain.values import moment_key
from server.store.aggregates.by_event import pages
from server.store.aggregates.histories import Histories
from server.store.chains import UNCHAINED, Chain, Chaining, HeadFiles
from server.store.database import Database, Document
from server.store.queries import BAR, HEADS_UNCHAINED

HEADS, HEAD_CHAIN = "heads", "head_chain"
NAME = "heads"
FILES = "case-heads"


class HistoryHeads:
    """Heads that wait to be chained, their chain, its newest heads in `files`, and where all aggregates stand."""

    def __init__(self, database: Database, histories: Iterable[Histories[Any, Any, Any]], folder: Path) -> None:
        self._database = database
        self._histories = {each.kind.collection: each for each in histories}
        self.chain = Chain(database, HEADS_CHAIN)
        self.files = HeadFiles(folder, FILES)

    async def put(self, heads: Iterable[HistoryHead], *, at: datetime) -> None:
        """Put heads among those that wait; those that wait already stay, and once more does no harm."""
        waiting = [
            {"_id": head.id, "link": head.link, "chain": BAR.join((UNCHAINED, moment_key(at), head.id))}
            for head in heads
        ]
        await self._database.insert_many(HEADS, waiting)

    async def put_again(self, name: str, *, at: datetime) -> None:
        """Put the head of the aggregate of this name as it stands, which may be erased."""
        links = (await self.standings([name]))[name].links
        if links:
            await self.put([HistoryHead(name, len(links), links[-1])], at=at)

    def is_known(self, name: str) -> bool:
        """Whether this program knows the kind of an aggregate; a newer one may have put heads of more kinds."""
        return kind_and_id(name)[0] in self._histories

    async def standings(self, names: Sequence[str]) -> dict[str, HistoryStanding]:
        """Where those of these aggregates stand that are here, by name."""
        found: dict[str, HistoryStanding] = {}
        for kind, histories in self._histories.items():
            ids = [id for of, id in map(kind_and_id, names) if of == kind]
            documents = await self._database.get_many(kind, ids)
            found |= {name_of(kind, id): histories.standing(each) for id, each in documents.items()}
        return found

    async def versions(self, *, before: datetime, at_once: int) -> AsyncIterator[dict[str, int]]:
        """The number of the last event of each aggregate, by name, whose last event was before then, page by page.

        A page has about so many. What is told is unproven: it names what is worth a look. A number that is none is 0.
        """
        between = ("t", moment_key(before))
        for kind, histories in self._histories.items():
            query = histories.kind.queries.by_event
            async for page in pages(self._database, query, ("version",), at_once=at_once, between=between):
                numbers = {name_of(kind, document["_id"]): document.get("version") for document in page}
                yield {name: number if isinstance(number, int) else 0 for name, number in numbers.items()}


def _chained(document: Document) -> Chained:
    return Chained(id=document["_id"], sha256=document["link"])


HEADS_CHAIN = Chaining(NAME, HEAD_CHAIN, HEADS_UNCHAINED, _chained, is_kept=False)
