"""Operators: who looks at a node now and then, lets a stopped way go on, and sees to letters that came back."""

from collections.abc import Awaitable, Callable
from functools import partial

from regions import letters, outbox
from server.domain.errors import Refusal
from server.node import Node
from tests.simulation.places import Place
from tests.simulation.scheduler import Owner
from tests.simulation.world import World

LOOKS_EVERY = (120.0, 900.0)


class Operator:
    """The operator of one place: replays a dead letter once, and annuls it if it comes back again."""

    def __init__(self, world: World, place: Place, owner: Owner) -> None:
        self._world = world
        self._place = place
        self._replayed: set[str] = set()
        world.scheduler.start(self._work(), owner, f"operator of {place.here}")

    async def _work(self) -> None:
        while True:
            await self._world.scheduler.sleep(self._world.chance.uniform(*LOOKS_EVERY))
            for peer in self._place.nodes:
                state = self._place.disk.get("peers", f"out:{peer}")
                if state and state["stopped"]:
                    await self._try("open_stream", partial(_open_stream, peer))
            for letter in self._place.disk.all("letters_out"):
                if letter["state"] == "dead":
                    await self._see_to(letter["_id"])

    async def _see_to(self, id: str) -> None:
        if id not in self._replayed and self._world.chance.random() < 0.5:
            await self._try("replay", partial(_replay, id))
        else:
            await self._try("annul", partial(_annul, id))
        self._replayed.add(id)

    async def _try(self, what: str, do: Callable[[Node], Awaitable[None]]) -> None:
        """Whatever goes wrong is seen with the next look."""
        try:
            await self._place.ask(do)
        except Refusal as refusal:
            self._world.note(self._place.here, "operator.refused", {"what": what, "code": refusal.code})
        else:
            self._world.note(self._place.here, "operator.did", {"what": what})


async def _open_stream(peer: str, node: Node) -> None:
    await outbox.open_stream(node, peer, by="operator-1")


async def _replay(id: str, node: Node) -> None:
    await letters.replay(node, id, by="operator-1")


async def _annul(id: str, node: Node) -> None:
    await letters.annul(node, id, by="operator-1")
