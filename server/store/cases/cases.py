"""Cases in the store: one document per case, with its events, its pending effects and nothing else to keep in step."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import itemgetter

from server.domain.aggregate.heads import HistoryHead
from server.domain.aggregate.records import Records
from server.domain.apart import Found
from server.domain.case.case import NoSuchCase
from server.domain.case.erasure import CaseNotErasable
from server.domain.case.lines import Line
from server.domain.effects.records import CaseCommit, CaseRecord
from server.domain.errors import StaleVersion
from server.domain.values import moment_key, moment_of_key
from server.store.aggregates.intake import Intake
from server.store.cases.case_documents import (
    CASES,
    DONE,
    LINE_FIELDS,
    CaseDocuments,
    is_erased,
    tombstone,
)
from server.store.cases.heads import HistoryHeads
from server.store.cases.moved import MovedCases
from server.store.database import Database, Document, Duplicate, Mark, is_safe
from server.store.queries import BAR, CASES_DUE_FOR_RELAY, CASES_OF_AGENT, CASES_OF_OWNER, HELD, under
from server.store.reading import read_each
from server.store.unproven import is_proven


class Cases:
    """The cases of this node: its own, and its copies of those in which it decides a step."""

    def __init__(self, database: Database, documents: CaseDocuments, intake: Intake, *, heads: HistoryHeads) -> None:
        self.heads = heads
        self.moved = MovedCases(database, documents)
        self._database = database
        self._plans = documents.plans
        self._documents = documents
        self.intake = intake

    async def find(self, id: str) -> CaseRecord | None:
        """The case as it stands, or None if there is none or it was erased; ids come from outside."""
        document = await self._document(id)
        return None if document is None or is_erased(document) else (await self._read(document)).pop()

    async def case(self, id: str) -> CaseRecord:
        """The case as it stands; raises NoSuchCase and CaseErased."""
        document = await self._document(id)
        if document is None:
            raise NoSuchCase("没有这个办件。")
        return (await self._read(document)).pop()

    async def find_many(self, ids: Sequence[str]) -> Records[CaseRecord]:
        """Those of these cases that are here, by id, and which of them were erased; ids come from outside."""
        found = await self._database.get_many(CASES, [id for id in ids if is_safe(id)])
        erased = [id for id, document in found.items() if is_erased(document)]
        return Records(await self._read(*(found[id] for id in found.keys() - erased)), erased)

    async def erase(self, record: CaseRecord, *, at: datetime) -> None:
        """Put a tombstone in the place of a case; raises StaleVersion, and CaseNotErasable while effects wait."""
        if record.pending or record.document["relay"] != DONE:
            raise CaseNotErasable("办件还有未送出的后续事项。")
        document = tombstone(record.document, at=at)
        if not await self._database.replace(CASES, document, version=record.document["version"]):
            raise StaleVersion("办件已有新的进展，请刷新后重试。")
        await self.heads.put([HistoryHead(record.id, document["version"], document["link"])], at=at)

    async def add(self, commit: CaseCommit, *, owner: str, request: str, agent: str = "") -> CaseRecord:
        """Store a new case of our own; if there is one under its id already, that one comes back.

        `owner` is the keyed digest of the applicant, `agent` that of the agent, `request` that of the request. The
        caller may get an older case back and compares `request` to see whether it is the same one. Raises CaseErased.
        """
        document = self._documents.new(commit, owner=owner, agent=agent, request=request)
        await self._plans.store(document["plans"])
        stored = await self.intake.add(document)
        if stored is document:
            return self._documents.after(document, commit, before=None)
        [record] = await self._read(stored)
        return record

    async def commit(self, record: CaseRecord | None, commit: CaseCommit) -> CaseRecord:
        """Move a case, or begin our copy of another node's; StaleVersion if somebody else did so meanwhile."""
        if record is None:
            document = self._documents.new(commit)
            await self._plans.store(document["plans"])
            try:
                await self._database.insert(CASES, document)
            except Duplicate as fault:
                raise StaleVersion("办件已有新的进展，请刷新后重试。") from fault
            return self._documents.after(document, commit, before=None)
        document = self._documents.continued(record, commit)
        await self._plans.store(document["plans"])
        if not await self._database.replace(CASES, document, version=record.document["version"]):
            raise StaleVersion("办件已有新的进展，请刷新后重试。")
        return self._documents.after(document, commit, before=record)

    async def commit_many(self, commits: Sequence[tuple[CaseRecord | None, CaseCommit]]) -> list[CaseRecord] | None:
        """Move many cases at once, or begin copies; the records after, or None if some were surely not moved.

        None does not tell which: whoever asked looks at the cases again, for what is done carries its act.
        """
        documents = [
            self._documents.continued(record, commit) if record else self._documents.new(commit)
            for record, commit in commits
        ]
        await self._plans.store(digest for document in documents for digest in document["plans"])
        pairs = list(zip(commits, documents, strict=True))
        begun = [document for (record, _), document in pairs if record is None]
        moved = [(document, record.document["version"]) for (record, _), document in pairs if record]
        taken = await self._database.insert_many(CASES, begun) if begun else ()
        if (moved and await self._database.replace_many(CASES, moved) < len(moved)) or taken:
            return None
        return [self._documents.after(document, commit, before=record) for (record, commit), document in pairs]

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

    async def due_for_relay(self, now: datetime, *, limit: int) -> Found[CaseRecord]:
        """Cases with overdue effects: the committing process should have relayed them by now, so a sweeper may."""
        documents = await self._database.between(CASES_DUE_FOR_RELAY, "t", moment_key(now), limit=limit)
        await self._load(documents)
        return read_each(documents, self._documents.read)

    async def mark_relayed(self, records: Sequence[CaseRecord]) -> None:
        """Mark all effects of these records as relayed; the process that has moved a case since relays its new ones."""
        versions = [(record.id, record.document["version"]) for record in records]
        marks = [Mark(id, {"relayed": version, "relay": DONE}, version) for id, version in versions]
        await self._database.mark_many(CASES, marks)

    async def oldest_relay(self) -> datetime | None:
        """The moment of the oldest commit whose effects are not known to be carried, or None.

        One that is set apart counts too: it sorts before all others, and then the oldest of those is read as well.
        """
        found = await self._oldest_relay_from(HELD)
        if found.startswith(HELD):
            found = min(found.removeprefix(HELD), await self._oldest_relay_from("t") or "u")
        return moment_of_key(found) - self._documents.relay_due if found else None

    async def _document(self, id: str) -> Document | None:
        """The document of this id; one that is no safe operand is no case's."""
        return await self._database.get(CASES, id) if is_safe(id) else None

    async def _read(self, *documents: Document) -> list[CaseRecord]:
        await self._load(documents)
        return [self._documents.read(document) for document in documents]

    async def _load(self, documents: Iterable[Document]) -> None:
        """Have at hand what the documents refer to; those that are not ours refer to nothing."""
        ours = [each for each in documents if is_proven(each) and not is_erased(each)]
        await self._plans.load(digest for each in ours for digest in each["plans"])

    async def _oldest_relay_from(self, low: str) -> str:
        documents = await self._database.between(CASES_DUE_FOR_RELAY, low, "u", limit=1)
        return str(documents[0]["relay"]) if documents else ""
