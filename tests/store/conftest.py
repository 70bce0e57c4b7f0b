"""A database that is watched: after each test, all it was asked must have been portable."""

from collections.abc import AsyncIterator

import pytest

from server.store.mongo import MongoDatabase
from server.store.queries import QUERIES
from tests.store.witness import Witness


@pytest.fixture
def witness() -> Witness:
    """What the test's database was asked."""
    return Witness(QUERIES)


@pytest.fixture
async def database(database_uri: str, database_name: str, witness: Witness) -> AsyncIterator[MongoDatabase]:
    """An empty database with its indexes declared."""
    database = MongoDatabase.connect(
        database_uri, database_name, queries=QUERIES, timeout_seconds=20.0, listeners=[witness]
    )
    await database.prepare()
    yield database
    await database.close()
    assert witness.faults == []
