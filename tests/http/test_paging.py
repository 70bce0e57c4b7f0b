"""Lists that are longer than a page: every entry once, in order, also where several were made at the same moment."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo
import pytest

from tests.http.conftest import module_wide, nodes_of_a_module
from tests.nodes import HERE, Caller, Places, newborn_wish
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")
CASES, AT_ONE_MOMENT = 53, 3


class SlowClock:
    """A clock that goes on by a millisecond after every third case."""

    machine = "tests"

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


@module_wide
async def places(
    tmp_path_factory: pytest.TempPathFactory,
    database_uri: str,
    database_sweeper: pymongo.MongoClient[dict[str, Any]],
) -> AsyncIterator[Places]:
    """One node with a clock of its own."""
    folder, alone = tmp_path_factory.mktemp("nodes"), (JIANGSU,)
    nodes = nodes_of_a_module(folder, database_uri, database_sweeper, divisions=alone, clock=SlowClock())
    async with nodes as places:
        yield places


@module_wide
async def cases(places: Places, stranger: Caller) -> list[str]:
    """The ids of a stranger's many cases, oldest first."""
    clock: Any = places.nodes[JIANGSU].node.clock
    wish = await newborn_wish(stranger) | {"answers": {"household": HERE, "maternity_insurance": "no"}}
    ids = []
    for number in range(CASES):
        if number % AT_ONE_MOMENT == 0:
            clock.at += timedelta(milliseconds=1)
        answer = await stranger.post("/api/v1/cases", wish)
        ids.append(answer.body["id"])
    await places.settle()
    return ids


async def pages(caller: Caller, path: str, cursor: str) -> AsyncIterator[list[dict[str, Any]]]:
    """Page by page, as a client walks a list."""
    after: dict[str, str] = {}
    while True:
        answer = await caller.get(path, params=after)
        assert answer.status == 200
        lines, following = answer.body[path.rpartition("/")[2]], answer.body["next"]
        yield lines
        if following is None:
            return
        after = {cursor: following}


async def test_my_cases_come_newest_first_and_each_once(stranger: Caller, cases: list[str]):
    found = [page async for page in pages(stranger, "/api/v1/cases", "before")]
    assert [len(page) for page in found] == [20, 20, 13]
    lines = [line for page in found for line in page]
    assert sorted(line["id"] for line in lines) == sorted(cases)
    moments = [line["opened_at"] for line in lines]
    assert moments == sorted(moments, reverse=True)
    assert len(set(moments)) == -(-CASES // AT_ONE_MOMENT)


async def test_tasks_come_oldest_first_and_each_once(health: Caller, cases: list[str]):
    found = [page async for page in pages(health, "/desk/v1/tasks", "after")]
    assert [len(page) for page in found] == [50, 3]
    lines = [line for page in found for line in page]
    assert sorted(line["case"] for line in lines) == sorted(cases)
    moments = [line["opened_at"] for line in lines]
    assert moments == sorted(moments)


async def test_nobody_pages_into_another_persons_cases(mother: Caller, stranger: Caller, cases: list[str]):
    for cursor in ("}", "~", "t9999", "|", "t2026-11-23T04:00:00.001Z|z", "\x7f"):
        assert (await mother.get("/api/v1/cases", params={"before": cursor})).body == {"cases": [], "next": None}
    owned = await stranger.get("/api/v1/cases", params={"before": "zzz"})
    assert len(owned.body["cases"]) == 20


async def test_nobody_pages_into_another_authoritys_tasks(insurance: Caller, cases: list[str]):
    for cursor in ("!", "a", "|", "2026-11-23"):
        assert (await insurance.get("/desk/v1/tasks", params={"after": cursor})).body == {"tasks": [], "next": None}
