"""Aggregates of one kind in the store: one document each, with its events, its pending effects and nothing else."""

from collections.abc import Sequence
from datetime import datetime
from typing import Generic

from server.domain.aggregate.happening import E, V
from server.domain.aggregate.heads import HistoryHead
from server.domain.aggregate.names import name_of
from server.domain.aggregate.records import R, Records
from server.domain.aggregate.words import AggregateWords
from server.domain.apart import Found
from server.domain.effects.commits import Commit
from server.domain.errors import StaleVersion
from server.domain.values import moment_key, moment_of_key
from server.store.aggregates.heads import HistoryHeads
from server.store.aggregates.histories import Histories
from server.store.aggregates.links import is_erased
from server.store.aggregates.marks import DONE
from server.store.database import Database, Document, Duplicate, Mark, is_safe
from server.store.queries import HELD
from server.store.reading import read_each
from server.store.unproven import is_proven


class Aggregates(Generic[V, E, R]):
    """All aggregates of one kind that this node has."""

    def __init__(self, database: Database, histories: Histories[V, E, R], *, heads: HistoryHeads) -> None:
        self.heads = heads
        self._database = database
        self._histories = histories
        self.kind = histories.kind
        self._collection = histories.kind.collection

    @property
    def words(self) -> AggregateWords:
        """What is said of this kind."""
        return self.kind.words

    async def find(self, id: str) -> R | None:
        """The aggregate as it stands, or None if there is none or it was erased; ids come from outside."""
        document = await self._document(id)
        return None if document is None or is_erased(document) else (await self._read(document)).pop()

    async def one(self, id: str) -> R:
        """The aggregate as it stands; raises the refusals of what is missing and of what was erased."""
        document = await self._document(id)
        if document is None:
            raise self.words.missing()
        return (await self._read(document)).pop()

    async def find_many(self, ids: Sequence[str]) -> Records[R]:
        """Those of these that are here, by id, and which of them were erased; ids come from outside."""
        found = await self._database.get_many(self._collection, [id for id in ids if is_safe(id)])
        erased = [id for id, document in found.items() if is_erased(document)]
        return Records(await self._read(*(found[id] for id in found.keys() - erased)), erased)

    async def commit(self, record: R | None, commit: Commit[V, E]) -> R:
        """Move an aggregate, or begin one; StaleVersion if somebody else did so meanwhile."""
        document = self._histories.continued(record, commit) if record else self._histories.new(commit)
        await self._store_referred([document])
        if record is None:
            try:
                await self._database.insert(self._collection, document)
            except Duplicate as fault:
                raise StaleVersion(self.words.moved_on) from fault
        elif not await self._database.replace(self._collection, document, version=record.document["version"]):
            raise StaleVersion(self.words.moved_on)
        return self._histories.after(document, commit, before=record)

    async def commit_many(self, commits: Sequence[tuple[R | None, Commit[V, E]]]) -> list[R] | None:
        """Move many aggregates at once, or begin them; the records after, or None if some were surely not moved.

        None does not tell which: whoever asked looks at them again, for what is done carries its act.
        """
        documents = [
            self._histories.continued(record, commit) if record else self._histories.new(commit)
            for record, commit in commits
        ]
        await self._store_referred(documents)
        pairs = list(zip(commits, documents, strict=True))
        begun = [document for (record, _), document in pairs if record is None]
        moved = [(document, record.document["version"]) for (record, _), document in pairs if record]
        taken = await self._database.insert_many(self._collection, begun) if begun else ()
        if (moved and await self._database.replace_many(self._collection, moved) < len(moved)) or taken:
            return None
        return [self._histories.after(document, commit, before=record) for (record, commit), document in pairs]

    async def erase(self, record: R, *, at: datetime) -> None:
        """Put a tombstone in its place; raises StaleVersion, and what is said of the unfinished while effects wait."""
        if record.pending or record.document["relay"] != DONE:
            raise self.words.unfinished()
        document = self._histories.erased(record, at=at)
        if not await self._database.replace(self._collection, document, version=record.document["version"]):
            raise StaleVersion(self.words.moved_on)
        await self.heads.put([HistoryHead(record.name, document["version"], document["link"])], at=at)

    async def due_for_relay(self, now: datetime, *, limit: int) -> Found[R]:
        """Those with overdue effects: the committing process should have relayed them by now, so a sweeper may.

        What does not open is told by its name.
        """
        query = self.kind.queries.due_for_relay
        documents = await self._database.between(query, "t", moment_key(now), limit=limit)
        await self._load(documents)
        found = read_each(documents, self._histories.read)
        found.unreadable = {name_of(self._collection, id): fault for id, fault in found.unreadable.items()}
        return found

    async def mark_relayed(self, records: Sequence[R]) -> None:
        """Mark all effects of these records as relayed; the process that has moved one since relays its new ones."""
        versions = [(record.id, record.document["version"]) for record in records]
        marks = [Mark(id, {"relayed": version, "relay": DONE}, version) for id, version in versions]
        await self._database.mark_many(self._collection, marks)

    async def oldest_relay(self) -> datetime | None:
        """The moment of the oldest commit whose effects are not known to be carried, or None.

        One that is set apart counts too: it sorts before all others, and then the oldest of those is read as well.
        """
        found = await self._oldest_relay_from(HELD)
        if found.startswith(HELD):
            found = min(found.removeprefix(HELD), await self._oldest_relay_from("t") or "u")
        return moment_of_key(found) - self._histories.relay_due if found else None

    async def _document(self, id: str) -> Document | None:
        """The document of this id; one that is no safe operand is nobody's."""
        return await self._database.get(self._collection, id) if is_safe(id) else None

    async def _read(self, *documents: Document) -> list[R]:
        await self._load(documents)
        return [self._histories.read(document) for document in documents]

    async def _load(self, documents: Sequence[Document]) -> None:
        """Have at hand what the documents refer to; those that are not ours refer to nothing."""
        await self._load_referred([each for each in documents if is_proven(each) and not is_erased(each)])

    async def _load_referred(self, documents: Sequence[Document]) -> None:
        """Read what these documents refer to; nothing, unless a kind says otherwise."""

    async def _store_referred(self, documents: Sequence[Document]) -> None:
        """Write what these documents refer to, before they are written; nothing, unless a kind says otherwise."""

    async def _oldest_relay_from(self, low: str) -> str:
        documents = await self._database.between(self.kind.queries.due_for_relay, low, "u", limit=1)
        return str(documents[0]["relay"]) if documents else ""
