"""A database whose documents carry a proof that this node wrote them, each in its collection and under its `_id`."""

from collections.abc import Callable, Sequence

import orjson

from server.crypto.integrity import IntegrityRing
from server.store.database import (
    Document,
    Mark,
    Query,
    ServerTime,
    UndeclaredQuery,
    UnsafeOperand,
    WalkableDatabase,
)
from server.store.trust import TRUST, Trust
from server.store.unproven import UnprovenDocument

PROOF = "proof"


class ProvenDatabase:
    """The `Database` behind it (`bare`), with proofs: made with each write, checked with each read of whole documents.

    What `keys` and `pick` answer is unproven, as it is no whole document. `tell_broken` is told the collection and the
    `_id` of each document without its proof.
    """

    def __init__(
        self,
        database: WalkableDatabase,
        ring: IntegrityRing,
        *,
        tell_broken: Callable[[str, str], object] = lambda *_: None,
    ) -> None:
        self.bare = database
        self._ring = ring
        self.tell_broken = tell_broken

    async def insert(self, collection: str, document: Document) -> None:
        await self.bare.insert(collection, self._proven(collection, document))

    async def insert_many(self, collection: str, documents: Sequence[Document]) -> frozenset[int]:
        return await self.bare.insert_many(collection, [self._proven(collection, each) for each in documents])

    async def replace(self, collection: str, document: Document, *, version: int) -> bool:
        return await self.bare.replace(collection, self._proven(collection, document), version=version)

    async def replace_many(self, collection: str, documents: Sequence[tuple[Document, int]]) -> int:
        proven = [(self._proven(collection, document), version) for document, version in documents]
        return await self.bare.replace_many(collection, proven)

    async def put_newer(self, collection: str, documents: Sequence[Document]) -> frozenset[int]:
        return await self.bare.put_newer(collection, [self._proven(collection, each) for each in documents])

    async def mark(self, collection: str, mark: Mark) -> bool:
        return await self.bare.mark(collection, _markable(collection, mark))

    async def mark_many(self, collection: str, marks: Sequence[Mark]) -> int:
        return await self.bare.mark_many(collection, [_markable(collection, mark) for mark in marks])

    async def get(self, collection: str, id: str) -> Document | None:
        found = await self.bare.get(collection, id)
        return self._checked(collection, found) if found is not None else None

    async def get_many(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        found = await self.bare.get_many(collection, ids)
        return {id: self._checked(collection, document) for id, document in found.items()}

    async def equal(self, query: Query, value: str, *, limit: int) -> list[Document]:
        found = await self.bare.equal(query, value, limit=limit)
        return [self._checked(query.collection, document) for document in found]

    async def between(
        self, query: Query, low: str, high: str, *, limit: int, is_descending: bool = False
    ) -> list[Document]:
        found = await self.bare.between(query, low, high, limit=limit, is_descending=is_descending)
        return [self._checked(query.collection, document) for document in found]

    async def pick(self, query: Query, low: str, high: str, *, fields: Sequence[str], limit: int) -> list[Document]:
        return await self.bare.pick(query, low, high, fields=fields, limit=limit)

    async def keys(self, query: Query, low: str, high: str, *, limit: int, is_descending: bool = False) -> list[str]:
        return await self.bare.keys(query, low, high, limit=limit, is_descending=is_descending)

    async def delete(self, collection: str, ids: Sequence[str]) -> None:
        await self.bare.delete(collection, ids)

    async def ping(self) -> None:
        await self.bare.ping()

    async def time(self) -> ServerTime:
        return await self.bare.time()

    async def close(self) -> None:
        await self.bare.close()

    def is_ours(self, collection: str, document: Document) -> bool:
        """Whether a document that was read from the bare database is one that this node wrote under its `_id`."""
        return self._is_ours(collection, document, _trust(collection))

    def proof_of(self, collection: str, document: Document) -> str:
        """The proof of a document as it stands here, under the current key."""
        return self._ring.proof(_covered(collection, document, _trust(collection)))

    def _proven(self, collection: str, document: Document) -> Document:
        trust = _trust(collection)
        if trust.means != "proof":
            return document
        return {**document, PROOF: self.proof_of(collection, document)}

    def _checked(self, collection: str, document: Document) -> Document:
        trust = _trust(collection)
        if trust.means != "proof" or self._is_ours(collection, document, trust):
            return document
        self.tell_broken(collection, document["_id"])
        return UnprovenDocument(collection, document, trust.marks)

    def _is_ours(self, collection: str, document: Document, trust: Trust) -> bool:
        proof = document.get(PROOF)
        try:
            return isinstance(proof, str) and self._ring.proves(proof, _covered(collection, document, trust))
        except UnsafeOperand:  # we would never have written it
            return False


def _trust(collection: str) -> Trust:
    if collection not in TRUST:
        raise UndeclaredQuery(f"the table of trust has no row for {collection}")
    return TRUST[collection]


def _markable(collection: str, mark: Mark) -> Mark:
    trust = _trust(collection)
    if trust.means == "proof" and not mark.fields.keys() <= trust.marks:
        raise UndeclaredQuery(f"a mark of {collection} that its proof covers: {sorted(mark.fields)}")
    return mark


def _covered(collection: str, document: Document, trust: Trust) -> bytes:
    """What the proof covers, in one form whatever the order of its members."""
    apart = trust.marks | trust.elsewhere
    covered = {name: value for name, value in document.items() if name not in apart and name != PROOF}
    try:
        return collection.encode() + b"\0" + orjson.dumps(covered, option=orjson.OPT_SORT_KEYS)
    except TypeError as fault:
        raise UnsafeOperand(str(fault)) from fault
