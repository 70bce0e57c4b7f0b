"""A case as one document: its events, each one seal bound to the one before, and what must follow them.

`link` is where the chain of events ends: the proof of the document covers it, and so covers each of them. Beside the
events stands the case that they have made, sealed, once there was more than one commit. It counts only if it was made
by the same rules in the same shape; otherwise the events are replayed, as they are after the first commit.
"""

import functools
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson

from server.crypto import base64url
from server.crypto.fields import DataKey
from server.crypto.keyring import NodeKeys
from server.domain.aggregate.heads import HistoryStanding
from server.domain.canonical import digest
from server.domain.case.case import Case, local_id
from server.domain.case.erasure import CaseErased
from server.domain.case.events import EVENT, KINDS, Event
from server.domain.case.lines import Line, line_of
from server.domain.effects.effects import Effect
from server.domain.effects.records import CaseCommit, CaseRecord
from server.domain.errors import NotAuthentic, WrittenByNewer
from server.domain.rules.lifecycle import REVISION, replay
from server.domain.values import moment_key, moment_text
from server.store.cases.plans import PlanReferences, Plans
from server.store.database import Document
from server.store.effects.clues import written_clues
from server.store.effects.deeds import written_deed
from server.store.effects.fetches import sealed_fetch
from server.store.effects.tasks import written_task
from server.store.members import read_one_of, read_text
from server.store.queries import BAR
from server.store.sealing import sealed_letter

CASES = "cases"
ALARM = "alarm"
DONE = "done"
ERASED = "erased"
FORMAT = 1
# An event says these beside its seal: whether an act was done is asked more often than what it brought about.
OPEN = ("kind", "act_id", "act_digest")
# What is left of an erased case; `links`, `link`, `event_key` and a `version` of its own come to it.
LEFT = ("_id", "format", "case")
LINE_FIELDS = ("key", "version", "link", "line", "owner_key", "agent_key")


@functools.cache
def shape() -> str:
    """Identifies the rules and the schema with which this program replays events into a case."""
    return digest({"revision": REVISION, "schema": str(Case.model_json_schema())})[:16]


class CaseDocuments:
    """Writes and reads the documents of one node's cases; what they refer to must be loaded before they are read.

    Effects wait for a sweeper for `relay_due`.
    """

    def __init__(self, keys: NodeKeys, plans: Plans, *, here: str, relay_due: timedelta) -> None:
        self._ring = keys.fields
        self.plans = plans
        self._here = here
        self.relay_due = relay_due
        self._clue_digest = keys.clue

    def new(self, commit: CaseCommit, *, owner: str = "", agent: str = "", request: str = "") -> Document:
        """The document of a case that begins with this commit, to be found by its owner and agent, if they are ours."""
        id = local_id(commit.value.name, self._here)
        key, place = self._ring.new_key(_place(id)), (moment_key(commit.events[0].at), id)
        empty = {"_id": id, "format": FORMAT, "case": commit.value.name, "key": key.wrapped, "version": 0, "relayed": 0}
        who = {
            "owner_key": BAR.join((owner, *place)) if owner else "",
            "agent_key": BAR.join((agent, *place)) if agent else "",
            "request": request,
        }
        return self._continued({**empty, **who, "plans": [], "events": [], "link": "", "effects": []}, commit, key)

    def continued(self, record: CaseRecord, commit: CaseCommit) -> Document:
        """The document after a commit: it appends events and effects, and drops the effects already carried."""
        before = record.document
        return self._continued(before, commit, self._key(before))

    def read(self, document: Document) -> CaseRecord:
        """The case that stands in a document; raises NotAuthentic if its events are not those that were written.

        Raises CaseErased of a tombstone.
        """
        if is_erased(document):
            raise CaseErased(more={"erased_at": document["erased_at"]})
        key, plans = self._key(document), PlanReferences(self.plans, document["plans"])
        links = _links(document)

        def events() -> tuple[Event, ...]:
            return tuple(_events(document, key, plans=plans, links=links))

        if document.get("shape") != shape():
            told = events()
            return CaseRecord(kind=CASES, id=document["_id"], value=replay(told), document=document, read=lambda: told)
        state = key.open(document["state"], _place(document["_id"], "state", document["link"]))
        case = read_text(Case, state, context=plans)
        return CaseRecord(kind=CASES, id=document["_id"], value=case, document=document, read=events)

    def line(self, document: Document) -> Line:
        """What lists show of a case; its document need not be whole, but hold LINE_FIELDS."""
        text = self._key(document).open(document["line"], _place_of_line(document))
        return read_text(Line, text)

    def standing(self, document: Document) -> HistoryStanding:
        """Where the events of a case stand, without opening one of them."""
        try:
            if is_erased(document):
                return HistoryStanding(document["links"])
            links = [*_links(document)[1:], document["link"]]
        except NotAuthentic:
            return HistoryStanding(None)
        return HistoryStanding(links, frozenset(written["act_id"] for written in document["events"]))

    def after(self, document: Document, commit: CaseCommit, *, before: CaseRecord | None) -> CaseRecord:
        """The record after a commit on `before`; what was just written is not read back."""

        def read() -> tuple[Event, ...]:
            return (*(before.events if before else ()), *commit.events)

        return CaseRecord(kind=CASES, id=document["_id"], value=commit.value, document=document, read=read)

    def _key(self, document: Mapping[str, Any]) -> DataKey:
        return self._ring.key(document["key"], _place(document["_id"]))

    def _continued(self, before: Mapping[str, Any], commit: CaseCommit, key: DataKey) -> Document:
        pending = [effect for effect in before["effects"] if effect["event"] > before["relayed"]]
        plans = PlanReferences(self.plans, before["plans"])
        events, link = _appended(before, commit.events, key, plans=plans)
        state = {} if not before["version"] else self._state(before["_id"], commit.value, key, plans=plans, link=link)
        document = {
            **before,
            **state,
            "version": commit.events[-1].number,
            "events": before["events"] + events,
            "link": link,
            "effects": pending + [self._written(effect) for effect in commit.effects],
            "threads": dict(commit.threads),
            "relay": self._relay_key(before, commit),
            ALARM: alarm_key(commit.alarm, before["_id"]),
            "event_key": moment_key(commit.events[-1].at),
            "plans": plans.digests,
        }
        return {**document, "line": self._line(document, commit.value, key)}

    def _state(self, id: str, case: Case, key: DataKey, *, plans: PlanReferences, link: str) -> Document:
        text = case.model_dump_json(context=plans, exclude_defaults=True)
        return {"shape": shape(), "state": key.seal(text, _place(id, "state", link))}

    def _line(self, document: Mapping[str, Any], case: Case, key: DataKey) -> str:
        return key.seal(line_of(case).model_dump_json(exclude_defaults=True), _place_of_line(document))

    def _written(self, effect: Effect) -> dict[str, Any]:
        """An effect as it waits in the case; a letter's canonical text is made here, once and for good.

        What leaves the case has a key of its own: erasing that of the case erases what stands here.
        """
        written: dict[str, Any] = {"event": effect.event, "index": effect.index}
        if effect.task:
            written["task"] = written_task(effect.task)
        if effect.letter:
            letter = effect.letter
            written["letter"] = sealed_letter(letter, self._ring.new_key(letter.id), context=letter.id)
        if effect.notice:
            written["notice"] = effect.notice.model_dump(mode="json")
        if effect.fetch:
            written["fetch"] = sealed_fetch(effect.fetch, self._ring.new_key(effect.fetch.name))
        if effect.clues:
            written["clues"] = written_clues(effect.clues, self._clue_digest)
        if effect.deed:
            written["deed"] = written_deed(effect.deed)
        return written

    def _relay_key(self, before: Mapping[str, Any], commit: CaseCommit) -> str:
        """When a sweeper may carry the effects and the head, counted from the oldest that is pending."""
        earliest: str = before.get("relay", DONE)
        return earliest if earliest != DONE else moment_key(commit.events[-1].at + self.relay_due)


def alarm_key(at: datetime | None, id: str) -> str:
    """By which a case is found when clockwork must look at it at this moment, or never."""
    return BAR.join((moment_key(at), id)) if at else DONE


def tombstone(document: Mapping[str, Any], *, at: datetime) -> Document:
    """What stands in the place of a case that was erased at this moment: nothing of it can be opened any more.

    `links` are the links of all its events, so that a head of its chain that was noted somewhere is still found in it.
    The erasure is the last link, and one version.
    """
    erased_at = moment_text(at)
    links = [*_links(document)[1:], document["link"]]
    link = link_after(document["link"], {"kind": ERASED, "at": erased_at})
    left = {name: document[name] for name in LEFT}
    version = document["version"] + 1
    ended = {"version": version, "relayed": version, "relay": DONE, ALARM: DONE}
    told = {"links": [*links, link], "link": link, "erased_at": erased_at, "event_key": moment_key(at)}
    return {**left, **ended, **told}


def is_erased(document: Mapping[str, Any]) -> bool:
    """Whether a document is the tombstone of a case; raises NotAuthentic if it is not ours as it stands."""
    return "erased_at" in document


def link_after(link: str, written: Mapping[str, Any]) -> str:
    """The link of an event as it is stored: SHA-256 of the link before and its bytes, in base64url."""
    text = orjson.dumps(written, option=orjson.OPT_SORT_KEYS)
    return base64url.encode(hashlib.sha256(link.encode() + b"\n" + text).digest())


def _links(document: Mapping[str, Any]) -> list[str]:
    """The link before each event; raises NotAuthentic if the chain does not end where the document says."""
    links = [""]
    for written in document["events"]:
        links.append(link_after(links[-1], written))
    if links.pop() != document["link"] or len(links) != document["version"]:
        raise NotAuthentic(_place(document["_id"]))
    return links


def _appended(
    before: Mapping[str, Any], events: Iterable[Event], key: DataKey, *, plans: PlanReferences
) -> tuple[list[Document], str]:
    """Events as they are stored behind those that are there, and the link of the last."""
    link, appended = before["link"], []
    for event in events:
        text = event.model_dump_json(context=plans, exclude={"number", *OPEN}, exclude_defaults=True)
        seal = key.seal(text, _place(before["_id"], event.number, link))
        appended.append({**{name: getattr(event, name) for name in OPEN}, "seal": seal})
        link = link_after(link, appended[-1])
    return appended, link


def _events(
    document: Mapping[str, Any], key: DataKey, *, plans: PlanReferences, links: Sequence[str]
) -> Iterable[Event]:
    for number, (written, link) in enumerate(zip(document["events"], links, strict=True), 1):
        if written["kind"] not in KINDS:
            raise WrittenByNewer(_place(document["_id"], number), written["kind"])
        told = orjson.loads(key.open(written["seal"], _place(document["_id"], number, link)))
        beside = {name: written[name] for name in OPEN}
        yield read_one_of(EVENT, {**told, **beside, "number": number}, context=plans)


def place_of_key(id: str) -> str:
    """What the key of a case is bound to."""
    return _place(id)


def _place(id: str, *parts: str | int) -> str:
    """Where a seal belongs: to this case and this part of it, and to no other."""
    return "/".join((CASES, id, *map(str, parts)))


def _place_of_line(document: Mapping[str, Any]) -> str:
    """A line is bound to the version and to those who find it, as it is read without the proof of its document."""
    return _place(document["_id"], "line", document["link"], document["owner_key"], document["agent_key"])
