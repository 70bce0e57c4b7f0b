"""Documents that project something as of an event: that of the latest event stays, in any order of writes."""

from collections.abc import Iterable

from server.store.database import Database, Document
from server.store.unproven import is_proven


async def put_latest(database: Database, collection: str, documents: Iterable[Document]) -> None:
    """Write each document unless it is there already as of the same or a later event, which is its `version`.

    What is there and is not ours gives way, whatever event it claims to be of.
    """
    latest: dict[str, Document] = {}
    for document in documents:
        known = latest.get(document["_id"])
        if known is None or known["version"] < document["version"]:
            latest[document["_id"]] = document
    fresh = list(latest.values())
    behind = [fresh[place] for place in sorted(await database.put_newer(collection, fresh))]
    while behind:
        stored = await database.get_many(collection, [document["_id"] for document in behind])
        behind = [each for each in behind if each["_id"] in stored and _gives_way(stored[each["_id"]], each)]
        versions = [(each, stored[each["_id"]]["version"]) for each in behind]
        if await database.replace_many(collection, versions) == len(behind):
            return


def _gives_way(stored: Document, fresh: Document) -> bool:
    return not is_proven(stored) or bool(stored["version"] < fresh["version"])
