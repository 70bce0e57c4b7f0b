"""Cases in the store: one document per case, with its events, its pending effects and nothing else to keep in step."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from server.domain.apart import Found
from server.domain.case.case import NoSuchCase
from server.domain.case.heads import CaseHead, CaseStanding
from server.domain.case.lines import Line
from server.domain.effects.records import Commit, Record
from server.domain.errors import StaleVersion
from server.domain.values import moment_key, moment_of_key
from server.store.cases.case_documents import CASES, DONE, HEAD_FIELDS, LINE_FIELDS, CaseDocuments
from server.store.cases.heads import CaseHeads
from server.store.cases.intake import Intake
from server.store.database import Database, Document, Duplicate, Mark, is_safe
from server.store.queries import BAR, CASES_BY_EVENT, CASES_DUE_FOR_RELAY, CASES_OF_AGENT, CASES_OF_OWNER, HELD, under
from server.store.reading import read_each
from server.store.unproven import is_proven


class Cases:
    """The cases of this node: its own, and its copies of those in which it decides a step."""

    def __init__(self, database: Database, documents: CaseDocuments, intake: Intake, *, heads: CaseHeads) -> None:
        self.heads = heads
        self._database = database
        self._plans = documents.plans
        self._documents = documents
        self.intake = intake

    async def find(self, id: str) -> Record | None:
        """The case as it stands, or None; ids come from outside, and one that is no safe operand is no case's."""
        if not is_safe(id):
            return None
        document = await self._database.get(CASES, id)
        return (await self._read(document)).pop() if document else None

    async def case(self, id: str) -> Record:
        """The case as it stands; raises NoSuchCase."""
        record = await self.find(id)
        if record is None:
            raise NoSuchCase("没有这个办件。")
        return record

    async def find_many(self, ids: Sequence[str]) -> dict[str, Record]:
        """Those of these cases that are here, by id; ids come from outside."""
        found = await self._database.get_many(CASES, [id for id in ids if is_safe(id)])
        return {record.id: record for record in await self._read(*found.values())}

    async def add(self, commit: Commit, *, owner: str, request: str, agent: str = "") -> Record:
        """Store a new case of our own; if there is one under its id already, that one comes back.

        `owner` is the keyed digest of the applicant, `agent` that of the agent, `request` that of the request. The
        caller may get an older case back and compares `request` to see whether it is the same one.
        """
        document = self._documents.new(commit, owner=owner, agent=agent, request=request)
        await self._plans.store(document["plans"])
        stored = await self.intake.add(document)
        if stored is document:
            return self._documents.after(document, commit, before=None)
        [record] = await self._read(stored)
        return record

    async def commit(self, record: Record | None, commit: Commit) -> Record:
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

    async def commit_many(self, commits: Sequence[tuple[Record | None, Commit]]) -> list[Record] | None:
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
        reads = [
            self._database.pick(query, low, end, fields=LINE_FIELDS, limit=limit)
            for query in (CASES_OF_OWNER, CASES_OF_AGENT)
        ]
        newest = sorted(chain(*await asyncio.gather(*reads)), key=place_of, reverse=True)[:limit]
        found = read_each(newest, lambda document: (document["_id"], self._documents.line(document)))
        found.cursor = place_of(newest[-1]) if len(newest) == limit else ""
        return found

    async def standings(self, ids: Sequence[str]) -> dict[str, CaseStanding]:
        """Where those of these cases stand that are here, by id."""
        found = await self._database.get_many(CASES, ids)
        return {id: self._documents.standing(document) for id, document in found.items()}

    async def heads_before(self, place: str, *, limit: int) -> list[tuple[str, CaseHead]]:
        """Heads of cases, those with the latest event first, each with its place; `place` is the one to end before.

        What is told so is unproven: it names cases that are worth a look.
        """
        found = await self._database.pick(CASES_BY_EVENT, "t", place, fields=HEAD_FIELDS, limit=limit)
        return [(each["event_key"], CaseHead(each["_id"], each["version"], each["link"])) for each in found]

    async def due_for_relay(self, now: datetime, *, limit: int) -> Found[Record]:
        """Cases with overdue effects: the committing process should have relayed them by now, so a sweeper may."""
        documents = await self._database.between(CASES_DUE_FOR_RELAY, "t", moment_key(now), limit=limit)
        await self._load(documents)
        return read_each(documents, self._documents.read)

    async def mark_relayed(self, records: Sequence[Record]) -> None:
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

    async def _read(self, *documents: Document) -> list[Record]:
        await self._load(documents)
        return [self._documents.read(document) for document in documents]

    async def _load(self, documents: Iterable[Document]) -> None:
        """Have at hand what the documents refer to; those that are not ours refer to nothing."""
        await self._plans.load(digest for each in documents if is_proven(each) for digest in each["plans"])

    async def _oldest_relay_from(self, low: str) -> str:
        documents = await self._database.between(CASES_DUE_FOR_RELAY, low, "u", limit=1)
        return str(documents[0]["relay"]) if documents else ""


def place_of(document: Mapping[str, Any]) -> str:
    """Where a case of our own stands among all by time: `t<opened_at>|id`, the last parts of each of its keys."""
    place: str = document["owner_key"].partition(BAR)[2]
    return place
