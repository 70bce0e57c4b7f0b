"""Two provinces with a flow of cases between them, for a program or a test that then does them harm."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pymongo

from server.demo.proxy import Mode
from server.domain.exchange.log import own_id
from server.node import Node
from tests.faults.books import Client, alarms_of, check_logs, is_quiet
from tests.faults.flow import Flow, flowing
from tests.faults.lives import Desks
from tests.faults.provinces import Launch, Province, provinces
from tests.faults.reckoning import Reckoning, reckon
from tests.nodes import until

PATIENCE_SECONDS = 3600.0
NODE_DEFAULTS = {
    "poll_seconds": 0.5,
    "relay_due_seconds": 5.0,
    "retry_first_seconds": 1.0,
    "retry_most_seconds": 600.0,
}
Say = Callable[[str], None]


@dataclass(frozen=True)
class Ground:
    """Both provinces, what is stored of them (`client` answers a database by its name), and the flow between them."""

    provinces: Sequence[Province]
    nodes: Sequence[Node]
    client: Mapping[str, Any]
    flow: Flow

    async def switch(self, mode: Mode, **how: Any) -> None:
        """Change the wire in both directions."""
        for province in self.provinces:
            await province.wire.switch(mode, **how)

    async def waiting(self) -> dict[str, set[str]]:
        """The letters that are written and not yet settled at the other node, by the node they are for."""
        left = {}
        for sender, receiver in zip(self.nodes, reversed(self.nodes), strict=True):
            written = _ids(self.client, sender, "letters_out")
            left[receiver.here] = written - _ids(self.client, receiver, "letters_in", state="settled")
        return left

    async def are_settled(self, letters: dict[str, set[str]]) -> bool:
        """Whether all of these are settled by now."""
        return all(
            not letters[node.here] - _ids(self.client, node, "letters_in", state="settled") for node in self.nodes
        )

    async def goes_on(self, *, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until one more case has gone there and was decided, in each direction."""
        wanted = [len(way.cases) + 1 for way in self.flow.ways]
        for way, count in zip(self.flow.ways, wanted, strict=True):
            await until(partial(way.has_decided, count), seconds=seconds)

    async def end(self, *, seconds: float = PATIENCE_SECONDS) -> Reckoning:
        """End the flow, wait until everything is decided and told, and read the books of both nodes."""
        await self.flow.end()
        await until(self.flow.all_decided, seconds=seconds)
        await until(partial(is_quiet, self.client, *self.nodes), seconds=seconds)
        first, second = self.nodes
        await check_logs(self.client, first, second)
        await check_logs(self.client, second, first)
        cases = dict(zip((node.here for node in self.nodes), self.flow.cases, strict=True))
        alarms = await alarms_of(*self.nodes)
        for alarm in alarms:
            say(alarm)
        return replace(reckon(self.client, self.nodes, cases), alarms=len(alarms))


@asynccontextmanager
async def ground(
    folder: Path, database_uri: str, *, launch: Launch, a_second: float = 1.0, **settings: Any
) -> AsyncIterator[Ground]:
    """All of it, running."""
    async with AsyncExitStack() as stack:
        both = await stack.enter_async_context(provinces(folder, database_uri, launch=launch, **settings))
        await asyncio.gather(*(province.start("serve", "work") for province in both))
        nodes = [await stack.enter_async_context(province.opened()) for province in both]
        client = {node.settings.database: _database(stack, node) for node in nodes}
        home, peer = both
        desks = [await Desks.manned(*pair, patience_seconds=PATIENCE_SECONDS) for pair in ((home, peer), (peer, home))]
        flow = await stack.enter_async_context(flowing(*desks, a_second=a_second))
        yield Ground(both, nodes, client, flow)


async def with_progress(work: Awaitable[Any], say: Say, told: Callable[[], str], *, every_seconds: float = 10.0) -> Any:
    """What the work answers; now and then it is said how far it is."""

    async def tell() -> None:
        while True:
            await asyncio.sleep(every_seconds)
            say(told())

    telling = asyncio.create_task(tell())
    try:
        return await work
    finally:
        telling.cancel()


def say(sentence: str) -> None:
    """Tell the person at the terminal what is waited for."""
    sys.stderr.write(sentence + "\n")


def _database(stack: AsyncExitStack, node: Node) -> Any:
    client: Client = stack.enter_context(pymongo.MongoClient(node.settings.mongodb_uri))
    return client[node.settings.database]


def _ids(client: Mapping[str, Any], node: Node, collection: str, **wanted: str) -> set[str]:
    found = client[node.settings.database][collection].find(wanted, {"_id": 1})
    return {own_id(document["_id"]) for document in found}
