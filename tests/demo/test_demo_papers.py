"""What a demo tells of papers: the decision of the other province once it can be opened, or why there is none."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from server.demo import given
from server.demo.given import papers_told
from server.demo.plots import PLOTS, cast_of
from server.demo.provinces import Demo, Province
from server.demo.story import Story
from tests.nodes import CITIZENS
from tests.world import JIANGSU, ZHEJIANG

pytestmark = pytest.mark.asyncio
PAPER = {
    "id": "ABCDEFGHIJKLMNOP",
    "kind": "granted",
    "step": "joint",
    "title": "办结通知书",
    "number": "某中心准字〔2026〕1号",
    "authority": "某中心",
    "is_made": True,
}


class BothNodes:
    """The doors of both nodes; the file of the paper comes with the third look."""

    def __init__(self) -> None:
        self.ready: dict[str, Any] = {"papers": "made", "papers_lack": []}
        self.papers = [{**PAPER, "step": "home"}, {**PAPER, "kind": "receipt"}, PAPER]
        self.looks = 0

    async def handle(self, request: web.Request) -> web.Response:
        if request.path == "/ready":
            return web.json_response(self.ready)
        if request.path.endswith("/timeline"):
            entries = [{"step": "home", "node": JIANGSU}, {"step": "joint", "node": ZHEJIANG}]
            return web.json_response({"timeline": entries, "papers": self.papers})
        self.looks += 1
        return web.json_response({}, status=200 if self.looks > 2 else 409)


@pytest_asyncio.fixture
async def url() -> AsyncIterator[tuple[BothNodes, str]]:
    nodes, app = BothNodes(), web.Application()
    app.router.add_route("*", "/{tail:.*}", nodes.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield nodes, f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def told(base_url: str, *, work_url: str) -> str:
    """What is told after a story."""
    provinces = tuple(Province(each, each, base_url, work_url, (), {}, Path()) for each in (JIANGSU, ZHEJIANG))
    demo = Demo(provinces, "", "", CITIZENS, [])
    async with aiohttp.ClientSession() as http:
        plot = PLOTS["joint"]
        story = Story(http, demo, plot, cast=cast_of(plot, CITIZENS[0], JIANGSU))
        story.case = "c1"
        return await papers_told(story, provinces)


async def test_the_paper_is_named_once_it_can_be_opened_with_where_it_is_checked(url: tuple[BothNodes, str]) -> None:
    nodes, base_url = url
    sentence = await told(base_url, work_url=base_url)
    assert nodes.looks == 3
    assert f"{PAPER['title']}, {PAPER['number']}" in sentence
    assert f"{base_url}/api/v1/cases/c1/papers/{PAPER['id']}" in sentence
    assert f"{base_url}/check" in sentence


async def test_what_the_machine_lacks_is_told_and_nothing_is_waited_for(url: tuple[BothNodes, str]) -> None:
    nodes, base_url = url
    nodes.ready = {"papers": "waiting", "papers_lack": ["the library libpango-1.0.so.0 is missing"]}
    assert await told(base_url, work_url=base_url) == (
        "Papers wait, for this machine cannot make them: the library libpango-1.0.so.0 is missing."
    )


async def test_a_demo_without_papers_tells_of_none(url: tuple[BothNodes, str]) -> None:
    nodes, base_url = url
    nodes.ready = {"papers": "off", "papers_lack": []}
    assert await told(base_url, work_url=base_url) == await told(base_url, work_url="") == ""


async def test_a_paper_that_does_not_come_is_said_to_be_still_being_made(
    url: tuple[BothNodes, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes, base_url = url
    nodes.papers = [{**PAPER, "is_made": False}]
    monkeypatch.setattr(given, "TRIES", 2)
    assert (await told(base_url, work_url=base_url)).startswith("Papers are still being made")
