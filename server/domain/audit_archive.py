"""The archive of the audit: a file of lines, each with a link of the chain and its entries, which proves itself."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import orjson
from pydantic import ValidationError

from server.domain.audit_chain import AuditFinding, Trouble, Verification, said_by
from server.domain.chains import BEFORE_ALL, ChainHead, Link
from server.domain.errors import Conflict
from server.domain.values import Moment, Value

MOST_FINDINGS = 1000


class AuditDamaged(Conflict):
    """What is to be archived is not as it was written; it stays where it is, and `audit verify` says what is wrong."""

    code = "audit_damaged"
    title = "审计记录不完整，不能归档"


class ArchivedEntry(Value):
    """An entry as it was stored: what it says, and how often it was counted."""

    id: str
    kind: str
    at: str
    about: Mapping[str, str]
    times: int = 1


class ArchiveBegins(Value):
    """The first line: of which division, when it was made, and which head the first link follows."""

    format: Literal["tongban-audit-1"] = "tongban-audit-1"
    division: str
    archived_at: Moment
    after: ChainHead


class ArchivedLink(Value):
    """A line in between: a link with its entries in order."""

    link: Link
    entries: tuple[ArchivedEntry, ...]


class ArchiveEnds(Value):
    """The last line: the head, and how much there is before it."""

    head: ChainHead
    links: int
    entries: int


class Archived(Value):
    """What was archived: the numbers of the links and of the entries, the head, and the SHA-256 of the file.

    Nothing was, and there is no file, if `links` is 0.
    """

    first: int
    head: ChainHead
    links: int
    entries: int
    sha256: str


def entry_of(document: Mapping[str, Any]) -> ArchivedEntry:
    """An entry as the database has it."""
    said = {name: document[name] for name in ("kind", "at", "about")}
    return ArchivedEntry(id=document["_id"], times=document.get("times", 1), **said)


def line_of(value: Value) -> bytes:
    """A value as a line of the file."""
    return value.model_dump_json().encode() + b"\n"


def verified(lines: Iterable[bytes]) -> Verification:
    """Whether a file holds what it should, told from itself alone: compare its head with one that you know."""
    reading = _Reading()
    for number, line in enumerate(lines, 1):
        reading.take(number, line)
    return reading.done()


class _Reading:
    """What was read of an archive so far."""

    def __init__(self) -> None:
        self._findings: list[AuditFinding] = []
        self._troubles = 0
        self._begins: ArchiveBegins | None = None
        self._ends: ArchiveEnds | None = None
        self._head = BEFORE_ALL
        self._links = self._entries = 0

    def take(self, number: int, line: bytes) -> None:
        """The next line."""
        try:
            self._read(number, orjson.loads(line))
        except (ValidationError, ValueError, TypeError):
            self._find("altered", f"line {number}", "it cannot be read")

    def done(self) -> Verification:
        """What was found, after the last line."""
        known = ArchiveEnds(head=self._head, links=self._links, entries=self._entries)
        if self._ends is None:
            self._find("cut", f"link {self._head.number}", "the last line is missing")
        elif self._ends != known:
            self._find("altered", "the last line", "it does not say what stands before it")
        return Verification(
            first=self._begins.after.number + 1 if self._begins else 0,
            head=self._head,
            links=self._links,
            entries=self._entries,
            troubles=self._troubles,
            findings=tuple(self._findings),
        )

    def _read(self, number: int, value: Any) -> None:
        if self._ends:
            raise ValueError("nothing follows the last line")
        if number == 1:
            self._begins = ArchiveBegins.model_validate(value)
            self._head = self._begins.after
        elif "head" in value:
            self._ends = ArchiveEnds.model_validate(value)
        else:
            self._take_link(ArchivedLink.model_validate(value))

    def _take_link(self, line: ArchivedLink) -> None:
        link, place = line.link, f"link {line.link.number}"
        if (link.number, link.prev) != (self._head.number + 1, self._head.hash):
            self._find("moved", place, "it does not follow the link before")
        for each in differences(link, line.entries):
            self._find(each.trouble, each.place, each.detail)
        self._head = link.head
        self._links += 1
        self._entries += len(line.entries)

    def _find(self, trouble: Trouble, place: str, detail: str) -> None:
        self._troubles += 1
        if len(self._findings) < MOST_FINDINGS:
            self._findings.append(AuditFinding(trouble=trouble, place=place, detail=detail))


def differences(link: Link, entries: Sequence[ArchivedEntry]) -> Iterable[AuditFinding]:
    """Where the entries are not those that the link names."""
    by_id = {each.id: each for each in entries}
    for each in link.entries:
        entry = by_id.pop(each.id, None)
        if entry is None:
            yield AuditFinding(trouble="missing", place=each.id, detail=f"link {link.number} names it")
        elif said_by({**entry.model_dump(), "_id": entry.id}) != each.sha256:
            yield AuditFinding(trouble="altered", place=each.id, detail=f"it is not as link {link.number} says")
    for id in by_id:
        yield AuditFinding(trouble="doubled", place=id, detail=f"link {link.number} does not name it")
