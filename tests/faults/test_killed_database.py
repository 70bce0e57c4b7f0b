"""The database dies by SIGKILL while applications come in: what was acknowledged is stored, and nothing is doubled."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pymongo
import pytest

from tests.faults.books import Client, all_of
from tests.faults.databases import own_database
from tests.faults.nursery import Nursery
from tests.faults.provinces import BUSY, PAUSE_SECONDS, Province, provinces
from tests.nodes import Caller, newborn_wish, until

LANES = 12
DEATHS = 1
ENOUGH = 60


class Stream:
    """Citizens who hand in one application after the other, each under its key until it is taken."""

    def __init__(self, citizen: Caller, wish: Mapping[str, Any]) -> None:
        self._citizen = citizen
        self._wish = wish
        self.statuses: Counter[int] = Counter()
        self.ids: dict[str, set[str]] = {}
        self.is_ending = False

    async def run(self, lane: int) -> None:
        """One citizen, until the stream ends."""
        number = 0
        while not self.is_ending:
            number += 1
            await self._submit(f"lane-{lane}-{number}")

    async def _submit(self, key: str) -> None:
        while True:
            answer = await self._citizen.post("/api/v1/cases", self._wish, key=key)
            self.statuses[answer.status] += 1
            if answer.status == 201:
                self.ids.setdefault(key, set()).add(answer.body["id"])
                return
            assert answer.status in BUSY, answer
            await asyncio.sleep(PAUSE_SECONDS)

    async def taken(self, count: int) -> None:
        """Wait until so many more have been taken."""
        wanted = len(self.ids) + count
        await until(lambda: self._has(201, wanted), seconds=60)

    async def turned_away(self) -> None:
        """Wait until one more was told to come again."""
        wanted = self.statuses[503] + 1
        await until(lambda: self._has(503, wanted), seconds=60)

    async def _has(self, status: int, count: int) -> bool:
        return (len(self.ids) if status == 201 else self.statuses[status]) >= count


@pytest.mark.soak
async def test_every_acknowledged_case_outlives_the_database(tmp_path: Path, forks: Nursery):
    async with own_database(tmp_path) as (database, uri):
        choices = {"database": "killed", "database_timeout_seconds": 3.0}
        async with provinces(tmp_path, uri, launch=forks.start, **choices) as (home, _):
            await home.start("serve")
            citizen = await home.citizen()
            stream = Stream(citizen, await newborn_wish(citizen))
            lanes = [asyncio.create_task(stream.run(lane)) for lane in range(LANES)]
            for _death in range(DEATHS):
                await stream.taken(ENOUGH)
                await database.kill()
                await stream.turned_away()
                await database.start()
            await stream.taken(ENOUGH)
            stream.is_ending = True
            await asyncio.gather(*lanes)
            assert stream.statuses[201] == len(stream.ids)
            assert stream.statuses.keys() == {201, 503}
            assert all(len(ids) == 1 for ids in stream.ids.values())
            with closing(pymongo.MongoClient(uri)) as client:
                await check_stored(client, home, stream)


async def check_stored(client: Client, home: Province, stream: Stream) -> None:
    """Exactly the acknowledged cases are stored."""
    async with home.opened() as node:
        stored = [case["_id"] for case in all_of(client, node, "cases")]
    assert stored == sorted(id for ids in stream.ids.values() for id in ids)
