"""The disk of a simulated node: documents as bytes, with the indexes of the declared queries; no time passes here."""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from server.store.database import Document, Mark, Query, Renewal

Seen = Callable[[str, Document | None, Document], None]


@dataclass(frozen=True)
class Kept:
    """One document as it lies there, and of it what is looked for."""

    raw: bytes
    version: Any
    keys: dict[str, str]

    @property
    def document(self) -> Document:
        """A copy of the document, for whoever asks."""
        document: Document = orjson.loads(self.raw)
        return document


class Disk:
    """Survives every crash of processes; `seen` is told of each write: collection, document before, document now."""

    def __init__(self, queries: Sequence[Query]) -> None:
        self._fields: dict[str, tuple[str, ...]] = {}
        for query in queries:
            self._fields[query.collection] = (*self._fields.get(query.collection, ()), query.field)
        self._kept: dict[str, dict[str, Kept]] = {}
        self._sorted: dict[tuple[str, str], list[tuple[str, str]]] = {}
        self.seen: Seen | None = None
        self.writes = 0

    def insert(self, collection: str, document: Document) -> bool:
        """Put it there; False if its id is taken."""
        if document["_id"] in self._kept.get(collection, {}):
            return False
        self._put(collection, None, document)
        return True

    def replace(self, collection: str, document: Document, version: int) -> bool:
        """Put it in the place of this version."""
        before = self._kept.get(collection, {}).get(document["_id"])
        if before is None or before.version != version:
            return False
        self._put(collection, before, document)
        return True

    def put_newer(self, collection: str, document: Document) -> bool:
        """Put it in the place of a lower version, or of none."""
        before = self._kept.get(collection, {}).get(document["_id"])
        if before is None:
            return self.insert(collection, document)
        if before.version >= document["version"]:
            return False
        self._put(collection, before, document)
        return True

    def mark(self, collection: str, mark: Mark) -> bool:
        """Change these fields, of this version if one is named."""
        before = self._kept.get(collection, {}).get(mark.id)
        if before is None or (mark.version is not None and before.version != mark.version):
            return False
        self._put(collection, before, before.document | dict(mark.fields))
        return True

    def renew(self, collection: str, renewal: Renewal) -> bool:
        """Put these members there, if the document still has this proof."""
        before = self._kept.get(collection, {}).get(renewal.id)
        if before is None or before.document.get("proof") != renewal.proof:
            return False
        self._put(collection, before, before.document | dict(renewal.members))
        return True

    def delete(self, collection: str, id: str) -> bool:
        """Take it away."""
        before = self._kept.get(collection, {}).pop(id, None)
        if before is not None:
            self._forget(collection, id, before)
        return before is not None

    def get(self, collection: str, id: str) -> Document | None:
        """A copy of the document."""
        kept = self._kept.get(collection, {}).get(id)
        return kept.document if kept else None

    def get_many(self, collection: str, ids: Sequence[str]) -> list[Document]:
        """Copies of those documents that are there."""
        kept = self._kept.get(collection, {})
        return [kept[id].document for id in ids if id in kept]

    def all(self, collection: str) -> Iterable[Document]:
        """Copies of all documents of a collection, by id."""
        kept = self._kept.get(collection, {})
        return [kept[id].document for id in sorted(kept)]

    def after(self, collection: str, id: str, limit: int) -> list[Document]:
        """Copies of the first documents behind this id, by id."""
        kept = self._kept.get(collection, {})
        return [kept[each].document for each in sorted(kept) if each > id][:limit]

    def span(
        self, query: Query, low: str, high: str, *, limit: int, is_descending: bool = False
    ) -> list[tuple[str, str]]:
        """Value and id of the first (or last) of those with low <= value < high, sorted; nothing else is looked at."""
        ordered = self._sorted.get((query.collection, query.field), [])
        first, end = bisect_left(ordered, (low, "")), bisect_left(ordered, (high, ""))
        if is_descending:
            return ordered[max(first, end - limit) : end][::-1]
        return ordered[first : min(end, first + limit)]

    def snapshot(self) -> dict[str, dict[str, Kept]]:
        """A backup."""
        return {collection: dict(kept) for collection, kept in self._kept.items()}

    def restore(self, backup: dict[str, dict[str, Kept]]) -> None:
        """Put a backup in the place of everything."""
        self._kept = {collection: dict(kept) for collection, kept in backup.items()}
        self._sorted = {}
        for collection, all_kept in self._kept.items():
            for id, kept in all_kept.items():
                self._remember(collection, id, kept)

    def _put(self, collection: str, before: Kept | None, document: Document) -> None:
        id = document["_id"]
        fields = self._fields.get(collection, ())
        keys = {field: document[field] for field in fields if isinstance(document.get(field), str)}
        kept = Kept(orjson.dumps(document), document.get("version"), keys)
        if before is not None:
            self._forget(collection, id, before)
        self._kept.setdefault(collection, {})[id] = kept
        self._remember(collection, id, kept)
        self.writes += 1
        if self.seen:
            self.seen(collection, before.document if before else None, document)

    def _remember(self, collection: str, id: str, kept: Kept) -> None:
        for field, value in kept.keys.items():
            insort(self._sorted.setdefault((collection, field), []), (value, id))

    def _forget(self, collection: str, id: str, kept: Kept) -> None:
        for field, value in kept.keys.items():
            ordered = self._sorted[collection, field]
            del ordered[bisect_left(ordered, (value, id))]
