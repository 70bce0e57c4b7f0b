"""Two provinces for one test, without letters or cases, under a clock that the test holds."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.node import Node
from tests.nodes import HandClock, Places, running_nodes
from tests.regions.exchanging import node_of
from tests.world import ZHEJIANG


@pytest.fixture
def clock() -> HandClock:
    """A Monday at noon, until the test moves on."""
    return HandClock()


@pytest.fixture
def relays_at_once() -> bool:
    """Whether what follows a commit is carried after the answer; else only when a test sweeps."""
    return True


@pytest.fixture
async def places(
    tmp_path: Path, database_uri: str, database_name: str, clock: HandClock, relays_at_once: bool
) -> AsyncIterator[Places]:
    """Jiangsu and Zhejiang, serving."""
    more = {"relay_at_once": relays_at_once}
    async with running_nodes(tmp_path, database_uri, database_name, clock=clock, **more) as running:
        yield running


@pytest.fixture
def pair(places: Places) -> tuple[Node, Node]:
    """Jiangsu and Zhejiang: the one from which letters go, and the one to which they come."""
    return node_of(places), node_of(places, ZHEJIANG)
