"""Waits until what must follow submissions is carried, by the mark that every case has in a node's database."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from pymongo import AsyncMongoClient

from loadtests.bench.rounds import settled

WITHIN_SECONDS = 90.0
UNDER_WAY = {"relay": {"$gt": "done", "$lt": "u"}}  # held, or due at a moment


class NotCarried(RuntimeError):
    """What follows some submissions was not carried in time."""


@asynccontextmanager
async def watched(uri: str, database: str, pids: Sequence[int]) -> AsyncIterator["Carrying"]:
    """The cases in this database of a node, whose `serve` have these process ids."""
    async with AsyncMongoClient[dict[str, Any]](uri) as client:
        yield Carrying(client.get_database(database).get_collection("cases"), pids)


class Carrying:
    """The collection of a node's cases, and the processes that use CPU time to carry what follows them."""

    def __init__(self, cases: Any, pids: Sequence[int]) -> None:
        self._cases = cases
        self._pids = tuple(pids)

    async def wait(self) -> None:
        """Wait until the effects of all cases are carried; raises NotCarried after a minute and a half.

        The database is asked only when nothing seems to be done any more: the question costs it something, too.
        """
        try:
            async with asyncio.timeout(WITHIN_SECONDS):
                await settled(self._pids)
                while await self._cases.find_one(UNDER_WAY, {"_id": 1}) is not None:
                    await settled(self._pids)
        except TimeoutError:
            raise NotCarried("what follows some submissions was not carried in time") from None
