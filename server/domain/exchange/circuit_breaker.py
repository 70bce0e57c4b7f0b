"""The breaker of one destination: when the next attempt may be made, after success, failure and a sign of life.

It opens with the first failure. The wait doubles from failure to failure, with full jitter. Only an outbound success
closes it: a peer that calls us may still be unreachable for us, so its call brings one attempt forward, and not the
next again before that one has had its regular successor.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from server.domain.exchange.letters import GENESIS
from server.domain.exchange.log import Head, Outbound, Position

MOST_DOUBLINGS = 20

Breaker = Literal["closed", "open", "half_open", "stopped"]


def breaker(state: Outbound, now: datetime, *, longest: timedelta) -> Breaker:
    """What the breaker lets through now: everything, nothing, one probe, or nothing before an operator acts."""
    if state.stopped:
        return "stopped"
    if not state.failures:
        return "closed"
    due = due_at(state, now, longest=longest)
    return "half_open" if due is None or due <= now else "open"


def due_at(state: Outbound, now: datetime, *, longest: timedelta) -> datetime | None:
    """When the next attempt may be made; None if at once.

    A moment further ahead than the longest wait was written by a wrong clock, by hand or by an older version. It is
    read as now: else the way would be silent until then.
    """
    at = state.next_attempt_at
    return at if at is not None and at - now <= longest else None


def wait_seconds(failures: int, *, first: float, most: float, fraction: float) -> float:
    """The wait before the attempt after so many failures: a `fraction` (0 to 1) of `first` doubled up to `most`."""
    return min(first * 2.0 ** min(failures, MOST_DOUBLINGS), most) * fraction


def probing(state: Outbound, *, until: datetime) -> Outbound:
    """Reserve the next attempt for one courier until `until`; the others wait."""
    return replace(state, next_attempt_at=until, probe="early" if state.probe == "early" else "under_way")


def is_superseded(attempt: Outbound, state: Outbound) -> bool:
    """Whether another attempt was noted or begun since this one (made in the state `attempt`), so that its failure
    tells nothing new, and must not end the time of whoever probes now.
    """
    return state.failures > 0 and state.next_attempt_at != attempt.next_attempt_at


def succeeded(state: Outbound, acknowledged: Position, *, at: datetime) -> Outbound:
    """The peer has receipted up to there, and the breaker is closed."""
    return replace(
        state,
        acknowledged=acknowledged,
        failures=0,
        next_attempt_at=None,
        probe="",
        reason="",
        skew_seconds=0,
        succeeded_at=at,
    )


def failed(state: Outbound, reason: str, *, at: datetime, wait: float, skew_seconds: int = 0) -> Outbound:
    """An attempt failed; the next one comes after so many seconds."""
    return replace(
        state,
        failures=state.failures + 1,
        next_attempt_at=at + timedelta(seconds=wait),
        probe="spent" if state.probe == "early" else "",
        reason=reason,
        skew_seconds=skew_seconds,
        failed_at=at,
    )


def sign_of_life(state: Outbound, *, at: datetime, longest: timedelta) -> Outbound:
    """The peer has called us: the next attempt comes now, if none was brought forward since the last regular one and
    none is under way.
    """
    if breaker(state, at, longest=longest) != "open" or state.probe:
        return state
    return replace(state, next_attempt_at=at, probe="early")


def brought_forward(state: Outbound, *, at: datetime, longest: timedelta) -> Outbound:
    """An operator asks for it: the next attempt comes now, unless one is under way.

    It is no early one by a sign of life, and spends none.
    """
    is_under_way = state.probe in ("early", "under_way")
    if breaker(state, at, longest=longest) != "open" or is_under_way:
        return state
    return replace(state, next_attempt_at=at)


def gone_back(state: Outbound, acknowledged: Position) -> Outbound:
    """The peer has less than it acknowledged once (it was restored from a backup): it is sent again from there."""
    return replace(state, acknowledged=acknowledged)


def stopped(state: Outbound, reason: str, *, theirs: Head) -> Outbound:
    """The peer's log and ours contradict each other: nothing more is sent before an operator opens a stream."""
    return replace(state, stopped=reason, theirs=theirs)


def in_next_stream(state: Outbound) -> Outbound:
    """The next stream, which follows the head that the peer has named, is open."""
    stream, genesis = (state.theirs.stream + 1, state.theirs.hash) if state.theirs else (state.stream + 1, GENESIS)
    return replace(
        state,
        stream=stream,
        genesis=genesis,
        head=0,
        acknowledged=Position(stream, 0),
        failures=0,
        next_attempt_at=None,
        probe="",
        reason="",
        stopped="",
        theirs=None,
    )
