"""What one submission, act and read cost a node in commands to its database and in bytes of the case: exact, no clock.

python -m tests.costs

prints one JSON object. To compare with an earlier commit, copy this file into a checkout of it and run it there.
"""

import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import bson
import pymongo
import pytest
from pymongo.monitoring import CommandStartedEvent

from server.demo.database import database_server
from tests import nodes
from tests.http.asking import act
from tests.nodes import JIANGSU, PNG, Caller, Places, newborn_wish, running_nodes

FIRST = "birth_certificate"
CASES = 3
Costs = dict[str, float]


class Commands(nodes.Writes):
    """Counts every command that a node sends."""

    commands = 0

    def started(self, event: CommandStartedEvent) -> None:
        super().started(event)
        self.commands += event.command_name not in ("hello", "ping", "endSessions")


class Measuring:
    """One node of two, a citizen and an officer."""

    def __init__(self, places: Places, cases: Any, *, mother: Caller, health: Caller) -> None:
        self._places = places
        self._cases = cases
        self._mother = mother
        self._health = health

    async def case(self, wish: dict[str, Any]) -> Costs:
        """What one case costs until its first step is approved, and what looks at it and other requests do then."""
        costs, mother, health = Costs(), self._mother, self._health
        answer = await self._counted(costs, "submission", lambda: mother.post("/api/v1/cases", wish))
        case = answer.body["id"]
        await self._places.settle()
        costs["bytes after the submission"] = self._bytes(case)
        for name in ("receive", "accept", "approve"):
            await self._counted(costs, name, lambda name=name: health.post(act(case, FIRST, name)))
            await self._places.settle()
        costs["bytes after the acts"] = self._bytes(case)
        asked = {name: wish[name] for name in ("answers", "division")}
        draft = {"bundle": "newborn", **asked}
        looks = {
            "bundle": lambda: mother.get("/api/v1/bundles/newborn"),
            "guide": lambda: mother.post("/api/v1/bundles/newborn/guide", asked),
            "upload": lambda: mother.upload(PNG + case.encode()),
            "draft": lambda: mother.call("PUT", f"/api/v1/drafts/{case[:20]}", json=draft),
            "my cases": lambda: mother.get("/api/v1/cases"),
            "one case": lambda: mother.get(f"/api/v1/cases/{case}"),
            "timeline": lambda: mother.get(f"/api/v1/cases/{case}/timeline"),
            "worklist": lambda: health.get("/desk/v1/tasks"),
            "case at the desk": lambda: health.get(f"/desk/v1/cases/{case}"),
        }
        for name, look in looks.items():
            await self._counted(costs, name, look)
        return costs

    async def _counted(self, costs: Costs, name: str, ask: Callable[[], Awaitable[nodes.Answer]]) -> nodes.Answer:
        """The answer; what is sent after it, to carry what follows, counts too."""
        running = self._places.nodes[JIANGSU]
        before = running.writes.commands  # type: ignore[attr-defined]
        answer = await ask()
        assert answer.status in (200, 201), answer.body
        await running.in_flight.drain()
        running.in_flight.is_draining = False
        costs[name] = running.writes.commands - before  # type: ignore[attr-defined]
        return answer

    def _bytes(self, case: str) -> int:
        return len(bson.encode(self._cases.find_one({"_id": case})))


async def measure(folder: Path, uri: str, database: str, *, seals_folder: Path | None = None) -> Costs:
    """The medians of some cases; the databases are called after this name. With seals the acts ask for papers."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(nodes, "Writes", Commands)
        return await _measured(folder, uri, database, seals_folder)


async def _measured(folder: Path, uri: str, database: str, seals_folder: Path | None) -> Costs:
    async with running_nodes(folder, uri, database, seals_folder=seals_folder) as places:
        mother, health = await places.citizen(), await places.officer("health")
        client = pymongo.MongoClient[dict[str, Any]](uri)
        cases = client[places.nodes[JIANGSU].node.settings.database]["cases"]
        measuring, wish = Measuring(places, cases, mother=mother, health=health), await newborn_wish(mother)
        found = [await measuring.case(wish) for _ in range(CASES)]
        client.close()
    return {name: statistics.median(each[name] for each in found) for name in found[0]}


async def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as name:
        async with database_server(Path(name) / "database", None) as uri:
            costs = await measure(Path(name) / "nodes", uri, "costs")
    sys.stdout.write(json.dumps(costs) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
