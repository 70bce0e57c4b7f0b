"""Chains: links that name entries by digest, each following the one before by its hash."""

from collections.abc import Iterable
from typing import Literal, get_args

from server.domain.canonical import digest
from server.domain.values import Moment, Value, moment_text

GENESIS = "0" * 64  # what the first link follows
FIRST = 1
ChainName = Literal["audit", "heads"]  # as other nodes know them
CHAINS: tuple[ChainName, ...] = get_args(ChainName)


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


def next_link(after: ChainHead, entries: Iterable[Chained], *, at: Moment) -> Link:
    """The link that follows a head."""
    return Link(number=after.number + 1, prev=after.hash, at=at, entries=tuple(entries))
