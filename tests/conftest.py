"""The database server of a test run: the one in `TONGBAN_TEST_MONGODB_URI`, else the embedded one, per worker."""

import asyncio
import gc
import os
import sys
import uuid
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pymongo
import pytest
from hypothesis import HealthCheck, settings

from server.demo.database import database_server
from tests.store.servers import OwnServer

MEMORY = Path("/dev/shm")  # noqa: S108 # pytest makes a folder of the user's own in it

# A busy machine is no fault of the code: no deadlines, and the same examples in every run.
settings.register_profile("house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


def pytest_configure() -> None:
    """Put what tests write into memory, where the machine has such a place: no test asks what outlives the machine."""
    if os.access(MEMORY, os.W_OK):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def pytest_collection_finish() -> None:
    """Look no more through what stays for the whole run, tests and data files, in each round of garbage collection."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Let a test that is marked `no_cover` run without a tracer: pytest-cov pauses none in a worker of pytest-xdist."""
    tracer = sys.gettrace()
    if item.get_closest_marker("no_cover"):
        sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)


@pytest.fixture(scope="session")
def database_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of a server that all tests of this worker share."""
    if given := os.environ.get("TONGBAN_TEST_MONGODB_URI"):
        yield given
        return
    with ExitStack() as stack:
        server = database_server(tmp_path_factory.mktemp("database"), None)
        runner = stack.enter_context(asyncio.Runner(loop_factory=asyncio.new_event_loop))
        yield runner.run(server.__aenter__())
        runner.run(server.__aexit__(None, None, None))


@pytest.fixture(scope="session")
def database_sweeper(database_uri: str) -> Iterator[pymongo.MongoClient[dict[str, Any]]]:
    """A client that drops what tests leave behind."""
    with pymongo.MongoClient[dict[str, Any]](database_uri) as client:
        yield client


@pytest.fixture
def database_name(database_sweeper: pymongo.MongoClient[dict[str, Any]]) -> Iterator[str]:
    """The name of an empty database of this test's own, dropped after it."""
    name = f"t{uuid.uuid4().hex[:16]}"
    yield name
    for left in database_sweeper.list_database_names():
        if left.startswith(name):
            database_sweeper.drop_database(left)


@pytest.fixture
async def own_server(tmp_path: Path) -> AsyncIterator[OwnServer]:
    """A server that this test may harm."""
    async with OwnServer(tmp_path / "database") as server:
        yield server
