"""The sessions of officers in the store: one document each, gone when it is signed out or an hour after its end."""

from datetime import datetime

from server.domain.people.accounts import DeskSession
from server.domain.values import moment_key
from server.store.database import Database, Document
from server.store.ends import Ends
from server.store.members import read, rewrite
from server.store.queries import AFTER_BAR, BAR, DESK_SESSIONS_OF_OFFICER, hour_bucket, named

DESK_SESSIONS = "desk_sessions"


class DeskSessions:
    """All sessions of the desk, by id."""

    def __init__(self, database: Database, ends: Ends) -> None:
        self._database = database
        self._ends = ends

    async def begin(self, session: DeskSession) -> None:
        """Store a new session."""
        await self._database.insert(DESK_SESSIONS, _document(session))

    async def find(self, id: str) -> DeskSession | None:
        """The session, if it is known and was not signed out."""
        document = await self._database.get(DESK_SESSIONS, id)
        return _session(document) if document and self._counts(document) else None

    async def of_officer(self, officer: str, *, at: datetime, limit: int) -> list[DeskSession]:
        """The sessions of an officer that end after this moment, the one that began last first."""
        part = named(officer)
        low, high = BAR.join((part, moment_key(at))) + AFTER_BAR, part + AFTER_BAR
        query = DESK_SESSIONS_OF_OFFICER
        found = await self._database.between(query, low, high, limit=limit, is_descending=True)
        return [_session(document) for document in found if self._counts(document)]

    async def see(self, session: DeskSession, at: datetime) -> bool:
        """Note that the session is used now; False if another request has changed it since it was read, or ended it."""
        return await self._change(session, seen_at=at)

    async def prove(self, session: DeskSession, at: datetime) -> bool:
        """Note that the officer has proven themselves anew; False as above."""
        return await self._change(session, proven_at=at)

    async def end(self, session: DeskSession, *, at: datetime) -> None:
        """Forget the session: from now on its token admits nobody, also if its document is put back."""
        await self._ends.end(DESK_SESSIONS, session.id, at=at, until=session.ends_at)
        await self._database.delete(DESK_SESSIONS, [session.id])

    def _counts(self, document: Document) -> bool:
        is_over = self._ends.of(DESK_SESSIONS, document["_id"]) is not None
        if is_over:
            self._ends.tell(DESK_SESSIONS, document["_id"])
        return not is_over

    async def _change(self, session: DeskSession, **moments: datetime) -> bool:
        after = session.model_copy(update={**moments, "version": session.version + 1})
        written = _document(after)
        return await rewrite(
            self._database, DESK_SESSIONS, session.id, change=lambda _: written, version=session.version
        )


def _document(session: DeskSession) -> Document:
    return {
        "_id": session.id,
        **session.model_dump(mode="json", exclude={"id"}),
        "officer_key": BAR.join((named(session.officer), moment_key(session.ends_at), session.id)),
        "bucket": hour_bucket(session.ends_at),
    }


def _session(document: Document) -> DeskSession:
    return read(DeskSession, {**document, "id": document["_id"]})
