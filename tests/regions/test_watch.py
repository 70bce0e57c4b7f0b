"""The watch wakes exactly those who have something to do."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from regions import outbox, settling, watch
from server.domain.exchange.letters import Letter, letter_id
from tests.nodes import Places, running_nodes
from tests.world import GUANGDONG, JIANGSU, ZHEJIANG

NOBODY = watch.Awaited(frozenset(), frozenset())


@pytest.fixture
async def places(tmp_path: Path, database_uri: str, database_name: str) -> AsyncIterator[Places]:
    async with running_nodes(
        tmp_path, database_uri, database_name, divisions=[JIANGSU, ZHEJIANG, GUANGDONG]
    ) as running:
        yield running


async def write_to(places: Places, peer: str) -> None:
    """One letter from 江苏 that waits to be sent."""
    node = places.nodes[JIANGSU].node
    at = node.clock.now()
    letter = Letter(
        id=letter_id(JIANGSU, peer, "letter.test", str(at)),
        sender=JIANGSU,
        to=peer,
        after=None,
        about=None,
        kind="letter.test",
        at=at,
        salt="salt",
        body={},
    )
    await node.store.letters_out.answer(letter)


async def test_an_idle_node_wakes_nobody(places: Places):
    assert await watch.look(places.nodes[JIANGSU].node) == NOBODY


async def test_a_waiting_letter_wakes_the_courier_of_its_destination_alone(places: Places):
    node = places.nodes[JIANGSU].node
    await write_to(places, GUANGDONG)
    assert (await watch.look(node)).couriers == {GUANGDONG}
    await write_to(places, ZHEJIANG)
    assert (await watch.look(node)).couriers == {GUANGDONG, ZHEJIANG}
    assert await node.store.letters_out.destinations() == [ZHEJIANG, GUANGDONG]


async def test_a_peer_that_failed_is_left_alone_until_its_time_has_come(places: Places):
    node = places.nodes[JIANGSU].node
    await write_to(places, ZHEJIANG)
    state = replace(await node.store.peers.outbound(ZHEJIANG), failures=1, reason="unreachable")
    later, before = (node.clock.now() + timedelta(seconds=span) for span in (60, -1))
    await node.store.peers.take(ZHEJIANG, state, replace(state, next_attempt_at=later))
    assert await watch.look(node) == NOBODY
    state = await node.store.peers.outbound(ZHEJIANG)
    await node.store.peers.take(ZHEJIANG, state, replace(state, next_attempt_at=before))
    assert (await watch.look(node)).couriers == {ZHEJIANG}


async def test_a_batch_that_failed_is_tried_again_though_no_letter_waits(places: Places):
    node = places.nodes[JIANGSU].node
    await write_to(places, ZHEJIANG)
    nowhere = node.directory.entry(ZHEJIANG).model_copy(update={"origin": "http://127.0.0.1:9"})
    await outbox.deliver(node, nowhere)
    state = await node.store.peers.outbound(ZHEJIANG)
    await node.store.peers.take(ZHEJIANG, state, replace(state, next_attempt_at=None))
    await outbox.deliver(node, nowhere)
    state = await node.store.peers.outbound(ZHEJIANG)
    await node.store.peers.take(ZHEJIANG, state, replace(state, next_attempt_at=None))
    assert await node.store.letters_out.destinations() == []
    assert (await watch.look(node)).couriers == {ZHEJIANG}


async def test_a_kept_batch_wakes_the_spreader_until_it_is_spread(places: Places):
    node, other = places.nodes[JIANGSU].node, places.nodes[ZHEJIANG].node
    await write_to(places, ZHEJIANG)
    assert await outbox.deliver(node, node.directory.entry(ZHEJIANG))
    assert not await outbox.deliver(node, node.directory.entry(ZHEJIANG))
    assert await watch.look(node) == NOBODY
    assert await watch.look(other) == watch.Awaited(frozenset(), frozenset({JIANGSU}))
    await settling.unpack(other, JIANGSU)
    assert await watch.look(other) == NOBODY
