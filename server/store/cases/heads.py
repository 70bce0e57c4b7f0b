"""Heads of cases in the store: they wait beside the cases until they stand in a chain, and in files outside of it."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from pathlib import Path

from server.domain.aggregate.heads import HistoryHead, HistoryStanding
from server.domain.chains import Chained
from server.domain.values import moment_key
from server.store.cases.by_event import pages
from server.store.cases.case_documents import CASES, CaseDocuments
from server.store.chains import UNCHAINED, Chain, Chaining, HeadFiles
from server.store.database import Database, Document
from server.store.queries import BAR, HEADS_UNCHAINED

HEADS, HEAD_CHAIN = "heads", "head_chain"
NAME = "heads"
FILES = "case-heads"


class HistoryHeads:
    """Heads that wait to be chained, their chain, its newest heads in `files`, and where the cases stand themselves."""

    def __init__(self, database: Database, documents: CaseDocuments, folder: Path) -> None:
        self._database = database
        self._documents = documents
        self.chain = Chain(database, HEADS_CHAIN)
        self.files = HeadFiles(folder, FILES)

    async def put(self, heads: Iterable[HistoryHead], *, at: datetime) -> None:
        """Put heads among those that wait; those that wait already stay, and once more does no harm."""
        waiting = [
            {"_id": head.id, "link": head.link, "chain": BAR.join((UNCHAINED, moment_key(at), head.id))}
            for head in heads
        ]
        await self._database.insert_many(HEADS, waiting)

    async def put_again(self, id: str, *, at: datetime) -> None:
        """Put the head of this case as it stands, which may be erased."""
        links = (await self.standings([id]))[id].links
        if links:
            await self.put([HistoryHead(id, len(links), links[-1])], at=at)

    async def standings(self, ids: Sequence[str]) -> dict[str, HistoryStanding]:
        """Where those of these cases stand that are here, by id."""
        found = await self._database.get_many(CASES, ids)
        return {id: self._documents.standing(document) for id, document in found.items()}

    async def versions(self, *, before: datetime, at_once: int) -> AsyncIterator[dict[str, int]]:
        """The number of the last event of each case whose last event was before then, in pages of about so many.

        What is told so is unproven: it names cases that are worth a look. A number that is none is 0.
        """
        async for page in pages(self._database, ("version",), at_once=at_once, before=moment_key(before)):
            numbers = {document["_id"]: document.get("version") for document in page}
            yield {id: number if isinstance(number, int) else 0 for id, number in numbers.items()}


def _chained(document: Document) -> Chained:
    return Chained(id=document["_id"], sha256=document["link"])


HEADS_CHAIN = Chaining(NAME, HEAD_CHAIN, HEADS_UNCHAINED, _chained, is_kept=False)
