"""Attempts: that a courier calls a peer only when it may, and that of all couriers one does while the way is broken."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from server.domain.values import moment_of_key
from server.store.database import Document
from tests.simulation.founding import BEGINS
from tests.simulation.world import PATIENCE, World

BACK_OFF = "attempts keep to the back-off"
ONE_PROBER = "one courier probes a broken way"
ONLY_SUCCESS = "only an outbound success closes the breaker"
RECENT_SECONDS = 300.0
A_MOMENT = timedelta(seconds=1)


@dataclass
class Way:
    """What was seen of the way to one peer; moments are in seconds of virtual time.

    `taken_by` is the process that has taken the attempt and not made it yet; `probers` are making one.
    """

    delivered_at: float = -2 * RECENT_SECONDS
    broke_at: float = -RECENT_SECONDS
    taken_by: str = ""
    until: datetime = BEGINS
    is_brought_forward: bool = False
    probers: list[str] = field(default_factory=list)


class Attempts:
    """Watches all ways of one place: its writes to `peers`, its requests, and the receipts that it keeps."""

    def __init__(self, world: World, place: Any, breaks: Callable[[str, str], None]) -> None:
        self._world = world
        self._place = place
        self._breaks = breaks
        self._ways: dict[str, Way] = {}
        self._began: dict[tuple[str, str], float] = {}
        self.has_stepped_back = False

    def begins(self, who: str, to: str) -> None:
        """The courier of this process begins its round for this peer."""
        self._began[who, to] = self._world.scheduler.now

    @contextmanager
    def attempt(self, who: str, to: str) -> Iterator[None]:
        """A request is under way from this process to this peer."""
        way = self._way(to)
        is_broken = bool((self._place.disk.get("peers", f"out:{to}") or {}).get("failures"))
        is_prober, probers = is_broken and way.taken_by == who, way.probers
        if is_prober:
            way.taken_by = ""
            if way.probers:
                self._breaks(ONE_PROBER, f"{who} and {way.probers} to {to}")
            # One whose store has kept him waiting may be overtaken: his time is over before an answer must be there.
            if self._place.clock.now() + timedelta(seconds=PATIENCE) <= way.until:
                probers.append(who)
        elif is_broken and self._began.get((who, to), 0.0) > way.broke_at:
            # A courier that read the way as whole and then waited for its store may still call beside the prober: it
            # cannot know better, it sends the same batch, and its failure is overtaken. It is not the prober.
            self._breaks(BACK_OFF, f"{who} calls {to}")
        try:
            yield
        finally:
            if is_prober:
                probers[:] = [
                    each for each in probers if each != who
                ]  # those of the time when it began: once the way was whole, they count no more

    def delivered(self, peer: str) -> None:
        """A receipt of this peer was kept."""
        self._way(peer).delivered_at = self._world.scheduler.now

    def restored(self) -> None:
        """The disk is that of an earlier moment."""
        self._ways, self.has_stepped_back = {}, True

    def clock_set(self) -> None:
        """The node's clock has jumped: nobody's time to probe is what it was."""
        for way in self._ways.values():
            way.probers = []

    def seen(self, before: Document | None, now: Document) -> None:
        """The state of a way was written."""
        peer, before = now["_id"].partition(":")[2], before or {"failures": 0, "probe": "", "next_attempt_at": ""}
        way = self._way(peer)
        if not now["failures"]:
            self._closed(way, peer, before, now)
        elif now["failures"] > before["failures"]:
            if not before["failures"]:
                way.broke_at = self._world.scheduler.now
        elif now["probe"] == "early" and before["probe"] != "early":
            self._brought_forward(way, peer)
        elif now["next_attempt_at"] != before["next_attempt_at"] and now["failures"] == before["failures"]:
            self._probing(way, peer, before, now)

    def _closed(self, way: Way, peer: str, before: Document, now: Document) -> None:
        way.is_brought_forward, way.taken_by, way.probers = False, "", []
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
        way.taken_by, way.until = self._world.writer, moment_of_key(now["next_attempt_at"])
        is_due = moment_of_key(before["next_attempt_at"]) <= self._place.clock.now() + A_MOMENT
        if not is_due and not self.has_stepped_back:
            self._breaks(BACK_OFF, f"attempt at {peer} before {before['next_attempt_at']}")

    def _way(self, peer: str) -> Way:
        return self._ways.setdefault(peer, Way())
