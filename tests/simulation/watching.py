"""Watching: the invariants that must hold at every moment, looked at with each write and each message."""

from typing import Any

import orjson

from server.crypto.signatures import Proof
from server.domain.exchange.letters import GENESIS
from server.store.database import Document
from tests.simulation.attempts import Attempts
from tests.simulation.course import Course
from tests.simulation.world import World

FAR_BACK = "0001"


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
        self.attempts = Attempts(world, place, self._breaks)
        self.course = Course(place, self._breaks)
        self.has_stepped_back = self.is_restored = False

    # What is told by the door.

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
        elif collection == "letters_in" and before:
            self.course.judged(before, now)
        elif collection == "cases":
            self.course.moved(before, now)
        elif collection == "apart":
            self._breaks("nothing has to be set apart", f"{now['_id']}: {now['fault']} in {now['place']}")
        elif collection == "peers" and now["_id"].startswith("out:"):
            self.attempts.seen(before, now)

    def restored(self) -> None:
        """The disk is that of an earlier moment."""
        self._heads, self._batched = {}, {}
        self.stepped_back()
        self.is_restored = True
        self.attempts.restored()
        for entry in self._place.disk.all("log"):
            self._log_entry(None, entry)

    def stepped_back(self) -> None:
        """What this node knew of the time is not so any more."""
        self.has_stepped_back = self.attempts.has_stepped_back = True

    def _log_entry(self, before: Document | None, now: Document) -> None:
        name, _, number = now["_id"].rpartition(":")
        direction, peer = name.split("|")[:2]
        if before:
            if any(before[each] != now[each] for each in ("hash", "batch", "letters")):
                self._breaks("an entry of a log never changes", now["_id"])
            if direction == "out" and now["answer_key"]:
                self.attempts.delivered(peer)
            return
        last, prev = self._heads.get(name, (0, GENESIS))
        batch = now["batch"]
        is_first_of_later = batch["stream"] > 1 and last == 0
        if int(number) != last + 1 or (batch["prev"] != prev and not is_first_of_later):
            self._breaks("no hole in a log", f"{now['_id']} after {last}")
        self._heads[name] = int(number), now["hash"]
        if direction == "out":
            self._batch(name, peer, now)
        elif peer in self._world.places:
            self._came_from(self._world.places[peer], now)

    def _came_from(self, sender: Any, entry: Document) -> None:
        """A batch came in: its sender must have it, unless he has lost his disk since."""
        id = entry["_id"].replace("in|" + sender.here, "out|" + self._here)
        ours = sender.disk.get("log", id)
        if not sender.watcher.is_restored and (ours is None or ours["hash"] != entry["hash"]):
            self._breaks("a batch is stored before it is sent", entry["_id"])

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

    def _breaks(self, invariant: str, seen: str) -> None:
        self._world.breaks(invariant, f"{self._here}: {seen}")
