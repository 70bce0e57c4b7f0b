"""Attempts: that a courier calls a peer only when it may, and that of all couriers one does while the way is broken."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from server.domain.names import moment_of_key
from server.store.database import Document
from tests.simulation.world import World

BACK_OFF = "attempts keep to the back-off"
ONE_PROBER = "one courier probes a broken way"
ONLY_SUCCESS = "only an outbound success closes the breaker"
RECENT_SECONDS = 300.0
BELATED_SECONDS = 60.0  # a courier that began when the way was whole may get to its attempt so much later
A_MOMENT = timedelta(seconds=1)


@dataclass
class Way:
    """What was seen of the way to one peer; moments are in seconds of virtual time."""

    delivered_at: float = -2 * RECENT_SECONDS
    broke_at: float = -2 * BELATED_SECONDS
    may_probe: bool = False
    is_brought_forward: bool = False
    probers: list[str] = field(default_factory=list)
    belated: set[str] = field(default_factory=set)


class Attempts:
    """Watches all ways of one place: its writes to `peers`, its requests, and the receipts that it keeps."""

    def __init__(self, world: World, place: Any, breaks: Callable[[str, str], None]) -> None:
        self._world = world
        self._place = place
        self._breaks = breaks
        self._ways: dict[str, Way] = {}
        self.has_stepped_back = False

    @contextmanager
    def attempt(self, who: str, to: str) -> Iterator[None]:
        """A request is under way from this process to this peer."""
        way, now = self._way(to), self._world.scheduler.now
        is_broken = bool((self._place.disk.get("peers", f"out:{to}") or {}).get("failures"))
        is_prober = is_broken and way.may_probe
        if is_prober:
            way.may_probe = False
            if way.probers:
                self._breaks(ONE_PROBER, f"{who} and {way.probers} to {to}")
            way.probers.append(who)
        elif is_broken and (who in way.belated or now - way.broke_at > BELATED_SECONDS):
            self._breaks(BACK_OFF, f"{who} calls {to}")
        elif is_broken:
            way.belated.add(who)
        try:
            yield
        finally:
            if is_prober:
                way.probers.remove(who)

    def delivered(self, peer: str) -> None:
        """A receipt of this peer was kept."""
        self._way(peer).delivered_at = self._world.scheduler.now

    def restored(self) -> None:
        """The disk is that of an earlier moment."""
        self._ways, self.has_stepped_back = {}, True

    def seen(self, before: Document | None, now: Document) -> None:
        """The state of a way was written."""
        peer, before = now["_id"].partition(":")[2], before or {"failures": 0, "probe": "", "next_attempt_at": ""}
        way = self._way(peer)
        if not now["failures"]:
            self._closed(way, peer, before, now)
        elif now["failures"] > before["failures"]:
            if not before["failures"]:
                way.broke_at, way.belated = self._world.scheduler.now, set()
        elif now["probe"] == "early" and before["probe"] != "early":
            self._brought_forward(way, peer)
        elif now["next_attempt_at"] != before["next_attempt_at"] and now["failures"] == before["failures"]:
            self._probing(way, peer, before, now)

    def _closed(self, way: Way, peer: str, before: Document, now: Document) -> None:
        way.is_brought_forward = way.may_probe = False
        is_opened = now.get("stream") != before.get("stream")
        is_recent = self._world.scheduler.now - way.delivered_at <= RECENT_SECONDS
        if before["failures"] and not is_recent and not is_opened:
            self._breaks(ONLY_SUCCESS, f"to {peer}")

    def _brought_forward(self, way: Way, peer: str) -> None:
        if way.is_brought_forward:
            self._breaks(BACK_OFF, f"two early attempts to {peer} without a regular one in between")
        way.is_brought_forward = True

    def _probing(self, way: Way, peer: str, before: Document, now: Document) -> None:
        """Somebody takes the attempt upon himself."""
        if now["probe"] != "early":
            way.is_brought_forward = False
        way.may_probe = True
        is_due = moment_of_key(before["next_attempt_at"]) <= self._place.clock.now() + A_MOMENT
        if not is_due and not self.has_stepped_back:
            self._breaks(BACK_OFF, f"attempt at {peer} before {before['next_attempt_at']}")

    def _way(self, peer: str) -> Way:
        return self._ways.setdefault(peer, Way())
