"""The audit and its chain as they were found, and what is wrong with them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from server.domain.canonical import digest
from server.domain.chains import ChainHead, Link
from server.domain.values import Value

Trouble = Literal["missing", "altered", "doubled", "moved", "unchained", "cut"]


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
