"""Notices in the store: insert-only, each tried by one worker at a time, and never deleted, only ended.

`waiting` (until its next attempt) -> `sending` (claimed by one worker) -> `sent`, `refused`, or `waiting` again. The
platform knows no idempotency: what stays in `sending` after a crash may have been sent, so it becomes `unknown` and is
not sent again. A notice holds no name and no number of a person, only the key, as the case beside it does.
"""

from collections.abc import Sequence
from datetime import datetime

from server.domain.apart import Found
from server.domain.effects.notices import Ending, KeptNotice, Notice, NoticeState
from server.domain.values import moment_key
from server.store.database import Database, Document, Fields, Mark
from server.store.members import read
from server.store.queries import BAR, NOTICES_BY_STATE
from server.store.reading import read_each

NOTICES = "notices"
WAITING: NoticeState = "waiting"
SENDING: NoticeState = "sending"


class Notices:
    """All notices of this node, by the id of their cause."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, *notices: Document) -> None:
        """Put notices, as they wait in their cases, among those to send, except those whose id was ever there."""
        await self._database.insert_many(NOTICES, [_fresh(notice) for notice in notices])

    async def add(self, notice: Notice) -> None:
        """Put a notice of no case's event among those to send, unless one of its id was ever there."""
        await self.put(notice.model_dump(mode="json"))

    async def due(self, now: datetime, *, limit: int) -> Found[KeptNotice]:
        """Notices whose next attempt has come, the longest due first."""
        return await self._in(WAITING, now, limit=limit)

    async def left_sending(self, since: datetime, *, limit: int) -> Found[KeptNotice]:
        """Notices that were claimed at or before this moment and of which nothing was heard."""
        return await self._in(SENDING, since, limit=limit)

    async def notices(self, ids: Sequence[str]) -> dict[str, KeptNotice]:
        """Those of these notices that exist, by id."""
        found = await self._database.get_many(NOTICES, ids)
        return {id: _kept(document) for id, document in found.items()}

    async def claim(self, kept: KeptNotice, *, at: datetime) -> KeptNotice | None:
        """Take a waiting notice for one attempt, which counts from now on; None if somebody else has it."""
        tried: Fields = {"attempts": kept.attempts + 1, "tried_at": moment_key(at)}
        if not await self._move(kept, SENDING, at=at, more=tried):
            return None
        changed = {"state": SENDING, "attempts": kept.attempts + 1, "version": kept.version + 1}
        return KeptNotice(**(vars(kept) | changed))

    async def postpone(self, kept: KeptNotice, *, until: datetime, errcode: int) -> bool:
        """Let a claimed notice wait for its next attempt; False if somebody else has moved it."""
        return await self._move(kept, WAITING, at=until, more={"errcode": errcode})

    async def end(self, kept: KeptNotice, state: Ending, *, at: datetime, errcode: int = 0, reason: str = "") -> bool:
        """Bring a notice to its last state; False if somebody else has moved it."""
        ended: Fields = {"errcode": errcode, "reason": reason, "ended_at": moment_key(at)}
        return await self._move(kept, state, at=at, more=ended)

    async def _move(self, kept: KeptNotice, state: NoticeState, *, at: datetime, more: Fields) -> bool:
        moved: Fields = {"state": state, "key": _key(state, moment_key(at), kept.notice.id)}
        fields = moved | more | {"version": kept.version + 1}
        return await self._database.mark(NOTICES, Mark(kept.notice.id, fields, kept.version))

    async def _in(self, state: NoticeState, until: datetime, *, limit: int) -> Found[KeptNotice]:
        low, high = state + BAR, _key(state, moment_key(until), "~")
        documents = await self._database.between(NOTICES_BY_STATE, low, high, limit=limit)
        return read_each(documents, _kept)


def _key(state: NoticeState, moment: str, id: str) -> str:
    return BAR.join((state, moment, id))


def _kept(document: Document) -> KeptNotice:
    return KeptNotice(
        notice=read(Notice, {**document, "id": document["_id"]}),
        state=document["state"],
        attempts=document["attempts"],
        errcode=document["errcode"],
        reason=document["reason"],
        version=document["version"],
    )


def _fresh(notice: Document) -> Document:
    document = {name: value for name, value in notice.items() if name != "id"}
    state = {"state": WAITING, "key": _key(WAITING, "t" + notice["at"], notice["id"]), "version": 1}
    tried = {"attempts": 0, "tried_at": "", "errcode": 0, "reason": "", "ended_at": ""}
    return {"_id": notice["id"], **document, **state, **tried}
