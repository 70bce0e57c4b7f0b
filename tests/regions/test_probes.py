"""A broken peer with several couriers at work: one attempt at a time, one early one, and the node stays ready."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta

from regions import outbox, standing
from server.domain.exchange.wire import NoAnswer, WireAnswer, WireRequest
from server.node import Node
from tests.nodes import Places
from tests.regions.exchanging import node_of, peer_of, send, write
from tests.world import JIANGSU, ZHEJIANG


@dataclass
class DeadWire:
    """Nobody answers; every attempt is counted, and takes a while."""

    attempts: int = 0

    async def send(self, request: WireRequest) -> WireAnswer:
        self.attempts += 1
        await asyncio.sleep(0.05)
        raise NoAnswer("unreachable")


async def cut_off(places: Places) -> tuple[Node, DeadWire]:
    """Jiangsu, whose first attempt to reach Zhejiang has failed."""
    wire = DeadWire()
    node = replace(node_of(places), wire=wire)
    await write(node, "letter")
    assert not await outbox.deliver(node, peer_of(node))
    assert wire.attempts == 1
    return node, wire


async def all_try(node: Node) -> None:
    """Four couriers of four processes try at once."""
    await asyncio.gather(*(outbox.deliver(node, peer_of(node)) for _ in range(4)))


async def test_of_several_couriers_one_makes_the_attempt(places: Places):
    node, wire = await cut_off(places)
    for attempts in (2, 3, 4):
        node.clock.wait(minutes=11)
        await all_try(node)
        await all_try(node)
        assert wire.attempts == attempts
    assert (await node.store.peers.outbound(ZHEJIANG)).failures == 4


async def test_a_sign_of_life_brings_one_attempt_forward_and_not_a_second(places: Places):
    node, wire = await cut_off(places)
    other = node_of(places, ZHEJIANG)
    for _ in range(4):  # until the wait is long enough to be in it
        node.clock.wait(minutes=11)
        await all_try(node)
    attempts = wire.attempts
    far = node.clock.now() + timedelta(minutes=9)
    state = await node.store.peers.outbound(ZHEJIANG)
    await node.store.peers.take(ZHEJIANG, state, replace(state, next_attempt_at=far))
    await write(other, "hello")
    await send(other)
    await all_try(node)
    assert wire.attempts == attempts + 1
    await write(other, "hello again")
    await send(other)
    await all_try(node)
    assert wire.attempts == attempts + 1
    assert (await node.store.peers.outbound(ZHEJIANG)).probe == "spent"


async def test_what_calls_us_does_not_close_the_breaker(places: Places):
    node, _ = await cut_off(places)
    await write(node_of(places, ZHEJIANG), "hello")
    await send(node_of(places, ZHEJIANG))
    state = await node.store.peers.outbound(ZHEJIANG)
    assert state.failures == 1
    assert await outbox.deliver(node_of(places), peer_of(node))
    assert (await node.store.peers.outbound(ZHEJIANG)).failures == 0


async def test_a_node_is_ready_though_a_peer_is_down(places: Places):
    node, _ = await cut_off(places)
    ready = await places.caller(JIANGSU).get("/ready")
    assert (ready.status, ready.body["status"]) == (200, "ready")
    node.clock.wait(minutes=11)
    await all_try(node)
    assert (await places.caller(JIANGSU).get("/ready")).status == 200


async def test_what_is_known_of_a_peer_is_counted(places: Places):
    node, _ = await cut_off(places)
    await write(node, "another")
    node.clock.wait(seconds=90)
    await standing.measure(node)
    lines = dict(line.rsplit(" ", 1) for line in node.metrics.render().decode().splitlines() if line[0] != "#")
    told = {
        name: float(lines[f'{name}{{peer="{ZHEJIANG}"}}'])
        for name in (
            "peer_backlog",
            "peer_unacknowledged_batches",
            "peer_lag_seconds",
            "peer_breaker",
            "peer_failures_in_row",
            "peer_success_timestamp_seconds",
            "letters_dead",
            "letters_attention",
            "peer_clock_skew_seconds",
        )
    }
    assert told == {
        "peer_backlog": 2,
        "peer_unacknowledged_batches": 1,
        "peer_lag_seconds": 90,
        "peer_breaker": 1,
        "peer_failures_in_row": 1,
        "peer_success_timestamp_seconds": 0,
        "letters_dead": 0,
        "letters_attention": 0,
        "peer_clock_skew_seconds": 0,
    }
