"""Checkpoints in the store: one document for each that was ever passed, so that it takes effect once.

The insert decides which worker sees to it. One that is not finished a while later is taken over; what is done about a
checkpoint is therefore such that it may be done twice.
"""

from collections.abc import Sequence
from datetime import datetime

from server.domain.apart import Found
from server.domain.effects.deadlines import Checkpoint, KeptCheckpoint
from server.domain.values import moment_key
from server.store.database import Database, Document, Duplicate, Fields, Mark
from server.store.members import read
from server.store.queries import BAR, CHECKPOINTS_CLAIMED
from server.store.reading import read_each

CHECKPOINTS = "rungs"
CLAIMED, DONE = "claimed", "done"


class Checkpoints:
    """All checkpoints that were passed, by case, step, name, department and day."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, case: str, checkpoint: Checkpoint, *, until: datetime) -> KeptCheckpoint | None:
        """Claim a passed checkpoint for this worker; None if a worker has claimed it already."""
        kept = KeptCheckpoint(checkpoint_id(case, checkpoint), case, checkpoint, 1)
        key = BAR.join((CLAIMED, moment_key(until), kept.id))
        return kept if await self._add(kept, key, "") else None

    async def note(self, case: str, checkpoint: Checkpoint, *, outcome: str) -> bool:
        """Note a passed checkpoint about which nothing is to be done; False if there is a document of it."""
        return await self._add(KeptCheckpoint(checkpoint_id(case, checkpoint), case, checkpoint, 1), DONE, outcome)

    async def unfinished(self, now: datetime, *, limit: int) -> Found[KeptCheckpoint]:
        """Checkpoints whose claim has expired without being finished."""
        low, high = CLAIMED + BAR, BAR.join((CLAIMED, moment_key(now), "~"))
        return read_each(await self._database.between(CHECKPOINTS_CLAIMED, low, high, limit=limit), _kept)

    async def take_over(self, kept: KeptCheckpoint, *, until: datetime) -> bool:
        """Claim an unfinished checkpoint for this worker; False if another worker was first."""
        fields: Fields = {"key": BAR.join((CLAIMED, moment_key(until), kept.id)), "version": kept.version + 1}
        return await self._database.mark(CHECKPOINTS, Mark(kept.id, fields, kept.version))

    async def finish(self, kept: KeptCheckpoint, *, outcome: str) -> None:
        """All that follows from the checkpoint is done."""
        await self._database.mark(CHECKPOINTS, Mark(kept.id, {"key": DONE, "outcome": outcome}))

    async def passed(self, case: str, checkpoints: Sequence[Checkpoint]) -> frozenset[str]:
        """The keys of those of these checkpoints of a case that have a document; NotAuthentic if one is not ours."""
        ids = {checkpoint_id(case, checkpoint): checkpoint.key for checkpoint in checkpoints}
        found = await self._database.get_many(CHECKPOINTS, list(ids))
        return frozenset(ids[id] for id, document in found.items() if document["case"] == case)

    async def _add(self, kept: KeptCheckpoint, key: str, outcome: str) -> bool:
        told: Document = {
            "case": kept.case,
            "rung": kept.checkpoint.model_dump(mode="json"),
            "key": key,
            "outcome": outcome,
        }
        try:
            await self._database.insert(CHECKPOINTS, {"_id": kept.id, **told, "version": kept.version})
        except Duplicate:
            return False
        return True


def checkpoint_id(case: str, checkpoint: Checkpoint) -> str:
    """The one id under which this checkpoint of this case takes effect."""
    return f"{case}:{checkpoint.key}"


def _kept(document: Document) -> KeptCheckpoint:
    return KeptCheckpoint(document["_id"], document["case"], read(Checkpoint, document["rung"]), document["version"])
