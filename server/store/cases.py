"""Cases in the store: one document per case, with its events, its pending effects and nothing else to keep in step."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from server.crypto.fields import DataKey, FieldRing
from server.domain.case import NoSuchCase, local_id
from server.domain.effects import Effect
from server.domain.errors import StaleVersion
from server.domain.events import EVENTS
from server.domain.lifecycle import evolve, replay
from server.domain.names import moment_key, moment_of_key
from server.domain.records import Commit, Record, place_of
from server.store.database import Database, Document, Duplicate, Mark, is_safe
from server.store.fetches import sealed_fetch
from server.store.intake import Intake
from server.store.queries import BAR, CASES_DUE_FOR_RELAY, CASES_OF_AGENT, CASES_OF_OWNER, under
from server.store.sealing import opened, sealed, sealed_letter

CASES = "cases"
DONE = "done"


class Cases:
    """The cases of this node: its own, and its copies of those in which it decides a step."""

    def __init__(
        self, database: Database, ring: FieldRing, intake: Intake, *, here: str, relay_due_seconds: float
    ) -> None:
        self._database = database
        self._ring = ring
        self._intake = intake
        self._here = here
        self._relay_due = timedelta(seconds=relay_due_seconds)

    async def find(self, id: str) -> Record | None:
        """The case as it stands, or None; ids come from outside, and one that is no safe operand is no case's."""
        if not is_safe(id):
            return None
        document = await self._database.get(CASES, id)
        return self._record(document) if document else None

    async def case(self, id: str) -> Record:
        """The case as it stands; raises NoSuchCase."""
        record = await self.find(id)
        if record is None:
            raise NoSuchCase("没有这个办件。")
        return record

    async def add(self, commit: Commit, *, owner: str, request: str, agent: str = "") -> Record:
        """Store a new case of our own; if there is one under its id already, that one comes back.

        `owner` is the keyed digest of the applicant, `agent` that of who handed it in for him, `request` that of
        the wish: whoever gets another case back than he made compares `request`.
        """
        document = self._new(commit)
        opened_at = moment_key(commit.events[0].at)
        place = opened_at + BAR + document["_id"]
        document |= {"owner_key": owner + BAR + place, "request": request}
        document |= {"agent_key": agent + BAR + place if agent else ""}
        stored = await self._intake.add(document)
        return _moved(None, document, commit) if stored is document else self._record(stored)

    async def commit(self, record: Record | None, commit: Commit) -> Record:
        """Move a case, or begin our copy of another node's; StaleVersion if somebody else did so meanwhile."""
        if record is None:
            document = self._new(commit)
            try:
                await self._database.insert(CASES, document)
            except Duplicate as fault:
                raise StaleVersion("办件已有新的进展，请刷新后重试。") from fault
            return _moved(None, document, commit)
        document = self._continued(record.document, commit)
        if not await self._database.replace(CASES, document, version=record.document["version"]):
            raise StaleVersion("办件已有新的进展，请刷新后重试。")
        return _moved(record, document, commit)

    async def cases_of(self, owner: str, *, limit: int, before: str = "") -> list[Record]:
        """A person's cases and those that he handed in as an agent, newest first.

        `before` is the `place_of` the last one already seen.
        """
        low, high = under(owner)
        documents = []
        for query in (CASES_OF_OWNER, CASES_OF_AGENT):
            end = owner + BAR + before if before else high
            documents += await self._database.between(query, low, end, limit=limit, is_descending=True)
        newest = sorted(documents, key=place_of, reverse=True)[:limit]
        return [self._record(document) for document in newest]

    async def due_for_relay(self, now: datetime, *, limit: int) -> list[Record]:
        """Cases whose effects a sweeper may carry, for whoever committed them should have done so by now."""
        documents = await self._database.between(CASES_DUE_FOR_RELAY, "t", moment_key(now), limit=limit)
        return [self._record(document) for document in documents]

    async def mark_relayed(self, record: Record) -> None:
        """All effects of the record are carried; if the case has moved on meanwhile, whoever moved it carries them."""
        version = record.document["version"]
        await self._database.mark(CASES, Mark(record.id, {"relayed": version, "relay": DONE}, version))

    def _new(self, commit: Commit) -> Document:
        case = replay(commit.events)
        id = local_id(case.name, self._here)
        key = self._ring.new_key(case.name)
        empty = {"_id": id, "case": case.name, "key": key.wrapped, "version": 0, "relayed": 0, "events": []}
        nobodys = {"owner_key": "", "agent_key": "", "request": ""}
        return self._continued({**empty, "effects": [], **nobodys}, commit, key=key)

    def _continued(self, before: Mapping[str, Any], commit: Commit, *, key: DataKey | None = None) -> Document:
        """The document after a commit: it appends events and effects, and drops the effects already carried."""
        name = before["case"]
        key = key or self._ring.key(before["key"], name)
        pending = [effect for effect in before["effects"] if effect["event"] > before["relayed"]]
        events = [sealed(event, key, f"{name}/{event.number}") for event in commit.events]
        return {
            **before,
            "version": commit.events[-1].number,
            "events": before["events"] + events,
            "effects": pending + [_written(effect, key) for effect in commit.effects],
            "threads": dict(commit.threads),
            "relay": self._relay_key(before, commit) if pending or commit.effects else DONE,
        }

    def _relay_key(self, before: Mapping[str, Any], commit: Commit) -> str:
        """When a sweeper may carry the effects, counted from the oldest that is pending."""
        earliest: str = before.get("relay", DONE)
        return earliest if earliest != DONE else moment_key(commit.events[-1].at + self._relay_due)

    async def oldest_relay(self) -> datetime | None:
        """The moment of the oldest commit whose effects are not known to be carried, or None."""
        documents = await self._database.between(CASES_DUE_FOR_RELAY, "t", "u", limit=1)
        return moment_of_key(documents[0]["relay"]) - self._relay_due if documents else None

    def _record(self, document: Document) -> Record:
        name = document["case"]
        key = self._ring.key(document["key"], name)
        events = EVENTS.validate_python(
            tuple(opened(event, key, f"{name}/{event['number']}") for event in document["events"])
        )
        return Record(id=document["_id"], case=replay(events), events=events, document=document)


def _moved(record: Record | None, document: Document, commit: Commit) -> Record:
    """The record after a commit, without reading back what was just written."""
    case = record.case if record else None
    for event in commit.events:
        case = evolve(case, event)
    if case is None:
        raise ValueError("a commit without events moves nothing")
    events = (*(record.events if record else ()), *commit.events)
    return Record(id=document["_id"], case=case, events=events, document=document)


def _written(effect: Effect, key: DataKey) -> dict[str, Any]:
    """An effect as it waits in the case; a letter's canonical text is made here, once and for good."""
    written: dict[str, Any] = {"event": effect.event, "index": effect.index}
    if effect.task:
        written["task"] = {"_id": effect.task.id, **effect.task.model_dump(mode="json")}
    if effect.letter:
        written["letter"] = sealed_letter(effect.letter, key, context=str(effect.letter.case))
    if effect.notice:
        written["notice"] = effect.notice.model_dump(mode="json")
    if effect.alarm:
        written["alarm"] = effect.alarm.model_dump(mode="json")
    if effect.fetch:
        written["fetch"] = sealed_fetch(effect.fetch, key)
    return written
