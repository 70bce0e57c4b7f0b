"""A changed calendar moves the dates of all open steps, page by page and once; drafts are reminded of once."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pymongo
import pytest

from server.desk.background import counting
from server.desk.background.clockwork import tick
from server.desk.background.reminding import remind_of_drafts
from server.desk.background.reprojecting import reproject
from server.domain.time.calendar import Calendar, Holiday
from server.node import Node
from tests.http.asking import opened
from tests.nodes import HERE, HandClock, Places, newborn_wish, running_nodes
from tests.world import JIANGSU, MONDAY

FIRST, PLACE = "birth_certificate", "provider/health/320102"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def places(tmp_path: Path, database_uri: str, database_name: str, clock: HandClock) -> AsyncIterator[Places]:
    async with running_nodes(tmp_path, database_uri, database_name, divisions=(JIANGSU,), clock=clock) as places:
        yield places


def with_holiday(node: Node, day: date) -> Node:
    """The same node under a calendar with one more day off."""
    old = node.published.calendar
    year = old.years[-2]
    more = Holiday(name="测试日", first=day, last=day)
    years = (*old.years[:-2], year.model_copy(update={"holidays": (*year.holidays, more)}), old.years[-1])
    calendar = Calendar(version="2026.2", known_to=old.known_to, years=years)
    return replace(node, published=replace(node.published, calendar=calendar))


async def project(node: Node) -> int:
    """Project until nothing is left to do; how many pages that took."""
    pages = 0
    while await reproject(node):
        pages += 1
    return pages


async def opened_cases(places: Places, count: int) -> list[str]:
    mother = await places.citizen("mother")
    wish = {**await newborn_wish(mother), "answers": {"household": HERE, "maternity_insurance": "no"}}
    return [await opened(places, mother, wish) for _ in range(count)]


async def test_a_new_holiday_moves_dates_and_alarms_and_says_why(
    places: Places,
    node: Node,
    clock: HandClock,
    database_sweeper: pymongo.MongoClient[dict[str, Any]],
):
    cases = await opened_cases(places, 3)
    await project(node)
    assert not await reproject(node)
    changed = with_holiday(node, date(2026, 11, 25))
    assert await reproject(changed, limit=2)
    assert await reproject(changed, limit=2), "a page; then the process ends, and another goes on"
    assert await project(with_holiday(node, date(2026, 11, 25))) >= 1
    for case in cases:
        assert (await node.store.tasks.task(f"{case}:{FIRST}")).due_on == "2026-12-01"
    clock.at = MONDAY + timedelta(days=7, hours=12)  # 1 December in China
    await tick(changed)
    for case in cases:
        assert (await node.store.cases.case(case)).case.steps[FIRST].state == "sent"
    clock.at += timedelta(days=1)
    await tick(changed)
    for case in cases:
        assert (await node.store.cases.case(case)).case.steps[FIRST].state == "accepted"
    notes = list(database_sweeper[node.settings.database]["audit"].find({"kind": "calendar.changed"}))
    assert [note["about"] for note in notes] == [{"from": "2026.1", "to": "2026.2", "dates_changed": "3"}]


async def test_the_first_start_of_a_node_changes_no_calendar(
    node: Node, database_sweeper: pymongo.MongoClient[dict[str, Any]]
):
    assert await project(node) == 2
    assert database_sweeper[node.settings.database]["audit"].count_documents({}) == 0


async def test_a_draft_that_expires_soon_is_told_once(places: Places, node: Node, clock: HandClock):
    mother = await places.citizen("mother")
    wish = {"bundle": "newborn", "division": JIANGSU, "answers": {}, "form": {}, "materials": []}
    answer = await mother.call("PUT", "/api/v1/drafts/mine", json=wish)
    assert answer.status == 200, answer.body
    clock.at += timedelta(days=26)
    await remind_of_drafts(node)
    assert await node.store.notices.due(clock.at, limit=5) == []
    clock.at += timedelta(days=2)
    for _ in range(3):
        await remind_of_drafts(node)
        clock.at += timedelta(minutes=10)
    (kept,) = await node.store.notices.due(clock.at, limit=5)
    assert kept.notice.template == "draft_expiring"
    assert kept.notice.values["due"] == "2026年12月23日"


async def test_a_due_date_that_moves_makes_counts_stale(places: Places, node: Node, clock: HandClock):
    await opened_cases(places, 1)
    await project(node)
    clock.to(11, 28, 9)
    await counting.count(node)
    assert [each.soon for each in (await node.store.counts.counts([PLACE])).values()] == [1]
    clock.wait(minutes=1)
    await project(with_holiday(node, date(2026, 11, 25)))
    await counting.count(node)
    assert [each.soon for each in (await node.store.counts.counts([PLACE])).values()] == [0]
