"""How what is stored becomes a value and is written again, with members that this program does not know, or misses.

Old and new code run side by side: a newer program writes optional members, at any depth, which this one passes over and
keeps, and reads documents that lack them. Letters and their batches are not read here: they are proven by their bytes.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter

from server.domain.values import Value
from server.store.database import Database, Document

PASSED_OVER: Literal["ignore"] = "ignore"
V = TypeVar("V", bound=Value)
T = TypeVar("T")


def read(kind: type[V], members: Mapping[str, Any]) -> V:
    """The value that these members make; what is missing has its default."""
    return kind.model_validate({**members}, extra=PASSED_OVER)


def read_text(kind: type[V], text: str | bytes, *, context: Any = None) -> V:
    """The same of a JSON text."""
    return kind.model_validate_json(text, context=context, extra=PASSED_OVER)


def read_one_of(kinds: TypeAdapter[T], members: Mapping[str, Any], *, context: Any = None) -> T:
    """The same of one of several kinds, as its members say."""
    return kinds.validate_python(members, context=context, extra=PASSED_OVER)


def known(kind: type[Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a document that this dataclass has; one that is missing is left to its default."""
    return {name: document[name] for name in _names(kind) if name in document}  # type: ignore[arg-type] # a class can be hashed


@functools.cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def changed(was: Value, now: Value, written: Document) -> Document:
    """What of `written`, which says `now`, is to be put over what says `was`: a value inside that is the same stays."""
    same = {name for name in type(now).model_fields if getattr(was, name) == getattr(now, name)}
    return {name: member for name, member in written.items() if name not in same}


async def rewrite(
    database: Database, collection: str, id: str, *, change: Callable[[Document], Document], version: int
) -> bool:
    """Change the document of this version, and keep all that it has beside; False if that version is gone.

    What is sealed in it stays readable only if the change keeps its data key.
    """
    before = await database.get(collection, id)
    if before is None or before["version"] != version:
        return False
    return await database.replace(collection, {**before, **change(before)}, version=version)
