"""What the store asks of a database: the portable subset of MongoDB's protocol, and nothing else."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import NoneType
from typing import Any, Protocol

from server.domain.errors import Refusal

Document = dict[str, Any]
Fields = dict[str, str | int]

# The embedded server strips an operand before it looks whether it begins like a date.
LOOKS_LIKE_A_DATE = re.compile(r"^\s*(\d{4}[-/]\d\d[-/]|\d\d[-/]\d\d[-/]\d{4})")
MARKABLE_NAME = re.compile(r"[a-z][a-z0-9_]*")
SMALLEST_INTEGER = -(2**63)
LARGEST_INTEGER = 2**63 - 1

_PLAIN = frozenset({str, bool, NoneType})
_TEXT = frozenset({str})


class Duplicate(Refusal):
    """A document with this `_id` is already there."""

    code = "duplicate"
    title = "已经存在"


class UnsafeOperand(ValueError):
    """A value that not every server of the portable subset would keep, or find, as it stands."""


class UndeclaredQuery(ValueError):
    """A query that does not stand in the table of queries, or is asked in another way than it says there."""


@dataclass(frozen=True)
class Mark:
    """A change of top-level texts and integers of one document, if it still has `version` (any, when None)."""

    id: str
    fields: Mapping[str, str | int]
    version: int | None = None


@dataclass(frozen=True)
class Renewal:
    """Other members in the place of those of one document, if it still has this `proof`."""

    id: str
    proof: str
    members: Mapping[str, Any]


@dataclass(frozen=True)
class Query:
    """A read by something else than `_id`: equality or a range on one indexed text field."""

    name: str
    collection: str
    field: str
    is_range: bool = False


@dataclass(frozen=True)
class ServerTime:
    """What the clock of a server told; `is_here` if by its address it runs on this machine and has the same clock."""

    at: datetime
    is_here: bool


def is_safe(operand: str) -> bool:
    """Whether the text may be an operand or an `_id`."""
    return isinstance(operand, str) and not LOOKS_LIKE_A_DATE.match(operand) and "\0" not in operand


def safe(operand: str) -> str:
    """The operand itself; UnsafeOperand when it is no text, begins like a date, or has a NUL in it."""
    if not is_safe(operand):
        raise UnsafeOperand(f"not a safe operand or _id: {operand!r:.40}")
    return operand


def safe_document(document: Document) -> Document:
    """The document itself; UnsafeOperand when its `_id` is not safe or it holds what no server may be given.

    It may hold texts, 64-bit integers, booleans, None, finite floats, lists and dictionaries; no bytes, no
    moments (they are stored as text), and no key with a dollar (the embedded server reads `$date`).
    """
    safe(document.get("_id"))  # type: ignore[arg-type]
    _check_values(document)
    return document


def safe_mark(mark: Mark) -> Mark:
    """The mark itself; UnsafeOperand when its id, a field's name or a field's value is not safe."""
    safe(mark.id)
    for name, value in mark.fields.items():
        if not MARKABLE_NAME.fullmatch(name) or isinstance(value, bool) or not isinstance(value, str | int):
            raise UnsafeOperand(f"not a text or integer of a plain name: {name!r:.40}")
        _check_scalar(value)
    return mark


def safe_renewal(renewal: Renewal) -> Renewal:
    """The renewal itself; UnsafeOperand when its id, its proof, a member's name or a member's value is not safe."""
    safe(renewal.id)
    safe(renewal.proof)
    for name in renewal.members:
        if not MARKABLE_NAME.fullmatch(name):
            raise UnsafeOperand(f"not a plain name: {name!r:.40}")
    _check_values(renewal.members)
    return renewal


def _check_values(values: Mapping[str, Any] | Sequence[Any]) -> None:
    """This runs for each value of each write: plain values, which are most, are passed by together."""
    if isinstance(values, dict):
        _check_keys(values)
        values = values.values()  # type: ignore[assignment]
    if set(map(type, values)) <= _PLAIN:
        return
    for value in values:
        kind = type(value)
        if kind in _PLAIN:
            continue
        if kind is dict or kind is list or kind is tuple:
            _check_values(value)
        else:
            _check_scalar(value)


def _check_keys(values: Mapping[str, Any]) -> None:
    if set(map(type, values)) <= _TEXT and not ("$" in (keys := "".join(values)) or "\0" in keys):
        return
    for key in values:
        if type(key) is not str or "$" in key or "\0" in key:
            raise UnsafeOperand(f"not a safe key: {key!r:.40}")


def _check_scalar(value: Any) -> None:
    if isinstance(value, int):
        if not SMALLEST_INTEGER <= value <= LARGEST_INTEGER:
            raise UnsafeOperand("an integer must fit into 64 bits")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise UnsafeOperand("a float must be finite")
    elif not isinstance(value, str):
        raise UnsafeOperand(f"no place for {type(value).__name__} in a document")


class Database(Protocol):
    """The operations; each answers only what a majority of a replica set has on disk.

    All raise `Unavailable` when the server cannot be asked. A write raises `OutcomeUnknown`, which is one of
    those, when it may have happened or may happen yet: no answer in time, a broken connection, a failed write
    concern, or any other fault than a duplicate. All raise `UnsafeOperand` or `UndeclaredQuery` before anything
    is sent. Documents carry `_id: str`; those that are replaced carry `version: int`. What is written may be
    kept by the caller, but must not be changed by it while the call runs.
    """

    async def insert(self, collection: str, document: Document) -> None:
        """Insert one; raises Duplicate."""

    async def insert_many(self, collection: str, documents: Sequence[Document]) -> frozenset[int]:
        """Insert all that are not yet there; answers the places in the sequence of those that were."""

    async def replace(self, collection: str, document: Document, *, version: int) -> bool:
        """Put the document in the place of the one with its `_id` and this version; False if there is none."""

    async def replace_many(self, collection: str, documents: Sequence[tuple[Document, int]]) -> int:
        """Replace many, each if it still has this version, in one round trip; answers how many did, and not which."""

    async def put_newer(self, collection: str, documents: Sequence[Document]) -> frozenset[int]:
        """Put each (of different `_id`s) in the place of one of a lower version or of none, in one round trip.

        Answers the places of those that were not put: what is there has no lower version, or came in this moment.
        """

    async def mark(self, collection: str, mark: Mark) -> bool:
        """Carry out one mark; False if no document has that id and version."""

    async def mark_many(self, collection: str, marks: Sequence[Mark]) -> int:
        """Carry out many marks in one round trip; answers how many found their document."""

    async def get(self, collection: str, id: str) -> Document | None:
        """The document, or None."""

    async def get_many(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        """Those of the documents that exist, by `_id`."""

    async def equal(self, query: Query, value: str, *, limit: int) -> list[Document]:
        """Documents whose field equals the value; in no order. The limit is at least 1."""

    async def between(
        self, query: Query, low: str, high: str, *, limit: int, is_descending: bool = False
    ) -> list[Document]:
        """Documents whose field is >= low and < high, sorted by the field. The limit is at least 1."""

    async def pick(self, query: Query, low: str, high: str, *, fields: Sequence[str], limit: int) -> list[Document]:
        """The same from the last one on, each document with its `_id` and these fields of it only."""

    async def keys(self, query: Query, low: str, high: str, *, limit: int, is_descending: bool = False) -> list[str]:
        """The values alone of a field that are >= low and < high, sorted: MongoDB reads its index and no document."""

    async def delete(self, collection: str, ids: Sequence[str]) -> None:
        """Delete by `_id`; those that do not exist are passed over."""

    async def ping(self) -> None:
        """Raises Unavailable if the server does not answer."""

    async def time(self) -> ServerTime:
        """What the server's clock tells: at a moment between the call and the answer."""

    async def close(self) -> None:
        """Close the connections."""


class WalkableDatabase(Database, Protocol):
    """What one needs besides to walk over whole collections, and to write anew what each document carries of keys.

    `tell_written` is called after each write, whether or not its outcome is known.
    """

    tell_written: Callable[[], object]

    async def walk(self, collection: str, after: str, *, limit: int) -> list[Document]:
        """Documents of any kind whose `_id` is > after, sorted by it. The limit is at least 1."""

    async def renew_many(self, collection: str, renewals: Sequence[Renewal]) -> int:
        """Carry out many renewals in one round trip; answers how many found their document with its proof."""
