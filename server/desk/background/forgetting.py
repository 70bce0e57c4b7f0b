"""Forgetting: what has expired is deleted, room by room."""

from datetime import datetime

from server.desk.apart import each_in_turn
from server.node import Node


async def forget_expired(node: Node, hour: datetime) -> int:
    """Delete what expired in the hour of this moment or before, as much as goes at once; how many went.

    A room that raises stops no other.
    """
    gone: dict[str, int] = {}

    async def forget(room: str) -> None:
        gone[room] = await node.store.forget_expired(room, hour)

    await each_in_turn(node.store.expiring, forget)
    return sum(gone.values())
