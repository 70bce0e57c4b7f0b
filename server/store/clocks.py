"""What the clocks of this node have told: each machine on which `work` runs, and the newest moment that is stored."""

from contextlib import suppress
from datetime import datetime, timedelta

from server.domain.time.clock_guard import Beat
from server.domain.values import moment_key, moment_of_key
from server.store.database import Database, Document, Duplicate
from server.store.queries import AUDIT_BY_TIME, BAR, CASES_BY_EVENT, CLOCKS, NEVER, hour_bucket
from server.store.unproven import is_proven

COLLECTION, KIND = "clocks", "machine"
KEPT = timedelta(days=1)
MOST_MACHINES = 100


class Clocks:
    """One document for each machine, which all its processes write over: they have the same clock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def beat(self, beat: Beat) -> None:
        """Tell the others what the clock of this machine says; a day after that moment it is forgotten."""
        before = await self._database.get(COLLECTION, beat.machine)
        version = before["version"] if before else 0
        told = {"at": moment_key(beat.at), "state": beat.state, "text": beat.text, "version": version + 1}
        document = {"_id": beat.machine, "kind": KIND, **told, "bucket": hour_bucket(beat.at + KEPT)}
        # If another process of this machine is quicker, it has told what the same clock says.
        if version:
            await self._database.replace(COLLECTION, document, version=version)
            return
        with suppress(Duplicate):
            await self._database.insert(COLLECTION, document)

    async def beats(self) -> list[Beat]:
        """What every machine told last, by its name."""
        found = await self._database.equal(CLOCKS, KIND, limit=MOST_MACHINES)
        return sorted((_beat(document) for document in found if is_proven(document)), key=lambda beat: beat.machine)

    async def newest_stored(self) -> datetime | None:
        """The latest moment of an event of any case, or of an audit entry; of two indexes the last key is read."""
        found = [
            await self._database.keys(query, "t", NEVER, limit=1, is_descending=True)
            for query in (CASES_BY_EVENT, AUDIT_BY_TIME)
        ]
        return max((moment_of_key(key.partition(BAR)[0]) for keys in found for key in keys), default=None)


def _beat(document: Document) -> Beat:
    at = moment_of_key(document["at"])
    return Beat(machine=document["_id"], at=at, state=document["state"], text=document["text"])
