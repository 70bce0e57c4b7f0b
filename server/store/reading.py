"""Reading many documents of which one may be broken: the others are read all the same."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from server.domain.apart import Found
from server.store.database import Document

T = TypeVar("T")


def read_each(documents: Iterable[Document], read: Callable[[Document], T]) -> Found[T]:
    """Each document read; one that raises stops no other."""
    found: Found[T] = Found()
    for document in documents:
        try:
            found.append(read(document))
        except Exception as fault:  # noqa: BLE001 # a document may be broken in any way, and is told by its id
            found.unreadable[document["_id"]] = fault
    return found
