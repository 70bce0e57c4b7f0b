"""Ends of rights: a log of what counts no more, kept in memory and looked at by each room that reads a right.

An older document of ours put back carries its proof. So whoever ends a right appends the end here before the document
itself is changed: from then on the log decides, whatever document stands there (docs/adr/0027-ends-of-rights.md).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from server.domain.canonical import digest
from server.domain.chains import BEFORE_ALL, ChainHead
from server.domain.identity import NotOurDatabase
from server.domain.values import moment_key, moment_of_key
from server.store.chains import HeadFiles
from server.store.database import Database, Document
from server.store.members import known
from server.store.numbered import FIRST, NumberedLog
from server.store.unproven import is_proven

ENDS = "ends"
LASTING, MONTHLY, PASSING = "lasting", "monthly", "passing"
HEADS = "ends-heads"
AT_ONCE, AHEAD = 500, 32  # entries in one read, at the start and when following
# What is over by itself within a span goes into its log, of which a start reads no more than that: the shortest first.
SPANS = {PASSING: timedelta(days=2), MONTHLY: timedelta(days=32)}
SETTLED_SECONDS = 10.0  # after so long the document itself is changed, unless its process died or somebody put it back
RESTORE = (
    "Put a backup back that has all of it. If it only ends too soon, `python -m server adopt --as production` lets the "
    "database count as it stands, and with it every right that the missing entries ended."
)


class EndsBroken(NotOurDatabase):
    """The log of ends is not as this node wrote it: entries at its end were cut off, or one is missing or altered."""

    code = "ends_broken"


@dataclass(frozen=True, slots=True)  # each process has all that still matter in memory
class End:
    """What counts no more of the thing `collection/_id`: its document below a version, and all of it from `ended_at`.

    Moments are keys (t...). `ended_at` is empty if the thing lives on in a later version; `until`, when it is over
    anyway, if that is never.
    """

    of: str
    below: int = 0
    ended_at: str = ""
    until: str = ""

    @property
    def moment(self) -> datetime:
        """When it ended; only of what has ended."""
        return moment_of_key(self.ended_at)

    def joined(self, other: "End") -> "End":
        """Both ends of one thing: the first moment counts, and the higher version."""
        return replace(self, below=max(self.below, other.below), ended_at=self.ended_at or other.ended_at)


class _Entry(NamedTuple):
    number: int
    prev: str
    hash: str
    end: End


class _Known(NamedTuple):
    end: End
    since: float  # when this process learned it, by `now`


class EndsLog:
    """One of the logs, as far as this process has read it; each entry follows the one before by its hash."""

    def __init__(self, database: Database, name: str) -> None:
        self._log = NumberedLog(database, name, collection=ENDS)
        self.name = name
        self.head = BEFORE_ALL

    async def read(self, heads: Iterable[ChainHead], *, since: str) -> list[End]:
        """What it says from an entry before `since` on, as it is read back from its end; raises EndsBroken.

        These heads must be in it.
        """
        kept = {head.number: head.hash for head in heads}
        last = await self._log.head(max(kept, default=0))
        number, follows = number_of(last), ""
        if number < max(kept, default=0):
            raise self._broken(f"it ends with entry {number}, and there was an entry {max(kept)}")
        for number_kept, document in (await self._log.entries(list(kept))).items():
            if self._read(number_kept, document).hash != kept[number_kept]:
                raise self._broken(f"entry {number_kept} is another than there was")
        ends: list[End] = []
        while number >= FIRST and not (ends and ends[-1].ended_at < since):
            numbers = range(number, max(FIRST - 1, number - AT_ONCE), -1)
            found = await self._log.entries(numbers)
            for number in numbers:
                entry = self._read(number, found.get(number))
                if entry.hash != (follows or entry.hash):
                    raise self._broken(f"entry {number + 1} does not follow entry {number}")
                self.head = self.head if ends else ChainHead(number=number, hash=entry.hash)
                follows = entry.prev
                ends.append(entry.end)
            number -= 1
        return ends[::-1]

    async def newer(self) -> AsyncIterator[End]:
        """What was appended since; raises EndsBroken behind what can be read."""
        while True:
            found = await self._log.entries(range(self.head.number, self.head.number + AHEAD))
            if self.head.number and self.head.number not in found:
                raise self._broken(f"entry {self.head.number} is gone")
            if self.head.number + 1 not in found:
                return
            while document := found.get(self.head.number + 1):
                entry = self._read(self.head.number + 1, document)
                if entry.prev != self.head.hash:
                    raise self._broken(f"entry {entry.number} does not follow entry {self.head.number}")
                self.head = ChainHead(number=entry.number, hash=entry.hash)
                yield entry.end

    async def append(self, end: End) -> bool:
        """Append an end; False if another process has appended one that is not read yet."""
        document: Document = {"number": self.head.number + 1, "prev": self.head.hash, **asdict(end)}
        head = ChainHead(number=self.head.number + 1, hash=digest(document))
        if await self._log.append(head.number, {**document, "hash": head.hash}):
            self.head = head
            return True
        return False

    def _read(self, number: int, document: Document | None) -> _Entry:
        if document is None or not is_proven(document):
            raise self._broken(f"entry {number} is not there as it was written")
        end = End(**known(End, document))
        return _Entry(number, document["prev"], document["hash"], end)

    def _broken(self, what: str) -> EndsBroken:
        return EndsBroken(
            f"the log of ended rights ({ENDS}/{self.name}) is not as this node wrote it: {what}. {RESTORE}"
        )


class Ends:
    """All ends that still matter, in memory; `start` before it is asked, then `follow`, as other processes append too.

    `tell_older` is told collection and `_id` of a document that was put back; `now` tells seconds that pass, from any
    beginning.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self._logs = {name: EndsLog(database, name) for name in (LASTING, *SPANS)}
        self._folder = folder
        self._incarnation = ""
        self._known: dict[str, _Known] = {}
        self._kept: dict[str, int] = {}
        self._swept = ""
        self._lock = asyncio.Lock()
        self.tell_older: Callable[[str, str], object] = lambda *_: None
        self.now: Callable[[], float] = time.monotonic

    async def start(self, incarnation: str, *, at: datetime) -> None:
        """Read the logs, of which the heads kept in files under this incarnation must be a part; raises EndsBroken.

        A database that was adopted has another incarnation, and is believed as it stands.
        """
        self._incarnation = incarnation
        for name, log in self._logs.items():
            heads = await self._heads(name).all()
            since = moment_key(at - SPANS[name]) if name in SPANS else ""
            for end in await log.read(heads.values(), since=since):
                self._learn(end)
        self._forget(at)

    async def follow(self, at: datetime, *, process: str = "") -> None:
        """Read what others appended since, and keep the heads in files of this process if it has a name.

        Raises EndsBroken; then what is known goes on to count.
        """
        async with self._lock:
            for name, log in self._logs.items():
                await self._catch_up(log)
                if process and log.head.number > self._kept.get(name, 0):
                    await self._heads(name).keep(process, log.head)
                    self._kept[name] = log.head.number
        self._forget(at)

    async def end(self, collection: str, id: str, *, at: datetime, until: datetime | None = None) -> End:
        """Let the thing count no more from this moment on; if it has ended before, that end comes back.

        `until`: when it would be over by itself.
        """
        known = self.of(collection, id)
        if known is None or not known.ended_at:
            over = moment_key(until) if until else ""
            await self._append(_log_for(at, until), End(f"{collection}/{id}", ended_at=moment_key(at), until=over))
        return self._known[f"{collection}/{id}"].end

    async def supersede(self, collection: str, id: str, *, below: int) -> None:
        """Let no document of the thing below this version count."""
        await self._append(LASTING, End(f"{collection}/{id}", below=below))

    def of(self, collection: str, id: str) -> End | None:
        """What has ended of the thing, or None."""
        known = self._known.get(f"{collection}/{id}")
        return known.end if known else None

    def tell(self, collection: str, id: str) -> None:
        """A document was met that had ended: unless that was only just now, it was put back."""
        if self.now() - self._known[f"{collection}/{id}"].since >= SETTLED_SECONDS:
            self.tell_older(collection, id)

    async def _append(self, name: str, end: End) -> None:
        async with self._lock:
            while not await self._logs[name].append(end):
                await self._catch_up(self._logs[name])
            self._learn(end)

    async def _catch_up(self, log: EndsLog) -> None:
        async for end in log.newer():
            self._learn(end)

    def _learn(self, end: End) -> None:
        known = self._known.get(end.of)
        self._known[end.of] = _Known(known.end.joined(end) if known else end, self.now())

    def _forget(self, at: datetime) -> None:
        """Forget, once an hour, what is over by itself."""
        now = moment_key(at)
        if self._swept[:14] != now[:14]:  # t2026-11-23T04
            self._swept = now
            self._known = {
                of: known for of, known in self._known.items() if not known.end.until or known.end.until > now
            }

    def _heads(self, name: str) -> HeadFiles:
        return HeadFiles(self._folder, f"{HEADS}/{self._incarnation}/{name}")


def _log_for(at: datetime, until: datetime | None) -> str:
    """The name of the log for what ends now, and would be over by itself then."""
    return next((name for name, span in SPANS.items() if until and until - at <= span), LASTING)


def number_of(document: Document | None) -> int:
    """The number of an entry by its place, whatever it says; 0 for none."""
    return int(document["_id"].rpartition(":")[2]) if document else FIRST - 1
