"""The logs of batches in the store: for each peer one that we append to and one that is the copy of theirs."""

from collections.abc import Mapping, Sequence

from server.crypto.fields import FieldRing
from server.domain.exchange import STREAM, Entry, Evidence, Head
from server.domain.letters import GENESIS, Batch, Letter
from server.store.database import Database, Document, Mark
from server.store.numbered import NumberedLog, entry_id
from server.store.sealing import sealed_letter

LOG = "log"
FIELDS = tuple(Evidence.__annotations__)


class ExchangeLog:
    """One direction (`out` or `in`) of the exchange with one peer."""

    def __init__(self, database: Database, ring: FieldRing, *, direction: str, peer: str, stream: int = STREAM) -> None:
        self._database = database
        self._ring = ring
        self._name = f"{direction}|{peer}|{stream}"
        self._stream = stream
        self._log = NumberedLog(database, self._name, collection=LOG)

    async def head(self, hint: int) -> Head:
        """The head; the hint is a number near it."""
        document = await self._log.head(hint)
        if document is None:
            return Head(self._stream, 0, GENESIS)
        return Head(self._stream, document["number"], document["hash"])

    async def entries(self, numbers: Sequence[int]) -> Mapping[int, Entry]:
        """Those of the entries that exist, by number."""
        found = await self._log.entries(numbers)
        return {number: _entry(document) for number, document in found.items()}

    async def append_ours(self, batch: Batch, letters: Sequence[str]) -> bool:
        """Append a batch of our letters; False if somebody else was first."""
        return await self._log.append(batch.number, {**_header(batch), "letters": list(letters), "answer_key": ""})

    async def append_theirs(self, batch: Batch, letters: Sequence[Letter], evidence: Evidence) -> bool:
        """Keep a peer's batch with its letters, sealed, by one insert; False if the number is taken."""
        keys = {context: self._ring.new_key(context) for context in dict.fromkeys(map(_context, letters))}
        bodies = [sealed_letter(each, keys[_context(each)], context=_context(each)) for each in letters]
        return await self._log.append(batch.number, {**_header(batch), "letters": bodies, **vars(evidence)})

    async def mark_receipted(self, number: int, evidence: Evidence) -> None:
        """Keep the receipt of one of our batches beside it; a later one takes its place."""
        await self._database.mark(LOG, Mark(entry_id(self._name, number), vars(evidence)))


def _context(letter: Letter) -> str:
    return letter.case or letter.id


def _header(batch: Batch) -> Document:
    return {
        "number": batch.number,
        "hash": batch.hash(),
        "batch": batch.model_dump(mode="json", by_alias=True),
    }


def _entry(document: Document) -> Entry:
    return Entry(
        batch=Batch.model_validate(document["batch"]),
        hash=document["hash"],
        letters=document["letters"],
        evidence=Evidence(**{name: document[name] for name in FIELDS}) if document["answer_key"] else None,
    )
