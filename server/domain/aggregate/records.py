"""An aggregate as the store keeps it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from server.domain.aggregate.happening import E, V
from server.domain.aggregate.heads import HistoryHead
from server.domain.aggregate.names import name_of


@dataclass(frozen=True)
class Record(Generic[V, E]):
    """An aggregate as it stands in the store: what its events made of it, the document, and how to read these.

    `kind` is its kind, by the name of its collection.
    """

    kind: str
    id: str
    value: V
    document: Mapping[str, Any]
    read: Callable[[], tuple[E, ...]]

    @cached_property
    def events(self) -> tuple[E, ...]:
        """What has happened to it, in order; read when it is first asked for."""
        return self.read()

    @property
    def name(self) -> str:
        """What it is called among aggregates of all kinds."""
        return name_of(self.kind, self.id)

    @property
    def threads(self) -> Mapping[str, str]:
        """The id of our last letter about it, by the node it went to."""
        threads: Mapping[str, str] = self.document["threads"]
        return threads

    @property
    def head(self) -> HistoryHead:
        """How far it has come."""
        return HistoryHead(self.name, self.document["version"], self.document["link"])

    @property
    def pending(self) -> Sequence[Mapping[str, Any]]:
        """The effects that are not known to be carried, as the store keeps them."""
        return [effect for effect in self.document["effects"] if effect["event"] > self.document["relayed"]]

    def done_by(self, act_id: str) -> str | None:
        """The digest of this act, if it has been done."""
        done = (event["act_digest"] for event in self.document["events"] if event["act_id"] == act_id)
        return next(done, None)


AnyRecord = Record[Any, Any]
R = TypeVar("R", bound=AnyRecord)


class Records(dict[str, R]):
    """Aggregates of one kind by id, and beside them the ids of those that were `erased`."""

    def __init__(self, records: Iterable[R], erased: Iterable[str]) -> None:
        super().__init__({record.id: record for record in records})
        self.erased = frozenset(erased)
