"""Mandates in the store: each written once and revoked once, found by who gave it and by who received it."""

from collections.abc import Iterable
from datetime import datetime, time

from server.crypto.fields import FieldRing
from server.domain.people.mandates import Mandate, NoSuchMandate
from server.domain.values import CHINA, moment_key, moment_text
from server.store.database import Database, Document, Duplicate, Query, is_safe
from server.store.ends import Ends
from server.store.members import read
from server.store.queries import BAR, MANDATES_OF_AGENT, MANDATES_OF_PRINCIPAL, under
from server.store.sealing import opened, sealed

MANDATES = "mandates"
GIVEN, REVOKED = 1, 2


class Mandates:
    """The mandates of all citizens; the names in them are sealed."""

    def __init__(self, database: Database, ring: FieldRing, ends: Ends) -> None:
        self._database = database
        self._ends = ends
        self._ring = ring

    async def find(self, id: str) -> Mandate | None:
        """The mandate of this id, which may come from outside, or None."""
        document = await self._database.get(MANDATES, id) if is_safe(id) else None
        return self._mandate(document) if document else None

    async def mandate(self, id: str) -> Mandate:
        """The mandate of this id; raises NoSuchMandate."""
        found = await self.find(id)
        if found is None:
            raise NoSuchMandate("没有这份授权委托。")
        return found

    async def mandates(self, ids: Iterable[str]) -> dict[str, Mandate]:
        """Those of these mandates that exist, by id."""
        found = await self._database.get_many(MANDATES, list(dict.fromkeys(ids)))
        return {id: self._mandate(document) for id, document in found.items()}

    async def add(self, mandate: Mandate, *, at: datetime) -> Mandate:
        """Store a new mandate; if there is one under its id already, that one comes back."""
        key = self._ring.new_key(mandate.id)
        document = sealed(mandate, key, mandate.id)
        place = (moment_key(at), mandate.id)
        document |= {
            "_id": document.pop("id"),
            "data_key": key.wrapped,
            "version": GIVEN,
            "principal_key": BAR.join((mandate.principal, *place)),
            "agent_key": BAR.join((mandate.agent, *place)),
        }
        try:
            await self._database.insert(MANDATES, document)
        except Duplicate:
            return await self.mandate(mandate.id)
        return mandate

    async def revoke(self, id: str, *, at: datetime) -> None:
        """Take the mandate back from this moment on; one that was taken back before stays as it is."""
        document = await self._database.get(MANDATES, id)
        if document and document["version"] == GIVEN:
            last = datetime.combine(self._mandate(document).ends_on, time.max, tzinfo=CHINA)
            end = await self._ends.end(MANDATES, id, at=at, until=last)
            revoked = {**document, "revoked_at": moment_text(end.moment), "version": REVOKED}
            await self._database.replace(MANDATES, revoked, version=GIVEN)

    async def given_by(self, principal: str, *, limit: int) -> list[Mandate]:
        """What this person gave, newest first."""
        return await self._newest(MANDATES_OF_PRINCIPAL, principal, limit=limit)

    async def received_by(self, agent: str, *, limit: int) -> list[Mandate]:
        """What this person received, newest first."""
        return await self._newest(MANDATES_OF_AGENT, agent, limit=limit)

    async def _newest(self, query: Query, person: str, *, limit: int) -> list[Mandate]:
        low, high = under(person)
        found = await self._database.between(query, low, high, limit=limit, is_descending=True)
        return [self._mandate(document) for document in found]

    def _mandate(self, document: Document) -> Mandate:
        id = document["_id"]
        fields = opened(document, self._ring.key(document["data_key"], id), id)
        mandate, end = read(Mandate, fields | {"id": id}), self._ends.of(MANDATES, id)
        if end is None or mandate.revoked_at:
            return mandate
        self._ends.tell(MANDATES, id)
        return mandate.model_copy(update={"revoked_at": end.moment})
