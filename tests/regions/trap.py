"""A database that raises what nobody foresaw, at one step after the other of whatever handles one thing."""

import inspect
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from server.node import Node
from server.store.database import Query
from server.store.store import open_store

Step = tuple[str, str]


class Planted(Exception):
    """What was planted."""


class Trap:
    """Calls that are about one thing are its steps; when armed, the first step that never raised yet raises."""

    def __init__(self, database: Any) -> None:
        self._database = database
        self._left = 0
        self.needles: Sequence[str] = ()
        self.now: Step | None = None
        self.raised: list[Step] = []
        self.seen: list[Step] = []

    def arm(self, times: int) -> None:
        """The next new step raises so many times: once where things are handled at once, then where each is alone."""
        self._left, self.now = times, None

    def disarm(self) -> None:
        """Nothing raises any more."""
        self._left = 0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._database, name)
        if not inspect.iscoroutinefunction(method):
            return method

        async def call(*said: Any, **more: Any) -> Any:
            where = said[0] if said else ""
            collection = where.collection if isinstance(where, Query) else str(where)
            self.seen.append((name, collection))
            if self._left and collection != "apart" and self._is_about((said, more)):
                self._meet((name, collection))
            return await method(*said, **more)

        return call

    def _is_about(self, said: object) -> bool:
        return any(needle in repr(said) for needle in self.needles)

    def _meet(self, step: Step) -> None:
        if self.now is None and step not in self.raised:
            self.now = step
            self.raised.append(step)
        if step == self.now:
            self._left -= 1
            raise Planted(step)


def trapped(node: Node) -> tuple[Node, Trap]:
    """The same node over a database with a trap."""
    trap = Trap(node.store.database.bare)
    store = open_store(
        trap,  # type: ignore[arg-type]
        node.keys,
        node.settings.data_folder,
        here=node.here,
        relay_due_seconds=node.settings.relay_due_seconds,
    )
    return replace(node, store=store), trap
