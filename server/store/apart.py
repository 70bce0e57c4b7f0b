"""What is set apart in the store: a row for each thing that raised, and its way out of its queue and back.

A queue is a range of keys that begin with a moment; what is held has `NEVER` in its place, which sorts after all. So
it is still counted among those that wait, and is never due.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from server.domain.aggregate.names import kind_and_id
from server.domain.apart import DROPPED, Found, Kind, NotDroppable, SetApart
from server.domain.effects.notices import NoticeState
from server.domain.values import moment_key
from server.store.aggregates.marks import ALARM, DONE
from server.store.database import Database, Document, Duplicate, Fields, Mark, is_safe
from server.store.effects.checkpoints import CHECKPOINTS, CLAIMED
from server.store.effects.checkpoints import DONE as CHECKPOINT_DONE
from server.store.effects.fetches import DUE, FETCHES
from server.store.effects.fetches import ENDED as FETCH_ENDED
from server.store.effects.notices import NOTICES
from server.store.effects.notices import WAITING as NOTICE_WAITING
from server.store.effects.papers import DUE as PAPER_DUE
from server.store.effects.papers import ENDED as PAPER_ENDED
from server.store.effects.papers import PAPERS
from server.store.exchange.letters_in import ATTENTION, IN
from server.store.exchange.letters_in import WAITING as LETTER_WAITING
from server.store.members import read, rewrite
from server.store.queries import APART, BAR, HELD, NEVER, under
from server.store.reading import read_each
from server.store.unproven import is_proven

COLLECTION = "apart"
MOST_LOOKED_AT = 1000
PENDING, STANDING, ENDED = "pending", "apart", "ended"
REFUSED: NoticeState = "refused"


@dataclass(frozen=True)
class Queue:
    """Where a thing waits: the collection, the field with its key, and how that key is held and released.

    Without a collection it waits in the aggregate that it names.
    `held` and `released` answer the key itself where there is nothing to hold, or to release. `dropped` answers what
    is written of a thing that is dropped; without it, it cannot be.
    """

    collection: str | None
    field: str
    held: Callable[[str], str]
    released: Callable[[str, str], str]
    dropped: Callable[[Document], Fields] | None = None

    def place(self, thing: str) -> tuple[str, str]:
        """The collection and the id under which a thing stands."""
        return (self.collection, thing) if self.collection else kind_and_id(thing)


def _queue(
    collection: str | None, *parts: str, at: int, dropped: Callable[[Document], Fields], field: str = "key"
) -> Queue:
    """A queue whose keys begin with these parts and have their moment at this place among all parts."""

    def with_moment(key: str, moment: str, *, instead_of: str) -> str:
        told = key.split(BAR)
        is_queued = len(told) > at and told[: len(parts)] == list(parts) and told[at].startswith(instead_of)
        return BAR.join((*told[:at], moment, *told[at + 1 :])) if is_queued else key

    return Queue(
        collection,
        field,
        held=lambda key: with_moment(key, NEVER, instead_of="t"),
        released=lambda key, moment: with_moment(key, moment, instead_of=NEVER),
        dropped=dropped,
    )


def _dropped_letter(letter: Document) -> Fields:
    """The letter stands in attention, as one that cannot be settled."""
    _, _, place, sender, id = letter["key"].split(BAR, 4)
    key = BAR.join((ATTENTION, sender, place, id))
    return {"key": key, "state": ATTENTION, "reason": DROPPED, "version": letter["version"] + 1}


def _dropped_notice(notice: Document) -> Fields:
    """The notice is not sent."""
    key = BAR.join((REFUSED, NEVER, notice["_id"]))
    return {"key": key, "state": REFUSED, "reason": DROPPED, "version": notice["version"] + 1}


QUEUES: Mapping[Kind, Queue] = {
    "letter": _queue(IN, LETTER_WAITING, at=1, dropped=_dropped_letter),
    "notice": _queue(NOTICES, NOTICE_WAITING, at=1, dropped=_dropped_notice),
    "alarm": _queue(None, at=0, dropped=lambda _: {ALARM: DONE}, field=ALARM),
    "rung": _queue(CHECKPOINTS, CLAIMED, at=1, dropped=lambda _: {"key": CHECKPOINT_DONE, "outcome": DROPPED}),
    "fetch": _queue(FETCHES, DUE, at=2, dropped=lambda _: {"key": FETCH_ENDED, "outcome": DROPPED}),
    "paper": _queue(PAPERS, PAPER_DUE, at=1, dropped=lambda _: {"key": PAPER_ENDED, "outcome": DROPPED}),
    "effects": Queue(  # still tells when it was due: the promise that letters are complete heeds it
        None,
        "relay",
        held=lambda key: HELD + key if key.startswith("t") else key,
        released=lambda key, _moment: key.removeprefix(HELD),
    ),
}


class Apart:
    """All that could ever not be handled; a row is changed by compare-and-set and never deleted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, id: str) -> SetApart | None:
        """What is known of the thing of this id, or None if it was always handled; ids come from outside."""
        document = await self._database.get(COLLECTION, id) if is_safe(id) else None
        return _row(document) if document else None

    async def put(self, row: SetApart) -> bool:
        """Replace the previous version of the row; False if another process has changed it."""
        document = _written(row)
        if row.version > 1:
            return await rewrite(self._database, COLLECTION, row.id, change=lambda _: document, version=row.version - 1)
        try:
            await self._database.insert(COLLECTION, document)
        except Duplicate:
            return False
        return True

    async def due(self, now: datetime, *, limit: int) -> Found[SetApart]:
        """What is to be released, or is over, by now."""
        low, high = PENDING + BAR, BAR.join((PENDING, moment_key(now), "~"))
        return read_each(await self._database.between(APART, low, high, limit=limit), _row)

    async def open(self, *, limit: int) -> Found[SetApart]:
        """What is set apart, the longest first, and then what is being tried again."""
        found: list[Document] = []
        for state in (STANDING, PENDING):
            if len(found) < limit:
                found += await self._database.between(APART, *under(state), limit=limit - len(found))
        return read_each(found, _row)

    async def has_open(self, kind: Kind, start: str) -> bool:
        """Whether a thing of this kind whose id begins so is not handled yet; also if too many are to look at all."""
        found = await self.open(limit=MOST_LOOKED_AT)
        return found.seen == MOST_LOOKED_AT or any(row.kind == kind and row.thing.startswith(start) for row in found)

    async def hold(self, kind: Kind, thing: str) -> None:
        """Take the thing out of its queue, if it stands in one; whoever handles it at this moment may go on."""
        if queue := QUEUES.get(kind):
            await self._rekey(queue, thing, queue.held)

    async def release(self, kind: Kind, thing: str, *, at: datetime) -> None:
        """Put the thing back into its queue, to be handled from this moment on."""
        if queue := QUEUES.get(kind):
            await self._rekey(queue, thing, lambda key: queue.released(key, moment_key(at)))

    async def held(self, kind: Kind, thing: str) -> Document | None:
        """The document of a thing that can be dropped; None if it is not held any more. Raises NotDroppable."""
        queue, _ = _droppable(kind)
        document = await self._database.get(*queue.place(thing))
        is_held = document is not None and queue.released(document[queue.field], "") != document[queue.field]
        return document if is_held else None

    @staticmethod
    def kind_of_letter(document: Document) -> str:
        """The kind of a held letter; empty of one that is not ours as it stands."""
        return str(document["kind"]) if is_proven(document) else ""

    async def drop(self, kind: Kind, thing: str, document: Document) -> bool:
        """End the thing undone, whose document this is; False if it has moved meanwhile. Raises NotDroppable."""
        queue, ended = _droppable(kind)
        collection, id = queue.place(thing)
        return await self._database.mark(collection, Mark(id, ended(document), document["version"]))

    async def _rekey(self, queue: Queue, thing: str, change: Callable[[str], str]) -> None:
        collection, id = queue.place(thing)
        document = await self._database.get(collection, id)
        if document is None:
            return
        before = document[queue.field]
        after = change(before)
        if after != before:
            await self._database.mark(collection, Mark(id, {queue.field: after}, document["version"]))


def _droppable(kind: Kind) -> tuple[Queue, Callable[[Document], Fields]]:
    """The queue, and what is written of a dropped thing in it; raises NotDroppable."""
    queue = QUEUES.get(kind)
    if queue is None or queue.dropped is None:
        raise NotDroppable("这项内容不能丢弃，只能重试。")
    return queue, queue.dropped


def _written(row: SetApart) -> Document:
    part = {"trying": PENDING, "released": PENDING, "apart": STANDING}.get(row.state, ENDED)
    key = BAR.join((part, moment_key(row.next_at), row.id))
    return {"_id": row.id, "key": key, **row.model_dump(mode="json")}


def _row(document: Document) -> SetApart:
    return read(SetApart, document)
