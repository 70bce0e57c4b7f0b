"""The lanes of sign-ins in the store: no change is lost between processes, and a lane comes back as it was put."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from server.domain.errors import StaleVersion
from server.domain.throttle import FORGOTTEN_AFTER, OF_NAME, Lane
from server.store.database import Document
from server.store.mongo import MongoDatabase
from server.store.people.attempts import ATTEMPTS, Attempts, Newest
from server.store.queries import hour_bucket
from tests.world import MONDAY


def failed(lane: Lane) -> Lane:
    """One more failure, whose moment does not matter."""
    return lane.model_copy(update={"failures": lane.failures + 1, "version": lane.version + 1})


async def test_a_lane_comes_back_as_it_was_put(database: MongoDatabase) -> None:
    attempts = Attempts(database)
    assert await attempts.lanes(["some"], at=MONDAY) == {"some": Lane(id="some")}
    taken = await attempts.change("some", lambda lane: lane.taken(OF_NAME, MONDAY, not_before=MONDAY), at=MONDAY)
    assert taken.tried_at == MONDAY
    assert await attempts.lanes(["some", "other"], at=MONDAY) == {"some": taken, "other": Lane(id="other")}
    forgiven = await attempts.change("some", lambda lane: lane.forgiven(MONDAY), at=MONDAY)
    assert forgiven.familiar_until == MONDAY + timedelta(days=30)
    assert (await attempts.lanes(["some"], at=MONDAY))["some"] == forgiven


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
    assert (await processes[0].lanes(["some"], at=MONDAY))["some"].failures == sum(counted) > 20


async def test_changes_of_one_process_do_not_race(database: MongoDatabase) -> None:
    attempts = Attempts(database)
    await asyncio.gather(*(attempts.change("some", failed, at=MONDAY) for _ in range(50)))
    assert (await attempts.lanes(["some"], at=MONDAY))["some"].failures == 50


@pytest.fixture
def told() -> list[tuple[str, str]]:
    """What a process told of documents that were removed or put back."""
    return []


@pytest.fixture
def attempts(database: MongoDatabase, told: list[tuple[str, str]]) -> Attempts:
    attempts = Attempts(database)
    attempts.tell_older = lambda *place: told.append(place)
    return attempts


async def fail_often(attempts: Attempts, *ids: str, times: int = 3, at: datetime = MONDAY) -> None:
    for id in ids:
        for _ in range(times):
            await attempts.change(id, failed, at=at)


async def put_back(database: MongoDatabase, document: Document | None) -> None:
    assert document is not None
    await database.delete(ATTEMPTS, [document["_id"]])
    await database.insert(ATTEMPTS, document)


async def failures(attempts: Attempts, id: str, at: datetime = MONDAY) -> int:
    return (await attempts.lanes([id], at=at))[id].failures


@pytest.mark.parametrize("is_removed", [True, False], ids=["removed", "put back"])
async def test_what_was_met_counts_although_the_lane_was_removed_or_is_older(
    database: MongoDatabase, attempts: Attempts, told: list[tuple[str, str]], is_removed: bool
) -> None:
    await fail_often(attempts, "some", times=1)
    older = await database.get(ATTEMPTS, "some")
    await fail_often(attempts, "some")
    assert told == []
    await (database.delete(ATTEMPTS, ["some"]) if is_removed else put_back(database, older))
    assert await failures(attempts, "some") == 4
    assert told == [(ATTEMPTS, "some")]
    await fail_often(attempts, "some", times=1)
    assert told == [(ATTEMPTS, "some")] * 2
    assert await failures(Attempts(database), "some") == 5, "it stands in the store again"
    assert await failures(attempts, "some") == 5
    assert len(told) == 2


async def test_a_lane_that_was_only_read_is_remembered_too(database: MongoDatabase, attempts: Attempts) -> None:
    await fail_often(Attempts(database), "some")
    assert await failures(attempts, "some") == 3
    await database.delete(ATTEMPTS, ["some"])
    assert await failures(attempts, "some") == 3
    assert await failures(Attempts(database), "some") == 0, "another process never met it"


async def test_a_lane_that_another_process_began_anew_takes_up_what_is_remembered(
    database: MongoDatabase, attempts: Attempts
) -> None:
    await fail_often(attempts, "some", times=5)
    await database.delete(ATTEMPTS, ["some"])
    other = Attempts(database)
    await fail_often(other, "some", times=1)
    await fail_often(attempts, "some", times=1)
    assert await failures(other, "some") == 6


async def test_what_the_store_has_forgotten_in_its_time_was_not_removed(
    database: MongoDatabase, attempts: Attempts, told: list[tuple[str, str]]
) -> None:
    await fail_often(attempts, "some")
    document = await database.get(ATTEMPTS, "some")
    assert document is not None
    await database.delete(ATTEMPTS, ["some"])
    last = MONDAY + FORGOTTEN_AFTER
    assert document["bucket"] == hour_bucket(last)
    over = last.replace(minute=0) + timedelta(hours=1)
    assert await failures(attempts, "some", over - timedelta(minutes=2)) == 3
    told.clear()
    for at in (over - timedelta(seconds=59), over):
        assert await failures(attempts, "some", at) == 0
    assert told == []
    await fail_often(attempts, "some", times=1, at=over)
    assert await failures(attempts, "some", over) == 1


async def test_no_reading_that_comes_late_is_taken_for_a_removal(
    database: MongoDatabase, attempts: Attempts, told: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    await fail_often(attempts, "some", times=1)
    has_read, may_go_on, read = asyncio.Event(), asyncio.Event(), database.get_many

    async def late(*asked: Any) -> Any:
        found = await read(*asked)
        has_read.set()
        await may_go_on.wait()
        return found

    monkeypatch.setattr(database, "get_many", late)
    reading = asyncio.create_task(failures(attempts, "some"))
    await has_read.wait()
    await fail_often(attempts, "some", times=1)
    may_go_on.set()
    assert await reading == 1
    assert told == []
    assert await failures(attempts, "some") == 2


def test_no_more_is_remembered_than_there_is_room_for() -> None:
    newest = Newest(most=3)
    for id in ("a", "b", "c", "a", "d"):
        newest.meet(Lane(id=id, version=1), hour_bucket(MONDAY))
    assert [newest.lane(id, MONDAY).version for id in "abcd"] == [1, 0, 1, 1]
