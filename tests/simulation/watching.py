"""Watching: the invariants that must hold at every moment, looked at with each write and each message."""

from datetime import timedelta
from typing import Any

import orjson

from server.crypto.signatures import Proof
from server.domain.case import local_id
from server.domain.letters import GENESIS, Letter
from server.domain.names import moment_of_key
from server.store.database import Document
from server.store.sealing import opened_letter
from tests.simulation.founding import keys_of
from tests.simulation.world import World

FAR_BACK = "0001"
RECENT_SECONDS = 300.0
MOST_EARLY = 2  # two couriers may have begun before the wait was written


class Watcher:
    """Watches one place."""

    def __init__(self, world: World, place: Any) -> None:
        self._world = world
        self._place = place
        self._here: str = place.here
        self._heads: dict[str, tuple[int, str]] = {}
        self._batched: dict[tuple[str, str], str] = {}
        self._vouched: dict[str, str] = {}
        self._nonces: dict[tuple[str, str], None] = {}
        self._delivered_at: dict[str, float] = {}
        self._early: dict[tuple[str, str], int] = {}
        self.has_stepped_back = False

    # What is told by the wire and the door.

    def attempt(self, to: str) -> None:
        """A request goes out to this peer."""
        state = self._place.disk.get("peers", f"out:{to}") or {}
        due = str(state.get("next_attempt_at", ""))
        if due and moment_of_key(due) - self._place.clock.now() > timedelta(seconds=1):
            self._early[to, due] = self._early.get((to, due), 0) + 1
            if self._early[to, due] > MOST_EARLY:
                self._breaks("attempts keep to the back-off", f"attempt at {to} before {due}")

    def admitted(self, proof: Proof) -> None:
        """A request was let in."""
        nonce = proof.key.id, proof.nonce
        if nonce in self._nonces:
            self._breaks("no nonce is accepted twice", f"{nonce}")
        self._nonces[nonce] = None

    def receipted(self, sender: str, body: bytes) -> None:
        """A head is acknowledged."""
        head = orjson.loads(body)["head"]
        entry = self._place.disk.get("log", f"in|{sender}|{head['stream']}:{head['number']:012d}")
        if head["number"] and (entry is None or entry["hash"] != head["hash"]):
            self._breaks("no head is acknowledged before it is stored", f"of {sender}: {head['number']}")

    # What is told by the disk.

    def seen(self, collection: str, before: Document | None, now: Document) -> None:
        """A document was written."""
        if collection == "log":
            self._log_entry(before, now)
        elif collection == "letters_in":
            self._letter_in(before, now)
        elif collection == "cases" and before:
            self._case(before, now)
        elif collection == "peers" and before and now["_id"].startswith("out:"):
            self._breaker(before, now)

    def restored(self) -> None:
        """The disk is that of an earlier moment."""
        self._heads, self._batched, self._early = {}, {}, {}
        self.has_stepped_back = True
        for entry in self._place.disk.all("log"):
            self._log_entry(None, entry)

    def _log_entry(self, before: Document | None, now: Document) -> None:
        name, _, number = now["_id"].rpartition(":")
        direction, peer = name.split("|")[:2]
        if before:
            if any(before[each] != now[each] for each in ("hash", "batch", "letters")):
                self._breaks("an entry of a log never changes", now["_id"])
            if direction == "out" and now["answer_key"]:
                self._delivered_at[peer] = self._world.scheduler.now
            return
        last, prev = self._heads.get(name, (0, GENESIS))
        batch = now["batch"]
        is_first_of_later = batch["stream"] > 1 and last == 0
        if int(number) != last + 1 or (batch["prev"] != prev and not is_first_of_later):
            self._breaks("no hole in a log", f"{now['_id']} after {last}")
        self._heads[name] = int(number), now["hash"]
        if direction == "out":
            self._batch(name, peer, now)

    def _batch(self, name: str, peer: str, entry: Document) -> None:
        vouched = self._vouched.get(peer, FAR_BACK)
        for id in entry["letters"]:
            earlier = self._batched.setdefault((name, id), entry["_id"])
            if earlier != entry["_id"]:
                self._breaks("a letter is in one batch", f"{id[:8]} in {earlier} and {entry['_id']}")
            letter = self._place.disk.get("letters_out", id)
            if letter is None:
                self._breaks("a batch has letters that are stored", f"{id[:8]} in {entry['_id']}")
            elif letter["at"][1:] <= vouched and not self.has_stepped_back:
                self._breaks("complete_to holds", f"{id[:8]} at {letter['at']} after {vouched} to {peer}")
        self._vouched[peer] = max(vouched, entry["batch"]["complete_to"])

    def _letter_in(self, before: Document | None, now: Document) -> None:
        if now["state"] != "settled" or (before and before["state"] == "settled"):
            return
        letter = self._opened(now)
        earlier = self._place.disk.get("letters_in", letter.after) if letter.after else None
        if letter.after and not (earlier and self._is_seen_to(earlier)):
            self._breaks("after is heeded", f"{now['_id'][:8]} {now['kind']} settled before {letter.after[:8]}")

    def _is_seen_to(self, letter: Document) -> bool:
        """Whether nothing of this letter remains to be done: its mark may come after that."""
        if letter["state"] in ("settled", "annulled"):
            return True
        case = self._place.disk.get("cases", local_id(letter["case"], self._here)) or {"events": ()}
        return any(event["act_id"] == letter["_id"] for event in case["events"])

    def _case(self, before: Document, now: Document) -> None:
        if now["events"][: len(before["events"])] != before["events"]:
            self._breaks("events are only added", now["_id"])

    def _breaker(self, before: Document, now: Document) -> None:
        if before.get("failures") and not now.get("failures"):
            peer = now["_id"].partition(":")[2]
            since = self._world.scheduler.now - self._delivered_at.get(peer, -2 * RECENT_SECONDS)
            if since > RECENT_SECONDS:
                self._breaks("only an outbound success closes the breaker", f"to {peer}")

    def _opened(self, document: Document) -> Letter:
        return opened_letter(document, keys_of(self._here).fields)

    def _breaks(self, invariant: str, seen: str) -> None:
        self._world.breaks(invariant, f"{self._here}: {seen}")
