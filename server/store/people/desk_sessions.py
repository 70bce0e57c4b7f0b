"""The sessions of officers in the store: one document each, gone when it is signed out or an hour after its end."""

from datetime import datetime

from server.domain.people.accounts import DeskSession
from server.domain.values import moment_text
from server.store.database import Database, Mark
from server.store.queries import hour_bucket

DESK_SESSIONS = "desk_sessions"


class DeskSessions:
    """All sessions of the desk, by id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, session: DeskSession) -> None:
        """Store a new session."""
        fields = session.model_dump(mode="json", exclude={"id"})
        await self._database.insert(
            DESK_SESSIONS, {"_id": session.id, **fields, "bucket": hour_bucket(session.ends_at)}
        )

    async def find(self, id: str) -> DeskSession | None:
        """The session, if it is known."""
        document = await self._database.get(DESK_SESSIONS, id)
        if document is None:
            return None
        fields = {name: document[name] for name in DeskSession.model_fields if name != "id"}
        return DeskSession(id=document["_id"], **fields)

    async def mark_seen(self, id: str, at: datetime) -> None:
        """Note that the session is used now."""
        await self._database.mark(DESK_SESSIONS, Mark(id, {"seen_at": moment_text(at)}))

    async def mark_proven(self, id: str, at: datetime) -> None:
        """Note that the officer has proven themselves anew."""
        await self._database.mark(DESK_SESSIONS, Mark(id, {"proven_at": moment_text(at)}))

    async def end(self, id: str) -> None:
        """Forget the session: from now on its token admits nobody."""
        await self._database.delete(DESK_SESSIONS, [id])
