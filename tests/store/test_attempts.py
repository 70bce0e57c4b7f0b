"""The lanes of sign-ins in the store: no change is lost between processes, and a lane comes back as it was put."""

import asyncio
from datetime import timedelta

from server.domain.errors import StaleVersion
from server.domain.throttle import OF_NAME, Lane
from server.store.mongo import MongoDatabase
from server.store.people.attempts import Attempts
from tests.world import MONDAY


def failed(lane: Lane) -> Lane:
    """One more failure, whose moment does not matter."""
    return lane.model_copy(update={"failures": lane.failures + 1, "version": lane.version + 1})


async def test_a_lane_comes_back_as_it_was_put(database: MongoDatabase) -> None:
    attempts = Attempts(database)
    assert await attempts.lanes(["some"]) == {"some": Lane(id="some")}
    taken = await attempts.change("some", lambda lane: lane.taken(OF_NAME, MONDAY, not_before=MONDAY), at=MONDAY)
    assert taken.tried_at == MONDAY
    assert await attempts.lanes(["some", "other"]) == {"some": taken, "other": Lane(id="other")}
    forgiven = await attempts.change("some", lambda lane: lane.forgiven(MONDAY), at=MONDAY)
    assert forgiven.familiar_until == MONDAY + timedelta(days=30)
    assert (await attempts.lanes(["some"]))["some"] == forgiven


async def test_no_failure_is_lost_when_processes_count_at_once(database: MongoDatabase) -> None:
    """One who loses again and again is told so, and then nothing of theirs is counted."""
    processes = [Attempts(database) for _ in range(3)]

    async def fail(attempts: Attempts) -> int:
        try:
            await attempts.change("some", failed, at=MONDAY)
        except StaleVersion:
            return 0
        return 1

    counted = await asyncio.gather(*(fail(attempts) for attempts in processes for _ in range(20)))
    assert (await processes[0].lanes(["some"]))["some"].failures == sum(counted) > 20


async def test_changes_of_one_process_do_not_race(database: MongoDatabase) -> None:
    attempts = Attempts(database)
    await asyncio.gather(*(attempts.change("some", failed, at=MONDAY) for _ in range(50)))
    assert (await attempts.lanes(["some"]))["some"].failures == 50
