"""Drafts in the store: one document for each id of each owner, sealed as a whole.

The database deletes by `_id` alone, so a draft that its owner deletes is not deleted here: an empty document with the
next version takes its place, and only if the draft has not changed since. What `forget_expired` deletes has been
expired for an hour, and nothing is written where something has expired: so it cannot delete a change.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from server.crypto.fields import DataKey, FieldRing
from server.domain.apart import Found
from server.domain.errors import StaleVersion
from server.domain.rules.drafts import MOST_DRAFTS, Draft, DraftGone, Expiring, Slot
from server.domain.values import moment_key
from server.store.database import Database, Document, Duplicate
from server.store.members import changed, read_text, rewrite
from server.store.queries import BAR, DRAFTS_EXPIRING, DRAFTS_OF_OWNER, JUST_AFTER, hour_bucket, under
from server.store.reading import read_each
from server.store.sealing import key_kept

DRAFTS = "drafts"
KEPT, GONE = "kept", "gone"
SEPARATOR = ":"


class Drafts:
    """The drafts of all citizens, each under its owner."""

    def __init__(self, database: Database, ring: FieldRing) -> None:
        self._database = database
        self._ring = ring

    async def slot(self, owner: str, id: str, *, at: datetime) -> Slot:
        """What stands under this id of this owner at this moment."""
        document = await self._database.get(DRAFTS, _place(owner, id))
        if document is None:
            return Slot()
        is_spent = not _is_alive(document, at)
        draft = None if is_spent or "text" not in document else self._draft(document)
        return Slot(version=document["version"], draft=draft, is_spent=is_spent)

    async def draft(self, owner: str, id: str, *, at: datetime) -> Draft:
        """The draft of this id; raises DraftGone, also for another person's."""
        draft = (await self.slot(owner, id, at=at)).draft
        if draft is None:
            raise DraftGone("没有这份草稿，可能已提交、删除或过期。")
        return draft

    async def drafts_of(self, owner: str, *, at: datetime) -> list[Draft]:
        """All drafts of this owner, the one changed last first."""
        low, high = under(owner)
        documents = await self._database.between(DRAFTS_OF_OWNER, low, high, limit=2 * MOST_DRAFTS, is_descending=True)
        return [self._draft(document) for document in documents if _is_alive(document, at)]

    async def keep(self, owner: str, draft: Draft) -> None:
        """Put the draft where the version before it stands; StaleVersion if something else stands there by now."""
        if not await self._put(owner, draft):
            raise StaleVersion("草稿已在别处修改，请刷新后重试。")

    async def forget(self, owner: str, id: str, *, version: int, until: datetime) -> bool:
        """Empty the place of this draft if it is still of this version; what is left there expires at `until`."""
        left = _empty(_place(owner, id), version=version + 1, until=until)
        return await self._database.replace(DRAFTS, left, version=version)

    async def drafts_expiring(self, begin: datetime, end: datetime, *, limit: int, after: str = "") -> Found[Expiring]:
        """Drafts that expire from `begin` on and before `end`, the first ones first; `after` is the last cursor."""
        low = after + JUST_AFTER if after else BAR.join((KEPT, moment_key(begin)))
        documents = await self._database.between(DRAFTS_EXPIRING, low, BAR.join((KEPT, moment_key(end))), limit=limit)
        found = read_each(documents, self._expiring)
        found.cursor = documents[-1]["expiry_key"] if documents else ""
        return found

    async def _put(self, owner: str, draft: Draft) -> bool:
        """Put the draft where the version before it stands, or where nothing does if it is the first."""
        place, whole = _place(owner, draft.id), draft.model_dump(mode="json")

        def new() -> Document:
            return _placed(owner, draft) | _sealed(whole, place, self._ring.new_key(place))

        def change(before: Document) -> Document:
            if "text" not in before:
                return new()
            text = self._text(before)
            told = orjson.loads(text) | changed(read_text(Draft, text), draft, whole)
            return _placed(owner, draft) | _sealed(told, place, key_kept(before, self._ring))

        if draft.version > 1:
            return await rewrite(self._database, DRAFTS, place, change=change, version=draft.version - 1)
        try:
            await self._database.insert(DRAFTS, new())
        except Duplicate:
            return False
        return True

    def _expiring(self, document: Document) -> Expiring:
        owner, draft = document["_id"].partition(SEPARATOR)[0], self._draft(document)
        return Expiring(owner=owner, id=draft.id, bundle_name=draft.bundle_name, expires_at=draft.expires_at)

    def _draft(self, document: Document) -> Draft:
        return read_text(Draft, self._text(document))

    def _text(self, document: Document) -> str:
        place = document["_id"]
        return self._ring.key(document["data_key"], place).open(document["text"], place)


def _place(owner: str, id: str) -> str:
    return owner + SEPARATOR + id


def _placed(owner: str, draft: Draft) -> Document:
    """What stands outside of the sealed text."""
    place = _place(owner, draft.id)
    return _empty(place, version=draft.version, until=draft.expires_at) | {
        "owner_key": BAR.join((owner, moment_key(draft.changed_at), draft.id)),
        "expiry_key": BAR.join((KEPT, moment_key(draft.expires_at), place)),
    }


def _sealed(told: Mapping[str, Any], place: str, key: DataKey) -> Document:
    return {"data_key": key.wrapped, "text": key.seal(orjson.dumps(told).decode(), place)}


def _empty(place: str, *, version: int, until: datetime) -> Document:
    """A document that holds nothing but its version, and is in no list."""
    bucket = hour_bucket(until)
    return {"_id": place, "version": version, "owner_key": "", "expiry_key": GONE, "bucket": bucket}


def _is_alive(document: Document, at: datetime) -> bool:
    """Whether its hour is not yet come; the expiry loop deletes it when that hour is over."""
    return bool(hour_bucket(at) < document["bucket"])
