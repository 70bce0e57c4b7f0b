"""The wrapped keys of cases: read without their cases, and wrapped anew when the node has another current field key."""

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from server.store.cases.by_event import pages
from server.store.cases.case_documents import CASES, CaseDocuments
from server.store.database import Database, Document, Mark
from server.store.reading import read_each

FIELDS = ("key", "version", "erased_at")


class KeysSeen(NamedTuple):
    """Some cases by what their keys are: `old` holds the new key of each that is not wrapped by the current one."""

    cases: int
    erased: int
    old: Sequence[Mark]
    unreadable: Sequence[str]


class CaseKeys:
    """The data key of each case. A key that is not the case's own does not unwrap, so it is read without a proof."""

    def __init__(self, database: Database, documents: CaseDocuments) -> None:
        self._database = database
        self._documents = documents

    @property
    def current(self) -> str:
        """The id of the field key that wraps new ones."""
        return self._documents.current_key

    async def seen(self, *, at_once: int) -> AsyncIterator[KeysSeen]:
        """All cases, those that have moved last first, in pages of about so many."""
        async for page in pages(self._database, FIELDS, at_once=at_once):
            yield self._told(page)

    async def rewrap(self, seen: KeysSeen) -> int:
        """Wrap these keys anew; answers how many were: a case that has moved since keeps the one that it has."""
        return await self._database.mark_many(CASES, seen.old) if seen.old else 0

    def _told(self, page: Sequence[Document]) -> KeysSeen:
        kept = [document for document in page if "erased_at" not in document]
        marks = read_each(kept, self._mark)
        old = [mark for mark, document in marks if mark.fields["key"] != document["key"]]
        return KeysSeen(len(page), len(page) - len(kept), old, tuple(marks.unreadable))

    def _mark(self, document: Document) -> tuple[Mark, Document]:
        return Mark(document["_id"], {"key": self._documents.rewrapped(document)}, document["version"]), document
