"""The course of cases: each act once and in order, and all that must follow a commit carried before it is forgotten."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from server.domain.case.case import local_id
from server.domain.errors import OutcomeUnknown, StaleVersion, Unavailable
from server.domain.exchange.letters import unique_id
from server.domain.exchange.log import BESIDE
from server.store.database import Document
from server.store.sealing import opened_letter
from tests.simulation.founding import keys_of

ORDER = "after is heeded"
ONCE = "every act is done once"
COURTEOUS = "a courtesy holds nothing up"
ADDED = "events are only added"
NOT_DROPPED = "effects wait until they are carried"
ROOMS = {"task": "tasks", "letter": "letters_out", "notice": "notices"}
MAY_WAIT_FOR = frozenset(("waits_on_earlier_letter", StaleVersion.code, Unavailable.code, OutcomeUnknown.code))
SHORT = 15  # of the unique id of a letter: its sender, and the first eight digits of its own
NO_CASE: Mapping[str, Any] = {"events": (), "effects": (), "relayed": 0}


class Course:
    """Watches the cases and kept letters of one place."""

    def __init__(self, place: Any, breaks: Callable[[str, str], None]) -> None:
        self._place = place
        self._breaks = breaks
        self._after: dict[str, str] = {}

    def moved(self, before: Document | None, now: Document) -> None:
        """A case was written."""
        then = before or NO_CASE
        if now["events"][: len(then["events"])] != list(then["events"]):
            self._breaks(ADDED, now["_id"])
        if len(now["events"]) > len(then["events"]):
            self._acts(then, now)
            self._pending(then, now)
        elif now["relayed"] > then["relayed"]:
            self._carried(then, now)

    def judged(self, before: Document, now: Document) -> None:
        """A kept letter was marked: it is settled, or cannot be; either only after the letter that it follows.

        A courtesy waits for that one, and for nothing else.
        """
        if now["state"] != "settled" and now["reason"] not in MAY_WAIT_FOR and self._is_courtesy(now):
            self._breaks(COURTEOUS, f"{now['_id'][:SHORT]} {now['kind']} {now['state']}: {now['reason']}")
        if now["state"] == before["state"] or now["state"] not in ("settled", "attention"):
            return
        if now["state"] == "attention" and self._is_done(now):
            self._breaks(ONCE, f"{now['_id'][:SHORT]} {now['kind']} is judged again: {now['reason']}")
        after = self._follows(now["_id"])
        if after and not self._is_judged(after):
            self._breaks(ORDER, f"{now['_id'][:SHORT]} {now['kind']} {now['state']} before {after[:SHORT]}")

    def _acts(self, before: Mapping[str, Any], now: Document) -> None:
        """None of the new acts was done before, and none was to come before one that is done already."""
        done = {event["act_id"] for event in before["events"]}
        passed = {id for act in done for id in self._thread(act)}
        for act in dict.fromkeys(event["act_id"] for event in now["events"][len(before["events"]) :]):
            if act in done:
                self._breaks(ONCE, f"{now['_id']}: {act[:40]}")
            if act in passed:
                self._breaks(ORDER, f"{now['_id']}: {act[:SHORT]} is done after one that follows it")
            passed.update(self._thread(act))

    def _pending(self, before: Mapping[str, Any], now: Document) -> None:
        """A commit drops only what was carried."""
        kept = {(effect["event"], effect["index"]) for effect in now["effects"]}
        pending = [each for each in before["effects"] if each["event"] > before["relayed"]]
        dropped = [each for each in pending if (each["event"], each["index"]) not in kept]
        if dropped:
            self._breaks(NOT_DROPPED, f"{now['_id']}: {[_names(each) for each in dropped]}")

    def _carried(self, before: Mapping[str, Any], now: Document) -> None:
        """What counts as carried is where it belongs."""
        for effect in now["effects"]:
            if before["relayed"] < effect["event"] <= now["relayed"] and not self._is_carried(effect):
                self._breaks(NOT_DROPPED, f"{now['_id']}: {_names(effect)} of event {effect['event']}")

    def _is_carried(self, effect: Mapping[str, Any]) -> bool:
        for kind, room in ROOMS.items():
            if kind in effect:
                wanted = effect[kind]
                found = self._place.disk.get(room, wanted.get("_id") or wanted.get("id") or wanted["case"])
                if found is None or (kind == "task" and found["version"] < wanted["event"]):
                    return False
        return True

    def _is_judged(self, id: str) -> bool:
        """Whether nothing of this letter remains to be done: its mark may come after that."""
        letter = self._place.disk.get("letters_in", id)
        if letter is None or letter["state"] in ("settled", "annulled"):
            return letter is not None
        return self._is_done(letter)

    def _is_courtesy(self, letter: Document) -> bool:
        """Whether it may be ignored, and is the first of its sender under its id."""
        return BESIDE not in letter["_id"] and opened_letter(letter, keys_of(self._place.here).fields).may_ignore

    def _is_done(self, letter: Document) -> bool:
        """Whether what the letter says stands in its case."""
        name = letter["about"].partition(":")[2]
        case = self._place.disk.get("cases", local_id(name, self._place.here)) if name else None
        return any(event["act_id"] == letter["_id"] for event in (case or NO_CASE)["events"])

    def _thread(self, act: str) -> Iterator[str]:
        """The letters that come before the one of this id, the last of them first."""
        while act := self._follows(act):
            yield act

    def _follows(self, id: str) -> str:
        """The letter that this one follows; empty if there is none, or it is no letter."""
        if id not in self._after:
            found = self._place.disk.get("letters_in", id)
            if found is None:
                return ""
            after = opened_letter(found, keys_of(self._place.here).fields).after
            self._after[id] = unique_id(found["from"], after) if after else ""
        return self._after[id]


def _names(effect: Mapping[str, Any]) -> Sequence[str]:
    return [kind for kind in ROOMS if kind in effect]
