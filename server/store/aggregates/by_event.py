"""All aggregates of a kind by their last event, page by page, for who looks at each of them."""

from collections.abc import AsyncIterator, Sequence

from server.store.database import Database, Document, Query
from server.store.queries import JUST_AFTER, NEVER

EVER = ("t", NEVER)


async def pages(
    database: Database, query: Query, fields: Sequence[str], *, at_once: int, between: tuple[str, str] = EVER
) -> AsyncIterator[list[Document]]:
    """These fields of those whose last event was between these keys, the latest first, in pages of about so many.

    Nothing of it is proven. One that moves before its page was read is not in it.
    """
    (since, high), limit = between, at_once
    while True:
        page = await database.pick(query, since, high, fields=(*fields, "event_key"), limit=limit)
        if len(page) < limit:
            yield page
            return
        last = page[-1]["event_key"]  # more than these may have it: it is read whole with the next page
        whole = [each for each in page if each["event_key"] != last]
        if whole:
            yield whole
            high, limit = last + JUST_AFTER, at_once
        else:
            limit *= 2
