"""A real database behind a line that breaks: before a write, after it, or in the middle of it."""

import random
from collections.abc import Iterable, Sequence

from server.domain.errors import OutcomeUnknown, Unavailable
from server.store.database import Database, Document

WHOLE = "whole"
BEFORE = "before"
AFTER = "after"
PARTLY = "partly"
NOT_SENT = "not sent"
UNREAD = "unread"
UNSEEN = "unseen"


class Unsteady:
    """Carries out what an Intake asks, each insert with the next mishap of the script; whole when that is over."""

    def __init__(self, database: Database, mishaps: Iterable[str], *, seed: int = 0) -> None:
        self._database = database
        self._mishaps = iter(mishaps)
        self._chance = random.Random(seed)  # noqa: S311 # which part of a batch arrives
        self._reading = WHOLE
        self.batches: list[list[Document]] = []
        self.in_flight = 0
        self.most_in_flight = 0

    async def insert_many(self, collection: str, documents: Sequence[Document]) -> frozenset[int]:
        self.batches.append(list(documents))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await self._insert(collection, documents, next(self._mishaps, WHOLE))
        finally:
            self.in_flight -= 1

    async def _insert(self, collection: str, documents: Sequence[Document], mishap: str) -> frozenset[int]:
        self._reading = mishap
        if mishap == NOT_SENT:
            raise Unavailable
        if mishap == BEFORE:
            raise OutcomeUnknown
        arriving = [one for one in documents if mishap != PARTLY or self._chance.random() < 0.5]
        places = await self._database.insert_many(collection, arriving)
        if mishap in (AFTER, PARTLY):
            raise OutcomeUnknown
        return places

    async def get_many(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        if self._reading == UNREAD:
            raise Unavailable
        return {} if self._reading == UNSEEN else await self._database.get_many(collection, ids)


MISHAPS = (WHOLE, BEFORE, AFTER, PARTLY, NOT_SENT, UNREAD, UNSEEN)
