"""A document without its proof: it stands where it was found, and nothing can be read of it."""

from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from server.domain.errors import NotAuthentic
from server.store.database import Document

KEPT = ("_id", "version")  # by these and its marks it can be taken out of its queue


class UnprovenDocument(dict[str, Any]):
    """A document that is not ours as it stands: its `_id`, its version and its marks can be read, nothing else.

    Any other use raises NotAuthentic, so that each reader meets the fault with this document alone.
    """

    def __init__(self, collection: str, document: Mapping[str, Any], marks: Iterable[str]) -> None:
        super().__init__({name: document[name] for name in (*KEPT, *marks) if name in document})
        self._place = f"{collection}/{document['_id']}"

    def __missing__(self, name: str) -> NoReturn:
        raise NotAuthentic(self._place)

    def _refuse(self, *_: Any) -> NoReturn:
        raise NotAuthentic(self._place)

    # With `__iter__` of its own it cannot be spread into another document either.
    __iter__ = __contains__ = keys = items = values = get = copy = __or__ = __ror__ = _refuse


def is_proven(document: Document) -> bool:
    """Whether a document that was read is ours: a list may leave out one that is not."""
    return not isinstance(document, UnprovenDocument)
