"""The logs of batches in the store: for each peer one that we append to and one that is the copy of theirs.

A log consists of streams. The next one is opened only after a backup was put back, and follows the head of the last.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from server.crypto import merkle
from server.crypto.fields import FieldRing
from server.domain.apart import Found
from server.domain.errors import StaleVersion
from server.domain.exchange.letters import CASE, GENESIS, Batch, Letter
from server.domain.exchange.log import BEGINNING, STREAM, Entry, Evidence, Head, Position, Written
from server.store.database import Database, Document, Mark
from server.store.numbered import FIRST, NumberedLog, entry_id
from server.store.reading import read_each
from server.store.sealing import erased_letter, is_erased_letter, sealed_letter

LOG = "log"
EVIDENCE = frozenset(Evidence.__annotations__)


class ExchangeLog:
    """One direction (`out` or `in`) of the exchange with one peer, with all its streams."""

    def __init__(self, database: Database, ring: FieldRing, *, direction: str, peer: str) -> None:
        self._database = database
        self._ring = ring
        self._name = _name(direction, peer)

    async def head(self, hint: int, *, stream: int = STREAM, genesis: str = GENESIS) -> Head:
        """The head of a stream; the hint is a number near it, `genesis` what the first entry follows."""
        document = await self._stream(stream).head(hint)
        if document is None:
            return Head(stream, 0, genesis)
        return _head(stream, document)

    async def last_head(self, hint: Position) -> Head:
        """The head of the last stream that has begun; the hint is a position near it."""
        head = await self.head(hint.number, stream=hint.stream)
        if not head.number and hint.stream > STREAM:
            return await self.last_head(BEGINNING)
        while first := (await self._stream(head.stream + 1).entries([FIRST])).get(FIRST):
            head = await self.head(FIRST, stream=head.stream + 1, genesis=first["batch"]["prev"])
        return head

    async def entries(self, numbers: Sequence[int], *, stream: int = STREAM) -> Mapping[int, Entry]:
        """Those of the entries of a stream that exist, by number."""
        found = await self._stream(stream).entries(numbers)
        return {number: _entry(document) for number, document in found.items()}

    async def entry(self, position: Position) -> Entry | None:
        """One entry, if it exists."""
        return (await self.entries([position.number], stream=position.stream)).get(position.number)

    async def after(self, position: Position) -> Entry | None:
        """The entry that follows a position: the next of its stream, or else the first of the next stream."""
        return await self.entry(position._replace(number=position.number + 1)) or await self.entry(
            Position(position.stream + 1, FIRST)
        )

    async def following(self, position: Position, *, limit: int) -> Found[Entry]:
        """Up to so many entries after a position in its stream, in order."""
        numbers = range(position.number + 1, position.number + 1 + limit)
        found = await self._stream(position.stream).entries(numbers)
        return read_each([found[number] for number in numbers if number in found], _entry)

    def id_of(self, position: Position) -> str:
        """The `_id` of an entry."""
        return entry_id(f"{self._name}|{position.stream}", position.number)

    async def append_ours(self, batch: Batch, letters: Sequence[Written], *, total: int) -> bool:
        """Append a batch of our letters; False if somebody else was first."""
        said = {"letters": [each.id for each in letters], "leaves": _leaves(each.text for each in letters)}
        document = {**_header(batch), **said, "total": total, "answer_key": ""}
        return await self._stream(batch.stream).append(batch.number, document)

    async def append_theirs(
        self, batch: Batch, letters: Sequence[tuple[Letter, bytes]], evidence: Evidence, *, total: int
    ) -> bool:
        """Keep a peer's batch with its letters (each with its bytes), sealed, by one insert; False if it is taken."""
        contexts = dict.fromkeys(_context(letter) for letter, _ in letters)
        keys = {context: self._ring.new_key(context) for context in contexts}
        bodies = [
            sealed_letter(letter, keys[_context(letter)], context=_context(letter), text=text)
            for letter, text in letters
        ]
        said = {"letters": bodies, "leaves": _leaves(text for _, text in letters)}
        document = {**_header(batch), **said, "total": total, **vars(evidence), "version": 1}
        return await self._stream(batch.stream).append(batch.number, document)

    async def erase_about(self, positions: Iterable[Position], name: str, *, at: datetime, kind: str = CASE) -> None:
        """Erase the texts of a peer's letters about a case, or a thing of another kind, that stand in these entries.

        Heads, roots, leaves and receipts stay as they are. Raises StaleVersion if another process was just there.
        """
        about = f"{kind}:{name}"
        for document in (await self._database.get_many(LOG, [*map(self.id_of, positions)])).values():
            letters = [
                erased_letter(each, at=at) if each["about"] == about and not is_erased_letter(each) else each
                for each in document["letters"]
            ]
            if letters != document["letters"]:
                version = document["version"]
                erased = {**document, "letters": letters, "version": version + 1}
                if not await self._database.replace(LOG, erased, version=version):
                    raise StaleVersion("有关函件刚刚有新的进展，请重试。")

    async def mark_receipted(self, position: Position, evidence: Evidence) -> None:
        """Keep the receipt of one of our batches beside it; a later one takes its place."""
        await self._database.mark(LOG, Mark(self.id_of(position), vars(evidence)))

    def _stream(self, stream: int) -> NumberedLog:
        return NumberedLog(self._database, f"{self._name}|{stream}", collection=LOG)


def first_id(direction: str, peer: str) -> str:
    """The `_id` of the entry that each log begins with."""
    return entry_id(f"{_name(direction, peer)}|{STREAM}", FIRST)


def _name(direction: str, peer: str) -> str:
    return f"{direction}|{peer}"


def _context(letter: Letter) -> str:
    return letter.about.name if letter.about else letter.id


def _leaves(texts: Iterable[bytes]) -> list[str]:
    return [merkle.leaf_hash(text).hex() for text in texts]


def _header(batch: Batch) -> Document:
    return {
        "number": batch.number,
        "hash": batch.hash,
        "batch": batch.model_dump(mode="json", by_alias=True),
    }


def _head(stream: int, document: Document) -> Head:
    return Head(stream, document["number"], document["hash"], document["total"])


def _entry(document: Document) -> Entry:
    return Entry(
        batch=Batch.model_validate(document["batch"]),
        hash=document["hash"],
        letters=document["letters"],
        leaves=document["leaves"],
        total=document["total"],
        evidence=Evidence(**{name: document[name] for name in Evidence.__annotations__})
        if document["answer_key"]
        else None,
    )
