"""The chain of the audit: links that name entries by digest, each following the one before by its hash."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from server.domain.canonical import digest
from server.domain.values import Moment, Value, moment_text

GENESIS = "0" * 64  # what the first link follows
FIRST = 1

Trouble = Literal["missing", "altered", "doubled", "moved", "unchained", "cut"]


class Chained(Value):
    """An entry as a link names it: its id and the SHA-256 of what it says."""

    id: str
    sha256: str


class ChainHead(Value):
    """A link by its number and hash: whoever knows it knows all links up to it."""

    number: int
    hash: str


BEFORE_ALL = ChainHead(number=FIRST - 1, hash=GENESIS)


class Link(Value):
    """One link: some entries, in order, and the hash of the link before; `at` is when it was made."""

    number: int
    prev: str
    at: Moment
    entries: tuple[Chained, ...]

    @property
    def hash(self) -> str:
        """The SHA-256 of all that it says, in hexadecimal."""
        said = {"number": self.number, "prev": self.prev, "at": moment_text(self.at)}
        return digest({**said, "entries": [[each.id, each.sha256] for each in self.entries]})

    @property
    def head(self) -> ChainHead:
        """The chain up to this link."""
        return ChainHead(number=self.number, hash=self.hash)


@dataclass(frozen=True)
class EntryFound:
    """An entry as it was found: whether this node wrote it so, and which link its mark names (0: none).

    `sha256` is of what it says, empty if that cannot be told. `is_in_place` is false if it was written under another
    id; `time_key` is its place in time.
    """

    id: str
    sha256: str
    is_ours: bool
    is_in_place: bool
    link: int
    time_key: str


@dataclass(frozen=True)
class LinkFound:
    """A link as it was found: itself if this node wrote it so, and the number that it says it has."""

    link: Link | None
    says: int


class AuditFinding(Value):
    """Something that is wrong, and where: an entry by its id, a link or several by number, the place of a head."""

    trouble: Trouble
    place: str
    detail: str


class Verification(Value):
    """What was found of a chain: the links from `first` to `head` with their entries, and what is wrong.

    `findings` has the first of them; `troubles` is how many there are.
    """

    first: int
    head: ChainHead
    links: int
    entries: int
    troubles: int
    findings: tuple[AuditFinding, ...]


def said_by(entry: Mapping[str, Any]) -> str:
    """The SHA-256 of what an entry says: what is counted in it later (`times`), and how it is found, is not covered."""
    return digest({"id": entry["_id"], **{name: entry[name] for name in ("kind", "at", "about")}})


def next_link(after: ChainHead, entries: Iterable[Chained], *, at: Moment) -> Link:
    """The link that follows a head."""
    return Link(number=after.number + 1, prev=after.hash, at=at, entries=tuple(entries))
