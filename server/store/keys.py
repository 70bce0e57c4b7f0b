"""Reading the keys alone of a range, piece by piece: what they tell needs no document."""

from server.store.database import Database, Query
from server.store.queries import JUST_AFTER

AT_ONCE = 1000


async def keys_between(database: Database, query: Query, low: str, high: str, *, most: int) -> list[str]:
    """The keys that are >= low and < high, sorted, up to `most` of them."""
    found: list[str] = []
    while len(found) < most:
        limit = min(AT_ONCE, most - len(found))
        keys = await database.keys(query, low, high, limit=limit)
        found += keys
        if len(keys) < limit:
            break
        low = keys[-1] + JUST_AFTER
    return found
