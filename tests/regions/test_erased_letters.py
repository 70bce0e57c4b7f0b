"""Erased letters between nodes: what is not known any more is sent to nobody, and is no fault of what is stored."""

from dataclasses import replace

from regions import apart, letters
from server.domain.exchange.letters import About
from server.domain.exchange.log import BEGINNING
from server.node import Node
from tests.regions.exchanging import entries_of, peer_of, send, settle, write
from tests.world import JIANGSU

NAME = f"{JIANGSU}/case1"


async def test_a_peer_that_has_lost_an_erased_letter_does_not_get_it_again(pair: tuple[Node, Node]):
    home, _ = pair
    await write(home, about=About(kind="case", name=NAME, part=None))
    await send(home)
    await home.store.letters_about.erase(NAME, at=home.clock.now())
    peer = peer_of(home).node
    lost = await home.store.peers.change(peer, lambda state: replace(state, acknowledged=BEGINNING))
    await send(home)
    state = await home.store.peers.outbound(peer)
    assert (state.reason, state.failures, state.acknowledged) == ("letter_erased", lost.failures + 1, BEGINNING)
    assert await apart.listed(home, limit=9) == []


async def test_a_batch_that_is_unpacked_again_meets_its_erased_letters(pair: tuple[Node, Node]):
    home, there = pair
    sent = await write(home, about=About(kind="case", name=NAME, part=None))
    await send(home)
    await settle(there)
    before = await letters.shown(there, sent.id)
    [entry] = await entries_of(there, "in")
    await there.store.letters_about.erase(NAME, at=there.clock.now())
    place = {"sender": home.here, "at": there.clock.now(), "position": entry.position}
    assert await there.store.letters_in.keep(entry.letters, **place) == []
    await there.store.log("in", home.here).erase_about([entry.position], NAME, at=there.clock.now())
    [erased] = await entries_of(there, "in")
    assert await there.store.letters_in.keep(erased.letters, **place) == []
    assert [each.state for each in await letters.shown(there, sent.id)] == [each.state for each in before]
    assert (erased.hash, erased.evidence) == (entry.hash, entry.evidence)
