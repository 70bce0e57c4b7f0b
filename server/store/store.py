"""The store of one node: every room of it by its noun, over one database."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from server.crypto.fields import FieldRing
from server.store.audit import Audit
from server.store.blobs import Blobs
from server.store.cases import CASES, Cases
from server.store.catalogues import Catalogues
from server.store.database import Database
from server.store.directories import Directories
from server.store.exchange import ExchangeLog
from server.store.intake import Intake
from server.store.letters import Letters
from server.store.materials import Materials
from server.store.peers import Peers
from server.store.people import People
from server.store.queries import EXPIRED, hour_bucket
from server.store.tasks import Tasks

EXPIRED_AT_ONCE = 500


@dataclass(frozen=True)
class Store:
    """All rooms; `log` gives the log of one direction and peer."""

    database: Database
    intake: Intake
    cases: Cases
    tasks: Tasks
    letters: Letters
    people: People
    materials: Materials
    peers: Peers
    audit: Audit
    directories: Directories
    catalogues: Catalogues
    log: Callable[[str, str], ExchangeLog]

    async def forget_expired(self, hour: datetime) -> int:
        """Delete what expired in the hour of this moment; answers how many documents went."""
        gone = 0
        for query in EXPIRED:
            found = await self.database.equal(query, hour_bucket(hour), limit=EXPIRED_AT_ONCE)
            await self.database.delete(query.collection, [document["_id"] for document in found])
            gone += len(found)
        return gone


def open_store(database: Database, ring: FieldRing, folder: Path, *, here: str, relay_due_seconds: float) -> Store:
    """The store of the node of division `here`; `folder` holds the blobs."""
    intake = Intake(database, CASES)
    return Store(
        database=database,
        intake=intake,
        cases=Cases(database, ring, intake, here=here, relay_due_seconds=relay_due_seconds),
        tasks=Tasks(database),
        letters=Letters(database, ring),
        people=People(database, ring),
        materials=Materials(database, ring, Blobs(folder, ring)),
        peers=Peers(database),
        audit=Audit(database),
        directories=Directories(database),
        catalogues=Catalogues(database),
        log=lambda direction, peer: ExchangeLog(database, ring, direction=direction, peer=peer),
    )
