"""Documents that project something as of an event: that of the latest event stays, in any order of writes."""

from collections.abc import Iterable

from server.store.database import Database, Document


async def put_latest(database: Database, collection: str, documents: Iterable[Document]) -> None:
    """Write each document unless it is there already as of the same or a later event, which is its `version`."""
    latest: dict[str, Document] = {}
    for document in documents:
        known = latest.get(document["_id"])
        if known is None or known["version"] < document["version"]:
            latest[document["_id"]] = document
    fresh = list(latest.values())
    behind = [fresh[place] for place in sorted(await database.insert_many(collection, fresh))] if fresh else []
    while behind:
        stored = await database.get_many(collection, [document["_id"] for document in behind])
        behind = [each for each in behind if each["_id"] in stored and stored[each["_id"]]["version"] < each["version"]]
        versions = [(each, stored[each["_id"]]["version"]) for each in behind]
        if await database.replace_many(collection, versions) == len(behind):
            return
