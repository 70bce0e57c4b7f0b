"""A case as one document: its events, its pending effects, and the case that the events have made, all sealed.

That case is kept so that nobody has to replay the events to know it. It counts only if it was made by the same rules
in the same shape; otherwise the events are replayed.
"""

import functools
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from server.crypto.fields import DataKey
from server.crypto.keyring import NodeKeys
from server.domain.canonical import digest
from server.domain.case.case import Case, local_id
from server.domain.case.events import EVENTS, Event
from server.domain.effects.effects import Effect
from server.domain.effects.records import Commit, Record
from server.domain.rules.lifecycle import REVISION, replay
from server.domain.values import moment_key
from server.store.database import Document
from server.store.effects.clues import written_clues
from server.store.effects.deeds import written_deed
from server.store.effects.fetches import sealed_fetch
from server.store.effects.tasks import written_task
from server.store.sealing import opened, sealed, sealed_letter

DONE = "done"


@functools.cache
def shape() -> str:
    """Identifies the rules and the schema with which this program replays events into a case."""
    return digest({"revision": REVISION, "schema": str(Case.model_json_schema())})[:16]


class CaseDocuments:
    """Writes and reads the documents of one node's cases.

    Effects wait for a sweeper for `relay_due`.
    """

    def __init__(self, keys: NodeKeys, *, here: str, relay_due: timedelta) -> None:
        self._ring = keys.fields
        self._here = here
        self.relay_due = relay_due
        self._clue_digest = keys.clue

    def new(self, commit: Commit) -> Document:
        """The document of a case that begins with this commit."""
        name = commit.case.name
        key = self._ring.new_key(name)
        empty = {"_id": local_id(name, self._here), "case": name, "key": key.wrapped, "version": 0, "relayed": 0}
        nobodys = {"owner_key": "", "agent_key": "", "request": ""}
        return self._continued({**empty, "events": [], "effects": [], **nobodys}, commit, key)

    def continued(self, record: Record, commit: Commit) -> Document:
        """The document after a commit: it appends events and effects, and drops the effects already carried."""
        before = record.document
        return self._continued(before, commit, self._ring.key(before["key"], before["case"]))

    def read(self, document: Document) -> Record:
        """The case that stands in a document."""
        name = document["case"]
        key = self._ring.key(document["key"], name)
        if document["shape"] != shape():
            events = _events(document, key)
            return Record(id=document["_id"], case=replay(events), document=document, read=lambda: events)
        case = Case.model_validate_json(key.open(document["state"], _place(document)))
        return Record(id=document["_id"], case=case, document=document, read=lambda: _events(document, key))

    def after(self, document: Document, commit: Commit, *, before: Record | None) -> Record:
        """The record after a commit on `before`; what was just written is not read back."""

        def read() -> tuple[Event, ...]:
            return (*(before.events if before else ()), *commit.events)

        return Record(id=document["_id"], case=commit.case, document=document, read=read)

    def _continued(self, before: Mapping[str, Any], commit: Commit, key: DataKey) -> Document:
        name = before["case"]
        pending = [effect for effect in before["effects"] if effect["event"] > before["relayed"]]
        events = [sealed(event, key, f"{name}/{event.number}") for event in commit.events]
        document = {
            **before,
            "version": commit.events[-1].number,
            "events": before["events"] + events,
            "effects": pending + [self._written(effect, key, name=name) for effect in commit.effects],
            "threads": dict(commit.threads),
            "relay": self._relay_key(before, commit) if pending or commit.effects else DONE,
            "shape": shape(),
        }
        return {**document, "state": key.seal(commit.case.model_dump_json(), _place(document))}

    def _written(self, effect: Effect, key: DataKey, *, name: str) -> dict[str, Any]:
        """An effect as it waits in the case; a letter's canonical text is made here, once and for good."""
        written: dict[str, Any] = {"event": effect.event, "index": effect.index}
        if effect.task:
            written["task"] = written_task(effect.task)
        if effect.letter:
            written["letter"] = sealed_letter(effect.letter, key, context=name)
        if effect.notice:
            written["notice"] = effect.notice.model_dump(mode="json")
        if effect.alarm:
            written["alarm"] = effect.alarm.model_dump(mode="json")
        if effect.fetch:
            written["fetch"] = sealed_fetch(effect.fetch, key)
        if effect.clues:
            written["clues"] = written_clues(effect.clues, self._clue_digest)
        if effect.deed:
            written["deed"] = written_deed(effect.deed)
        return written

    def _relay_key(self, before: Mapping[str, Any], commit: Commit) -> str:
        """When a sweeper may carry the effects, counted from the oldest that is pending."""
        earliest: str = before.get("relay", DONE)
        return earliest if earliest != DONE else moment_key(commit.events[-1].at + self.relay_due)


def _place(document: Mapping[str, Any]) -> str:
    """Where the sealed case belongs: to this version of its document and to no other."""
    return f"{document['case']}/state/{document['version']}"


def _events(document: Mapping[str, Any], key: DataKey) -> tuple[Event, ...]:
    name = document["case"]
    told = tuple(opened(event, key, f"{name}/{event['number']}") for event in document["events"])
    return EVENTS.validate_python(told)
