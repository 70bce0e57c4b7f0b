"""A case as the store keeps it, and what one decision adds to it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from server.domain.aggregate.heads import HistoryHead
from server.domain.case.case import Application, Case
from server.domain.case.events import Event, Opened
from server.domain.effects.effects import Effect


@dataclass(frozen=True)
class CaseRecord:
    """A case as it stands in the store: what its events made of it, the document, and how to read the events in it."""

    id: str
    case: Case
    document: Mapping[str, Any]
    read: Callable[[], tuple[Event, ...]]

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """What has happened to it, in order; read when it is first asked for."""
        return self.read()

    @property
    def application(self) -> Application | None:
        """What was handed in here; None of another node's case."""
        first = self.events[0]
        return first.application if isinstance(first, Opened) else None

    @property
    def told(self) -> Mapping[str, str]:
        """What the form says, and the answers if they are known here: on both it may depend who decides."""
        return {**self.case.form, **(self.application.answers if self.application else {})}

    @property
    def threads(self) -> Mapping[str, str]:
        """The id of our last letter about this case, by the node it went to."""
        threads: Mapping[str, str] = self.document["threads"]
        return threads

    @property
    def request(self) -> str:
        """The digest of the request that opened it, if it was opened here."""
        request: str = self.document["request"]
        return request

    @property
    def head(self) -> HistoryHead:
        """How far it has come."""
        return HistoryHead(self.id, self.document["version"], self.document["link"])

    @property
    def pending(self) -> Sequence[Mapping[str, Any]]:
        """The effects that are not known to be carried, as the store keeps them."""
        return [effect for effect in self.document["effects"] if effect["event"] > self.document["relayed"]]

    def done_by(self, act_id: str) -> str | None:
        """The digest of this act, if it has been done."""
        done = (event["act_digest"] for event in self.document["events"] if event["act_id"] == act_id)
        return next(done, None)


class Records(dict[str, CaseRecord]):
    """Cases by id, and beside them the ids of those that were `erased`."""

    def __init__(self, records: Iterable[CaseRecord], erased: Iterable[str]) -> None:
        super().__init__({record.id: record for record in records})
        self.erased = frozenset(erased)


@dataclass(frozen=True)
class Commit:
    """What one decision writes: the events, the case that they make, what must follow, the last letter to each node.

    `alarm` is when clockwork must look at the case again: at its first checkpoint, even a past one, which may not have
    been handled yet; never without one.
    """

    events: Sequence[Event]
    case: Case
    effects: Sequence[Effect]
    threads: Mapping[str, str]
    alarm: datetime | None
