"""Which cases have moved, of all people who watch or of one who comes back, by the indexes that there are."""

import asyncio
from collections.abc import Collection, Sequence
from typing import NamedTuple

from server.domain.apart import Found
from server.domain.case.watching import MovedCase
from server.store.aggregates.by_event import pages
from server.store.cases.case_documents import CASES, CaseDocuments
from server.store.database import Database, Document
from server.store.queries import BAR, CASES_BY_EVENT, CASES_OF_AGENT, CASES_OF_OWNER, NEVER, under
from server.store.reading import read_each

AT_ONCE = 200
KEYS = ("owner_key", "agent_key")


class Glimpse(NamedTuple):
    """A case and its version as an index shows it: unproven, and to be read before anybody is told."""

    id: str
    version: int


class MovedCases:
    """Moves of cases, for those who watch."""

    def __init__(self, database: Database, documents: CaseDocuments) -> None:
        self._database = database
        self._documents = documents

    async def since(self, low: str, *, people: Collection[str], most: int) -> tuple[list[Glimpse], bool]:
        """The cases of these people (as applicants or agents) whose last event was at this key (t...) or later.

        And whether that is all: it stops after about `most` cases of anybody.
        """
        seen: list[Glimpse] = []
        looked = 0
        fields, between = (*KEYS, "version"), (low, NEVER)
        async for page in pages(self._database, CASES_BY_EVENT, fields, at_once=AT_ONCE, between=between):
            seen += [
                Glimpse(each["_id"], each["version"])
                for each in page
                if any(_person(each, key) in people for key in KEYS)
            ]
            looked += len(page)
            if looked >= most:
                return seen, False
        return seen, True

    async def of(self, person: str, low: str, *, limit: int) -> tuple[list[Glimpse], bool]:
        """The same of one person, and whether that is all: of their cases only the `limit` newest are looked at."""
        reads = [
            self._database.pick(query, *under(person), fields=("version", "event_key"), limit=limit)
            for query in (CASES_OF_OWNER, CASES_OF_AGENT)
        ]
        lists = await asyncio.gather(*reads)
        seen = [Glimpse(each["_id"], each["version"]) for found in lists for each in found if each["event_key"] >= low]
        return seen, all(len(found) < limit for found in lists)

    async def read(self, ids: Sequence[str]) -> Found[MovedCase]:
        """These cases as they stand, proven; one that was erased is nobody's."""
        found = await self._database.get_many(CASES, ids)
        return read_each(found.values(), self._moved)

    def _moved(self, document: Document) -> MovedCase:
        agent = _person(document, "agent_key")
        return MovedCase(
            id=document["_id"],
            version=document["version"],
            moved_at=document["event_key"],
            owner=_person(document, "owner_key"),
            agent=agent,
            mandate=self._documents.line(document).mandate if agent else "",
        )


def _person(document: Document, key: str) -> str:
    """Whose case it is by this key; nobody's of another node's, and of one that was erased."""
    return str(document.get(key, "").partition(BAR)[0])
