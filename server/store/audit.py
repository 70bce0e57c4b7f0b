"""The audit entries in the store: who looked at what and why, and what a peer tried that is not its own."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from server.domain.audit import AuditEntry, AuditFilter, AuditKind, Note, actor_of
from server.domain.values import moment_key, moment_text
from server.store.audit_chain import AUDIT, AUDIT_CHAIN, HEADS, digest_of, waiting_key
from server.store.chains import Chain, HeadFiles
from server.store.database import Database, Document, Duplicate, Fields, Mark, Query, is_safe
from server.store.queries import (
    AUDIT_BY_OFFICER,
    AUDIT_BY_TIME,
    AUDIT_OF_CASE,
    AUDIT_OF_KIND,
    AUDIT_OF_PERSON,
    BAR,
    NEVER,
)
from server.store.unproven import is_proven

ATTEMPTS = 5
MOST_PARTS = 20  # of a page's length that are read for one page when most of them do not fit


class AuditEntries(NamedTuple):
    """Entries, behind which place there are more, and how many were left out as they are not as they were written."""

    found: list[AuditEntry]
    next: str | None
    broken: int


class Audit:
    """Insert-only but for counts. An entry names people by their keys and officers by name; no personal data.

    `chain` tells what was removed or altered since, and `files` keep the newest heads of it.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self.chain = Chain(database, AUDIT_CHAIN)
        self.files = HeadFiles(folder, HEADS)
        self._uncounted: dict[str, int] = {}

    async def note(self, id: str, kind: AuditKind, *, at: datetime, about: Mapping[str, str]) -> None:
        """Write one entry under an id that nobody else makes."""
        await self.note_all([Note(id, kind, about)], at=at)

    async def note_all(self, notes: Sequence[Note], *, at: datetime) -> None:
        """Write entries of one moment in one round trip."""
        await self._database.insert_many(AUDIT, [_document(id, kind, at=at, about=about) for id, kind, about in notes])

    async def count(self, id: str, kind: AuditKind, *, at: datetime, about: Mapping[str, str]) -> None:
        """Write one entry, or count it once more (`times`); processes that are too quick for each other count too few.

        However often it is called at once, one write is under way here: it takes along what came meanwhile.
        """
        is_writing = id in self._uncounted
        self._uncounted[id] = self._uncounted.get(id, 0) + 1
        if is_writing:
            return
        document = _document(id, kind, at=at, about=about)
        try:
            while times := self._uncounted[id]:
                self._uncounted[id] = 0
                await self._add(document, times)
        finally:
            del self._uncounted[id]

    async def entries(self, wanted: AuditFilter, *, limit: int) -> AuditEntries:
        """The entries that are wanted, the newest first, and behind which place the next page goes on.

        One of the indexes is read, and what else is wanted is looked for in what it gives, so much of it at once: a
        page may be short, even empty, and have a next one. What is not as this node wrote it is left out and counted,
        unless it is all that one read gives: then NotAuthentic is raised.
        """
        query, start = _index(wanted)
        low = start + (moment_key(wanted.begins_at) if wanted.begins_at else "")
        last = moment_key(wanted.ends_at) if wanted.ends_at else NEVER
        place = min(wanted.after or last, last)
        found: list[AuditEntry] = []
        broken: set[str] = set()
        for _ in range(MOST_PARTS):
            high = start + place
            if not (is_safe(low) and is_safe(high) and low < high):
                return AuditEntries(found, None, len(broken))
            documents = await self._database.between(query, low, high, limit=limit + 1, is_descending=True)
            broken |= {document["_id"] for document in documents if not is_proven(document)}
            for document in [each for each in documents if is_proven(each)] or documents:
                entry = _entry(document)
                if wanted.fits(entry):
                    if len(found) == limit:
                        return AuditEntries(found, place, len(broken))
                    found.append(entry)
                place = document["time_key"]
            if len(documents) <= limit:
                return AuditEntries(found, None, len(broken))
        return AuditEntries(found, place, len(broken))

    async def _add(self, document: Document, times: int) -> None:
        for _ in range(ATTEMPTS):
            known = await self._database.get(AUDIT, document["_id"])
            if known is None:
                try:
                    await self._database.insert(AUDIT, {**document, "times": times, "version": 1})
                except Duplicate:
                    continue
                return
            more: Fields = {"times": known["times"] + times, "version": known["version"] + 1}
            if await self._database.mark(AUDIT, Mark(document["_id"], more, known["version"])):
                return


def _document(id: str, kind: AuditKind, *, at: datetime, about: Mapping[str, str]) -> Document:
    """An entry as it is stored. Its place among others ends with a digest of its id, which may tell a session's."""
    place = BAR.join((moment_key(at), digest_of(id)))
    return {
        "_id": f"audit:{id}",
        "kind": kind,
        "at": moment_text(at),
        "about": dict(about),
        "time_key": place,
        "kind_key": BAR.join((kind, place)),
        "officer_key": _key(actor_of(about), place),
        "case_key": _key(about.get("case", ""), place),
        "person_key": _key(about.get("person", ""), place),
        "chain": waiting_key(at, digest_of(id)),
    }


def _key(part: str, place: str) -> str:
    """The key under a part; nothing if there is none, or if it could be read as two (a peer may write anything)."""
    return BAR.join((part, place)) if part and BAR not in part else ""


def _index(wanted: AuditFilter) -> tuple[Query, str]:
    """Which index has the fewest entries that are not wanted, and what its keys begin with."""
    for query, part in (
        (AUDIT_OF_CASE, wanted.case),
        (AUDIT_OF_PERSON, wanted.person),
        (AUDIT_BY_OFFICER, wanted.officer),
        (AUDIT_OF_KIND, wanted.kind or ""),
    ):
        if part:
            return query, part + BAR
    return AUDIT_BY_TIME, ""


def _entry(document: Document) -> AuditEntry:
    return AuditEntry(at=document["at"], kind=document["kind"], about=document["about"], times=document.get("times", 1))
