"""Papers are made beside the node: they drain, each once and in an unbroken run of numbers, while people hand in."""

import asyncio
import resource
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pymongo
import pytest
import pytest_asyncio

from server import working
from server.desk.background.making_papers import make_papers
from server.desk.health import papers_of
from server.main import loops_of
from server.papering import papers_made
from server.papers.pool import PaperPool
from server.papers.seal_folder import make_stand_in
from tests.http.asking import opened
from tests.http.paper_making import done, giving_papers
from tests.nodes import Caller, Places, newborn_wish, running_nodes
from tests.papers.samples import texts
from tests.world import JIANGSU, ZHEJIANG

NEAR = "birth_certificate"
EACH = 2  # a case that was received and accepted gives two papers
LEAST_SECONDS = 0.05  # of CPU that a paper takes, which the node must not spend


@pytest_asyncio.fixture
async def places(
    tmp_path: Path, database_uri: str, database_sweeper: pymongo.MongoClient[dict[str, Any]]
) -> AsyncIterator[Places]:
    async with giving_papers(tmp_path, database_uri, database_sweeper) as places:
        yield places


def spent_by_children() -> float:
    """The seconds of CPU of all processes that this one has begun and seen the end of."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@pytest.mark.parametrize("number", [4, pytest.param(1000, marks=pytest.mark.soak)])
async def test_papers_drain_beside_a_node_that_goes_on_serving(places: Places, number: int):
    node, seals = places.nodes[JIANGSU].node, places.nodes[JIANGSU].node.settings.seals_folder
    assert seals
    mother, health = await places.citizen("mother"), await places.officer("health")
    wish = await newborn_wish(mother)
    cases = [await opened(places, mother, wish) for _ in range(number // EACH)]
    for case in cases:
        await done(health, case, NEAR, "receive", "accept")
    await places.settle()
    pool, before = PaperPool(texts(), seals), spent_by_children()
    draining = asyncio.create_task(drained(places, pool))
    submitted = 0
    while not draining.done():
        assert (await mother.post("/api/v1/cases", wish)).status == 201
        submitted += 1
        await asyncio.sleep(0.2)
    await draining
    await pool.close()
    given = [paper for case in cases for paper in (await node.store.cases.case(case)).case.given_papers]
    numbers = sorted(paper.file.number for paper in given if paper.file)
    assert (len(given), len(numbers), len(set(numbers))) == (number, number, number)
    for word in "收受":
        mine = {each.rpartition("〕")[2] for each in numbers if f"{word}字" in each}
        assert mine == {f"{place}号" for place in range(1, number // EACH + 1)}
    assert submitted > 0
    assert spent_by_children() - before > number * LEAST_SECONDS


async def drained(places: Places, pool: PaperPool) -> None:
    """All papers that wait are made."""
    while await make_papers(places.nodes[JIANGSU].node, pool):
        pass


async def test_the_process_work_makes_papers_and_says_so(
    tmp_path: Path, database_uri: str, database_name: str, database_sweeper: pymongo.MongoClient[dict[str, Any]]
):
    make_stand_in(tmp_path / "seals", datetime.now(UTC) - timedelta(days=1))
    more = {"divisions": (JIANGSU, ZHEJIANG), "seals_folder": tmp_path / "seals"}
    async with running_nodes(tmp_path, database_uri, database_name, **more) as places:
        node = places.nodes[JIANGSU].node
        async with papers_made(node) as maker, loops_of(node) as loops:
            assert maker
            assert papers_of(node, maker.missing()) == ("made", ())
            working.start(node, loops, maker=maker)
            mother, health = await places.citizen("mother"), await places.officer("health")
            case = await opened(places, mother, await newborn_wish(mother))
            await done(health, case, NEAR, "receive", "accept")
            async with asyncio.timeout(60):
                while not all(each["is_made"] for each in (await timeline(mother, case))["papers"]):
                    await asyncio.sleep(0.2)
        assert len((await timeline(mother, case))["papers"]) == EACH
    for division in (JIANGSU, ZHEJIANG):
        database_sweeper.drop_database(f"{database_name}_{division}")


async def timeline(citizen: Caller, case: str) -> Any:
    return (await citizen.get(f"/api/v1/cases/{case}/timeline")).body
