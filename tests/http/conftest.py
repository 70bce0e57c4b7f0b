"""Two nodes, their citizens and officers, for all tests of one module; no test disturbs another's cases."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pymongo
import pytest
import pytest_asyncio

from server.node import Node
from server.papers.availability import missing
from tests.http import peer_questions
from tests.http.peer_books import Books
from tests.nodes import Caller, HandClock, Places, newborn_wish, reserved_port, running_nodes
from tests.world import GUANGDONG, JIANGSU, ZHEJIANG

NEEDS_PAPERS = ["test_paper_drain.py", "test_sealed_papers.py", "test_signing_leases.py"]
collect_ignore = NEEDS_PAPERS if missing() else []  # tests/papers says what is missing
module_wide = pytest_asyncio.fixture(scope="module", loop_scope="module")


@asynccontextmanager
async def nodes_of_a_module(
    folder: Path, database_uri: str, sweeper: pymongo.MongoClient[dict[str, Any]], **more: Any
) -> AsyncIterator[Places]:
    """Nodes with databases of their own, which are dropped after them."""
    name = f"t{uuid.uuid4().hex[:16]}"
    async with running_nodes(folder, database_uri, name, **more) as places:
        yield places
    for division in places.nodes:
        sweeper.drop_database(f"{name}_{division}")


@module_wide
async def clock() -> HandClock:
    """A Monday, until a test moves on; for nodes that a module starts under it."""
    return HandClock()


@module_wide
async def places(
    tmp_path_factory: pytest.TempPathFactory,
    database_uri: str,
    database_sweeper: pymongo.MongoClient[dict[str, Any]],
) -> AsyncIterator[Places]:
    """Jiangsu and Zhejiang, serving; what follows an answer is carried when a test settles."""
    async with nodes_of_a_module(tmp_path_factory.mktemp("nodes"), database_uri, database_sweeper) as places:
        yield places


@module_wide
async def alone(
    tmp_path_factory: pytest.TempPathFactory,
    database_uri: str,
    database_sweeper: pymongo.MongoClient[dict[str, Any]],
    clock: HandClock,
) -> AsyncIterator[Places]:
    """Jiangsu alone, under a clock that the tests hold."""
    folder, more = tmp_path_factory.mktemp("alone"), {"divisions": (JIANGSU,), "clock": clock}
    async with nodes_of_a_module(folder, database_uri, database_sweeper, **more) as places:
        yield places


@module_wide
async def three(
    tmp_path_factory: pytest.TempPathFactory,
    database_uri: str,
    database_sweeper: pymongo.MongoClient[dict[str, Any]],
    clock: HandClock,
) -> AsyncIterator[Places]:
    """Jiangsu, Zhejiang and Guangdong under one clock; nothing is carried before a test settles."""
    folder, divisions = tmp_path_factory.mktemp("three"), (JIANGSU, ZHEJIANG, GUANGDONG)
    async with nodes_of_a_module(folder, database_uri, database_sweeper, divisions=divisions, clock=clock) as places:
        yield places


@module_wide
async def books(three: Places, database_sweeper: pymongo.MongoClient[dict[str, Any]]) -> AsyncIterator[Books]:
    """What Jiangsu keeps of its peers' letters, and of what it refused."""
    with reserved_port() as port:
        yield Books(three, database_sweeper, port)


@pytest.fixture
def node(places: Places) -> Node:
    """The node of Jiangsu, of the places that a module or a test has."""
    return places.nodes[JIANGSU].node


@pytest.fixture
def audit(database_sweeper: pymongo.MongoClient[dict[str, Any]]) -> peer_questions.Books:
    """The audit entries of all nodes."""
    return peer_questions.Books(database_sweeper)


@module_wide
async def mother(places: Places) -> Caller:
    """A citizen of Jiangsu with a proven name."""
    return await places.citizen("mother")


@module_wide
async def stranger(places: Places) -> Caller:
    """Another one."""
    return await places.citizen("stranger")


@module_wide
async def wish(mother: Caller) -> dict[str, Any]:
    """What the mother hands in: complete, with one step that Zhejiang decides."""
    return await newborn_wish(mother)


@module_wide
async def health(places: Places) -> Caller:
    """An officer of Jiangsu whose department decides the first step."""
    return await places.officer("health")


@module_wide
async def insurance(places: Places) -> Caller:
    """An officer of Jiangsu of another department."""
    return await places.officer("medical_insurance_bureau")


@module_wide
async def police(places: Places) -> Caller:
    """An officer of Zhejiang whose department decides the household registration."""
    return await places.officer("public_security", ZHEJIANG)
