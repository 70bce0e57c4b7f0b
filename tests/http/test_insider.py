"""The insider's story: whoever writes to the database without its keys makes the node believe nothing."""

import inspect
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.http.asking import Sweeper, refused
from tests.http.conftest import module_wide, nodes_of_a_module
from tests.http.insider.checks import Way
from tests.http.insider.doors import submit_the_promise_of_the_stranger
from tests.http.insider.founding import set_up
from tests.http.insider.scene import Scene
from tests.http.insider.ways import WAYS
from tests.nodes import HandClock, Places

pytestmark = pytest.mark.asyncio(loop_scope="module")
MONTH_SECONDS = 2_592_000


@module_wide
async def places(
    tmp_path_factory: pytest.TempPathFactory, database_uri: str, database_sweeper: Sweeper, clock: HandClock
) -> AsyncIterator[Places]:
    """Two nodes whose tokens outlive all ways."""
    folder = tmp_path_factory.mktemp("nodes")
    spans = ("access_token_seconds", "desk_session_seconds", "desk_idle_seconds")
    more = dict.fromkeys(spans, MONTH_SECONDS)
    async with nodes_of_a_module(folder, database_uri, database_sweeper, clock=clock, **more) as places:
        yield places


@module_wide
async def scene_of_all(places: Places, database_sweeper: Sweeper, clock: HandClock) -> Scene:
    scene = await set_up(places, database_sweeper)
    for raw in (scene.here, scene.there):
        raw.remember()
    return scene


@pytest.fixture
def scene(scene_of_all: Scene) -> Iterator[Scene]:
    """The scene as it was set up; afterwards everything stands in the databases again as it did."""
    yield scene_of_all
    for raw in (scene_of_all.here, scene_of_all.there):
        raw.restore()


def parameter(way: Way) -> object:
    is_open = pytest.mark.xfail(reason=way.why, strict=True, raises=AssertionError)
    return pytest.param(way, id=way.what, marks=[is_open] if way.becomes == "open" else [])


async def test_with_nothing_written_all_doors_show_what_is_true(scene: Scene):
    assert await scene.audit() == await scene.cases() == set()
    refused(await submit_the_promise_of_the_stranger(scene), 403, "deferral_forbidden")


@pytest.mark.parametrize("way", [parameter(way) for way in WAYS])
async def test_what_was_written_is_refused_or_named(scene: Scene, way: Way):
    written = way.write(scene)
    if inspect.isawaitable(written):
        await written
    await way.check(scene)


async def test_no_gap_is_without_its_reason():
    assert all(bool(way.why) == (way.becomes == "open") for way in WAYS)
    assert len(WAYS) >= 30
