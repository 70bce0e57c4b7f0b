"""Divisions over HTTP: what may be chosen on a day, and the refusal of a place where nothing can be decided."""

from typing import Any

import pytest

from tests.http.asking import pointers, refused
from tests.nodes import ANSWERS, Caller, Places

pytestmark = pytest.mark.asyncio(loop_scope="module")
DOOR = "/api/v1/divisions"


def codes(body: dict[str, Any]) -> list[str]:
    return [each["code"] for each in body["divisions"]]


async def test_a_division_that_never_was_has_no_list(places: Places):
    refused(await places.caller().get(f"{DOOR}?parent=990000"), 404, "no_such_division")


@pytest.mark.parametrize("day", ["yesterday", "2026-02-30", "20261123", "2026-W48-1"])
async def test_a_day_that_is_none_is_refused(places: Places, day: str):
    refused(await places.caller().get(f"{DOOR}?on={day}"), 400, "day_unreadable")


async def test_without_a_parent_the_provinces_are_listed(places: Places):
    listed = (await places.caller().get(DOOR)).body
    assert len(listed["divisions"]) == 34
    assert (listed["parent"], listed["known_to"], listed["status"]) == ("", "2026-06-30", "local")
    assert all(each["kind"] == "province" for each in listed["divisions"])
    assert [each["code"] for each in listed["divisions"] if not each["has_children"]] == []


async def test_one_goes_down_from_the_province_to_the_county(places: Places):
    anyone = places.caller()
    assert "330100" in codes((await anyone.get(f"{DOOR}?parent=330000")).body)
    counties = {each["code"]: each for each in (await anyone.get(f"{DOOR}?parent=330100")).body["divisions"]}
    assert counties["330106"]["full_name"] == "浙江省杭州市西湖区"
    assert (counties["330106"]["is_routable"], counties["330106"]["has_children"]) == (True, False)
    assert (await anyone.get(f"{DOOR}?parent=330106")).body["divisions"] == []


async def test_towns_are_listed_as_what_decides_nothing(places: Places):
    listed = (await places.caller().get(f"{DOOR}?parent=441900")).body["divisions"]
    assert listed
    assert {(each["kind"], each["is_routable"]) for each in listed} == {("town", False)}


async def test_the_list_is_that_of_the_day(places: Places):
    anyone = places.caller()
    before = (await anyone.get(f"{DOOR}?parent=500100&on=2025-11-05")).body
    after = (await anyone.get(f"{DOOR}?parent=500100&on=2025-11-06")).body
    assert set(codes(before)) - set(codes(after)) == {"500105", "500112"}
    assert set(codes(after)) - set(codes(before)) == {"500157"}
    (old,) = [each for each in before["divisions"] if each["code"] == "500112"]
    assert (old["valid_to"], old["successors"]) == ("2025-11-05", ["500157", "500109"])


async def test_a_list_that_the_caller_has_is_not_sent_again(places: Places):
    anyone = places.caller()
    first = await anyone.get(f"{DOOR}?parent=330000")
    again = await anyone.get(f"{DOOR}?parent=330000", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")
    other = await anyone.get(f"{DOOR}?parent=320000", headers={"If-None-Match": first.headers["ETag"]})
    assert other.status == 200


@pytest.mark.parametrize(
    ("code", "fault"),
    [("339900", "division_unknown"), ("500112", "division_not_valid"), ("441901", "division_not_routable")],
)
async def test_a_place_that_cannot_decide_is_refused_in_the_guide_and_in_an_application(
    places: Places, mother: Caller, wish: dict[str, Any], *, code: str, fault: str
):
    answers = {**ANSWERS, "household": code}
    guide = await places.caller().post("/api/v1/bundles/newborn/guide", {"answers": answers})
    assert pointers(refused(guide, 422, "answers_incomplete")) == {"/answers/household": fault}
    applied = await mother.post("/api/v1/cases", {**wish, "answers": answers})
    assert pointers(refused(applied, 422, "answers_incomplete")) == {"/answers/household": fault}


async def test_a_birth_place_that_never_was_is_refused(mother: Caller, wish: dict[str, Any]):
    form = {**wish["form"], "child_birth_place": "329900"}
    applied = await mother.post("/api/v1/cases", {**wish, "form": form})
    assert pointers(refused(applied, 422, "form_faulty")) == {"/form/child_birth_place": "division_unknown"}
