"""All cases by their last event, page by page, for who looks at each of them."""

from collections.abc import AsyncIterator, Sequence

from server.store.database import Database, Document
from server.store.queries import CASES_BY_EVENT, JUST_AFTER, NEVER


async def pages(
    database: Database, fields: Sequence[str], *, at_once: int, since: str = "t", before: str = NEVER
) -> AsyncIterator[list[Document]]:
    """These fields of the cases whose last event was between these keys, the latest first, in pages of about so many.

    Nothing of it is proven. A case that moves before its page was read is not in it.
    """
    high, limit = before, at_once
    while True:
        page = await database.pick(CASES_BY_EVENT, since, high, fields=(*fields, "event_key"), limit=limit)
        if len(page) < limit:
            yield page
            return
        last = page[-1]["event_key"]  # more cases than these may have it: it is read whole with the next page
        whole = [each for each in page if each["event_key"] != last]
        if whole:
            yield whole
            high, limit = last + JUST_AFTER, at_once
        else:
            limit *= 2
