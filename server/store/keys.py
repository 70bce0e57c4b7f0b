"""Reading the keys alone of a range, piece by piece: what they tell needs no document."""

from server.store.database import Database, Query
from server.store.queries import JUST_AFTER

AT_ONCE = 1000


async def keys_between(
    database: Database, query: Query, bounds: tuple[str, str], *, most: int, at_once: int = AT_ONCE
) -> list[str]:
    """The keys that are >= the first and < the second bound, sorted, up to `most` of them, read `at_once` a time."""
    low, high = bounds
    found: list[str] = []
    while len(found) < most:
        limit = min(at_once, most - len(found))
        keys = await database.keys(query, low, high, limit=limit)
        found += keys
        if len(keys) < limit:
            break
        low = keys[-1] + JUST_AFTER
    return found
