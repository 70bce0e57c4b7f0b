"""Timekeeping: asks every other clock that can be had, again and again, whether ours may be trusted.

No clock can check itself. So whatever acts because a date has come asks the one `ClockGuard` of its process first.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.domain.exchange.log import Outbound
from server.domain.time.clock_guard import SOURCES, STATES, Beat, ClockReading, ClockVerdict, judge
from server.node import Node

BEAT_SECONDS = 30.0
LATE_SECONDS = 15.0  # how long a beat may take from its moment into the store
SILENT_SECONDS = 90.0  # a machine that has not told its time for so long is gone
FRESH_SECONDS = 30.0  # a verdict that is older counts no more
STEP_SECONDS = 2.0  # our clock was set, if it and the time that passed since a look differ by more
PEER_RECENT = timedelta(minutes=15)  # a little longer than the longest pause between two attempts
PEER_SECONDS = 2.0  # what is known of a peer's clock is in whole seconds
FOREVER = float("inf")


@dataclass(frozen=True)
class _Sighting:
    """What a machine told: before `until`, and after `since` (None: it stood there at our first look)."""

    at: datetime
    since: float | None
    until: float


@dataclass(frozen=True)
class _Look:
    """A look: when its questions began, what followed, our moment, and when that was by `seconds`."""

    began: float
    verdict: ClockVerdict
    now: datetime
    when: float


class ClockGuard:
    """Whether this process may do what a date brings; `seconds` only ever grows, and nobody can set it."""

    def __init__(self, node: Node, seconds: Callable[[], float]) -> None:
        self._node = node
        self._seconds = seconds
        self._began = seconds()
        self._sightings: Mapping[str, _Sighting] = {}
        self._last: _Look | None = None
        self._beat_at: float | None = None

    @property
    def verdict(self) -> ClockVerdict | None:
        """What the last look found; None before the first."""
        return self._last.verdict if self._last else None

    @property
    def may_act(self) -> bool:
        """Whether the last look allows it, is fresh, and our clock was not set since."""
        if self._last is None or not self._last.verdict.may_act:
            return False
        passed = self._seconds() - self._last.when
        told = (self._node.clock.now() - self._last.now).total_seconds()
        return passed <= FRESH_SECONDS and abs(told - passed) <= STEP_SECONDS

    async def look(self) -> bool:
        """Ask every source, and tell the other machines our time; True if it may act now, and might not before."""
        might, node, began = self.may_act, self._node, self._seconds()
        server, answered = await node.store.database.time(), self._seconds()
        beats = await node.store.clocks.beats()
        newest = await node.store.clocks.newest_stored()
        states = await node.store.peers.states([peer.node for peer in node.directory.peers_of(node.here)])
        now, when = node.clock.now(), self._seconds()
        self._sight(beats, when)
        is_independent = not server.is_here
        readings = [
            ClockReading("database", "", server.at, when - answered, when - began, is_independent=is_independent),
            *self._of_machines(when),
            *_of_what_is_stored(newest),
            *_of_peers(states, now, machine=node.clock.machine),
        ]
        verdict = judge(now, readings)
        is_news, self._last = self._tell(verdict), _Look(began, verdict, now, when)
        if is_news or self._beat_at is None or when - self._beat_at >= BEAT_SECONDS:
            await node.store.clocks.beat(Beat(node.clock.machine, now, verdict.state, verdict.text))
            self._beat_at = when
        return verdict.may_act and not might

    def _sight(self, beats: Iterable[Beat], when: float) -> None:
        """Note what other machines have told. What has changed since the last look was told since then."""
        since, known = self._last.began if self._last else None, self._sightings
        self._sightings = {
            beat.machine: known[beat.machine]
            if beat.machine in known and known[beat.machine].at == beat.at
            else _Sighting(beat.at, since, when)
            for beat in beats
            if beat.machine != self._node.clock.machine
        }

    def _of_machines(self, when: float) -> Iterator[ClockReading]:
        """The clocks of the machines that are there, and of those that may be there, as long as that may show."""
        for machine, seen in self._sightings.items():
            heard_at, told_at = (self._began, when - BEAT_SECONDS) if seen.since is None else (seen.until, seen.since)
            if when - heard_at <= SILENT_SECONDS:
                yield ClockReading(
                    "machine",
                    machine.partition(":")[2][:8],
                    seen.at,
                    when - seen.until,
                    when - told_at + LATE_SECONDS,
                    is_confirmed=seen.since is not None,
                )

    def _tell(self, verdict: ClockVerdict) -> bool:
        """Set the gauges, and write a line if the state, or who differs, has changed; whether it has."""
        metrics, most = self._node.metrics, dict.fromkeys(SOURCES, 0)
        for each in verdict.findings:
            most[each.source] = max(most[each.source], each.ahead_seconds, key=abs)
        for source, ahead in most.items():
            metrics.clock_ahead_seconds.labels(source).set(ahead)
        metrics.clock_state.set(STATES.index(verdict.state) + 1)
        if self._last and _gist(self._last.verdict) == _gist(verdict):
            return False
        log = self._node.log.warning if verdict.findings or not verdict.may_act else self._node.log.info
        differs = [f"{each.source} {each.name} {each.ahead_seconds:+d}" for each in verdict.findings]
        log("clock.judged", state=verdict.state, differs=differs)
        return True


def _gist(verdict: ClockVerdict) -> object:
    """What is news of a verdict: not by how much clocks differ, but that they do."""
    return verdict.state, {(each.source, each.name, each.holds) for each in verdict.findings}


def _of_what_is_stored(newest: datetime | None) -> Iterator[ClockReading]:
    """What is stored was told at any time before: it shows a clock that is behind, and no other."""
    if newest is not None:
        yield ClockReading("stored", "", newest, 0.0, FOREVER, is_independent=False)


def _of_peers(states: Mapping[str, tuple[Outbound, object]], now: datetime, *, machine: str) -> Iterator[ClockReading]:
    """The clocks of the peers that this machine has reached of late.

    A receipt proves that ours and theirs agree: a request or an answer that is a minute ahead is refused for that.
    """
    for peer, (out, _) in states.items():
        told_at, skew = out.succeeded_at, 0
        if out.skew_seconds and out.skew_by == machine:
            told_at, skew = out.failed_at, out.skew_seconds
        if told_at is not None and timedelta() <= now - told_at <= PEER_RECENT:
            ago = (now - told_at).total_seconds()
            theirs = told_at + timedelta(seconds=skew)
            yield ClockReading("peer", peer, theirs, ago - PEER_SECONDS, ago + PEER_SECONDS)
