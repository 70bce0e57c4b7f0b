"""A quiet node, as in a drill: it answers who looks, changes nothing, and speaks to nobody."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from handlers.application import FOR_OPERATORS, Surroundings
from handlers.base import may_be_quiet
from handlers.in_flight import InFlight
from handlers.routes import DOORS
from regions.asking import SignedQuery, ask
from regions.client import PeerFailure
from server import main, working
from server.node import Node
from server.tools.loops import Loops
from server.tools.platform import PlatformUnreachable
from tests.http.conftest import module_wide
from tests.http.paper_making import MakerHere
from tests.nodes import PASSWORD, Caller, Places, data_of
from tests.regions.exchanging import peer_of
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")
# What is answered though it is no GET: it only looks, or lets an officer in and out who only looks.
LOOKING = {
    ("POST", "/api/v1/bundles/{code}/guide"),
    ("POST", "/api/v1/bundles/{code}/coverage"),
    ("POST", "/desk/v1/sessions"),
    ("DELETE", "/desk/v1/sessions/current"),
    ("POST", "/desk/v1/searches"),
    ("POST", "/desk/v1/licence-searches"),
}


@module_wide
async def quiet(places: Places) -> AsyncIterator[tuple[Node, str]]:
    """A quiet process of Jiangsu, which serves beside the one that speaks; where it is reached."""
    before = places.nodes[JIANGSU].node
    async with main.opened(before.settings, data=data_of(before.settings), is_quiet=True) as node:
        in_flight = InFlight()
        server, port = main.listen(node, in_flight, doors=DOORS, port=0, surroundings=Surroundings(is_quiet=True))
        yield node, f"http://127.0.0.1:{port}"
        await main.stop_listening(server, in_flight, 5.0)


class Started(Loops):
    """Loops that are named and do not run."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def start(self, name: str, run: Any, **_: Any) -> None:
        self.names.add(name.partition(":")[0])


def started(node: Node, **choices: Any) -> set[str]:
    loops = Started()
    working.start(node, loops, **choices)
    return loops.names


async def test_the_table_of_loops_names_each_and_those_that_run_quietly_tell_nobody(node: Node):
    assert started(node, maker=MakerHere()) == working.RUNS_QUIET.keys()
    assert started(node) == working.RUNS_QUIET.keys() - {"papers"}
    assert started(node, is_quiet=True) == {"ends", "standing", "directory"}


async def test_what_only_looks_is_answered_and_nothing_else():
    answered = {
        (method, door.path)
        for door in DOORS
        for method in door.operations
        if method != "GET" and may_be_quiet(door, method)
    }
    assert answered == LOOKING
    refused = {door.path for door in DOORS if "GET" in door.operations and not may_be_quiet(door, "GET")}
    of_licences = {
        *("/peer/v1/licences/{identifier}", "/peer/v1/licence-copies/{identifier}"),
        *("/peer/v1/licence-codes", "/peer/v1/licence-requests/{id}"),
    }
    assert refused == {"/peer/v1/materials/{sha256}", "/peer/v1/heads", *of_licences}
    assert all(may_be_quiet(door, "GET") for door in FOR_OPERATORS)


async def test_every_other_door_refuses_before_it_asks_who_comes(places: Places, quiet: tuple[Node, str]):
    caller = Caller(places.http, quiet[1])
    for door in DOORS:
        for method in door.operations:
            if may_be_quiet(door, method):
                continue
            answer = await caller.call(method, door.path.replace("{", "").replace("}", ""))
            assert (answer.status, answer.code) == (503, "node_quiet"), (method, door.path)


async def test_an_officer_signs_in_looks_and_signs_out(places: Places, quiet: tuple[Node, str], health: Caller):
    caller = Caller(places.http, quiet[1])
    admission = await caller.post("/desk/v1/sessions", {"name": "health", "password": PASSWORD})
    assert admission.status == 201
    caller.token = admission.body["access_token"]
    assert (await caller.get("/desk/v1/tasks")).status == 200
    assert (await caller.post("/desk/v1/searches", {"case": "1" * 20})).code != "node_quiet"
    assert (await caller.call("DELETE", "/desk/v1/sessions/current")).status == 204


async def test_a_citizen_with_a_token_sees_and_does_not_hand_in(
    places: Places, quiet: tuple[Node, str], mother: Caller, wish: dict[str, Any]
):
    caller = Caller(places.http, quiet[1], mother.token)
    assert (await caller.get("/api/v1/cases")).status == 200
    assert (await caller.post("/api/v1/cases", wish)).code == "node_quiet"


async def test_it_reaches_neither_another_node_nor_the_platform(quiet: tuple[Node, str]):
    node, _ = quiet
    with pytest.raises(PeerFailure, match="unreachable"):
        await ask(node, peer_of(node), SignedQuery(path="/peer/v1/heads", query={}))
    with pytest.raises(PlatformUnreachable):
        await node.platform.openid("mother")
