"""What the store asks of a database: the portable subset of MongoDB's protocol, and nothing else."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from server.domain.errors import Refusal

Document = dict[str, Any]

LOOKS_LIKE_A_DATE = re.compile(r"^\d{4}[-/]\d\d[-/]|^\d\d[-/]\d\d[-/]\d{4}")


class Duplicate(Refusal):
    """A document with this `_id` is already there."""


class UnsafeOperand(ValueError):
    """A query value or `_id` that the embedded server would read as a date, or that is no text."""


@dataclass(frozen=True)
class Mark:
    """A change of top-level texts and integers of one document, if it still has `version` (any, when None)."""

    id: str
    fields: Mapping[str, str | int]
    version: int | None = None


@dataclass(frozen=True)
class Query:
    """A read by something else than `_id`: equality or a range on one indexed text field."""

    name: str
    collection: str
    field: str
    is_range: bool = False


def safe(operand: str) -> str:
    """The operand itself; UnsafeOperand when it is no text or begins like a date."""
    if not isinstance(operand, str) or LOOKS_LIKE_A_DATE.match(operand):
        raise UnsafeOperand(f"not a safe operand or _id: {operand!r:.40}")
    return operand


class Database(Protocol):
    """The operations; each answers only what a majority of a replica set has on disk.

    All raise `OutcomeUnknown` when the server did not answer in time or the connection broke, and
    `UnsafeOperand` before anything is sent. Documents carry `_id: str`; those that are replaced carry
    `version: int`.
    """

    async def insert(self, collection: str, document: Document) -> None:
        """Insert one; raises Duplicate."""

    async def insert_many(self, collection: str, documents: Sequence[Document]) -> frozenset[int]:
        """Insert all that are not yet there; answers the places in the sequence of those that were."""

    async def replace(self, collection: str, document: Document, *, version: int) -> bool:
        """Put the document in the place of the one with its `_id` and this version; False if there is none."""

    async def mark(self, collection: str, mark: Mark) -> bool:
        """Carry out one mark; False if no document has that id and version."""

    async def mark_many(self, collection: str, marks: Sequence[Mark]) -> int:
        """Carry out many marks in one round trip; answers how many found their document."""

    async def get(self, collection: str, id: str) -> Document | None:
        """The document, or None."""

    async def get_many(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        """Those of the documents that exist, by `_id`."""

    async def equal(self, query: Query, value: str, *, limit: int) -> list[Document]:
        """Documents whose field equals the value; in no order."""

    async def between(
        self, query: Query, low: str, high: str, *, limit: int, is_descending: bool = False
    ) -> list[Document]:
        """Documents whose field is >= low and < high, sorted by the field."""

    async def delete(self, collection: str, ids: Sequence[str]) -> None:
        """Delete by `_id`; those that do not exist are passed over."""

    async def ping(self) -> None:
        """Raises Unavailable if the server does not answer."""

    async def close(self) -> None:
        """Close the connections."""
