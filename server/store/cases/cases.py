"""Cases in the store: aggregates that a person finds as theirs, begun in group commits."""

import asyncio
from collections.abc import Sequence
from operator import itemgetter

from server.domain.apart import Found
from server.domain.case.case import Case
from server.domain.case.events import Event
from server.domain.case.lines import Line
from server.domain.effects.records import CaseCommit, CaseRecord
from server.store.aggregates.aggregates import Aggregates
from server.store.aggregates.heads import HistoryHeads
from server.store.aggregates.intake import Intake
from server.store.cases.case_documents import LINE_FIELDS, CaseDocuments
from server.store.cases.moved import MovedCases
from server.store.database import Database, Document
from server.store.queries import BAR, CASES_BY_NUMBER, CASES_OF_AGENT, CASES_OF_OWNER, under
from server.store.reading import read_each

MOST_OF_A_NUMBER = 10


class Cases(Aggregates[Case, Event, CaseRecord]):
    """The cases of this node: its own, and its copies of those in which it decides a step."""

    def __init__(self, database: Database, documents: CaseDocuments, intake: Intake, *, heads: HistoryHeads) -> None:
        super().__init__(database, documents, heads=heads)
        self.moved = MovedCases(database, documents)
        self.intake = intake
        self._plans = documents.plans
        self._documents = documents

    async def case(self, id: str) -> CaseRecord:
        """The case as it stands; raises NoSuchCase and CaseErased."""
        return await self.one(id)

    async def of_number(self, digest: str) -> list[CaseRecord]:
        """The cases whose spoken number, as a clue, has this digest: one, unless blocks of numbers were removed."""
        return await self._read(*await self._database.equal(CASES_BY_NUMBER, digest, limit=MOST_OF_A_NUMBER))

    async def add(self, commit: CaseCommit, *, owner: str, request: str, agent: str = "") -> CaseRecord:
        """Store a new case of our own; if there is one under its id already, that one comes back.

        `owner` is the keyed digest of the applicant, `agent` that of the agent, `request` that of the request. The
        caller may get an older case back and compares `request` to see whether it is the same one. Raises CaseErased.
        """
        document = self._documents.new(commit, owner=owner, agent=agent, request=request)
        await self._store_referred([document])
        stored = await self.intake.add(document)
        if stored is document:
            return self._documents.after(document, commit, before=None)
        [record] = await self._read(stored)
        return record

    async def lines_of(self, owner: str, *, limit: int, before: str = "") -> Found[tuple[str, Line]]:
        """The lines of the cases (by id) of a person as applicant or agent, newest first; no case is read whole.

        `before` is the cursor of the page before; without one there is no further page.
        """
        low, high = under(owner)
        end = owner + BAR + before if before else high
        queries = (CASES_OF_OWNER, CASES_OF_AGENT)
        reads = [self._database.pick(query, low, end, fields=LINE_FIELDS, limit=limit) for query in queries]
        # By the key that a document was found by: it may lack the other one, and then it does not open.
        placed = [
            (document[query.field].partition(BAR)[2], document)
            for query, documents in zip(queries, await asyncio.gather(*reads), strict=True)
            for document in documents
        ]
        newest = sorted(placed, key=itemgetter(0), reverse=True)[:limit]
        found = read_each([document for _, document in newest], lambda each: (each["_id"], self._documents.line(each)))
        found.cursor = newest[-1][0] if len(newest) == limit else ""
        return found

    async def _load_referred(self, documents: Sequence[Document]) -> None:
        await self._plans.load(digest for each in documents for digest in each["plans"])

    async def _store_referred(self, documents: Sequence[Document]) -> None:
        await self._plans.store(digest for each in documents for digest in each["plans"])
