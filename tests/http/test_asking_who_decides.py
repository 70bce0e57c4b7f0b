"""GET /api/v1/authorities over HTTP: which authority decides in a division today, and what cannot be said here."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from server.desk.citizen import authorities
from server.domain.catalogue.authorities import DivisionNotInForce
from server.domain.catalogue.delegations import Delegation
from server.node import Node
from tests.http.asking import pointers, refused
from tests.nodes import Caller, HandClock, Places
from tests.world import GUANGDONG, JIANGSU, ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")
DOOR = "/api/v1/authorities"
FIRM = "domestic_enterprise_registration"


async def asked(caller: Caller, item: str, division: str, answers: str = "") -> dict[str, Any]:
    """The one line about this item."""
    answer = await caller.get(f"{DOOR}?item={item}&division={division}&answers={answers}")
    assert answer.status == 200, answer.body
    (line,) = answer.body["authorities"]
    return dict(line)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("item=no_such_item&division=320102", 404, "no_such_item"),
        ("item=birth_registration&division=990000", 404, "no_such_division"),
        ("item=birth_registration&division=x", 404, "no_such_division"),
        (f"item=birth_registration&division={'3' * 21}", 422, "body_faulty"),
        ("item=birth_registration", 422, "place_too_broad"),
        ("item=birth_registration&division=320571", 422, "nobody_decides"),
        ("item=birth_registration&division=330106", 422, "not_our_division"),
        ("item=birth_registration&division=110101", 422, "not_our_division"),
        ("division=330106", 422, "not_our_division"),
        (f"item={FIRM}&division=320102&answers=enterprise_type", 400, "answers_unreadable"),
        (
            f"item={FIRM}&division=320102&answers={','.join(['enterprise_type:limited'] * 21)}",
            400,
            "answers_unreadable",
        ),
        (f"item={FIRM}&division=320102&answers=enterprise_type:club", 422, "answers_incomplete"),
        (f"item={FIRM}&division=320102&answers=mobile:1", 422, "answers_incomplete"),
    ],
)
async def test_what_cannot_be_said_is_refused_by_name(places: Places, query: str, status: int, *, code: str):
    refused(await places.caller().get(f"{DOOR}?{query}"), status, code)


async def test_the_refusals_tell_a_program_how_to_go_on(places: Places):
    anyone = places.caller()
    broad = refused(await anyone.get(f"{DOOR}?item=birth_registration&division=320100"), 422, "place_too_broad")
    assert broad["level"] == "county"
    theirs = refused(await anyone.get(f"{DOOR}?item=birth_registration&division=330106"), 422, "not_our_division")
    assert (theirs["node"], theirs["origin"]) == (ZHEJIANG, places.nodes[ZHEJIANG].base_url)
    nobodys = refused(await anyone.get(f"{DOOR}?item=birth_registration&division=110101"), 422, "not_our_division")
    assert (nobodys["node"], nobodys["origin"]) == ("", "")
    wrong = await anyone.get(f"{DOOR}?item={FIRM}&division=320102&answers=enterprise_type:club")
    assert pointers(refused(wrong, 422, "answers_incomplete")) == {"/answers/enterprise_type": "choice"}


def with_other_data(places: Places, **change: Any) -> Node:
    """Jiangsu's node, if its data on who decides were like this."""
    node = places.nodes[JIANGSU].node
    known = node.published.authorities.model_copy(update=change)
    return replace(node, published=replace(node.published, authorities=known, divisions=known.divisions))


async def test_an_abolished_division_names_its_successors(places: Places):
    known = places.nodes[JIANGSU].node.published.divisions
    gone = {"valid_to": date(2026, 1, 31), "successors": ("320104",)}
    divisions = tuple(each.model_copy(update=gone) if each.code == "320102" else each for each in known.divisions)
    node = with_other_data(places, divisions=known.model_copy(update={"divisions": divisions}))
    with pytest.raises(DivisionNotInForce) as refusal:
        authorities.authorities(node, authorities.DecidersAsked(division="320102"))
    assert refusal.value.more == {"successors": ["320104"]}


async def test_who_is_entrusted_decides_in_anothers_name(places: Places):
    entrusted = Delegation(
        id="d1",
        kind="entrusted",
        giver="county",
        receiver="city",
        items=("household_registration",),
        divisions=("320102",),
        basis="示例〔2026〕1号",
        source="tests",
        status="sample",
    )
    asking = authorities.DecidersAsked(item="household_registration", division="320102")
    (line,) = authorities.authorities(with_other_data(places, delegations=(entrusted,)), asking).authorities
    assert (line.name, line.signs_as_name) == ("南京市公安局", "南京市公安局玄武分局")
    assert line.delegation
    assert (line.delegation.kind, line.delegation.basis) == ("entrusted", "示例〔2026〕1号")


async def test_a_county_knows_by_whom_an_item_is_decided(places: Places):
    found = await asked(places.caller(), "household_registration", "320102")
    assert (found["decided_by"], found["id"]) == ("authority", "public_security/320102")
    assert (found["name"], found["signs_as_name"]) == ("南京市公安局玄武分局",) * 2
    assert (found["level"], found["level_name"]) == ("county", "县（市、区）")
    assert found["department_names"] == ["公安"]
    assert (found["address"], found["hours"], found["telephone"], found["status"]) == ("", "", "12345", "sample")
    assert found["delegation"] is None


async def test_the_other_provinces_node_answers_for_its_own(places: Places):
    found = await asked(places.caller(ZHEJIANG), "household_registration", "330106")
    assert found["name"] == "杭州市公安局西湖分局"


async def test_an_approval_bureau_is_named_where_it_decides(places: Places):
    found = await asked(places.caller(), "food_business_licence", "320830")
    assert (found["id"], found["name"]) == ("approval/320830", "盱眙县行政审批局")


@pytest.mark.parametrize(
    ("item", "decided_by"), [("birth_certificate", "provider"), ("diploma_notarisation", "chosen")]
)
async def test_what_no_authority_decides_says_so(places: Places, item: str, decided_by: str):
    found = await asked(places.caller(), item, "320102")
    assert (found["decided_by"], found["id"], found["telephone"], found["status"]) == (decided_by, "", "", None)


async def test_an_answer_that_it_depends_on_is_asked_for_and_not_guessed(places: Places):
    anyone = places.caller()
    open_line = await asked(anyone, FIRM, "320102")
    assert (open_line["id"], open_line["decided_by"]) == ("", None)
    (need,) = open_line["needs"]
    assert (need["code"], need["choices"]["joint_stock"]) == ("enterprise_type", "股份有限公司")
    levels = [
        (await asked(anyone, FIRM, "320102", f"enterprise_type:{kind}"))["id"] for kind in ("limited", "joint_stock")
    ]
    assert levels == ["market_regulation/320102", "market_regulation/320100"]


async def test_a_division_lists_all_who_decide_there_each_item_once(places: Places):
    answer = await places.caller().get(f"{DOOR}?division=320102")
    lines = answer.body["authorities"]
    items = [item for line in lines for item in line["items"]]
    assert len(items) == len(set(items)) == len(places.nodes[JIANGSU].node.catalogue.items)
    assert [line["items"] for line in lines if line["id"] == "customs/320100"] == [["customs_record_closing"]]
    assert {line["refusal"] for line in lines} == {""}
    assert {need["code"] for line in lines for need in line["needs"]} == {
        "enterprise_type",
        "driver_qualification_kind",
    }
    assert (answer.body["division"], answer.body["division_name"]) == ("320102", "江苏省南京市玄武区")


async def test_a_city_says_which_of_its_items_need_a_county(places: Places):
    lines = (await places.caller().get(f"{DOOR}?division=320100")).body["authorities"]
    (broad,) = [line for line in lines if line["refusal"]]
    assert (broad["refusal"], broad["id"]) == ("place_too_broad", "")
    assert "household_registration" in broad["items"]


async def test_what_the_caller_has_is_not_sent_again(places: Places):
    anyone = places.caller()
    first = await anyone.get(f"{DOOR}?division=320102")
    assert first.headers["Cache-Control"] == "public, max-age=60"
    again = await anyone.get(f"{DOOR}?division=320102", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")


async def test_the_day_is_that_of_the_nodes_clock(three: Places, clock: HandClock):
    answer = await three.caller().get(f"{DOOR}?division=320102")
    assert date.fromisoformat(answer.body["on"]) == date(2026, 11, 23)


async def test_a_place_without_counties_is_not_asked_for_what_makes_no_difference(three: Places):
    guangdong = three.caller(GUANGDONG)
    assert (await asked(guangdong, FIRM, "441900"))["id"] == "market_regulation/441900"
    assert (await asked(guangdong, FIRM, "440103"))["needs"]


async def test_in_every_county_each_item_has_one_answer(places: Places):
    node = places.nodes[JIANGSU].node
    items = sorted(item.code for item in node.catalogue.items)
    counties = [each.code for each in node.published.divisions.divisions if each.code.startswith("32")]
    for county in (code for code in counties if node.published.divisions.by_code[code].kind == "county"):
        lines = authorities.authorities(node, authorities.DecidersAsked(division=county)).authorities
        assert sorted(item for line in lines for item in line.items) == items
        assert [line for line in lines if line.refusal] == []
        assert all(bool(line.decided_by) != bool(line.needs) for line in lines)
