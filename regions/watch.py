"""The watch: one look for all peers at who has something to do, so that an idle node costs little."""

from dataclasses import dataclass
from datetime import timedelta

from regions.retrying import longest_wait
from server.domain.exchange.circuit_breaker import breaker
from server.domain.exchange.log import Outbound
from server.domain.values import Moment
from server.node import Node


@dataclass(frozen=True)
class Awaited:
    """The peers with something to send, and those with kept batches to unpack."""

    couriers: frozenset[str]
    unpackers: frozenset[str]


async def look(node: Node) -> Awaited:
    """Who has something to do now; what a crash hid from this look is found by the couriers' own slow rounds."""
    peers = [peer.node for peer in node.directory.peers_of(node.here)]
    states = await node.store.peers.states(peers)
    destinations = await node.store.letters_out.destinations()
    now, longest = node.clock.now(), longest_wait(node)
    return Awaited(
        couriers=frozenset(
            peer
            for peer, (out, _) in states.items()
            if _is_due(out, now, longest) and (peer in destinations or out.failures)
        ),
        unpackers=frozenset(peer for peer, (_, into) in states.items() if into.head_position > into.spread),
    )


def _is_due(out: Outbound, now: Moment, longest: timedelta) -> bool:
    return breaker(out, now, longest=longest) in ("closed", "half_open")
