"""GET /api/v1/windows over HTTP: where one may hand in, and what is open by the node's clock."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from server.desk.citizen import windows
from server.node import Node
from tests.http.asking import refused
from tests.nodes import HandClock, Places
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")
DOOR = "/api/v1/windows"
HALL, POLICE, TOWN = "320102-hall", "320102-household", "320102-town"


def ids(body: dict[str, Any]) -> list[str]:
    return [each["id"] for each in body["windows"]]


def with_windows(places: Places, *changes: dict[str, Any]) -> Node:
    """Jiangsu's node, if the hall of 玄武 were there several times, with these changes."""
    node = places.nodes[JIANGSU].node
    hall = node.published.windows.by_id[HALL]
    known = node.published.windows.model_copy(
        update={"windows": tuple(hall.model_copy(update=change) for change in changes)}
    )
    return replace(node, published=replace(node.published, windows=known))


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("division=990000", 404, "no_such_division"),
        ("division=330106", 422, "not_our_division"),
        ("division=320000", 422, "place_too_broad"),
        ("", 422, "place_too_broad"),
        ("division=320102&item=no_such_item", 404, "no_such_item"),
        ("division=320102&item=shop_sign&answers=x", 400, "answers_unreadable"),
        ("division=320102&lat=32.05", 422, "body_faulty"),
        ("division=320102&lat=north&lon=118.8", 422, "body_faulty"),
        ("division=320102&lat=nan&lon=118.8", 422, "body_faulty"),
        ("division=320102&lat=91&lon=118.8", 422, "body_faulty"),
    ],
)
async def test_what_cannot_be_listed_is_refused(places: Places, query: str, status: int, *, code: str):
    refused(await places.caller().get(f"{DOOR}?{query}"), status, code)


async def test_a_county_has_its_windows_and_nothing_made_up_but_the_sample(places: Places):
    body = (await places.caller().get(f"{DOOR}?division=320102")).body
    assert (ids(body), body["left_out"]) == ([HALL, POLICE, TOWN], 0)
    assert {(each["address"], *each["phones"], each["status"]) for each in body["windows"]} == {("", "12345", "sample")}
    assert [each["metres"] for each in body["windows"]] == [None] * 3


async def test_a_city_has_those_of_its_counties_and_a_county_without_any_none(places: Places):
    anyone = places.caller()
    assert ids((await anyone.get(f"{DOOR}?division=320500")).body) == ["320508-hall"]
    assert ids((await anyone.get(f"{DOOR}?division=320104")).body) == []


@pytest.mark.parametrize(
    ("item", "found"),
    [
        ("household_registration", [HALL, POLICE]),
        ("birth_registration", [HALL, TOWN]),
        ("tobacco_retail_licence", [HALL]),
    ],
)
async def test_an_item_finds_the_windows_that_receive_it(places: Places, item: str, found: list[str]):
    assert ids((await places.caller().get(f"{DOOR}?division=320102&item={item}")).body) == found


async def test_the_answers_say_which_authoritys_window_it_is(places: Places):
    node = with_windows(places, {"authorities": ("market_regulation/320100",)})
    asked = {"division": "320102", "item": "domestic_enterprise_registration"}

    def found(answers: str) -> int:
        return len(windows.windows(node, windows.WindowsAsked(**asked, answers=answers)).windows)

    assert [found(f"enterprise_type:{kind}") for kind in ("joint_stock", "limited")] == [1, 0]


async def test_what_is_open_is_so_by_the_nodes_clock(three: Places, clock: HandClock):
    async def is_open() -> dict[str, bool | None]:
        body = (await three.caller().get(f"{DOOR}?division=320102")).body
        return {each["id"]: each["is_open"] for each in body["windows"]}

    clock.to(11, 23, 10)
    assert await is_open() == {HALL: True, POLICE: None, TOWN: None}
    clock.to(11, 23, 12, 30)
    assert await is_open() == {HALL: False, POLICE: None, TOWN: None}


async def test_hours_that_nobody_has_seen_for_a_year_are_not_told(places: Places):
    node = with_windows(places, {}, {"id": "old", "seen_on": date(2024, 1, 1), "closed": (date(2024, 2, 1),)})
    fresh, old = windows.windows(node, windows.WindowsAsked(division="320102")).windows
    assert (bool(fresh.hours), fresh.notice) == (True, "")
    assert (old.hours, old.closed, old.is_open, old.notice) == ((), (), None, "以现场公布为准，可拨 12345。")


async def test_the_nearest_comes_first(places: Places):
    far, near = {"id": "a-far", "lat": 32.1, "lon": 118.9}, {"id": "b-near", "lat": 32.06, "lon": 118.79}
    node = with_windows(places, {"id": "0-nowhere"}, far, near)
    asked = windows.WindowsAsked(division="320102", lat=32.05, lon=118.79)
    found = windows.windows(node, asked).windows
    assert [(each.id, each.metres) for each in found] == [("b-near", 1112), ("a-far", 11761), ("0-nowhere", None)]


async def test_an_answer_tells_no_more_than_a_hundred(places: Places):
    node = with_windows(places, *({"id": f"w{number:03}"} for number in range(103)))
    found = windows.windows(node, windows.WindowsAsked(division="320102"))
    assert (len(found.windows), found.left_out) == (100, 3)
