"""How long to wait before a peer is asked again: ever longer from failure to failure, by chance, and as it asks."""

from collections.abc import Callable
from datetime import timedelta

from regions.client import PeerFailure
from server.domain.exchange.circuit_breaker import wait_seconds
from server.node import Node

FOUR_BYTES = 2**32
PROBE_GRACE_SECONDS = 5.0
CLOCKS_DIFFER_SECONDS = 60.0  # the processes of a node may run on several machines


def wait_after(node: Node, failure: PeerFailure) -> Callable[[int], float]:
    """The seconds until the next attempt, by how many failures there were before.

    At least the peer's Retry-After, but at most `retry_most_seconds`: otherwise one answer could silence the peer for
    years.

    Chance is asked once, so that whoever has to decide anew on a changed state decides by the same chance.
    """
    fraction = int.from_bytes(node.chance.token(4), "big") / FOUR_BYTES
    first, most = node.settings.retry_first_seconds, node.settings.retry_most_seconds

    def wait(failures: int) -> float:
        drawn = wait_seconds(failures, first=first, most=most, fraction=fraction)
        return max(drawn, min(failure.retry_after_seconds, most))

    return wait


def probe_seconds(node: Node) -> float:
    """How long an attempt that one courier has taken keeps the others waiting: until its answer must be there."""
    return node.settings.peer_total_seconds + PROBE_GRACE_SECONDS


def longest_wait(node: Node) -> timedelta:
    """No moment that a process of this node writes for a next attempt lies further ahead, by the clock of any other."""
    return timedelta(seconds=max(node.settings.retry_most_seconds, probe_seconds(node)) + CLOCKS_DIFFER_SECONDS)
