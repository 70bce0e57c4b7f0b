"""What the store must know of a kind of aggregate to keep it."""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic

from pydantic import TypeAdapter

from server.domain.aggregate.happening import E, V
from server.domain.aggregate.records import R
from server.domain.aggregate.words import AggregateWords
from server.domain.canonical import digest
from server.domain.values import Value
from server.store.queries import AggregateQueries


@dataclass(frozen=True)
class AggregateKind(Generic[V, E, R]):
    """A kind of aggregate: where it stands, what it is and how it is made of its events, and what is said of it.

    `value`, `event` (with the `kinds` of events that are known) and `record` are how its documents are read.
    `revision` is raised whenever `replay` makes another value of the same events than before. What a document names in
    the open under the names `left` stays when it is erased.
    """

    collection: str
    queries: AggregateQueries
    value: type[V]
    event: TypeAdapter[E]
    kinds: frozenset[str]
    record: type[R]
    id_of: Callable[[V], str]
    replay: Callable[[Iterable[E]], V]
    revision: int
    words: AggregateWords
    left: tuple[str, ...] = ()

    @property
    def shape(self) -> str:
        """Identifies the rules and the schema with which this program replays events into a value."""
        return _shape(self.value, self.revision)


@functools.cache
def _shape(value: type[Value], revision: int) -> str:
    return digest({"revision": revision, "schema": str(value.model_json_schema())})[:16]
