"""The wrapped keys of cases: read without their cases, and wrapped anew when the node has another current field key."""

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from server.store.cases.case_documents import CASES, CaseDocuments
from server.store.database import Database, Document, Mark
from server.store.queries import CASES_BY_EVENT, JUST_AFTER, NEVER
from server.store.reading import read_each

FIELDS = ("key", "version", "event_key", "erased_at")


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
        high, limit = NEVER, at_once
        while True:
            page = await self._database.pick(CASES_BY_EVENT, "t", high, fields=FIELDS, limit=limit)
            if len(page) < limit:
                yield self._told(page)
                return
            last = page[-1]["event_key"]  # more cases than these may have it: it is read whole with the next page
            whole = [each for each in page if each["event_key"] != last]
            if whole:
                yield self._told(whole)
                high, limit = last + JUST_AFTER, at_once
            else:
                limit *= 2

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
