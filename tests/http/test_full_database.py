"""The database is full and every write fails: a node starts all the same, answers who looks, and takes nothing."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from server import main
from server.domain.errors import OutcomeUnknown
from server.store.mongo import MongoDatabase
from server.store.queries import QUERIES
from server.tools.settings import Settings
from tests.http.conftest import module_wide
from tests.nodes import ANSWERS, HERE, Caller, Places, Running, newborn_wish, reserved_port, running_node
from tests.store.witness import Witness
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")
WRITES = frozenset({"insert", "insert_many", "replace", "replace_many", "put_newer", "mark", "mark_many", "delete"})


class Full:
    """A database that takes no more: what writes is answered as the server does whose disk is full."""

    def __init__(self, database: MongoDatabase) -> None:
        self._database = database
        self.refused: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return self._refuse(name) if name in WRITES else getattr(self._database, name)

    def _refuse(self, name: str) -> Callable[..., Any]:
        async def refuse(collection: str, *_: Any, **__: Any) -> Any:
            self.refused.append(f"{name} {collection}")
            raise OutcomeUnknown

        return refuse


@module_wide
async def full(alone: Places) -> AsyncIterator[tuple[Running, Full, Witness]]:
    """Jiangsu, started anew when its database had become full."""
    connect, witness, made = main.database_of, Witness(QUERIES), list[Full]()

    def full_database(settings: Settings, listeners: Any = ()) -> Any:
        made.append(Full(connect(settings, [*listeners, witness])))
        return made[0]

    before = alone.nodes[JIANGSU].node
    with pytest.MonkeyPatch.context() as patch, reserved_port() as port:
        patch.setattr(main, "database_of", full_database)
        origin = before.settings.origin
        settings = before.settings.model_copy(update={"port": port})
        async with running_node(settings, before.clock) as running:
            running.base_url = running.base_url.replace(origin, f"http://127.0.0.1:{port}")
            yield running, made[0], witness


def over_there(caller: Caller, running: Running) -> Caller:
    """The same person at the node whose database is full."""
    return Caller(caller.http, running.base_url, caller.token)


async def test_a_start_on_a_database_that_has_all_it_needs_writes_nothing(full: tuple[Running, Full, Witness]) -> None:
    _, database, witness = full
    assert database.refused == []
    assert [name for name in ("createIndexes", "insert", "update", "delete") if witness.named(name)] == []


async def test_what_only_looks_is_answered_and_what_would_change_something_is_503(
    alone: Places, full: tuple[Running, Full, Witness]
) -> None:
    mother = await alone.citizen()
    wish = await newborn_wish(mother) | {"answers": ANSWERS | {"household": HERE}}
    case = await mother.post("/api/v1/cases", wish)
    assert case.status == 201, case.body
    there = over_there(mother, full[0])
    for path in ("/api/v1/bundles", "/api/v1/cases", f"/api/v1/cases/{case.body['id']}", "/ready"):
        assert (await there.get(path)).status == 200, path
    refused = await there.post("/api/v1/cases", wish)
    assert (refused.status, refused.code) == (503, "unavailable")  # nothing of the case was sent
    assert full[1].refused == ["insert number_blocks"]
