"""The courier: one batch in flight, no letter twice, no hole, and every failure a state of the peer."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from regions import outbox, settling, watch
from server.desk import relay
from server.domain.exchange.directory import NodeEntry
from server.domain.exchange.log import BEGINNING
from server.domain.values import moment_key
from server.node import Node
from server.store.database import Mark
from tests.nodes import Places, newborn_wish, running_nodes
from tests.world import JIANGSU, ZHEJIANG


@pytest.fixture
async def places(tmp_path: Path, database_uri: str, database_name: str) -> AsyncIterator[Places]:
    async with running_nodes(tmp_path, database_uri, database_name) as running:
        yield running


async def asked_abroad(places: Places, cases: int = 1) -> list[str]:
    """Cases whose household registration waits to be sent to the other province."""
    mother = await places.citizen()
    wish = await newborn_wish(mother)
    officer = await places.officer("health")
    home = places.nodes[JIANGSU]
    made = []
    for _ in range(cases):
        case = (await mother.post("/api/v1/cases", wish)).body["id"]
        await home.in_flight.drain()
        home.in_flight.is_draining = False
        for act in ("receive", "accept", "approve"):
            answer = await officer.post(f"/desk/v1/cases/{case}/steps/birth_certificate/{act}")
            assert answer.status == 200, answer.body
        made.append(case)
    await home.in_flight.drain()
    home.in_flight.is_draining = False
    await relay.sweep(home.node)
    return made


def peer_of(node: Node) -> NodeEntry:
    """The other province as the directory has it."""
    return next(node.directory.peers_of(node.here))


async def batches_of(node: Node, direction: str = "out", *, peer: str = ZHEJIANG) -> list[Any]:
    """All entries of one log, in order."""
    found = await node.store.log(direction, peer).entries(range(1, 50))
    return [found[number] for number in sorted(found)]


async def test_letters_that_gather_go_in_one_batch(places: Places):
    cases = await asked_abroad(places, 3)
    node = places.nodes[JIANGSU].node
    assert await outbox.deliver(node, peer_of(node))
    assert not await outbox.deliver(node, peer_of(node))
    (batch,) = await batches_of(node)
    assert len(batch.letters) == len(cases)
    assert batch.evidence is not None
    assert [entry.hash for entry in await batches_of(places.nodes[ZHEJIANG].node, "in", peer=JIANGSU)] == [batch.hash]


async def test_two_couriers_at_once_put_no_letter_into_two_batches(places: Places):
    node = places.nodes[JIANGSU].node
    for _ in range(5):
        await asked_abroad(places, 1)
        await asyncio.gather(*(outbox.deliver(node, peer_of(node)) for _ in range(4)))
    while await outbox.deliver(node, peer_of(node)):
        pass
    letters = [letter for batch in await batches_of(node) for letter in batch.letters]
    assert len(letters) == len(set(letters)) == 5


async def test_marks_that_a_crash_left_out_are_made_before_the_next_batch(places: Places):
    node = places.nodes[JIANGSU].node
    await asked_abroad(places, 1)
    assert await outbox.deliver(node, peer_of(node))
    (first,) = await batches_of(node)
    letter = (await node.store.letters_out.letter(first.letters[0])).letter
    unmarked = {
        "key": f"unlogged|{ZHEJIANG}|{moment_key(letter.at)}|{letter.id}",
        "state": "unlogged",
        "entry": 0,
        "version": 1,
    }
    await node.store.database.mark("letters_out", Mark(letter.id, unmarked))
    await asked_abroad(places, 1)
    assert await outbox.deliver(node, peer_of(node))
    first, second = await batches_of(node)
    assert len(first.letters) == len(second.letters) == 1
    assert first.letters != second.letters


async def test_a_batch_whose_receipt_was_lost_is_sent_again_and_kept_once(places: Places):
    node, other = places.nodes[JIANGSU].node, places.nodes[ZHEJIANG].node
    await asked_abroad(places, 1)
    assert await outbox.deliver(node, peer_of(node))
    state = await node.store.peers.outbound(ZHEJIANG)
    await node.store.peers.take(ZHEJIANG, state, replace(state, acknowledged=BEGINNING))
    assert await outbox.deliver(node, peer_of(node))
    assert (await node.store.peers.outbound(ZHEJIANG)).acknowledged == (1, 1)
    assert len(await batches_of(other, "in", peer=JIANGSU)) == 1


async def test_a_receiver_that_is_behind_is_sent_again_from_its_head(places: Places):
    node, other = places.nodes[JIANGSU].node, places.nodes[ZHEJIANG].node
    for _ in range(2):
        await asked_abroad(places, 1)
        assert await outbox.deliver(node, peer_of(node))
    ids = [f"in|{JIANGSU}|1:{number:012d}" for number in (1, 2)]
    await other.store.database.delete("log", ids)
    await asked_abroad(places, 1)
    for _ in range(8):
        await forget_pause(node)
        await outbox.deliver(node, peer_of(node))
    ours, theirs = await batches_of(node), await batches_of(other, "in", peer=JIANGSU)
    assert [entry.hash for entry in ours] == [entry.hash for entry in theirs]
    assert len(ours) == 3


async def forget_pause(node: Node) -> None:
    """As if the time to wait had passed."""
    state = await node.store.peers.outbound(ZHEJIANG)
    await node.store.peers.take(ZHEJIANG, state, replace(state, next_attempt_at=None))


ANSWERS = {
    "an unsigned success": (web.Response(status=200, text='{"head":{"stream":1,"number":1,"hash":"0"}}'), "not_signed"),
    "a proxy's refusal": (web.Response(status=403, text="forbidden"), "unsigned_403_unknown"),
    "too large": (web.Response(status=413, text='{"code":"body_too_large"}'), "unsigned_413_body_too_large"),
    "busy": (web.Response(status=503, text="{}", headers={"Retry-After": "900"}), "unsigned_503_unknown"),
    "no JSON": (web.Response(status=500, body=b"\xff\xfe"), "unsigned_500_unknown"),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_every_failure_is_a_state_of_the_peer_and_never_of_a_letter(places: Places, name: str):
    answer, reason = ANSWERS[name]
    node = places.nodes[JIANGSU].node
    await asked_abroad(places, 1)

    async def respond(_: web.Request) -> web.Response:
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers.copy())

    app = web.Application()
    app.router.add_post("/peer/v1/log", respond)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    elsewhere = peer_of(node).model_copy(update={"origin": f"http://127.0.0.1:{port}"})
    assert not await outbox.deliver(node, elsewhere)
    await runner.cleanup()
    state = await node.store.peers.outbound(ZHEJIANG)
    assert (state.failures, state.reason, state.acknowledged) == (1, reason, BEGINNING)
    assert state.next_attempt_at is not None
    assert state.next_attempt_at <= node.clock.now() + timedelta(seconds=node.settings.retry_first_seconds)
    assert not await node.store.letters_out.dead(peer=ZHEJIANG, limit=10)
    await forget_pause(node)
    assert await outbox.deliver(node, peer_of(node))
    assert (await node.store.peers.outbound(ZHEJIANG)).failures == 0


async def test_an_unreachable_peer_is_tried_again_later_and_not_before(places: Places):
    node = places.nodes[JIANGSU].node
    await asked_abroad(places, 1)
    nowhere = peer_of(node).model_copy(update={"origin": "http://127.0.0.1:9"})
    for failures in (1, 2, 3):
        assert not await outbox.deliver(node, nowhere)
        state = await node.store.peers.outbound(ZHEJIANG)
        assert (state.failures, state.reason) == (failures, "unreachable")
        longest = node.settings.retry_first_seconds * 2 ** (failures - 1)
        assert state.next_attempt_at is not None
        assert (state.next_attempt_at - node.clock.now()).total_seconds() <= longest
        soon = node.clock.now() + timedelta(minutes=9)
        await node.store.peers.take(ZHEJIANG, state, replace(state, next_attempt_at=soon))
        assert not await outbox.deliver(node, nowhere)
        assert (await node.store.peers.outbound(ZHEJIANG)).failures == failures
        await forget_pause(node)


async def test_a_way_whose_next_attempt_lies_beyond_every_wait_is_tried_now(places: Places):
    node = places.nodes[JIANGSU].node
    await asked_abroad(places, 1)
    nowhere = peer_of(node).model_copy(update={"origin": "http://127.0.0.1:9"})
    assert not await outbox.deliver(node, nowhere)
    state = await node.store.peers.outbound(ZHEJIANG)
    lost = replace(state, next_attempt_at=node.clock.now().replace(year=2126))
    await node.store.peers.take(ZHEJIANG, state, lost)
    assert (await watch.look(node)).couriers == {ZHEJIANG}
    assert await outbox.deliver(node, peer_of(node))
    assert (await node.store.peers.outbound(ZHEJIANG)).failures == 0


async def test_a_batch_promises_no_more_than_is_certain(places: Places):
    node = places.nodes[JIANGSU].node
    await asked_abroad(places, 1)
    await outbox.deliver(node, peer_of(node))
    (batch,) = await batches_of(node)
    (letter,) = await node.store.letters_out.written(batch.letters)
    assert batch.batch.complete_to <= node.clock.now() - outbox.BEHIND
    assert batch.batch.complete_to < letter.at


async def test_a_letter_waits_for_the_one_before_it(places: Places):
    home, other = places.nodes[JIANGSU].node, places.nodes[ZHEJIANG].node
    (case,) = await asked_abroad(places, 1)
    mother = await places.citizen()
    await mother.post(f"/api/v1/cases/{case}/withdrawal")
    await places.nodes[JIANGSU].in_flight.drain()
    while await outbox.deliver(home, peer_of(home)):
        pass
    while await settling.unpack(other, JIANGSU):
        pass
    asked, withdrawal = await other.store.letters_in.due(other.clock.now(), limit=10)
    assert withdrawal.letter.after == asked.letter.id
    await other.store.letters_in.postpone(asked, until=other.clock.now() + timedelta(hours=1), reason="test")
    await settling.settle(other)
    kept = (await other.store.letters_in.kept([withdrawal.letter.unique_id]))[withdrawal.letter.unique_id]
    assert (kept.state, kept.reason) == ("waiting", "waits_on_earlier_letter")
    first = (await other.store.letters_in.kept([asked.letter.unique_id]))[asked.letter.unique_id]
    for each in (first, kept):
        await other.store.letters_in.postpone(each, until=other.clock.now(), reason="")
    await settling.settle(other)
    record = await other.store.cases.case(f"{JIANGSU}:{case}")
    assert record.case.step("household_registration").state == "withdrawn"


async def test_without_a_trusted_clock_no_new_batch_vouches_for_a_time_and_one_in_the_log_still_goes(places: Places):
    node = places.nodes[JIANGSU].node
    await asked_abroad(places)
    assert not await outbox.deliver(node, peer_of(node), may_vouch=False)
    assert await batches_of(node) == []
    peer = peer_of(node).model_copy(update={"origin": "http://127.0.0.1:1"})
    assert not await outbox.deliver(node, peer)
    (batch,) = await batches_of(node)
    assert batch.evidence is None
    await asked_abroad(places)
    await node.store.peers.change(ZHEJIANG, lambda state: replace(state, failures=0, next_attempt_at=None))
    assert await outbox.deliver(node, peer_of(node), may_vouch=False)
    assert not await outbox.deliver(node, peer_of(node), may_vouch=False)
    assert [each.hash for each in await batches_of(node)] == [batch.hash]
    assert await outbox.deliver(node, peer_of(node))
    assert len(await batches_of(node)) == 2, "nothing was lost"
