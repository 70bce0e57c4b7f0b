"""A letter that may be ignored holds nothing up at a node that does not know it, or can do nothing with it."""

from typing import Any

from server.domain.exchange.letters import Letter
from server.node import Node
from tests.regions.exchanging import exchange, kept, sent, write
from tests.world import ZHEJIANG, about_step

NOWHERE = about_step(f"{ZHEJIANG}/none", step="step")
UNKNOWN: dict[str, Any] = {"kind": "step.unheard", "about": NOWHERE, "body": {}}


async def states(pair: tuple[Node, Node], *letters: Letter) -> list[tuple[str, str, str]]:
    """How each stands: at the sender, at the receiver, and the reason there."""
    return [
        ((await sent(pair[0], each)).state, (await kept(pair[1], each)).state, (await kept(pair[1], each)).reason)
        for each in letters
    ]


async def test_what_comes_after_a_courtesy_of_an_unknown_kind_does_not_wait(pair: tuple[Node, Node]) -> None:
    courtesy = await write(pair[0], **UNKNOWN, may_ignore=True)
    pair[0].clock.wait(seconds=1)  # type: ignore[attr-defined]
    next_one = await write(pair[0], "next", after=courtesy.id)
    await exchange(*pair)
    assert await states(pair, courtesy, next_one) == [
        ("logged", "settled", "kind_unknown"),
        ("logged", "settled", ""),
    ]


async def test_what_comes_after_any_other_letter_of_an_unknown_kind_waits(pair: tuple[Node, Node]) -> None:
    letter = await write(pair[0], **UNKNOWN)
    pair[0].clock.wait(seconds=1)  # type: ignore[attr-defined]
    next_one = await write(pair[0], "next", after=letter.id)
    await exchange(*pair)
    assert await states(pair, letter, next_one) == [
        ("logged", "waiting", "kind_unknown"),
        ("logged", "waiting", "waits_on_earlier_letter"),
    ]


async def test_a_courtesy_lets_nothing_pass_a_letter_before_it_that_is_not_settled(pair: tuple[Node, Node]) -> None:
    """All three come in one batch, and the first one cannot be settled."""
    refused = await write(pair[0], kind="step.received", about=NOWHERE, body={})
    courtesy = await write(pair[0], **UNKNOWN, may_ignore=True, after=refused.id)
    next_one = await write(pair[0], "next", kind="step.received", about=NOWHERE, body={}, after=courtesy.id)
    await exchange(*pair)
    assert await states(pair, refused, courtesy, next_one) == [
        ("dead", "attention", "no_such_case"),
        ("logged", "waiting", "waits_on_earlier_letter"),
        ("logged", "waiting", "waits_on_earlier_letter"),
    ]


async def test_no_letter_of_a_known_kind_is_made_a_courtesy_by_its_sender(pair: tuple[Node, Node]) -> None:
    """Else a node could send what the receiver must answer, and never hear that it was refused."""
    letter = await write(pair[0], kind="step.received", about=NOWHERE, body={}, may_ignore=True)
    await exchange(*pair)
    assert await states(pair, letter) == [("dead", "attention", "letter_unreadable")]
    assert (await sent(pair[0], letter)).reason == "letter_unreadable"


async def test_no_courtesy_of_a_known_kind_is_made_binding_by_its_sender(pair: tuple[Node, Node]) -> None:
    letter = await write(pair[0], kind="step.urged", about=NOWHERE, body={})
    await exchange(*pair)
    assert await states(pair, letter) == [("dead", "attention", "letter_unreadable")]


async def test_a_courtesy_about_nothing_is_ignored_too(pair: tuple[Node, Node]) -> None:
    letter = await write(pair[0], kind="head.unheard", body={"x": 1}, may_ignore=True)
    await exchange(*pair)
    assert await states(pair, letter) == [("logged", "settled", "kind_unknown")]
