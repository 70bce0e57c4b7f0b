"""Claims in the store: beside the tasks, so that these can be made anew, and changed by compare-and-set only."""

from collections.abc import Sequence
from datetime import datetime

from server.crypto.fields import DataKey, FieldRing
from server.domain.people.claims import Claim
from server.domain.values import moment_key
from server.store.database import Database, Document, Duplicate, is_safe
from server.store.members import changed, read, rewrite
from server.store.queries import AFTER_BAR, BAR, CLAIMS_OF_HOLDER, named
from server.store.sealing import key_kept, opened, sealed

CLAIMS = "claims"


class Claims:
    """The claims on this node's tasks; each stays when it ends, for its hand-over is kept."""

    def __init__(self, database: Database, ring: FieldRing) -> None:
        self._database = database
        self._ring = ring

    async def claims(self, ids: Sequence[str]) -> dict[str, Claim]:
        """The claims on these tasks, live or over, as far as there ever were any."""
        found = await self._database.get_many(CLAIMS, [id for id in ids if is_safe(id)])
        return {id: self._claim(document) for id, document in found.items()}

    async def put(self, claim: Claim) -> bool:
        """Replace the previous version of the claim; False if another process has changed it."""

        def change(before: Document) -> Document:
            return changed(self._claim(before), claim, _written(claim, key_kept(before, self._ring)))

        if claim.version > 1:
            return await rewrite(self._database, CLAIMS, claim.id, change=change, version=claim.version - 1)
        try:
            await self._database.insert(CLAIMS, _written(claim, self._ring.new_key(claim.id)))
        except Duplicate:
            return False
        return True

    async def forget(self, ids: Sequence[str]) -> None:
        """Delete the claims on these tasks, which have ended."""
        await self._database.delete(CLAIMS, ids)

    async def held_by(self, holder: str, *, at: datetime, limit: int) -> list[Claim]:
        """The live claims of an officer."""
        low, high = _since(named(holder), at)
        found = await self._database.between(CLAIMS_OF_HOLDER, low, high, limit=limit)
        return [self._claim(document) for document in found]

    def _claim(self, document: Document) -> Claim:
        id = document["_id"]
        return read(Claim, opened(document, self._ring.key(document["data_key"], id), id) | {"id": id})


def _written(claim: Claim, key: DataKey) -> Document:
    fields = sealed(claim, key, claim.id)
    return {"_id": fields.pop("id"), **fields, "data_key": key.wrapped, "holder_key": _key(claim)}


def _key(claim: Claim) -> str:
    if claim.until is None:
        return ""
    return BAR.join((named(claim.holder), moment_key(claim.until), claim.id))


def _since(part: str, at: datetime) -> tuple[str, str]:
    """The bounds of the keys below this part that end after this moment."""
    return BAR.join((part, moment_key(at))) + AFTER_BAR, part + AFTER_BAR
