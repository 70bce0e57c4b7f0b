"""An aggregate as one document: its events, each one seal bound to the one before, and what must follow them.

`link` is where the chain of events ends: the proof of the document covers it, and so covers each of them. Beside the
events stands the value that they have made, sealed, once there was more than one commit. It counts only if it was made
by the same rules in the same shape; otherwise the events are replayed, as they are after the first commit.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Generic

import orjson

from server.crypto.fields import DataKey
from server.crypto.keyring import NodeKeys
from server.domain.aggregate.happening import E, V
from server.domain.aggregate.heads import HistoryStanding
from server.domain.aggregate.records import R
from server.domain.effects.commits import Commit
from server.domain.errors import NotAuthentic, WrittenByNewer
from server.domain.interning import References
from server.domain.values import moment_key
from server.store.aggregates.following import written_effect
from server.store.aggregates.kinds import AggregateKind
from server.store.aggregates.links import (
    OPEN,
    appended,
    is_erased,
    links_after,
    links_before,
    place_of,
    tombstone,
)
from server.store.aggregates.marks import ALARM, DONE, alarm_key
from server.store.database import Document
from server.store.members import read_one_of, read_text

FORMAT = 1


class Histories(Generic[V, E, R]):
    """Writes and reads the documents of one kind of aggregate; effects wait for a sweeper for `relay_due`."""

    def __init__(self, kind: AggregateKind[V, E, R], keys: NodeKeys, *, relay_due: timedelta) -> None:
        self.kind = kind
        self.relay_due = relay_due
        self._keys = keys

    def new(self, commit: Commit[V, E]) -> Document:
        """The document of an aggregate that begins with this commit."""
        return self._begun(commit, {})

    def continued(self, record: R, commit: Commit[V, E]) -> Document:
        """The document after a commit: it appends events and effects, and drops the effects already carried."""
        before = record.document
        return self._continued(before, commit, self._key(before))

    def read(self, document: Document) -> R:
        """What stands in a document; raises NotAuthentic if its events are not those that were written.

        Raises the refusal of what is erased of a tombstone.
        """
        if is_erased(document):
            raise self.kind.words.erased(more={"erased_at": document["erased_at"]})
        key, context = self._key(document), self._context(document)
        links = links_before(self.kind.collection, document)

        def events() -> tuple[E, ...]:
            return tuple(self._events(document, links, key=key, context=context))

        if document.get("shape") != self.kind.shape:
            told = events()
            return self._record(document, self.kind.replay(told), lambda: told)
        state = key.open(document["state"], self._place(document["_id"], "state", document["link"]))
        return self._record(document, read_text(self.kind.value, state, context=context), events)

    def standing(self, document: Document) -> HistoryStanding:
        """Where the events of an aggregate stand, without opening one of them."""
        try:
            if is_erased(document):
                return HistoryStanding(document["links"])
            links = links_after(self.kind.collection, document)
        except NotAuthentic:
            return HistoryStanding(None)
        return HistoryStanding(links, frozenset(written["act_id"] for written in document["events"]))

    def after(self, document: Document, commit: Commit[V, E], *, before: R | None) -> R:
        """The record after a commit on `before`; what was just written is not read back."""

        def read() -> tuple[E, ...]:
            return (*(before.events if before else ()), *commit.events)

        return self._record(document, commit.value, read)

    def erased(self, record: R, *, at: datetime) -> Document:
        """The tombstone that takes the place of a record's document at this moment."""
        return tombstone(self.kind.collection, record.document, at=at, left=self.kind.left)

    def _context(self, document: Mapping[str, Any]) -> References | None:
        """What the seals of a document refer to; nothing, unless a kind says otherwise."""
        return None

    def _begun(self, commit: Commit[V, E], own: Mapping[str, Any]) -> Document:
        """The document of a first commit; `own` are members that only this kind has."""
        id = self.kind.id_of(commit.value)
        key = self._keys.fields.new_key(self._place(id))
        left = {name: own[name] for name in self.kind.left}
        empty = {"_id": id, "format": FORMAT, **left, "key": key.wrapped, "version": 0, "relayed": 0, **own}
        return self._continued({**empty, "events": [], "link": "", "effects": []}, commit, key)

    def _continued(self, before: Mapping[str, Any], commit: Commit[V, E], key: DataKey) -> Document:
        return self._written(before, commit, key, context=self._context(before))

    def _written(
        self, before: Mapping[str, Any], commit: Commit[V, E], key: DataKey, *, context: References | None
    ) -> Document:
        """What every kind of document says after a commit."""
        id, pending = before["_id"], [each for each in before["effects"] if each["event"] > before["relayed"]]
        events, link = appended(self.kind.collection, before, commit.events, key=key, context=context)
        state = {}
        if before["version"]:
            text = commit.value.model_dump_json(context=context, exclude_defaults=True)
            state = {"shape": self.kind.shape, "state": key.seal(text, self._place(id, "state", link))}
        earliest: str = before.get("relay", DONE)
        return {
            **before,
            **state,
            "version": commit.events[-1].number,
            "events": before["events"] + events,
            "link": link,
            "effects": pending + [written_effect(effect, self._keys) for effect in commit.effects],
            "threads": dict(commit.threads),
            # From when a sweeper may carry the effects and the head, counted from the oldest that is pending.
            "relay": earliest if earliest != DONE else moment_key(commit.events[-1].at + self.relay_due),
            ALARM: alarm_key(commit.alarm, id),
            "event_key": moment_key(commit.events[-1].at),
        }

    def _events(
        self, document: Mapping[str, Any], links: Sequence[str], *, key: DataKey, context: References | None
    ) -> Iterator[E]:
        for number, (written, link) in enumerate(zip(document["events"], links, strict=True), 1):
            place = self._place(document["_id"], number)
            if written["kind"] not in self.kind.kinds:
                raise WrittenByNewer(place, written["kind"])
            told = orjson.loads(key.open(written["seal"], self._place(document["_id"], number, link)))
            beside = {name: written[name] for name in OPEN}
            yield read_one_of(self.kind.event, {**told, **beside, "number": number}, context=context)

    def _record(self, document: Document, value: V, read: Any) -> R:
        return self.kind.record(
            kind=self.kind.collection, id=document["_id"], value=value, document=document, read=read
        )

    def _key(self, document: Mapping[str, Any]) -> DataKey:
        return self._keys.fields.key(document["key"], self._place(document["_id"]))

    def _place(self, id: str, *parts: str | int) -> str:
        return place_of(self.kind.collection, id, *parts)
