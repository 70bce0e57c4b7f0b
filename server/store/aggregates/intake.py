"""Group commit: arrivals gather while batches are in flight, then all of them go in one insert."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import orjson

from server.domain.errors import OutcomeUnknown, Unavailable
from server.store.database import Database, Document, UnsafeOperand, safe_document

WAITS_SECONDS = (0.05, 0.25)


@dataclass(eq=False)
class WriteBatch:
    """Documents that go together, by `_id`; what is stored of them; why nothing is known of the rest."""

    documents: dict[str, Document] = field(default_factory=dict)
    size: int = 0
    stored: dict[str, Document] = field(default_factory=dict)
    fault: Unavailable | None = None
    landed: asyncio.Event = field(default_factory=asyncio.Event)

    def outcome(self, id: str) -> Document:
        """What is stored under this `_id`; raises OutcomeUnknown, or Unavailable if this batch never stored it."""
        if id in self.stored:
            return self.stored[id]
        raise (type(self.fault) if self.fault else OutcomeUnknown) from self.fault

    def left(self) -> list[Document]:
        """The documents without an outcome."""
        return [document for id, document in self.documents.items() if id not in self.stored]


class Intake:
    """Inserts documents of one collection; there is no timer, so on an idle node a document goes at once.

    `tell_size` is told how many documents go in each batch.
    """

    def __init__(
        self,
        database: Database,
        collection: str,
        *,
        most_documents: int = 64,
        most_bytes: int = 1024 * 1024,
        most_in_flight: int = 2,
    ) -> None:
        self._database = database
        self._collection = collection
        self._most_documents = most_documents
        self._most_bytes = most_bytes
        self._most_in_flight = most_in_flight
        self.tell_size: Callable[[int], object] = _ignore_size
        self._gathering: deque[WriteBatch] = deque()
        self._aboard: dict[str, WriteBatch] = {}
        self._in_flight: set[asyncio.Task[None]] = set()

    async def add(self, document: Document) -> Document:
        """The document that is stored under this `_id`: this one, or the one that came before it.

        The caller compares. A caller may stop waiting: the document is stored all the same. Raises OutcomeUnknown when
        it may or may not be stored (adding it again is safe), and Unavailable when it was not sent.
        """
        id = safe_document(document)["_id"]
        # The same document twice at once is a repeated request: both callers share one place and one outcome.
        batch = self._aboard.get(id) or self._take_in(document)
        self._send_waiting()
        await batch.landed.wait()
        return batch.outcome(id)

    async def drain(self) -> None:
        """Wait until everything that was added has its outcome."""
        while self._in_flight:
            await asyncio.wait(self._in_flight)

    def _take_in(self, document: Document) -> WriteBatch:
        size = _size(document)
        last = self._gathering[-1] if self._gathering else None
        if last is None or len(last.documents) >= self._most_documents or last.size + size > self._most_bytes:
            last = WriteBatch()
            self._gathering.append(last)
        last.documents[document["_id"]] = document
        last.size += size
        self._aboard[document["_id"]] = last
        return last

    def _send_waiting(self) -> None:
        # No timer: an idle node sends at once, and a busy one gathers while its batches are in flight.
        while self._gathering and len(self._in_flight) < self._most_in_flight:
            task = asyncio.create_task(self._carry(self._gathering.popleft()))
            self._in_flight.add(task)
            task.add_done_callback(self._landed)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        self._send_waiting()

    async def _carry(self, batch: WriteBatch) -> None:
        self.tell_size(len(batch.documents))
        try:
            await self._store(batch)
        finally:
            # Also after an unforeseen fault or a cancellation: no caller waits for a batch that is gone.
            self._land(batch)
            if batch.left():
                self._turn_away(batch.fault)

    async def _store(self, batch: WriteBatch) -> None:
        """Send the batch, and again while its outcome is unknown: the `_id`s make that safe."""
        for wait in (0.0, *WAITS_SECONDS):
            await asyncio.sleep(wait)
            try:
                await self._insert(batch)
            except OutcomeUnknown as fault:
                batch.fault = fault
            except Unavailable as fault:
                # An earlier try may have stored some of it, so an unknown outcome stays unknown.
                batch.fault = batch.fault or fault
                return
            if not batch.left():
                return

    async def _insert(self, batch: WriteBatch) -> None:
        """A duplicate is read back; one that no majority has yet stays without outcome."""
        sent = batch.left()
        taken = await self._database.insert_many(self._collection, sent)
        batch.stored.update({one["_id"]: one for place, one in enumerate(sent) if place not in taken})
        try:
            # An earlier request or our own earlier try has the `_id`: what is stored is the answer, and the caller
            # compares.
            batch.stored.update(await self._database.get_many(self._collection, [sent[one]["_id"] for one in taken]))
        except Unavailable as fault:
            raise OutcomeUnknown from fault

    def _land(self, batch: WriteBatch) -> None:
        # Before the callers wake up: one that adds its document again must get a new batch.
        for id in batch.documents:
            del self._aboard[id]
        batch.landed.set()

    def _turn_away(self, fault: Unavailable | None) -> None:
        """Fail all waiting batches at once while the database does not answer, not each after its own time-out."""
        while self._gathering:
            batch = self._gathering.popleft()
            batch.fault = Unavailable()
            batch.fault.__cause__ = fault
            self._land(batch)


def _ignore_size(_size: int) -> None:
    """Default for `tell_size`: ignores the size."""


def _size(document: Document) -> int:
    try:
        return len(orjson.dumps(document))
    except TypeError as fault:
        raise UnsafeOperand(str(fault)) from fault
