"""Counts in the store: made anew where something moved, kept by nobody who counted while it did."""

from datetime import UTC, date, datetime, timedelta

from server.domain.time.counts import AuthorityCounts, ToCount
from server.store.database import Database
from server.store.effects.counts import Counts

AT = datetime(2026, 11, 23, 5, 45, tzinfo=UTC)
TODAY, TOMORROW = date(2026, 11, 23), date(2026, 11, 24)
HEALTH, POLICE = "health/320102", "public_security/320102"


def counted(number: int, authority: str = HEALTH) -> AuthorityCounts:
    states = {"sent": number} if number else {}
    return AuthorityCounts(authority=authority, states=states, overdue=0, soon=number, counted_at=AT)


async def to_make(kept: Counts, *, seconds: float = 0, today: date = TODAY) -> list[str]:
    found = await kept.to_make(now=AT + timedelta(seconds=seconds), today=today, limit=10)
    return sorted(each.authority for each in found)


async def count(kept: Counts, counts: AuthorityCounts) -> bool:
    """Count as a worker does; whether the counts are kept."""
    found = await kept.to_make(now=AT + timedelta(seconds=60), today=TODAY, limit=10)
    (wanted,) = [each for each in found if each.authority == counts.authority]
    begun = await kept.begin(wanted, until=AT + timedelta(seconds=60))
    return begun is not None and await kept.put(begun, counts, today=TODAY)


async def test_what_moved_is_counted_once_and_rests_until_more_moves(database: Database) -> None:
    kept = Counts(database)
    await kept.mark_stale([HEALTH, POLICE, HEALTH])
    await kept.mark_stale([HEALTH])
    assert await to_make(kept) == [HEALTH, POLICE]
    assert await kept.counts([HEALTH]) == {}, "it was never counted"
    assert await count(kept, counted(3))
    assert await to_make(kept, seconds=1000) == [POLICE]
    assert await kept.counts([HEALTH, POLICE, "nobody/1"]) == {HEALTH: counted(3)}
    await kept.mark_stale([HEALTH])
    assert await kept.counts([HEALTH]) == {HEALTH: counted(3)}, "the last counts are shown meanwhile"
    assert (await to_make(kept, seconds=1), await to_make(kept, seconds=6)) == ([POLICE], [HEALTH, POLICE])


async def test_what_moves_while_a_worker_counts_is_counted_again(database: Database) -> None:
    kept = Counts(database)
    await kept.mark_stale([HEALTH])
    (wanted,) = await kept.to_make(now=AT, today=TODAY, limit=10)
    begun = await kept.begin(wanted, until=AT + timedelta(seconds=60))
    assert begun is not None
    await kept.mark_stale([HEALTH])
    assert not await kept.put(begun, counted(3), today=TODAY)
    assert await kept.counts([HEALTH]) == {}
    assert await to_make(kept) == [HEALTH]


async def test_one_worker_counts_and_what_it_leaves_another_takes_over_later(database: Database) -> None:
    kept = Counts(database)
    await kept.mark_stale([HEALTH])
    (wanted,) = await kept.to_make(now=AT, today=TODAY, limit=10)
    assert await kept.begin(wanted, until=AT + timedelta(seconds=60)) == ToCount(HEALTH, wanted.version + 1)
    assert await kept.begin(wanted, until=AT + timedelta(seconds=60)) is None
    assert (await to_make(kept, seconds=59), await to_make(kept, seconds=61)) == ([], [HEALTH])


async def test_a_new_day_counts_anew_where_something_is_open(database: Database) -> None:
    kept = Counts(database)
    await kept.mark_stale([HEALTH, POLICE])
    assert await count(kept, counted(2))
    assert await count(kept, counted(0, POLICE))
    assert await to_make(kept, seconds=9) == []
    assert await to_make(kept, seconds=86400, today=TOMORROW) == [HEALTH]
