"""What an answer asks us to wait or to believe: it counts if the peer signed it, and within the bounds of ours."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from regions import outbox
from regions.asking import PeerRefused, SignedQuery, ask
from regions.client import PeerFailure
from regions.retrying import wait_after
from server.crypto.receipts import Answer, sign_answer
from server.crypto.signatures import RequestReference
from server.domain.exchange.log import Outbound
from server.domain.exchange.wire import WireAnswer, WireRequest
from server.node import Node
from tests.nodes import HandClock, Places, running_nodes
from tests.regions.exchanging import node_of, peer_of, with_wire, write
from tests.world import ZHEJIANG

PROBLEM = "application/problem+json"
CENTURIES = ("4000000000", "9" * 400)
QUESTION = SignedQuery("/peer/v1/heads", {"way": "in"})


@dataclass
class Stranger:
    """Something in between that answers in the peer's place, and signs nothing."""

    status: int
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    async def send(self, request: WireRequest) -> WireAnswer:
        return WireAnswer(self.status, self.headers, orjson.dumps(self.body))


@dataclass
class Signer:
    """The peer, which signs what stands here, whatever it is asked."""

    peer: Node
    status: int
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    async def send(self, request: WireRequest) -> WireAnswer:
        told = {name.lower(): value for name, value in request.headers.items()}
        signature = told["signature"].partition("=")[2]
        asked = RequestReference(signature, told.get("content-digest", ""), told.get("exchange-root", ""))
        answer = Answer(self.status, PROBLEM, orjson.dumps(self.body))
        keys, at = self.peer.keys, self.peer.clock.now()
        made = sign_answer(keys.signing, answer, request=asked, at=at, nonce="n" * 22)
        return WireAnswer(self.status, {**made.headers, **self.headers}, answer.body)


@pytest.fixture
async def places(tmp_path: Path, database_uri: str, database_name: str) -> AsyncIterator[Places]:
    async with running_nodes(tmp_path, database_uri, database_name, clock=HandClock()) as running:
        yield running


async def after_attempt(node: Node, wire: Any) -> Outbound:
    """How a way that was whole stands after one attempt over this wire, which failed."""
    await write(node)
    await node.store.peers.take(ZHEJIANG, await node.store.peers.outbound(ZHEJIANG), Outbound())
    assert not await outbox.deliver(with_wire(node, wire), peer_of(node))
    state = await node.store.peers.outbound(ZHEJIANG)
    assert state.failures == 1
    return state


async def test_an_unsigned_answer_cannot_make_us_wait(places: Places):
    node = node_of(places)
    for asked in ("30", *CENTURIES):
        state = await after_attempt(node, Stranger(503, headers={"Retry-After": asked}))
        assert state.reason == "unsigned_503_unknown"
        assert state.next_attempt_at is not None
        assert state.next_attempt_at <= node.clock.now() + timedelta(seconds=node.settings.retry_first_seconds)


async def test_a_signed_answer_makes_us_wait_as_long_as_it_asks(places: Places):
    node = node_of(places)
    busy = Signer(node_of(places, ZHEJIANG), 503, {"code": "unavailable"}, {"Retry-After": "30"})
    state = await after_attempt(node, busy)
    assert (state.reason, state.next_attempt_at) == ("unavailable", node.clock.now() + timedelta(seconds=30))


async def test_a_signed_answer_makes_us_wait_no_longer_than_we_ever_do(places: Places):
    node = node_of(places)
    for asked in ("601", *CENTURIES):
        busy = Signer(node_of(places, ZHEJIANG), 503, {"code": "unavailable"}, {"Retry-After": asked})
        state = await after_attempt(node, busy)
        assert state.next_attempt_at == node.clock.now() + timedelta(seconds=node.settings.retry_most_seconds)


async def test_an_unsigned_answer_to_a_question_cannot_make_us_wait(places: Places):
    node = node_of(places)
    for asked in ("30", *CENTURIES):
        with pytest.raises(PeerFailure) as failure:
            await ask(with_wire(node, Stranger(503, headers={"Retry-After": asked})), peer_of(node), QUESTION)
        assert wait_after(node, failure.value)(0) <= node.settings.retry_first_seconds


async def test_a_signed_answer_to_a_question_makes_us_wait_within_the_bound(places: Places):
    node = node_of(places)
    for asked, seconds in [("30", 30), *((each, node.settings.retry_most_seconds) for each in CENTURIES)]:
        busy = Signer(node_of(places, ZHEJIANG), 503, {"code": "unavailable"}, {"Retry-After": asked})
        with pytest.raises(PeerRefused) as failure:
            await ask(with_wire(node, busy), peer_of(node), QUESTION)
        assert wait_after(node, failure.value)(0) == seconds


async def test_a_difference_of_clocks_that_is_none_is_a_failure_like_any_other(places: Places):
    for seconds in (2**63, -(2**63), 1e308, 1.5, "9" * 30, True, None, [1]):
        state = await after_attempt(node_of(places), Stranger(401, {"code": "clock_skew", "seconds": seconds}))
        assert (state.reason, state.skew_seconds) == ("unsigned_401_clock_skew", 0), seconds


async def test_a_difference_of_clocks_is_kept_with_the_machine_whose_clock_it_is_about(places: Places):
    node = node_of(places)
    state = await after_attempt(node, Stranger(401, {"code": "clock_skew", "seconds": 400}))
    assert (state.skew_seconds, state.skew_by) == (-400, node.clock.machine)
    state = await after_attempt(node, Stranger(502, {"code": "bad_gateway"}))
    assert (state.skew_seconds, state.skew_by) == (0, "")


HEAD = {"stream": 1, "number": 0, "hash": "0" * 64}
NO_HEADS = [
    {"stream": 2**63},
    {"stream": 1e308},
    {"stream": -1},
    {"stream": True},
    {"number": 2**53},
    {"number": "1"},
    {"hash": "0" * 65},
    {"hash": None},
]


async def test_a_head_that_is_none_is_a_failure_like_any_other(places: Places):
    for wrong in NO_HEADS:
        body = {"code": "log_gap", "head": HEAD | wrong}
        state = await after_attempt(node_of(places), Signer(node_of(places, ZHEJIANG), 409, body))
        assert (state.reason, state.stopped, state.theirs) == ("log_gap", "", None), wrong


async def test_a_receipt_without_a_head_is_no_receipt(places: Places):
    for wrong in NO_HEADS:
        signer = Signer(node_of(places, ZHEJIANG), 200, {"head": HEAD | wrong})
        assert (await after_attempt(node_of(places), signer)).reason == "answer_unreadable", wrong
