"""Whoever looks around finds bundles by stage, subject and words, and each item with all that is published of it."""

import gzip
import json

import pytest

from server.desk.citizen import guiding
from tests.http.asking import refused
from tests.nodes import ANSWERS, HERE, THERE, Places
from tests.world import JIANGSU, ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIST = "/api/v1/bundles"


async def codes(places: Places, query: str) -> list[str]:
    """The bundles that this query lists, in that order."""
    answer = await places.caller().get(f"{LIST}?{query}")
    assert answer.status == 200
    return [line["code"] for line in answer.body["bundles"]]


async def test_bundles_are_filtered_by_stage_and_by_subject(places: Places):
    assert "after_death" in await codes(places, "stage=身后")
    assert "newborn" not in await codes(places, "stage=身后")
    enterprises = await codes(places, "subject=enterprise")
    assert {"open_restaurant", "enterprise_closing"} <= set(enterprises)
    assert "retirement" not in enterprises
    assert await codes(places, "subject=enterprise&stage=出生") == []


async def test_bundles_are_found_by_everyday_words_best_first(places: Places):
    assert (await codes(places, "q=开饭店"))[0] == "open_restaurant"
    assert (await codes(places, "q=上户口"))[0] == "newborn"
    assert await codes(places, "q=上户口&subject=enterprise") == []


async def test_a_search_finds_bundles_and_items(places: Places):
    findings = (await places.caller().get("/api/v1/search?q=办退休")).body
    assert (findings["found"][0]["kind"], findings["found"][0]["code"]) == ("bundle", "retirement")
    items = [found for found in findings["found"] if found["kind"] == "item"]
    assert items
    assert all(found["bundles"] for found in items)


@pytest.mark.parametrize("query", ["", "?q=", "?q=%20", "?q=" + "长" * 3000, "?q=%00%F0%9F%98%80"])
async def test_a_search_for_nothing_finds_nothing(places: Places, query: str):
    answer = await places.caller().get(f"/api/v1/search{query}")
    assert (answer.status, answer.body["found"]) == (200, [])


async def test_an_item_shows_what_it_asks_and_how_it_is_handled_elsewhere(places: Places):
    item = (await places.caller().get("/api/v1/items/household_registration")).body
    assert (item["department_name"], item["jurisdiction_name"]) == ("公安", "户籍所在地")
    assert item["bundles"] == ["newborn"]
    assert [each["mode"] for each in item["handling"]] == ["joint"]
    materials = {each["code"]: each for each in item["materials"]}
    assert materials["birth_certificate"]["origin"] == "step"
    assert {"name", "is_required", "form", "copies", "may_be_deferred"} <= materials["mother_identity_card"].keys()


async def test_each_node_shows_an_item_as_it_is_in_its_own_province(places: Places):
    path = "/api/v1/items/household_registration"
    here, there = (await places.caller().get(path)).body, (await places.caller(ZHEJIANG).get(path)).body
    origins = [{each["code"]: each["may_be_deferred"] for each in item["materials"]} for item in (here, there)]
    assert [each["mother_household_register"] for each in origins] == [False, True]
    assert here["legal_days"] < there["legal_days"]


@pytest.mark.parametrize("code", ["nothing", "newborn", "Household"])
async def test_an_unknown_item_is_refused(places: Places, code: str):
    refused(await places.caller().get(f"/api/v1/items/{code}"), 404, "no_such_item")


async def test_an_item_alone_may_be_applied_for_by_its_own_code(places: Places):
    anyone = places.caller()
    item = (await anyone.get("/api/v1/items/disability_certificate_issue")).body
    assert item["is_alone"]
    bundle = (await anyone.get("/api/v1/bundles/disability_certificate_issue")).body
    assert [step["item"] for step in bundle["steps"]] == ["disability_certificate_issue"]
    assert [question["type"] for question in bundle["questions"]] == ["division"]


async def test_the_pages_of_the_catalogue_are_compressed_for_those_who_take_it(places: Places):
    base_url = places.nodes[ZHEJIANG].base_url
    async with places.http.get(base_url + LIST, headers={"Accept-Encoding": "identity"}) as plain:
        whole, tag = await plain.read(), plain.headers["ETag"]
        assert "Content-Encoding" not in plain.headers
    async with places.http.get(base_url + LIST, headers={"Accept-Encoding": "gzip"}, auto_decompress=False) as small:
        packed = await small.read()
        assert (small.headers["Content-Encoding"], small.headers["ETag"]) == ("gzip", tag)
    assert gzip.decompress(packed) == whole
    assert len(packed) * 2 < len(whole)
    assert len(packed) < 100_000
    assert json.loads(whole)["bundles"]


async def test_a_guide_is_made_once_for_the_same_answers_and_place(places: Places):
    node = places.nodes[JIANGSU].node
    request = guiding.GuideRequest(division=HERE, answers=ANSWERS)
    first = guiding.guide(node, "newborn", request)
    again = guiding.GuideRequest(division=HERE, answers=dict(reversed(ANSWERS.items())))
    assert guiding.guide(node, "newborn", again) is first
    elsewhere = guiding.GuideRequest(division="320104", answers=ANSWERS)
    assert guiding.guide(node, "newborn", elsewhere) != first
    fewer = guiding.GuideRequest(division=HERE, answers={"household": THERE})
    assert guiding.guide(node, "newborn", fewer).questions
