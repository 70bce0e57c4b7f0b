"""Witnessing: a node is told how far another's chains have come, and holds it to that."""

from typing import Any

import pytest

from regions import witnessing
from server.desk.background.case_verifying import verify_cases
from server.desk.background.chaining import chain
from server.desk.background.verifying import silent, verify
from server.domain.chains import ChainHead
from server.node import Node
from tests.regions.exchanging import exchange, write
from tests.regions.test_dead_letters import kept
from tests.regions.test_operating import peers
from tests.world import JIANGSU

HEAD = {"chain": "audit", "number": 7, "hash": "ab" * 32}
Head = dict[str, Any]


async def chained(node: Node, number: int) -> ChainHead:
    """The head of the node's audit after so many more links."""
    for entry in range(number):
        at = node.clock.now()
        await node.store.audit.note(f"test:{number}:{entry}", "audit.read", at=at, about={"by": "test"})
        await chain(node, "audit")
    head, _ = await node.store.audit.chain.last()
    return head


async def told(node: Node) -> dict[tuple[str, str], ChainHead]:
    return await node.store.peers.witnessed([JIANGSU])


async def test_the_heads_of_a_node_are_told_once_a_day(pair: tuple[Node, Node]):
    first = await chained(pair[0], 2)
    for _ in range(2):
        await witnessing.tell(pair[0])
        await exchange(*pair)
    assert await told(pair[1]) == {(JIANGSU, "audit"): first}
    second = await chained(pair[0], 3)
    await witnessing.tell(pair[0])
    await exchange(*pair)
    assert (await told(pair[1]))[JIANGSU, "audit"] == first, "this day it was told"
    pair[0].clock.wait(hours=24)
    await witnessing.tell(pair[0])
    await exchange(*pair)
    assert await told(pair[1]) == {(JIANGSU, "audit"): second}
    assert (await peers(pair[1], "--witnessed")).lines == [f"{JIANGSU} audit {second.number}:{second.hash}"]


async def test_a_chain_is_held_to_what_others_were_told(pair: tuple[Node, Node]):
    head = await chained(pair[0], 2)
    assert (await verify(pair[0], told=[head])).troubles == 0
    for wrong in (replace_hash(head), ChainHead(number=head.number + 1, hash=head.hash)):
        assert (await verify(pair[0], told=[wrong])).troubles == 1
        assert (await verify_cases(pair[0], told=[wrong], tell=silent)).troubles == 1


def replace_hash(head: ChainHead) -> ChainHead:
    return head.model_copy(update={"hash": "0" * 64})


async def test_what_was_told_is_never_taken_back(pair: tuple[Node, Node], capfd: pytest.CaptureFixture[str]):
    for number, (head, kept_as) in enumerate(
        [(HEAD, 7), (HEAD | {"number": 9}, 9), (HEAD | {"number": 8}, 9), (HEAD | {"number": 9, "hash": "cd" * 32}, 9)]
    ):
        await write(pair[0], f"head{number}", kind="head.witnessed", may_ignore=True, body=head)
        await exchange(*pair)
        assert (await told(pair[1]))[JIANGSU, "audit"] == ChainHead(number=kept_as, hash="ab" * 32)
    assert capfd.readouterr().out.count("head.contradicts") == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        HEAD | {"chain": "other"},
        HEAD | {"number": 0},
        HEAD | {"number": "7"},
        HEAD | {"hash": "AB"},
        HEAD | {"x": 1},
    ],
)
async def test_what_is_told_unreadably_is_not_kept_and_stops_nothing(pair: tuple[Node, Node], body: Head):
    await write(pair[0], "broken", kind="head.witnessed", may_ignore=True, body=body)
    good = await write(pair[0], "good")
    await exchange(*pair)
    assert await told(pair[1]) == {}
    assert (await kept(pair[1], good)).state == "settled"


async def test_a_head_that_must_not_be_ignored_is_none(pair: tuple[Node, Node]):
    await write(pair[0], "marked", kind="head.witnessed", body=HEAD)
    await exchange(*pair)
    assert await told(pair[1]) == {}
