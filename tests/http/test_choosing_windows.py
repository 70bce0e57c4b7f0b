"""Choosing a window over HTTP: refused where it does not receive, kept in drafts, and shown to both sides."""

from typing import Any

import pytest

from tests.http.asking import opened, pointers, refused
from tests.nodes import Caller, Places
from tests.world import ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")
HALL = "320102-hall"


@pytest.mark.parametrize(("window", "code"), [("no-such-window", "window_unknown"), ("330106-hall", "window_unknown")])
async def test_a_window_of_elsewhere_is_refused_by_pointer(
    mother: Caller, wish: dict[str, Any], window: str, *, code: str
):
    answer = await mother.post("/api/v1/cases", {**wish, "window": window})
    assert pointers(refused(answer, 422, "form_faulty")) == {"/window": code}


async def test_a_window_that_is_too_long_is_refused(mother: Caller, wish: dict[str, Any]):
    answer = await mother.post("/api/v1/cases", {**wish, "window": "x" * 101})
    assert pointers(refused(answer, 422, "body_faulty")) == {"/window": "type"}


async def test_what_was_chosen_is_shown_to_the_applicant_and_the_officer(
    places: Places, mother: Caller, health: Caller, wish: dict[str, Any]
):
    case = await opened(places, mother, {**wish, "window": HALL})
    for answer in (await mother.get(f"/api/v1/cases/{case}"), await health.get(f"/desk/v1/cases/{case}")):
        assert (answer.body["window"], answer.body["window_name"]) == (HALL, "玄武区综合窗口（示例）")


async def test_nobody_need_choose_one(places: Places, mother: Caller, health: Caller, wish: dict[str, Any]):
    case = await opened(places, mother, wish)
    for answer in (await mother.get(f"/api/v1/cases/{case}"), await health.get(f"/desk/v1/cases/{case}")):
        assert (answer.body["window"], answer.body["window_name"]) == ("", "")


async def test_a_draft_keeps_it_and_hands_it_in(mother: Caller, wish: dict[str, Any]):
    kept = await mother.call("PUT", "/api/v1/drafts/by-window", json={**wish, "window": HALL})
    assert kept.body["window"] == HALL
    opened = await mother.post("/api/v1/cases", {"draft": "by-window", "version": kept.body["version"]})
    assert (await mother.get(f"/api/v1/cases/{opened.body['id']}")).body["window"] == HALL


async def test_another_province_does_not_learn_of_it(
    places: Places, mother: Caller, wish: dict[str, Any], police: Caller
):
    case = await opened(places, mother, {**wish, "window": HALL})
    await places.decide(case, "birth_certificate", department="health")
    answer = await police.get(f"/desk/v1/cases/320000:{case}")
    assert answer.status == 200, answer.body
    assert places.nodes[ZHEJIANG].node.published.windows.by_id[HALL]
    assert (answer.body["window"], answer.body["window_name"]) == ("", "")
