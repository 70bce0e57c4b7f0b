"""What a running node keeps in memory, and what it shows of itself."""

import pytest

from tests.nodes import Places
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_catalogue_in_force_is_kept_once(places: Places):
    node = places.nodes[JIANGSU].node
    assert node.catalogue_of(node.catalogue.version) is node.catalogue


async def test_a_node_shows_neither_its_keys_nor_its_catalogue_where_something_prints_it(places: Places):
    assert len(repr(places.nodes[JIANGSU].node)) < 200
