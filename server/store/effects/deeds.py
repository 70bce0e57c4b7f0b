"""Deeds in the store: what each officer has done, insert-only."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from server.domain.effects.deeds import Deed
from server.domain.values import moment_key, moment_text
from server.store.database import Database, Document, is_safe
from server.store.members import known
from server.store.queries import BAR, DEEDS_OF_OFFICER, named, under

DEEDS = "deeds"


class Deeds:
    """What all officers of this node have done."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, *deeds: Mapping[str, Any]) -> None:
        """Add deeds, as they wait in their cases, unless they are there already."""
        await self._database.insert_many(DEEDS, [dict(each) for each in deeds])

    @staticmethod
    def place(deed: Deed) -> str:
        """What orders deeds in any list: moment, case, number of the event."""
        return BAR.join((moment_key(deed.at), deed.case, f"{deed.event:08}"))

    async def deeds_of(self, officer: str, *, before: str = "", limit: int) -> list[Deed]:
        """What this officer has done, the last first; `before` is the `place` of the last one already seen."""
        low, high = under(named(officer))
        end = min(low + before, high) if before else high
        if not is_safe(end):
            return []
        found = await self._database.between(DEEDS_OF_OFFICER, low, end, limit=limit, is_descending=True)
        return [_deed(document) for document in found]


def written_deed(deed: Deed) -> Document:
    """A deed as it waits in its case, with its key."""
    id, key = f"{deed.case}:{deed.event}", BAR.join((named(deed.officer), Deeds.place(deed)))
    return {"_id": id, **vars(deed), "at": moment_text(deed.at), "key": key}


def _deed(document: Document) -> Deed:
    return Deed(**known(Deed, document) | {"at": datetime.fromisoformat(document["at"])})
