"""Members of documents that this program does not know, or that it misses: old and new code run side by side.

A newer program writes optional members, which this one passes over and keeps, and reads documents that lack them.
"""

from collections.abc import Mapping
from typing import Any

from server.domain.values import Value
from server.store.database import Database, Document


def known(kind: type[Value], document: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a document that this kind of value has; one that is missing is left to its default."""
    return {name: document[name] for name in kind.model_fields if name in document}


async def rewrite(database: Database, collection: str, document: Document, *, version: int) -> bool:
    """Put the document in the place of that version, with what that one has beside; False if there is none.

    Not for documents with seals, which are made anew with each data key.
    """
    before = await database.get(collection, document["_id"])
    return before is not None and await database.replace(collection, before | document, version=version)
