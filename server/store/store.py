"""The store of one node: every room of it by its noun, over one database."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from server.crypto.fields import FieldRing
from server.store.alarms import Alarms
from server.store.apart import Apart
from server.store.attempts import Attempts
from server.store.audit import Audit
from server.store.blobs import Blobs
from server.store.cases import CASES, Cases
from server.store.catalogues import Catalogues
from server.store.checkpoints import Checkpoints
from server.store.claims import Claims
from server.store.counts import Counts
from server.store.database import Database
from server.store.directories import Directories
from server.store.dishonest import Dishonest
from server.store.drafts import Drafts
from server.store.exchange import ExchangeLog
from server.store.fetches import Fetches
from server.store.intake import Intake
from server.store.letters_in import LettersIn
from server.store.letters_out import LettersOut
from server.store.mandates import Mandates
from server.store.materials import Materials
from server.store.notices import Notices
from server.store.peers import Peers
from server.store.people import People
from server.store.projection import ProjectedCalendar
from server.store.queries import EXPIRED, hour_bucket
from server.store.tasks import Tasks
from server.store.warnings import Warnings

EXPIRED_AT_ONCE = 500


@dataclass(frozen=True)
class Store:
    """All rooms; `log` gives the log of one direction and peer."""

    database: Database
    intake: Intake
    cases: Cases
    tasks: Tasks
    claims: Claims
    counts: Counts
    letters_in: LettersIn
    letters_out: LettersOut
    notices: Notices
    alarms: Alarms
    checkpoints: Checkpoints
    warnings: Warnings
    apart: Apart
    calendar: ProjectedCalendar
    people: People
    materials: Materials
    fetches: Fetches
    drafts: Drafts
    mandates: Mandates
    peers: Peers
    audit: Audit
    attempts: Attempts
    directories: Directories
    dishonest: Dishonest
    catalogues: Catalogues
    log: Callable[[str, str], ExchangeLog]

    async def carry(self, effects: Sequence[Mapping[str, Any]]) -> Mapping[str, int]:
        """Carry effects from their cases to their rooms, all of one kind in one round trip; how many of each kind."""
        rooms: Mapping[str, Callable[..., Awaitable[None]]] = {
            "task": self.tasks.put,
            "letter": self.letters_out.put,
            "notice": self.notices.put,
            "alarm": self.alarms.put,
            "fetch": self.fetches.put,
        }
        waiting = {kind: [effect[kind] for effect in effects if kind in effect] for kind in rooms}
        for kind, documents in waiting.items():
            if documents:
                await rooms[kind](*documents)
        return {kind: len(documents) for kind, documents in waiting.items() if documents}

    @property
    def expiring(self) -> tuple[str, ...]:
        """The rooms that hold what expires, by name."""
        return tuple(EXPIRED)

    async def forget_expired(self, room: str, hour: datetime) -> int:
        """Delete what expired there in the hour of this moment or before, as much as goes at once; how many went."""
        query = EXPIRED[room]
        found = await self.database.between(query, "h", hour_bucket(hour) + "!", limit=EXPIRED_AT_ONCE)
        await self.database.delete(query.collection, [document["_id"] for document in found])
        return len(found)


def open_store(database: Database, ring: FieldRing, folder: Path, *, here: str, relay_due_seconds: float) -> Store:
    """The store of the node of division `here`; `folder` holds the blobs."""
    intake, blobs = Intake(database, CASES), Blobs(folder, ring)
    return Store(
        database=database,
        intake=intake,
        cases=Cases(database, ring, intake, here=here, relay_due_seconds=relay_due_seconds),
        tasks=Tasks(database),
        claims=Claims(database, ring),
        counts=Counts(database),
        letters_in=LettersIn(database, ring),
        letters_out=LettersOut(database, ring),
        notices=Notices(database),
        alarms=Alarms(database),
        checkpoints=Checkpoints(database),
        warnings=Warnings(database),
        apart=Apart(database),
        calendar=ProjectedCalendar(database),
        people=People(database, ring),
        materials=Materials(database, ring, blobs),
        fetches=Fetches(database, ring, blobs),
        drafts=Drafts(database, ring),
        mandates=Mandates(database, ring),
        peers=Peers(database),
        audit=Audit(database),
        attempts=Attempts(database),
        directories=Directories(database),
        dishonest=Dishonest(database),
        catalogues=Catalogues(database),
        log=lambda direction, peer: ExchangeLog(database, ring, direction=direction, peer=peer),
    )
