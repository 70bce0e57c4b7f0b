"""What Jiangsu has kept of its peers' letters, and what its audit says of what it refused."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from regions import settling
from server.domain.exchange.log import Head
from server.domain.values import moment_text
from tests.http.asking import Sweeper
from tests.http.peer_requests import attempt, hand_in, head_of
from tests.nodes import Places
from tests.world import JIANGSU


@dataclass(frozen=True)
class Books:
    """The database of Jiangsu as it is; `port` is free for one more process of it."""

    places: Places
    sweeper: Sweeper
    port: int

    async def head(self) -> Head:
        """How far the copy of Zhejiang's log has come."""
        return await head_of(self.places)

    async def begin(self) -> None:
        """See to it that there is a batch of Zhejiang."""
        if not (await self.head()).number:
            assert (await hand_in(self.places, (await attempt(self.places)).sent())).status == 200

    async def kept(self) -> set[str]:
        """Every batch and every letter that came, spread as far as it goes."""
        node = self.places.nodes[JIANGSU].node
        for peer in node.directory.peers_of(node.here):
            while await settling.unpack(node, peer.node):
                pass
        database = self.sweeper[node.settings.database]
        return {document["_id"] for name in ("log", "letters_in") for document in database[name].find({}, {"_id": 1})}

    async def refusals(self, code: str = "", *, hour: datetime | None = None) -> list[dict[str, Any]]:
        """The audit's entries of what was refused to peers (by this code, first in this hour)."""
        running = self.places.nodes[JIANGSU]
        await running.in_flight.drain()
        running.in_flight.is_draining = False
        entries = self.sweeper[running.node.settings.database]["audit"].find({"kind": "peer.refused"})
        first = moment_text(hour)[:13] if hour else ""
        return [each for each in entries if each["about"]["code"] in (code or each["about"]["code"])
                and each["at"].startswith(first)]  # fmt: skip

    @asynccontextmanager
    async def unchanged_but_for(self, code: str, *, door: str) -> AsyncIterator[dict[str, str]]:
        """Nothing is kept meanwhile, and one refusal of this code is audited; what it says is there afterwards."""
        kept, before = await self.kept(), await self.refusals()
        audited: dict[str, str] = {}
        yield audited
        assert await self.kept() == kept
        times = {entry["_id"]: entry["times"] for entry in before}
        new = [entry for entry in await self.refusals() if entry["times"] != times.get(entry["_id"], 0)]
        assert [(each["about"]["code"], each["times"] - times.get(each["_id"], 0)) for each in new] == [(code, 1)]
        assert new[0]["about"]["door"] == door
        audited |= new[0]["about"]
