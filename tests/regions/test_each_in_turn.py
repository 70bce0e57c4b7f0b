"""What one peer or one authority raises stops the look at no other, and is told in the end."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from regions import reconcile, standing
from server.desk.background import counting
from server.desk.background.forgetting import forget_expired
from server.domain.exchange.wire import WireAnswer, WireRequest
from server.node import Node
from tests.nodes import HandClock, Places, running_nodes
from tests.regions.exchanging import node_of
from tests.regions.trap import Planted, trapped
from tests.world import GUANGDONG, JIANGSU, ZHEJIANG


@pytest.fixture
async def places(tmp_path: Path, database_uri: str, database_name: str) -> AsyncIterator[Places]:
    three = (JIANGSU, ZHEJIANG, GUANGDONG)
    async with running_nodes(tmp_path, database_uri, database_name, clock=HandClock(), divisions=three) as running:
        yield running


def peers(node: Node) -> list[str]:
    return [peer.node for peer in node.directory.peers_of(node.here)]


class HalfDeadWire:
    """A wire that raises what nobody foresaw at the address of one node."""

    def __init__(self, node: Node, peer: str) -> None:
        self._wire = node.wire
        entry = node.directory.entry(peer)
        assert entry
        self._origin = entry.origin

    async def send(self, request: WireRequest) -> WireAnswer:
        if request.url.startswith(self._origin):
            raise Planted(request.url)
        return await self._wire.send(request)


async def test_authorities_are_counted_though_one_raises(places: Places) -> None:
    node, trap = trapped(node_of(places))
    first, *others = (f"health/{code}" for code in ("320102", "320104", "320105"))
    await node.store.counts.mark_stale([first, *others])
    trap.needles = [f"'{first}'"]
    trap.arm(1)
    with pytest.raises(Planted):
        await counting.count(node)
    assert set(await node.store.counts.counts([first, *others])) == set(others)
    await counting.count(node)
    assert first in await node.store.counts.counts([first])


async def test_the_gauges_of_peers_are_set_though_one_raises(places: Places) -> None:
    node = node_of(places)
    first, second = peers(node)
    for peer in (first, second):
        entry = node.directory.entry(peer)
        assert entry
        await reconcile.reconcile(node, entry)
    kept = await node.store.database.get("peers", f"reconciled:{first}")
    assert kept
    await node.store.database.replace("peers", kept | {"report": "not a report"}, version=kept["version"])
    with pytest.raises(ValidationError):
        await standing.measure(node)
    assert f'peer_lag_seconds{{peer="{second}"}}' in node.metrics.render().decode()


async def test_peers_are_reconciled_though_one_raises(places: Places) -> None:
    node = node_of(places)
    first, second = peers(node)
    with pytest.raises(Planted):
        await reconcile.daily(replace(node, wire=HalfDeadWire(node, first)))
    assert set(await node.store.peers.reconciled([first, second])) == {second}


async def test_what_has_expired_is_forgotten_though_one_room_raises(places: Places) -> None:
    node, trap = trapped(node_of(places))
    for room in node.store.expiring:
        await node.store.database.insert(room, {"_id": "old", "bucket": "h2000-01-01T00", "expiry_key": "gone"})
    first, *_ = node.store.expiring
    trap.needles = [f"collection='{first}'"]
    trap.arm(1)
    with pytest.raises(Planted):
        await forget_expired(node, node.clock.now())
    assert [room for room in node.store.expiring if await node.store.database.get(room, "old")] == [first]
    assert await forget_expired(node, node.clock.now()) == 1
