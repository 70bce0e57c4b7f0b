"""The stories of a demo, each told against two nodes of this process: who acts where, in which order."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pymongo
import pytest
import pytest_asyncio
from aiohttp import web

from server.demo.desks import DemoDesk
from server.demo.people import DemoOfficer
from server.demo.plots import BUNDLE, HOME, OTHER, PLOTS, cast_of
from server.demo.provinces import Demo, Province
from server.demo.story import ApiClient, Desk, Row, Story, StoryFailed
from tests.catalogue.shipped import CATALOGUE
from tests.http.conftest import nodes_of_a_module
from tests.nodes import APP_ID, CITIZENS, COUNTIES, NAMES, PASSWORD, WORKING, Places, desks_of
from tests.world import JIANGSU, ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # of an authenticator
ALONE = [name for name, plot in PLOTS.items() if plot.bundle != BUNDLE]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def places(
    tmp_path_factory: pytest.TempPathFactory,
    database_uri: str,
    database_sweeper: pymongo.MongoClient[dict[str, object]],
) -> AsyncIterator[Places]:
    """Two nodes that serve and work."""
    folder = tmp_path_factory.mktemp("stories")
    async with nodes_of_a_module(folder, database_uri, database_sweeper, is_working=True) as places:
        yield places


async def demo_of(places: Places, department: str, *, secret: str = "") -> Demo:
    """These nodes as a demo, with an officer at all desks of one department of each, who may have an authenticator."""
    provinces = []
    for node in (JIANGSU, ZHEJIANG):
        await places.officer(department, node)
        accounts = places.nodes[node].node.store.accounts
        if secret:
            await places.nodes[node].node.store.second_factors.plant(await accounts.account(department), secret)
        who = {"name": department, "password": PASSWORD, "totp_secret": secret, "roles": WORKING}
        desks = [DemoDesk(id, "") for id in desks_of(places.nodes[node].node, department, COUNTIES[node])]
        seat = DemoOfficer(desks=desks, **who)
        provinces.append(Province(node, NAMES[node], places.nodes[node].base_url, "", (seat,), {}, Path()))
    return Demo(tuple(provinces), "", "", CITIZENS, [], app_id=APP_ID)


def story_of(http: aiohttp.ClientSession, demo: Demo, name: str) -> Story:
    """The story of this name, with the first citizen."""
    return Story(http, demo, PLOTS[name], cast=cast_of(PLOTS[name], CITIZENS[0], JIANGSU))


@pytest.mark.parametrize(("name", "secret"), list(zip(ALONE, ("", "", SECRET), strict=True)))
async def test_a_story_is_told_in_the_order_of_its_plot(places: Places, name: str, secret: str) -> None:
    plot = PLOTS[name]
    demo = await demo_of(places, CATALOGUE.item_of[plot.abroad].department, secret=secret)
    async with aiohttp.ClientSession() as http:
        told = [part async for part in story_of(http, demo, name).tell()]
    rows = [(part.node, part.step, part.act) for part in told if isinstance(part, Row)]
    acted = [((JIANGSU, ZHEJIANG)[place], step, act) for place, step, act in plot.order]
    assert [rows.count(beat) for beat in acted] == [1] * len(acted)
    assert [beat for beat in rows if beat in acted] == acted
    sentences = [part for part in told if isinstance(part, str)]
    assert any("the decision stays with 浙江省" in part for part in sentences) == (name != "online")


async def test_a_story_without_its_officers_says_whom_it_lacks(places: Places) -> None:
    demo = await demo_of(places, "health")
    async with aiohttp.ClientSession() as http:
        with pytest.raises(StoryFailed, match="no officers of 南京市住房公积金管理中心"):
            async for _ in story_of(http, demo, "joint").tell():
                pass


async def test_each_mode_across_provinces_has_a_story_of_a_real_item() -> None:
    for name in ALONE:
        modes = {handling.mode for handling in CATALOGUE.item_of[PLOTS[name].abroad].handling}
        assert modes == {name}
    assert {place for plot in PLOTS.values() for place, _, _ in plot.order} == {HOME, OTHER}
    assert [name for name, plot in PLOTS.items() if plot.has_paper] == ["handover"]


class Moved:
    """A desk at which one task stands open, whose step moves on while the officer looks at it."""

    async def handle(self, request: web.Request) -> web.Response:
        if request.method == "POST":
            return web.json_response({"code": "step_changed"}, status=412)
        if request.path.endswith("/tasks"):
            task = {"case": "c1", "step": "one", "state": "sent", "part": "decide"}
            return web.json_response({"tasks": [task], "next": ""})
        step = {"step": "one", "state": "sent", "version": 1, "papers": [], "part": None}
        return web.json_response({"steps": [{"step": step, "yields_fields": []}]})


async def test_an_officer_whose_step_has_moved_on_looks_again() -> None:
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", Moved().handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as http:
        caller = ApiClient(http, f"http://127.0.0.1:{runner.addresses[0][1]}")
        assert await Desk(caller, PLOTS["newborn"], {}, "out").work(frozenset({"c1"})) is False
    await runner.cleanup()
