"""Rungs in the store: one document for each that was ever passed, so that it takes effect once.

The insert decides which worker sees to it. One that is not finished a while later is taken over; what is done about a
rung is therefore such that it may be done twice.
"""

from collections.abc import Sequence
from datetime import datetime

from server.domain.apart import Found
from server.domain.names import moment_key
from server.domain.rungs import KeptRung, Rung
from server.store.database import Database, Document, Duplicate, Fields, Mark
from server.store.queries import BAR, RUNGS_CLAIMED
from server.store.reading import read_each

RUNGS = "rungs"
CLAIMED, DONE = "claimed", "done"


class Rungs:
    """All rungs that were passed, by case, step, name, department and day."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, case: str, rung: Rung, *, until: datetime) -> KeptRung | None:
        """Take a passed rung upon oneself; None if that has been done, by whomever."""
        kept = KeptRung(rung_id(case, rung), case, rung, 1)
        key = BAR.join((CLAIMED, moment_key(until), kept.id))
        return kept if await self._add(kept, key, "") else None

    async def note(self, case: str, rung: Rung, *, outcome: str) -> bool:
        """Note a passed rung about which nothing is to be done; False if there is a document of it."""
        return await self._add(KeptRung(rung_id(case, rung), case, rung, 1), DONE, outcome)

    async def unfinished(self, now: datetime, *, limit: int) -> Found[KeptRung]:
        """Rungs that somebody took upon himself until now at the latest, and did not finish."""
        low, high = CLAIMED + BAR, BAR.join((CLAIMED, moment_key(now), "~"))
        return read_each(await self._database.between(RUNGS_CLAIMED, low, high, limit=limit), _kept)

    async def take_over(self, kept: KeptRung, *, until: datetime) -> bool:
        """Take an unfinished rung upon oneself; False if somebody else has."""
        fields: Fields = {"key": BAR.join((CLAIMED, moment_key(until), kept.id)), "version": kept.version + 1}
        return await self._database.mark(RUNGS, Mark(kept.id, fields, kept.version))

    async def finish(self, kept: KeptRung, *, outcome: str) -> None:
        """All that follows from the rung is done."""
        await self._database.mark(RUNGS, Mark(kept.id, {"key": DONE, "outcome": outcome}))

    async def passed(self, case: str, rungs: Sequence[Rung]) -> frozenset[str]:
        """The keys of those of these rungs of a case that have a document."""
        ids = {rung_id(case, rung): rung.key for rung in rungs}
        found = await self._database.get_many(RUNGS, list(ids))
        return frozenset(ids[id] for id in found)

    async def _add(self, kept: KeptRung, key: str, outcome: str) -> bool:
        told: Document = {"case": kept.case, "rung": kept.rung.model_dump(mode="json"), "key": key, "outcome": outcome}
        try:
            await self._database.insert(RUNGS, {"_id": kept.id, **told, "version": kept.version})
        except Duplicate:
            return False
        return True


def rung_id(case: str, rung: Rung) -> str:
    """The one id under which this rung of this case takes effect."""
    return f"{case}:{rung.key}"


def _kept(document: Document) -> KeptRung:
    return KeptRung(document["_id"], document["case"], Rung.model_validate(document["rung"]), document["version"])
