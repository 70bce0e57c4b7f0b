"""Relays: what is committed while one is under way goes together in the next, each once and none left out."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from server.desk import relay
from server.desk.relay import CARRIED_AT_ONCE, Relays
from server.domain.errors import Unavailable
from server.tools.logs import log
from tests.http.asking import Sweeper
from tests.nodes import Places, newborn_wish
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")
TOGETHER = 24


@dataclass
class Committed:
    """As much of a record as a relay of this test looks at."""

    id: str
    version: int = 1

    @property
    def name(self) -> str:
        return self.id

    @property
    def head(self) -> Any:
        return SimpleNamespace(version=self.version)


class Carried:
    """A relay that ends when it is told to, and remembers what it was given."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.given: list[Sequence[Any]] = []
        self.fault = fault
        self.may_end = asyncio.Event()

    async def __call__(self, _node: Any, *records: Any) -> None:
        self.given.append(records)
        await self.may_end.wait()
        if self.fault:
            fault, self.fault = self.fault, None
            raise fault


@pytest.fixture
def relays() -> Relays:
    return Relays(SimpleNamespace(log=log))  # type: ignore[arg-type] # a node with nothing but a log


async def carried(relays: Relays, monkeypatch: pytest.MonkeyPatch, carrier: Carried, *records: Committed) -> list[Any]:
    """What goes together, when the records come one by one and the first relay lasts until all are there."""
    monkeypatch.setattr(relay, "relay", carrier)
    tasks = []
    for record in records:
        tasks.append(asyncio.create_task(relays.carry([record])))  # type: ignore[list-item] # as much as is looked at
        await asyncio.sleep(0)
    carrier.may_end.set()
    await asyncio.gather(*tasks)
    return [[(each.id, each.version) for each in some] for some in carrier.given]


async def test_what_comes_meanwhile_goes_together(relays: Relays, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [f"c{number}" for number in range(CARRIED_AT_ONCE + 2)]
    found = await carried(relays, monkeypatch, Carried(), *map(Committed, ids))
    assert [len(each) for each in found] == [1, CARRIED_AT_ONCE, 1]
    assert [id for some in found for id, _ in some] == ids


async def test_of_a_case_the_last_commit_goes_in_whatever_order_they_come(
    relays: Relays, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = (Committed("a"), Committed("b", 3), Committed("b", 2), Committed("c", 1), Committed("c", 2))
    assert await carried(relays, monkeypatch, Carried(), *commits) == [[("a", 1)], [("b", 3), ("c", 2)]]


@pytest.mark.parametrize("fault", [Unavailable(), KeyError("planted")], ids=["busy", "unforeseen"])
async def test_a_relay_that_fails_is_left_to_the_sweep_and_stops_no_other(
    relays: Relays, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    found = await carried(relays, monkeypatch, Carried(fault), Committed("a"), Committed("b"))
    assert found == [[("a", 1)], [("b", 1)]]
    assert await carried(relays, monkeypatch, Carried(), Committed("c")) == [[("c", 1)]]


async def test_submissions_at_once_are_carried_in_few_round_trips(places: Places, database_sweeper: Sweeper) -> None:
    mother, running = await places.citizen(), places.nodes[JIANGSU]
    wish = await newborn_wish(mother)
    before = running.writes.count
    answers = await asyncio.gather(*(mother.post("/api/v1/cases", wish) for _ in range(TOGETHER)))
    await running.in_flight.drain()
    running.in_flight.is_draining = False
    assert {answer.status for answer in answers} == {201}
    assert running.writes.count - before < 4 * TOGETHER, "alone each has eight writes"
    cases = database_sweeper[running.node.settings.database]["cases"]
    assert {each["relay"] for each in cases.find({})} == {"done"}
