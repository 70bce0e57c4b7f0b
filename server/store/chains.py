"""Chains in the store: a numbered log of links, where it begins, and the heads that are kept in files."""

import asyncio
import os
import socket
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import orjson

from server.domain.apart import Found
from server.domain.chains import BEFORE_ALL, FIRST, GENESIS, Chained, ChainHead, Link
from server.domain.values import Value, moment_text
from server.store.database import Database, Document, Duplicate, Mark, Query
from server.store.members import read_text, rewrite
from server.store.numbered import NumberedLog, entry_id
from server.store.queries import BAR, under
from server.store.reading import read_each
from server.store.unproven import is_proven

BEGINNING = "beginning"
CLEARED_AT_ONCE = 10
UNCHAINED, CHAINED, BROKEN = "unchained", "chained", "broken"


class Beginning(Value):
    """Where the kept chain begins: with the link that follows `after`; the links up to `cleared` are removed.

    Between the two are those that were archived and are being removed.
    """

    after: ChainHead = BEFORE_ALL
    cleared: int = FIRST - 1
    version: int = 0

    @property
    def first(self) -> int:
        """The number of the first link that is kept."""
        return self.after.number + 1

    @property
    def is_removing(self) -> bool:
        """Whether links that were archived are not removed yet."""
        return self.cleared < self.after.number


@dataclass(frozen=True)
class Chaining:
    """What is chained: the name and the collection of the links, by which query entries wait, how one is named.

    What `is_kept` stays and is marked with its link, anything else is removed once it stands in one.
    """

    name: str
    collection: str
    waiting: Query
    chained: Callable[[Document], Chained]
    is_kept: bool = True


class Chain:
    """The links of one kind of entries; the insert decides which process made a link."""

    def __init__(self, database: Database, kind: Chaining) -> None:
        self._database = database
        self._kind = kind
        self._log = NumberedLog(database, kind.name, collection=kind.collection)
        self._marked = FIRST - 1  # the last link whose entries this process has marked

    async def is_waiting(self) -> bool:
        """Whether any entry stands in no link yet."""
        return bool(await self._database.keys(self._kind.waiting, *under(UNCHAINED), limit=1))

    async def waiting(self, *, limit: int) -> Found[Chained]:
        """Entries that stand in no link yet, the oldest first."""
        found = await self._database.between(self._kind.waiting, *under(UNCHAINED), limit=limit)
        return read_each(found, self._kind.chained)

    async def beginning(self) -> Beginning:
        """Where the kept chain begins."""
        document = await self._database.get(self._kind.collection, BEGINNING)
        if document is None:
            return Beginning()
        after = ChainHead(number=document["number"], hash=document["hash"])
        return Beginning(after=after, cleared=document["cleared"], version=document["version"])

    async def begin(self, beginning: Beginning) -> bool:
        """Let the kept chain begin there; False if another process has moved the beginning meanwhile."""
        document = {"_id": BEGINNING, **vars(beginning.after), "cleared": beginning.cleared}
        document["version"] = beginning.version + 1
        if beginning.version:
            return await rewrite(
                self._database,
                self._kind.collection,
                BEGINNING,
                change=lambda _: document,
                version=beginning.version,
            )
        try:
            await self._database.insert(self._kind.collection, document)
        except Duplicate:
            return False
        return True

    async def last(self, hint: int = 0) -> tuple[ChainHead, Link | None]:
        """The head, and its link unless there is none as this node wrote it: then only the number is sure.

        The hint is the number of a link that should be there.
        """
        after = (await self.beginning()).after
        first = after.number + 1
        # A hint that is not there, as the chain was cut, may lead astray below the first that is kept.
        document = await self._log.head(max(hint, first)) or await self._log.head(first)
        if document is None:
            return after, None
        if not is_proven(document):
            return ChainHead(number=int(document["_id"].rpartition(":")[2]), hash=GENESIS), None
        link = link_of(document)
        return link.head, link

    async def links(self, numbers: Sequence[int]) -> dict[int, Link]:
        """Those of the links that are there as this node wrote them, by number."""
        found = await self._log.entries(numbers)
        return {number: link_of(document) for number, document in found.items() if is_proven(document)}

    async def link(self, number: int) -> Link | None:
        """The link of this number, if it is there as this node wrote it."""
        return (await self.links([number])).get(number)

    async def append(self, link: Link) -> bool:
        """Append a link; False if another process was first."""
        return await self._log.append(link.number, document_of(link))

    async def mark(self, link: Link) -> None:
        """Mark the entries of a link as chained, or remove them; twice changes nothing."""
        if self._marked == link.number:
            return
        if self._kind.is_kept:
            key = BAR.join((CHAINED, place_of(link.number)))
            await self._database.mark_many(self._entries, [Mark(each.id, {"chain": key}) for each in link.entries])
        else:
            await self._database.delete(self._entries, [each.id for each in link.entries])
        self._marked = link.number

    async def pass_over(self, ids: Iterable[str]) -> None:
        """Let entries that are not ours as they stand wait no more."""
        await self._database.mark_many(self._entries, [Mark(id, {"chain": BAR.join((BROKEN, id))}) for id in ids])

    async def clear(self) -> bool:
        """Remove the links before the beginning, with their entries; False if another process does so.

        The entries go first, so that what is left can still be found, and the beginning says how far it has come.
        """
        while (beginning := await self.beginning()).is_removing:
            numbers = range(beginning.cleared + 1, beginning.after.number + 1)[:CLEARED_AT_ONCE]
            if self._kind.is_kept:
                for link in (await self.links(numbers)).values():
                    await self._database.delete(self._entries, [each.id for each in link.entries])
            await self._database.delete(self._kind.collection, [entry_id(self._kind.name, each) for each in numbers])
            if not await self.begin(beginning.model_copy(update={"cleared": numbers[-1]})):
                return False
        return True

    @property
    def _entries(self) -> str:
        return self._kind.waiting.collection


class HeadFiles:
    """The newest heads as the processes of a node have seen them, each in a file of its own outside of the database."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder / name

    async def all(self) -> dict[str, ChainHead]:
        """The heads by the name of their file."""
        return await asyncio.to_thread(self._all)

    async def newest(self) -> int:
        """The highest number of any of the heads; 0 if there is none."""
        return max((head.number for head in (await self.all()).values()), default=0)

    async def own(self, process: str) -> ChainHead:
        """The head that this process of the machine last kept; that before all links if it kept none."""
        return await asyncio.to_thread(self._own, self._folder / _name(process))

    async def keep(self, process: str, head: ChainHead) -> None:
        """Keep a head in the place of the last one; when this returns it is on disk."""
        await asyncio.to_thread(self._write, self._folder / _name(process), head)

    def _all(self) -> dict[str, ChainHead]:
        files = sorted(self._folder.glob("*.json")) if self._folder.exists() else []
        return {file.name: read_text(ChainHead, file.read_bytes()) for file in files}

    def _own(self, path: Path) -> ChainHead:
        return read_text(ChainHead, path.read_bytes()) if path.exists() else BEFORE_ALL

    def _write(self, path: Path, head: ChainHead) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self._folder, prefix=".", suffix=".part")
        with os.fdopen(descriptor, "wb") as file:
            file.write(orjson.dumps(head.model_dump()))
            file.flush()
            os.fsync(descriptor)
        Path(name).replace(path)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class KeptChain(NamedTuple):
    """A chain, and the files that keep its newest heads."""

    chain: Chain
    files: HeadFiles


def place_of(number: int) -> str:
    """A link's number as part of a key."""
    return f"n{number:012d}"


def document_of(link: Link) -> Document:
    """A link as it is stored."""
    entries = [[each.id, each.sha256] for each in link.entries]
    return {"number": link.number, "prev": link.prev, "at": moment_text(link.at), "entries": entries, "hash": link.hash}


def link_of(document: Document) -> Link:
    """A link as it was stored."""
    entries = tuple(Chained(id=id, sha256=sha256) for id, sha256 in document["entries"])
    return Link(number=document["number"], prev=document["prev"], at=document["at"], entries=entries)


def _name(process: str) -> str:
    return f"{socket.gethostname()}-{process}.json"
