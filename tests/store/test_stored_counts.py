"""Counts in the store: the latest of each department stays, whoever writes and in whichever order."""

import asyncio
import random
from datetime import UTC, datetime, timedelta

from server.domain.time.counts import DepartmentCounts, Held
from server.store.database import Database
from server.store.effects.counts import Counts

AT = datetime(2026, 11, 23, 5, 45, tzinfo=UTC)


def counts(number: int, department: str = "health") -> DepartmentCounts:
    return DepartmentCounts(
        department=department,
        states={"sent": number},
        overdue=0,
        soon=number,
        held=(Held(holder="a$b.c", tasks=number),),
        counted_at=AT + timedelta(seconds=number),
    )


async def test_of_many_writers_at_once_the_latest_counts_stay(database: Database) -> None:
    kept = Counts(database)
    told = [counts(number) for number in range(10)]
    random.Random(1).shuffle(told)  # noqa: S311 # the order
    await asyncio.gather(*(kept.put(each) for each in told))
    assert await kept.counts(["health", "police"]) == {"health": counts(9)}
    await kept.put(counts(3))
    await kept.put(counts(1, "police"))
    assert await kept.counts(["health", "police"]) == {"health": counts(9), "police": counts(1, "police")}
