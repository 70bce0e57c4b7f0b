"""Cases in the store: one document per case, with its events, its pending effects and nothing else to keep in step."""

from collections.abc import Sequence
from datetime import datetime

from server.domain.apart import Found
from server.domain.case.case import NoSuchCase
from server.domain.effects.records import Commit, Record, place_of
from server.domain.errors import StaleVersion
from server.domain.values import moment_key, moment_of_key
from server.store.cases.case_documents import DONE, CaseDocuments
from server.store.cases.intake import Intake
from server.store.database import Database, Duplicate, Mark, is_safe
from server.store.queries import BAR, CASES_DUE_FOR_RELAY, CASES_OF_AGENT, CASES_OF_OWNER, HELD, under
from server.store.reading import read_each

CASES = "cases"


class Cases:
    """The cases of this node: its own, and its copies of those in which it decides a step."""

    def __init__(self, database: Database, documents: CaseDocuments, intake: Intake) -> None:
        self._database = database
        self._documents = documents
        self._intake = intake

    async def find(self, id: str) -> Record | None:
        """The case as it stands, or None; ids come from outside, and one that is no safe operand is no case's."""
        if not is_safe(id):
            return None
        document = await self._database.get(CASES, id)
        return self._documents.read(document) if document else None

    async def case(self, id: str) -> Record:
        """The case as it stands; raises NoSuchCase."""
        record = await self.find(id)
        if record is None:
            raise NoSuchCase("没有这个办件。")
        return record

    async def find_many(self, ids: Sequence[str]) -> dict[str, Record]:
        """Those of these cases that are here, by id; ids come from outside."""
        found = await self._database.get_many(CASES, [id for id in ids if is_safe(id)])
        return {id: self._documents.read(document) for id, document in found.items()}

    async def add(self, commit: Commit, *, owner: str, request: str, agent: str = "") -> Record:
        """Store a new case of our own; if there is one under its id already, that one comes back.

        `owner` is the keyed digest of the applicant, `agent` that of the agent, `request` that of the request. The
        caller may get an older case back and compares `request` to see whether it is the same one.
        """
        document = self._documents.new(commit)
        opened_at = moment_key(commit.events[0].at)
        place = opened_at + BAR + document["_id"]
        document |= {"owner_key": owner + BAR + place, "request": request}
        document |= {"agent_key": agent + BAR + place if agent else ""}
        stored = await self._intake.add(document)
        if stored is document:
            return self._documents.after(document, commit, before=None)
        return self._documents.read(stored)

    async def commit(self, record: Record | None, commit: Commit) -> Record:
        """Move a case, or begin our copy of another node's; StaleVersion if somebody else did so meanwhile."""
        if record is None:
            document = self._documents.new(commit)
            try:
                await self._database.insert(CASES, document)
            except Duplicate as fault:
                raise StaleVersion("办件已有新的进展，请刷新后重试。") from fault
            return self._documents.after(document, commit, before=None)
        document = self._documents.continued(record, commit)
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
        pairs = list(zip(commits, documents, strict=True))
        begun = [document for (record, _), document in pairs if record is None]
        moved = [(document, record.document["version"]) for (record, _), document in pairs if record]
        taken = await self._database.insert_many(CASES, begun) if begun else ()
        if (moved and await self._database.replace_many(CASES, moved) < len(moved)) or taken:
            return None
        return [self._documents.after(document, commit, before=record) for (record, commit), document in pairs]

    async def cases_of(self, owner: str, *, limit: int, before: str = "") -> list[Record]:
        """The cases of a person as applicant or agent, newest first.

        `before` is the `place_of` the last one already seen.
        """
        low, high = under(owner)
        documents = []
        for query in (CASES_OF_OWNER, CASES_OF_AGENT):
            end = owner + BAR + before if before else high
            documents += await self._database.between(query, low, end, limit=limit, is_descending=True)
        newest = sorted(documents, key=place_of, reverse=True)[:limit]
        return [self._documents.read(document) for document in newest]

    async def due_for_relay(self, now: datetime, *, limit: int) -> Found[Record]:
        """Cases with overdue effects: the committing process should have relayed them by now, so a sweeper may."""
        documents = await self._database.between(CASES_DUE_FOR_RELAY, "t", moment_key(now), limit=limit)
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

    async def _oldest_relay_from(self, low: str) -> str:
        documents = await self._database.between(CASES_DUE_FOR_RELAY, low, "u", limit=1)
        return str(documents[0]["relay"]) if documents else ""
