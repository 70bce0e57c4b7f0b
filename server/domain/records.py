"""A case as the store keeps it, and what one decision adds to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.domain.case import Case
from server.domain.effects import Effect
from server.domain.events import Event


@dataclass(frozen=True)
class Record:
    """A case as it stands in the store: its events, what they made of it, and the document they came in."""

    id: str
    case: Case
    events: tuple[Event, ...]
    document: Mapping[str, Any]

    @property
    def threads(self) -> Mapping[str, str]:
        """The id of our last letter about this case, by the node it went to."""
        threads: Mapping[str, str] = self.document["threads"]
        return threads

    def done_by(self, act_id: str) -> tuple[Event, ...]:
        """The events that this act caused, if it has been done."""
        return tuple(event for event in self.events if event.act_id == act_id)


def place_of(document: Mapping[str, Any]) -> str:
    """Where a case of our own stands among all by time: `t<opened_at>|id`, the last parts of each of its keys."""
    place: str = document["owner_key"].partition("|")[2]
    return place


@dataclass(frozen=True)
class Commit:
    """What one decision writes: the events, what must follow them, and the last letter to each node."""

    events: Sequence[Event]
    effects: Sequence[Effect]
    threads: Mapping[str, str]
