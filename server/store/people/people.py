"""People in the store: citizens' sessions and proven names."""

from datetime import datetime

from server.crypto.fields import DataKey, FieldRing
from server.domain.errors import Missing, StaleVersion
from server.domain.people.persons import NoSuchSession, Person, Session
from server.store.database import Database, Document, Duplicate, Mark
from server.store.ends import Ends
from server.store.members import changed, read, rewrite
from server.store.queries import hour_bucket
from server.store.sealing import key_kept, opened, sealed

SESSIONS, PERSONS = "sessions", "persons"


class NoSuchPerson(Missing):
    """Nobody has proven this name here."""

    code = "no_such_person"
    title = "没有实名信息"


class People:
    """Citizens' sessions, and the persons who have proven a name."""

    def __init__(self, database: Database, ring: FieldRing, ends: Ends) -> None:
        self._database = database
        self._ring = ring
        self._ends = ends

    async def open_session(self, session: Session, *, expires_at: datetime) -> None:
        """Store a new session, to be forgotten after `expires_at`."""
        await self._database.insert(SESSIONS, _written(session, self._ring.new_key(session.id), expires_at))

    async def session(self, id: str, *, at: datetime) -> Session:
        """The session, if it has not ended and is not over (to the hour) at this moment; raises NoSuchSession."""
        document = await self._database.get(SESSIONS, id)
        if document is not None and self._ends.of(SESSIONS, id):
            self._ends.tell(SESSIONS, id)
            document = None
        if document is None or document["bucket"] < hour_bucket(at) or "data_key" not in document:  # of an older node
            raise NoSuchSession("登录已失效，请重新登录。")
        return self._session(document)

    async def change_session(self, session: Session, *, expires_at: datetime) -> None:
        """Put the session in the place of the one of the version before it; StaleVersion if that is gone."""

        def change(before: Document) -> Document:
            return changed(self._session(before), session, _written(session, key_kept(before, self._ring), expires_at))

        if not await rewrite(self._database, SESSIONS, session.id, change=change, version=session.version - 1):
            raise StaleVersion("登录状态已更新，请重试。")

    def check_goes_on(self, id: str) -> None:
        """See that this process knows of no end of the session, without a read; raises NoSuchSession."""
        if self._ends.of(SESSIONS, id):
            raise NoSuchSession("登录已失效，请重新登录。")

    async def end_session(self, id: str, *, at: datetime, until: datetime) -> None:
        """Forget the session: none of its tokens counts any more, also if a document of it is put back.

        `until`: when each document of it that there was will be over.
        """
        await self._ends.end(SESSIONS, id, at=at, until=until)
        await self._database.delete(SESSIONS, [id])

    def tell_older(self, id: str) -> None:
        """Let operators know that an older document of the session was put back."""
        self._ends.tell_older(SESSIONS, id)

    async def keep_person(self, person: Person, *, openid: str) -> None:
        """Remember a proven name, with what the platform calls the phone that proved it: the last one counts."""
        key = self._ring.new_key(person.key)
        document = {"_id": person.key, "data_key": key.wrapped, "person": sealed(person, key, person.key)}
        try:
            await self._database.insert(PERSONS, document | {"openid": key.seal(openid, _phone(person.key))})
        except Duplicate:
            known = await self._database.get(PERSONS, person.key)
            if known is not None:
                key = self._ring.key(known["data_key"], person.key)
                phone = {"openid": key.seal(openid, _phone(person.key))}
                await self._database.mark(PERSONS, Mark(person.key, phone))

    async def platform_user(self, key: str) -> str:
        """The openid of the phone that last proved the name of the person of this key; empty if none is known."""
        document = await self._database.get(PERSONS, key)
        if document is None or not document.get("openid"):
            return ""
        return self._ring.key(document["data_key"], key).open(document["openid"], _phone(key))

    async def person(self, key: str) -> Person:
        """The person of this key; raises NoSuchPerson."""
        document = await self._database.get(PERSONS, key)
        if document is None:
            raise NoSuchPerson("请先完成实名认证。")
        fields = opened(document["person"], self._ring.key(document["data_key"], key), key)
        return read(Person, fields)

    def _session(self, document: Document) -> Session:
        id = document["_id"]
        return read(Session, opened(document, self._ring.key(document["data_key"], id), id) | {"id": id})


def _written(session: Session, key: DataKey, expires_at: datetime) -> Document:
    fields = sealed(session, key, session.id) | {"data_key": key.wrapped, "bucket": hour_bucket(expires_at)}
    return {"_id": fields.pop("id"), **fields}


def _phone(person: str) -> str:
    """The place to which the openid of a person is bound."""
    return f"{person}/openid"
