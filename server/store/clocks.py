"""What the clocks of this node have told: each machine on which `work` runs, and the newest moment that is stored."""

from contextlib import suppress
from datetime import datetime, timedelta

from server.domain.time.clock_guard import Beat
from server.domain.values import moment_key, moment_of_key
from server.store.database import Database, Document, Duplicate
from server.store.queries import AGGREGATES, AUDIT_BY_TIME, BAR, CLOCKS, NEVER, hour_bucket
from server.store.unproven import is_proven

COLLECTION, KIND, ACCEPTED = "clocks", "machine", "accepted"
KEPT = timedelta(days=1)
MOST_MACHINES = 100


class Clocks:
    """One document for each machine, which its processes write over, and one of what was accepted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def beat(self, beat: Beat) -> None:
        """Tell the others what the clock of this machine says; a day after that moment it is forgotten."""
        told = {"at": moment_key(beat.at), "state": beat.state, "text": beat.text}
        await self._keep(beat.machine, {**told, "bucket": hour_bucket(beat.at + KEPT)}, kind=KIND)

    async def beats(self) -> list[Beat]:
        """What every machine told last, by its name."""
        found = await self._database.equal(CLOCKS, KIND, limit=MOST_MACHINES)
        return sorted((_beat(document) for document in found if is_proven(document)), key=lambda beat: beat.machine)

    async def newest_stored(self) -> datetime | None:
        """The latest moment of an event of any aggregate, or of an audit entry, unless an operator has accepted it.

        Of each index the last key is read, and no document.
        """
        found = [
            await self._database.keys(query, "t", NEVER, limit=1, is_descending=True)
            for query in (*(each.by_event for each in AGGREGATES), AUDIT_BY_TIME)
        ]
        newest = max((key.partition(BAR)[0] for keys in found for key in keys), default="")
        accepted = await self._database.get(COLLECTION, ACCEPTED)
        return moment_of_key(newest) if newest > (accepted["at"] if accepted else "") else None

    async def accept_stored(self, until: datetime) -> None:
        """From now on what is stored up to this moment is known to tell nothing of any clock."""
        await self._keep(ACCEPTED, {"at": moment_key(until)}, kind=ACCEPTED)

    async def _keep(self, id: str, fields: Document, *, kind: str) -> None:
        """If another process is quicker, it has told what the same clock or the same operator says."""
        before = await self._database.get(COLLECTION, id)
        version = before["version"] if before else 0
        document = {"_id": id, "kind": kind, **fields, "version": version + 1}
        if before:
            await self._database.replace(COLLECTION, {**before, **document}, version=version)
            return
        with suppress(Duplicate):
            await self._database.insert(COLLECTION, document)


def _beat(document: Document) -> Beat:
    at = moment_of_key(document["at"])
    return Beat(machine=document["_id"], at=at, state=document["state"], text=document["text"])
