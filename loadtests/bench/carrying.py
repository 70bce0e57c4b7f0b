"""Waits until what must follow submissions is carried, by the mark that every case has in a node's database."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from pymongo import AsyncMongoClient

from loadtests.bench.rounds import settled

WITHIN_SECONDS = 90.0
UNDER_WAY = {"relay": {"$gt": "done", "$lt": "u"}}  # held, or due at a moment
UNCHAINED = {"chain": {"$gte": "unchained|", "$lt": "unchained}"}}
CHAINED = ("heads", "audit")
TOLD_SECONDS = 5.0
MOST_TOLD = 1000
LETTERS_SECONDS = 3.0  # while letters are settled, no node does nothing for so long


class NotCarried(RuntimeError):
    """What follows some submissions was not carried in time, or does not stand in its chain yet."""


@asynccontextmanager
async def watched(uri: str, database: str, pids: Sequence[int]) -> AsyncIterator["Carrying"]:
    """The cases in this database of a node, whose `serve` have these process ids."""
    async with AsyncMongoClient[dict[str, Any]](uri) as client:
        yield Carrying(client.get_database(database), pids)


class Carrying:
    """The database of a node, and the processes that use CPU time to carry what follows its cases."""

    def __init__(self, database: Any, pids: Sequence[int]) -> None:
        self._database = database
        self._cases = database.get_collection("cases")
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

    async def rest(self, pids: Sequence[int], *, within_seconds: float) -> None:
        """Wait until all is carried, heads and audit are chained, and these processes use next to nothing.

        How much waits yet is told on stderr. Raises NotCarried.
        """
        told_at = time.monotonic()
        try:
            async with asyncio.timeout(within_seconds):
                while waiting := await self._waiting():
                    if time.monotonic() >= told_at + TOLD_SECONDS:
                        told_at = time.monotonic()
                        print(
                            "waiting for rest: " + ", ".join(f"{waiting[name]} {name}" for name in waiting),
                            file=sys.stderr,
                        )
                    await asyncio.sleep(1.0)
                await settled(pids, seconds=LETTERS_SECONDS)
        except TimeoutError:
            raise NotCarried(f"not at rest after {within_seconds:.0f} s") from None

    async def _waiting(self) -> dict[str, int]:
        """How many cases are to be carried, and heads and entries of the audit to be chained, each to 1,000; but no 0.

        They are found and not counted: the embedded database does not count in SQL, and answers nobody meanwhile.
        """
        wanted = {"cases": UNDER_WAY} | dict.fromkeys(CHAINED, UNCHAINED)
        found = {}
        for name, query in wanted.items():
            some = self._database.get_collection(name).find(query, {"_id": 1}, limit=MOST_TOLD)
            found[name] = len(await some.to_list())
        return {name: number for name, number in found.items() if number}
