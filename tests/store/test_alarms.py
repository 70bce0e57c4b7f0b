"""Alarms, checkpoints and warnings in the store: who saw the last event moves an alarm, and one claim wins."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from server.domain.aggregate.alarms import DueAlarm
from server.domain.effects.deadlines import Checkpoint
from server.domain.effects.warnings import DeskWarning
from server.domain.time.reprojection import Projection
from server.store.aggregates.alarms import Alarms
from server.store.aggregates.marks import alarm_key
from server.store.database import Database
from server.store.effects.checkpoints import Checkpoints
from server.store.effects.projection import ProjectedCalendar
from server.store.effects.tasks import Tasks
from server.store.effects.warnings import Warnings
from server.store.exchange.peers import Peers
from server.store.queries import ALARMS_DUE
from tests.store.test_tasks import put, task

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
CHECKPOINT = Checkpoint(step="one", name="half", at=NOW, to="officer", department="health", due_on=NOW.date())


async def put_case(database: Database, id: str, event: int, at: datetime | None) -> None:
    """What the alarms need of a case whose last event this is."""
    await database.insert("cases", {"_id": id, "version": event, "alarm": alarm_key(at, id)})


def minutes(number: int) -> datetime:
    return NOW + timedelta(minutes=number)


def warning(id: str, authority: str, reader: Any, *, at: datetime) -> DeskWarning:
    about = {"case": "c", "step": "one", "authority_name": "", "about": "", "item_name": "", "bundle_name": ""}
    last_day = date(2026, 12, 1)
    told = {"text": "请抓紧办理。", "due_on": last_day, "is_confirmed": True, "at": at, **about}
    return DeskWarning(id=id, authority=authority, reader=reader, rung="half", **told)


@pytest.fixture
def alarms(database: Database) -> Alarms:
    return Alarms(database, ALARMS_DUE)


@pytest.fixture
def checkpoints(database: Database) -> Checkpoints:
    return Checkpoints(database)


async def test_alarms_are_due_from_their_moment_on_the_longest_due_first(database: Database, alarms: Alarms) -> None:
    for case, at in (("late", minutes(1)), ("now", NOW), ("330000:old", minutes(-5)), ("never", None)):
        await put_case(database, case, 1, at)
    assert [each.id for each in await alarms.due(NOW, limit=10)] == ["330000:old", "now"]
    assert [each.id for each in await alarms.due(minutes(1), limit=2)] == ["330000:old", "now"]


async def test_an_alarm_is_advanced_only_as_of_the_event_that_was_seen(database: Database, alarms: Alarms) -> None:
    await put_case(database, "c", 1, NOW)
    assert await alarms.due(NOW, limit=10) == [DueAlarm("c", 1)]
    assert await alarms.advance("c", minutes(5), event=1)
    assert await alarms.due(NOW, limit=10) == []
    await database.delete("cases", ["c"])
    await put_case(database, "c", 2, minutes(1))
    assert not await alarms.advance("c", None, event=1)
    assert await alarms.due(minutes(1), limit=10) == [DueAlarm("c", 2)]
    assert await alarms.advance("c", None, event=2)
    assert await alarms.due(minutes(9), limit=10) == []


async def test_of_many_workers_one_claims_a_rung_and_one_takes_it_over(checkpoints: Checkpoints) -> None:
    claims = await asyncio.gather(*(checkpoints.claim("c", CHECKPOINT, until=minutes(1)) for _ in range(6)))
    (kept,) = (claim for claim in claims if claim)
    assert kept.checkpoint == CHECKPOINT
    assert await checkpoints.unfinished(NOW, limit=5) == []
    (left,) = await checkpoints.unfinished(minutes(1), limit=5)
    assert left == kept
    taken = await asyncio.gather(*(checkpoints.take_over(left, until=minutes(2)) for _ in range(6)))
    assert taken.count(True) == 1
    await checkpoints.finish(left, outcome="told")
    assert await checkpoints.unfinished(minutes(9), limit=5) == []
    assert not await checkpoints.claim("c", CHECKPOINT, until=minutes(9))


async def test_a_rung_of_another_day_or_case_is_another_one(checkpoints: Checkpoints) -> None:
    moved = CHECKPOINT.model_copy(update={"at": NOW + timedelta(days=1)})
    assert await checkpoints.note("c", CHECKPOINT, outcome="overtaken")
    assert not await checkpoints.note("c", CHECKPOINT, outcome="overtaken")
    assert await checkpoints.passed("c", [CHECKPOINT, moved]) == {CHECKPOINT.key}
    assert await checkpoints.passed("d", [CHECKPOINT]) == frozenset()
    assert await checkpoints.claim("c", moved, until=minutes(1))


async def test_warnings_are_kept_once_and_read_by_authority_reader_and_page(database: Database) -> None:
    warnings, own = Warnings(database), [("health/1", "officer"), ("health/1", "head"), ("police/1", "head")]
    for number in range(9):
        authority, reader = ("health/1", "health/10", "police/1")[number % 3], ("officer", "head")[number % 2]
        told = warning(f"w{number}", authority, reader, at=minutes(number))
        assert await warnings.put(told)
        assert not await warnings.put(replace(told, reader="head"))
    assert [each.id for each in await warnings.warnings(own[:1], limit=10)] == ["w6", "w0"]
    assert [each.id for each in await warnings.warnings(own[:2], limit=10)] == ["w6", "w3", "w0"]
    first = await warnings.warnings(own, limit=2)
    rest = await warnings.warnings(own, limit=10, before=warnings.place(first[-1]))
    assert [each.id for each in first + rest] == ["w6", "w5", "w3", "w0"]
    assert await warnings.warnings([], limit=10) == []
    for before in ("a", "zzz", "|", "2026-11-23"):
        found = await warnings.warnings(own[:1], limit=10, before=before)
        assert {each.authority for each in found} <= {"health/1"}


async def test_a_warning_comes_back_as_it_was_made_and_is_stored_with_its_keys(database: Database) -> None:
    warnings, made = Warnings(database), warning("c:one:half", "health/320102", "head", at=NOW)
    assert await warnings.put(made)
    assert await warnings.warnings([("health/320102", "head")], limit=2) == [made]
    place = "t2026-11-23T04:00:00.000Z|c:one:half"
    words = {"rung": "half", "text": "请抓紧办理。", "item_name": "", "bundle_name": "", "due_on": "2026-12-01"}
    desk = {"authority": "health/320102", "authority_name": "", "about": "", "reader": "head"}
    told = {"case": "c", "step": "one", **desk, **words, "is_confirmed": True}
    keys = {"at": "2026-11-23T04:00:00.000Z", "place": place, "key": f"health/320102|head|{place}"}
    stored = await database.get("warnings", made.id)
    assert stored is not None
    assert list(stored.items()) == list({"_id": made.id, **told, **keys}.items())


async def test_open_tasks_are_walked_once_and_may_be_given_another_date(database: Database) -> None:
    tasks = Tasks(database)
    for number in range(7):
        await put(tasks, task(f"c{number}:x", ("sent", "received")[number % 2], is_open=number != 3))
    seen: list[str] = []
    page, cursor = await tasks.open_page("", limit=2)
    while page:
        seen += [each.id for each in page]
        page, cursor = await tasks.open_page(cursor, limit=2)
    assert sorted(seen) == [f"c{number}:x" for number in (0, 1, 2, 4, 5, 6)]
    stored = await tasks.task("c0:x")
    assert await tasks.redate(stored, "2026-12-01")
    assert not await tasks.redate(await tasks.task("c0:x"), "2026-12-01")
    assert (await tasks.open_tasks(["health"], limit=1))[0].due_on == "2026-12-01"
    await put(tasks, task("c0:x", "received", event=2))
    assert not await tasks.redate(stored, "2026-12-09"), "it has moved on"


async def test_of_two_who_change_the_projection_at_once_one_does(database: Database) -> None:
    calendar = ProjectedCalendar(database)
    assert await calendar.projection() == Projection()
    for number in range(2):
        known = await calendar.projection()
        puts = [calendar.put(known.model_copy(update={"changed": number + 1})) for _ in range(3)]
        assert (await asyncio.gather(*puts)).count(True) == 1
    assert ((await calendar.projection()).changed, (await calendar.projection()).version) == (2, 2)


async def test_a_peer_is_owed_our_word_until_the_moment_told(database: Database) -> None:
    peers = Peers(database)
    assert not await peers.wants_heartbeat("330000", NOW)
    await peers.want_heartbeat("330000", until=minutes(15))
    assert await peers.wants_heartbeat("330000", minutes(14))
    assert not await peers.wants_heartbeat("330000", minutes(15))
    assert not await peers.wants_heartbeat("440000", NOW)
