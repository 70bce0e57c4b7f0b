"""Pacing: an attempt to sign in waits for its turn, and one that succeeds gives back what it took."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from server.domain.errors import StaleVersion
from server.domain.throttle import (
    OF_ADDRESS,
    OF_FAMILIAR_ADDRESS,
    OF_NAME,
    Lane,
    Pace,
    network_of,
    slot_of,
    too_many,
)
from server.node import Node

Wait = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class Turn:
    """The lanes in which an attempt took a place."""

    name: str
    address: str


async def take_turn(node: Node, name: str, address: str, *, wait: Wait = asyncio.sleep) -> Turn:
    """Take the next place of this name and this address, and wait for its moment; raises TooManyAttempts.

    Nothing depends on whether there is an officer of this name.
    """
    at, network = node.clock.now(), network_of(address)
    by_address, by_name = node.keys.owner("sign_in_from", network), node.keys.owner("sign_in_as", name)
    by_both = node.keys.owner("sign_in", f"{network} {name}")
    lanes = await node.store.attempts.lanes([by_address, by_name, by_both], at=at)
    is_familiar = lanes[by_address].is_familiar(at)
    turn = Turn(by_both if is_familiar else by_name, by_address)
    slot = slot_of([lanes[turn.name], lanes[turn.address]], at)
    slot = await _take(node, turn.name, OF_NAME, at=at, not_before=slot)
    pace = OF_FAMILIAR_ADDRESS if is_familiar else OF_ADDRESS
    slot = await _take(node, turn.address, pace, at=at, not_before=slot)
    if slot > at:
        await wait((slot - at).total_seconds())
    return turn


async def give_back(node: Node, turn: Turn) -> None:
    """The attempt has succeeded: the failures of its name are over, its own place is none, its address is familiar."""
    at = node.clock.now()
    with suppress(StaleVersion):
        await node.store.attempts.change(turn.name, Lane.cleared, at=at)
        await node.store.attempts.change(turn.address, lambda lane: lane.forgiven(at), at=at)


async def _take(node: Node, id: str, pace: Pace, *, at: datetime, not_before: datetime) -> datetime:
    """The moment of the place that was taken in one lane."""
    try:
        lane = await node.store.attempts.change(id, lambda lane: lane.taken(pace, at, not_before=not_before), at=at)
    except StaleVersion:
        raise too_many(1) from None
    return lane.tried_at or not_before
