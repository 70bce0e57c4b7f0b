"""Whose desks a case lies on: its county's authority's and its window's, and of these only for the items of a post."""

from typing import Any

import pytest

from server.desk.background import counting
from server.domain.people.posts import Post, PostRole
from server.node import Node
from tests.http.asking import Sweeper, act, looks, opened, refused
from tests.http.conftest import module_wide
from tests.nodes import HERE, WORKING, Answer, Caller, Places, newborn_wish
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")
FIRST, SECOND, GUIDANCE = "birth_certificate", "household_registration", "parenting_guidance"
NEIGHBOUR, CITY = "320104", "320100"
HALL, TOWN = "320102-hall", "320102-town"
TASKS, COUNTS = "/desk/v1/tasks", "/desk/v1/counts"


@module_wide
async def node(places: Places) -> Node:
    return places.nodes[JIANGSU].node


@module_wide
async def wish(mother: Caller) -> dict[str, Any]:
    """An application of which everything is decided in this county."""
    return await wish_of(mother, HERE)


async def wish_of(citizen: Caller, county: str) -> dict[str, Any]:
    answers = {"household": county, "maternity_insurance": "no"}
    return await newborn_wish(citizen, division=county) | {"answers": answers}


async def posted(places: Places, name: str, *authorities: str, roles: tuple[PostRole, ...] = WORKING) -> Caller:
    """An officer with posts in these roles at just these authorities."""
    caller = await places.officer("health", name=name, roles=())
    for authority in authorities:
        await places.appoint(name, authority, roles)
    return caller


async def with_post(places: Places, name: str, **said: Any) -> Caller:
    """An officer with just this post."""
    caller = await places.officer("health", name=name, roles=())
    await places.nodes[JIANGSU].node.store.posts.add(Post(id=name, officer=name, **said))
    return caller


async def tasks_of(caller: Caller, case: str, **asked: str) -> list[str]:
    """The steps of a case that lie on an officer's desks."""
    answer = await caller.get(TASKS, params=asked)
    assert answer.status == 200, answer.body
    return [line["step"] for line in answer.body["tasks"] if line["case"] == case]


async def tries(caller: Caller, case: str, step: str) -> list[Answer]:
    """All that one may do with a case and with its task."""
    at, visit = f"/desk/v1/cases/{case}", {"window": HALL, "purpose": "提交原件"}
    task, passing = f"{TASKS}/{case}:{step}", {"to": "health"}
    of_case = [await caller.get(at), await caller.get(f"{at}/materials/{'0' * 64}")]
    of_case += [await caller.post(f"{at}/visits", visit)]
    of_case += [await caller.post(act(case, step, name)) for name in ("receive", "accept", "approve")]
    of_case += [await caller.post(act(case, step, "refuse"), {"grounds": "不符合条件"})]
    of_case += [await caller.post(act(case, step, "extend"), {"days": 1, "grounds": "案情复杂"})]
    of_task = [await caller.post(f"{task}/{name}") for name in ("claim", "heartbeat")]
    of_task += [await caller.call("DELETE", f"{task}/claim"), await caller.post(f"{task}/hand-over", passing)]
    for answer in of_case:
        refused(answer, 404, "no_such_case")
    for answer in of_task:
        refused(answer, 404, "no_such_task")
    return of_case + of_task


async def test_another_countys_officer_and_head_do_not_learn_of_a_case(
    places: Places, mother: Caller, health: Caller, wish: dict[str, Any], database_sweeper: Sweeper
):
    case = await opened(places, mother, wish)
    there = (f"provider/health/{NEIGHBOUR}", f"health/{NEIGHBOUR}")
    officer = await posted(places, "next door", *there)
    head = await posted(places, "head next door", *there, roles=("head",))
    missing = await officer.get("/desk/v1/cases/none")
    before = looks(places, database_sweeper, JIANGSU)
    for caller in (officer, head):
        answers = await tries(caller, case, FIRST)
        assert answers[0].body == missing.body, "as if there were none"
        assert await tasks_of(caller, case) == []
    assert looks(places, database_sweeper, JIANGSU) == before
    assert await tasks_of(health, case) == [FIRST]


async def test_a_neighbours_case_lies_on_the_neighbours_desk(places: Places, mother: Caller, health: Caller):
    case = await opened(places, mother, await wish_of(mother, NEIGHBOUR))
    officer = await posted(places, "next door", f"provider/health/{NEIGHBOUR}")
    assert await tasks_of(officer, case) == [FIRST]
    assert (await officer.post(act(case, FIRST, "receive"))).status == 200
    assert await tasks_of(health, case) == []
    refused(await health.get(f"/desk/v1/cases/{case}"), 404, "no_such_case")


async def registered(places: Places, citizen: Caller, county: str) -> str:
    """The id of a case whose household registration lies on the desk of this county's police."""
    case = await opened(places, citizen, await wish_of(citizen, county))
    officer = await posted(places, f"hospital {county}", f"provider/health/{county}")
    for name in ("receive", "accept", "approve"):
        assert (await officer.post(act(case, FIRST, name))).status == 200
    await places.settle()
    return case


async def test_the_citys_head_sees_figures_of_both_counties_and_none_of_their_cases(
    places: Places, mother: Caller, node: Node
):
    cases = {county: await registered(places, mother, county) for county in (HERE, NEIGHBOUR)}
    head = await posted(places, "city head", f"public_security/{CITY}", roles=("head",))
    approver = await posted(places, "city approver", f"public_security/{CITY}", roles=("approver",))
    while await counting.count(node):
        pass
    seen = (await head.get(COUNTS)).body
    [below] = seen["below"]
    figures = {line["authority"]: line["open"] for line in below["each"]}
    assert figures == {f"public_security/{county}": 1 for county in cases}
    assert (seen["authorities"], below["all"]["open"]) == ([], 2)
    assert not [case for case in cases.values() if case in str(seen)]
    assert (await approver.get(COUNTS)).body["below"] == []
    for case in cases.values():
        for caller in (head, approver):
            await tries(caller, case, SECOND)
            assert await tasks_of(caller, case) == []


async def test_the_figures_below_hold_what_lies_at_organisations_that_are_no_authorities(
    places: Places, mother: Caller, node: Node, wish: dict[str, Any]
):
    """What warns the head above an organisation is in the figures that this head sees."""
    await opened(places, mother, wish)
    head = await posted(places, "county head of health", f"health/{HERE}", roles=("head",))
    while await counting.count(node):
        pass
    [below] = (await head.get(COUNTS)).body["below"]
    assert f"provider/health/{HERE}" in [line["authority"] for line in below["each"]]


async def test_a_window_sees_and_receives_what_chose_it_and_decides_nothing(
    places: Places, mother: Caller, health: Caller, wish: dict[str, Any]
):
    sitter = await with_post(places, "sitter", window=HALL, role="window")
    elsewhere = await with_post(places, "sitter elsewhere", window=TOWN, role="window")
    case = await opened(places, mother, {**wish, "window": HALL})
    without = await opened(places, mother, wish)
    for asked in ({}, {"window": HALL}):
        assert (await tasks_of(sitter, case, **asked), await tasks_of(sitter, without, **asked)) == ([FIRST], [])
    line = next(each for each in (await health.get(TASKS)).body["tasks"] if each["case"] == case)
    assert (line["window"], line["authority"]) == (HALL, f"provider/health/{HERE}")
    refused(await sitter.get(TASKS, params={"window": TOWN}), 403, "not_your_post")
    refused(await sitter.get(TASKS, params={"authority": line["authority"]}), 403, "not_your_post")
    await tries(elsewhere, case, FIRST)
    await tries(sitter, without, FIRST)
    assert (await sitter.get(f"/desk/v1/cases/{case}")).status == 200
    assert (await sitter.post(f"{TASKS}/{case}:{FIRST}/claim")).body["holder"] == "sitter"
    assert (await sitter.post(act(case, FIRST, "receive"))).body["state"] == "received"
    for name, said, roles in (
        ("accept", {}, ["handler", "head"]),
        ("approve", {}, ["approver", "head"]),
        ("refuse", {"grounds": "不符合条件"}, ["approver", "head"]),
    ):
        assert refused(await sitter.post(act(case, FIRST, name), said), 403, "role_forbids")["roles"] == roles
    came = await sitter.post(f"/desk/v1/cases/{case}/visits", {"purpose": "提交原件"})
    assert (came.status, came.body["window"]) == (201, HALL)


async def test_a_post_for_some_items_sees_and_moves_these_only(places: Places, mother: Caller, wish: dict[str, Any]):
    place = f"provider/health/{HERE}"
    roles = {"authority": place, "role": "head"}
    certifier = await with_post(places, "certifier", items=(FIRST,), **roles)
    guide = await with_post(places, "guide", items=(GUIDANCE,), **roles)
    case = await opened(places, mother, wish)
    assert (await tasks_of(certifier, case), await tasks_of(guide, case)) == ([FIRST], [])
    await tries(guide, case, FIRST)
    for name in ("receive", "accept", "approve"):
        assert (await certifier.post(act(case, FIRST, name))).status == 200
    await places.settle()
    assert (await tasks_of(certifier, case), await tasks_of(guide, case)) == ([FIRST], [GUIDANCE])
    refused(await certifier.post(act(case, GUIDANCE, "receive")), 403, "item_not_in_post")
    refused(await certifier.post(f"{TASKS}/{case}:{GUIDANCE}/claim"), 404, "no_such_task")
    passing = {"to": "certifier"}
    assert (await guide.post(f"{TASKS}/{case}:{GUIDANCE}/claim")).status == 200
    refused(await guide.post(f"{TASKS}/{case}:{GUIDANCE}/hand-over", passing), 422, "no_such_colleague")
    assert (await guide.post(act(case, GUIDANCE, "receive"))).status == 200
    for caller, steps in ((certifier, [FIRST]), (guide, [GUIDANCE])):
        shown = (await caller.get(f"/desk/v1/cases/{case}")).body["steps"]
        assert [each["step"]["step"] for each in shown] == steps
