"""Processes die by SIGKILL at the worst moments and are started again: nothing is lost and nothing doubled."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest

from tests.faults.books import Client, check_finished, is_quiet
from tests.faults.lives import Desks
from tests.faults.nursery import Nursery
from tests.faults.provinces import Province, provinces
from tests.nodes import until

SEED = 20261123
IN_TURN, ALL_AT_ONCE, MOST_ROUNDS = 3, 3, 40
CASES_AT_ONCE = 3
LULL_SECONDS, LOOK_SECONDS, AFTER_SECONDS = 1.0, 0.02, 0.08


@pytest.mark.soak
async def test_nothing_is_lost_or_doubled_whichever_process_is_killed(
    tmp_path: Path, forks: Nursery, database_uri: str, database_name: str, database_sweeper: Client
):
    choices = {"database": database_name, "relay_at_once": False}
    async with provinces(tmp_path, database_uri, launch=forks.start, **choices) as (home, peer):
        await asyncio.gather(home.start("serve", "work"), peer.start("serve", "work"))
        desks, chance = await Desks.manned(home, peer), random.Random(SEED)  # noqa: S311 # moments to kill at
        unrelayed = partial(is_between_commit_and_relay, database_sweeper, home)
        unsettled = partial(is_between_store_and_settle, database_sweeper, peer)
        storms = [
            Storm((province, command), is_midway=is_midway, chance=chance)
            for province, is_midway in ((home, unrelayed), (peer, unsettled))
            for command in ("serve", "work")
        ]
        cases = await storms_over_cases(storms, desks)
        async with home.opened() as node, peer.opened() as other:
            await until(lambda: is_quiet(database_sweeper, node, other), seconds=60)
            await check_finished(database_sweeper, node, other, cases=cases)
        for case in cases:
            timeline = (await desks.citizen.get(f"/api/v1/cases/{case}/timeline")).body["timeline"]
            assert len(timeline) == len({(entry["step"], entry["act"]) for entry in timeline}) == 26
        assert len(cases) >= CASES_AT_ONCE
        assert all(storm.hits >= IN_TURN + ALL_AT_ONCE for storm in storms), [storm.rounds for storm in storms]


class Storm:
    """Kills its victim again and again, as often as it can in the middle of something."""

    def __init__(self, victim: tuple[Province, str], *, is_midway: Callable[[], bool], chance: random.Random) -> None:
        self._chance = chance
        self._victim = victim
        self._is_midway = is_midway
        self.rounds = 0
        self.hits = 0

    async def rage(self, hits: int) -> None:
        """Wait for the moment, strike, and start what was killed, until so many more strikes hit something midway."""
        province, command = self._victim
        wanted = self.hits + hits
        while self.hits < wanted and self.rounds < MOST_ROUNDS:
            await self._moment()
            self.hits += self._is_midway()
            await province.kill(command)
            await province.start(command)
            self.rounds += 1

    async def _moment(self) -> None:
        for _ in range(int(LULL_SECONDS / LOOK_SECONDS)):
            if self._is_midway():
                break
            await asyncio.sleep(LOOK_SECONDS)
        await asyncio.sleep(self._chance.uniform(0, AFTER_SECONDS))


async def storms_over_cases(storms: Sequence[Storm], desks: Desks) -> list[str]:
    """One case after the other in each of several lanes, until all storms are over; the ids of the cases."""
    raging = asyncio.create_task(storms_in_turn_and_at_once(storms))
    begun: Counter[int] = Counter()
    cases: list[str] = []

    async def lane(number: int) -> None:
        while not raging.done():
            begun[number] += 1
            case = await desks.submit(f"lane-{number}-case-{begun[number]}")
            cases.append(case)
            await desks.finish(case)

    await asyncio.gather(raging, *(lane(number) for number in range(CASES_AT_ONCE)))
    return sorted(cases)


async def storms_in_turn_and_at_once(storms: Sequence[Storm]) -> None:
    """One process after the other, and then all of them at their own pace."""
    for storm in storms:
        await storm.rage(IN_TURN)
    await asyncio.gather(*(storm.rage(ALL_AT_ONCE) for storm in storms))


def is_between_commit_and_relay(client: Client, province: Province) -> bool:
    """Whether a case has effects that are not yet carried."""
    cases = client[province.settings.database]["cases"]
    return cases.find_one({"relay": {"$gte": "t", "$lt": "u"}}, {"_id": 1}) is not None


def is_between_store_and_settle(client: Client, province: Province) -> bool:
    """Whether a letter is kept and not yet settled, or its batch not yet spread."""
    database = client[province.settings.database]
    if database["letters_in"].find_one({"key": {"$gte": "waiting|", "$lt": "waiting}"}}, {"_id": 1}):
        return True
    return any(
        database["log"].find_one({"_id": f"in|{state['_id'][3:]}|1:{state['spread'] + 1:012d}"}, {"_id": 1})
        for state in database["peers"].find({"_id": {"$in": ["in:320000", "in:330000"]}})
    )
