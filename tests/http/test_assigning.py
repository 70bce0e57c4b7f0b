"""Colleagues and assigning over HTTP: who is there, how much each has, and tasks given by hand and by rule."""

import asyncio
from collections import Counter
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from server.desk.officer.assigning import MOST_ASSIGNED, NOTE
from server.desk.officer.claiming import MOST_HELD
from server.domain.people.persons import Officer
from server.domain.people.posts import Post, PostRole
from server.node import Node
from tests.http.asking import pointers, refused
from tests.http.conftest import module_wide
from tests.http.test_worklist import claim, line_of, pass_on, place_of, posted, put, take, task
from tests.nodes import CHEAP, PASSWORD, Answer, Caller, HandClock, Places
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")
MORNING = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
COLLEAGUES, ASSIGNMENTS = "/desk/v1/colleagues", "/desk/v1/assignments"
WINDOW = "320102-hall"


@module_wide
async def places(alone: Places) -> Places:
    return alone


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def a_morning(clock: HandClock) -> None:
    """Each test begins on the same morning."""
    clock.at = MORNING


async def absent(places: Places, name: str, place: str, role: PostRole = "handler") -> None:
    """An officer who has never signed in."""
    await places.nodes[JIANGSU].node.store.accounts.add(Officer(name=name), PASSWORD, cost=CHEAP)
    await places.appoint(name, place, (role,))


async def assign(caller: Caller, authority: str) -> Answer:
    return await caller.post(ASSIGNMENTS, {"authority": authority})


async def shown(caller: Caller, **asked: str) -> dict[str, tuple[bool, int]]:
    """Who is there: name, whether present, and how many tasks in hand."""
    lines = (await caller.get(COLLEAGUES, params=asked)).body["colleagues"]
    return {line["name"]: (line["is_present"], line["in_hand"]) for line in lines}


# Refusals.


async def test_only_who_has_a_post_there_sees_the_colleagues(places: Places):
    own, other = place_of("customs"), place_of("customs", "320106")
    anna = await posted(places, "customs-anna", (own, "handler"))
    nobody = await posted(places, "customs-nobody")
    for caller, asked in (
        (anna, {"authority": other}),
        (anna, {"authority": own, "window": WINDOW}),
        (anna, {"window": WINDOW}),
        (nobody, {"authority": own}),
    ):
        refused(await caller.get(COLLEAGUES, params=asked), 403, "not_your_post")
    assert (await nobody.get(COLLEAGUES)).body == {"colleagues": [], "next": None}
    refused(await (await places.administrator("security")).get(COLLEAGUES), 403, "not_for_administrators")


async def test_only_a_head_shares_out_and_only_at_the_own_authority(places: Places, node: Node):
    own = place_of("tobacco")
    anna = await posted(places, "tobacco-anna", *((own, role) for role in ("window", "handler", "approver")))
    above = await posted(places, "tobacco-above", (place_of("tobacco", "320100"), "head"))
    await put(node, task("kept:x", "tobacco"))
    assert refused(await assign(anna, own), 403, "role_forbids")["roles"] == ["head"]
    refused(await assign(above, own), 403, "not_your_post")
    assert pointers(refused(await above.post(ASSIGNMENTS, {}), 422, "body_faulty")) == {"/authority": "required"}
    assert (await line_of(anna, "kept:x"))["holder"] == ""


# Colleagues.


async def test_colleagues_are_told_with_their_posts_whether_they_are_there_and_what_they_have(
    places: Places, node: Node, clock: HandClock
):
    own, next_door = place_of("education"), place_of("education", "320106")
    anna = await posted(places, "edu-anna", (own, "handler"), (next_door, "approver"))
    bert = await posted(places, "edu-bert", (own, "approver"))
    await absent(places, "edu-cara", own)
    await absent(places, "edu-far", next_door)
    instead = {"kind": "substitution", "stands_in_for": "edu-cara", "to_day": "2026-11-30", "items": ("x",)}
    await node.store.posts.add(Post(id="edu-s", officer="edu-bert", authority=own, role="handler", **instead))
    later = {"from_day": "2026-12-24", "role": "handler"}
    await node.store.posts.add(Post(id="edu-l", officer="edu-later", authority=own, **later))
    await put(node, task("edu1:x", "education"), task("edu2:x", "education"))
    for id in ("edu1:x", "edu2:x"):
        assert (await claim(bert, id)).status == 200
    here = {"edu-anna": (True, 0), "edu-bert": (True, 2), "edu-cara": (False, 0)}
    assert await shown(anna, authority=own) == here
    assert await shown(anna) == here | {"edu-far": (False, 0)}
    line = (await anna.get(COLLEAGUES, params={"authority": own})).body["colleagues"][1]
    told = {(post["kind"], post["role"], post["stands_in_for"], *post["items"]) for post in line["posts"]}
    assert told == {("own", "approver", ""), ("substitution", "handler", "edu-cara", "x")}
    assert {post["authority"] for post in line["posts"]} == {own}


async def test_present_is_whose_session_still_lets_them_in(places: Places, node: Node, clock: HandClock):
    own = place_of("housing")
    anna = await posted(places, "hou-anna", (own, "handler"))
    bert = await posted(places, "hou-bert", (own, "handler"))
    assert await shown(anna) == {"hou-anna": (True, 0), "hou-bert": (True, 0)}
    clock.wait(minutes=29)
    await anna.get("/desk/v1/tasks")
    clock.wait(minutes=1)
    assert await shown(anna) == {"hou-anna": (True, 0), "hou-bert": (False, 0)}, "idle"
    bert = await posted(places, "hou-bert")
    assert (await shown(anna))["hou-bert"] == (True, 0)
    assert (await bert.call("DELETE", "/desk/v1/sessions/current")).status < 300
    assert (await shown(anna))["hou-bert"] == (False, 0), "signed out"
    await posted(places, "hou-bert")
    account = await node.store.accounts.account("hou-bert")
    await node.store.accounts.set_password(account, "tulpen aus holland", is_one_time=False)
    assert (await shown(anna))["hou-bert"] == (False, 0), "the password is another one"


async def test_colleagues_at_a_window_and_page_by_page(places: Places, node: Node):
    sitter = await posted(places, "win-sitter")
    for number in range(60):
        name = f"win-{number:02d}" if number else "win-sitter"
        await node.store.posts.add(Post(id=f"win{number}", officer=name, window=WINDOW, role="window"))
    first = (await sitter.get(COLLEAGUES, params={"window": WINDOW})).body
    second = (await sitter.get(COLLEAGUES, params={"window": WINDOW, "after": first["next"]})).body
    names = [line["name"] for line in first["colleagues"] + second["colleagues"]]
    assert names == [*(f"win-{number:02d}" for number in range(1, 60)), "win-sitter"]
    assert (len(first["colleagues"]), second["next"]) == (50, None)


# By hand.


async def test_a_head_hands_on_what_nobody_has_and_what_somebody_has(places: Places, node: Node, clock: HandClock):
    own = place_of("transport")
    anna = await posted(places, "tra-anna", (own, "handler"))
    bert = await posted(places, "tra-bert", (own, "handler"))
    head = await posted(places, "tra-head", (own, "head"))
    await put(node, task("tra:x", "transport"))
    refused(await pass_on(anna, "tra:x", "tra-bert"), 409, "claim_needed")
    assert (await pass_on(head, "tra:x", "tra-anna", "请办理")).body["holder"] == "tra-anna"
    assert (await line_of(anna, "tra:x", mine="true"))["hand_over"]["by"] == "tra-head"
    refused(await claim(bert, "tra:x"), 409, "claimed_by_another")
    assert (await pass_on(head, "tra:x", "tra-bert")).body["holder"] == "tra-bert"
    clock.wait(minutes=16)
    again = (await pass_on(head, "tra:x", "tra-bert")).body
    assert (again["holder"], again["until"][11:16]) == ("tra-bert", "09:31"), "the lease was over, and begins anew"


# By rule.


async def test_those_present_get_in_turn_what_their_posts_are_for(places: Places, node: Node):
    own = place_of("ecology")
    anna = await posted(places, "eco-anna", (own, "handler"))
    bert = await posted(places, "eco-bert", (own, "handler"))
    some = await posted(places, "eco-some")
    await node.store.posts.add(Post(id="eco-s", officer="eco-some", authority=own, role="window", items=("y",)))
    head = await posted(places, "eco-head", (own, "head"))
    await absent(places, "eco-absent", own)
    received = [task(f"eco{n}:x", "ecology", state="received", due=f"2026-12-0{5 - n}") for n in range(5)]
    waiting = task("eco-w:x", "ecology", state="supplementing", due="2026-12-01")
    await put(node, *received, waiting, task("eco-y:y", "ecology"), task("eco-x:x", "ecology"))
    await put(node, task("eco-there:x", "ecology", state="received", authority=place_of("ecology", "320106")))
    assert (await claim(bert, "eco0:x")).status == 200
    made = await assign(head, own)
    assert made.status == 200, made.body
    lines = [(line["task"], line["officer"]) for line in made.body["assigned"]]
    assert lines == [
        ("eco4:x", "eco-anna"),
        ("eco3:x", "eco-anna"),
        ("eco2:x", "eco-bert"),
        ("eco1:x", "eco-anna"),
        ("eco-y:y", "eco-some"),
    ]
    assert (made.body["left"], made.body["has_more"]) == (2, False), "one needs an approver, one a window"
    assert await shown(head) == {
        "eco-absent": (False, 0),
        "eco-anna": (True, 3),
        "eco-bert": (True, 2),
        "eco-head": (True, 0),
        "eco-some": (True, 1),
    }
    handed = (await line_of(anna, "eco4:x", mine="true"))["hand_over"]
    assert (handed["by"], handed["to"], handed["note"]) == ("eco-head", "eco-anna", NOTE)
    assert (await line_of(some, "eco-y:y", mine="true"))["holder"] == "eco-some"
    assert (await assign(head, own)).body == {"assigned": [], "left": 2, "has_more": False}, "nothing is given twice"


async def test_a_head_for_some_items_shares_out_these_alone(places: Places, node: Node):
    own = place_of("justice")
    await posted(places, "jus-anna", (own, "window"))
    head = await posted(places, "jus-head")
    await node.store.posts.add(Post(id="jus-h", officer="jus-head", authority=own, role="head", items=("y",)))
    await put(node, task("jus-x:x", "justice"), task("jus-y:y", "justice"))
    made = (await assign(head, own)).body
    assert ([line["task"] for line in made["assigned"]], made["left"]) == (["jus-y:y"], 0)


async def test_a_lease_that_ended_is_given_anew(places: Places, node: Node, clock: HandClock):
    own = place_of("conscription")
    anna = await posted(places, "con-anna", (own, "window"))
    head = await posted(places, "con-head", (own, "head"))
    await put(node, task("con:x", "conscription"))
    for _ in range(2):
        assert [line["officer"] for line in (await assign(head, own)).body["assigned"]] == ["con-anna"]
        assert (await line_of(anna, "con:x", mine="true"))["holder"] == "con-anna"
        clock.wait(minutes=16)
        await anna.get("/desk/v1/tasks")


async def test_two_heads_at_once_give_no_task_twice(places: Places, node: Node):
    own = place_of("taxation")
    for name in ("anna", "bert", "cara"):
        await posted(places, f"tax-{name}", (own, "window"))
    heads = [await posted(places, f"tax-{name}", (own, "head")) for name in ("head one", "head two")]
    for turn in range(4):
        ids = {f"tax{turn}-{number:02d}:x" for number in range(20)}
        await put(node, *(task(id, "taxation") for id in ids))
        answers = await asyncio.gather(*(assign(head, own) for head in heads))
        given = Counter(line["task"] for answer in answers for line in answer.body["assigned"])
        assert given == Counter(ids)
        claims = await node.store.claims.claims(sorted(ids))
        assert {each.version for each in claims.values()} == {1}
        told = {line["task"]: line["officer"] for answer in answers for line in answer.body["assigned"]}
        assert told == {each.id: each.holder for each in claims.values()}


async def test_a_call_gives_a_hundred_and_nobody_has_more_than_they_may(places: Places, node: Node):
    own = place_of("natural_resources")
    await posted(places, "nat-anna", (own, "window"))
    head = await posted(places, "nat-head", (own, "head"))
    held = [f"held{number}:x" for number in range(3)]
    many = [f"nat{number:03d}:x" for number in range(MOST_ASSIGNED + 10)]
    await put(node, *(task(id, "natural_resources", due="2026-12-01") for id in [*held, *many]))
    for id in held:
        await take(node, "nat-anna", id, department="natural_resources")
    first = (await assign(head, own)).body
    assert (len(first["assigned"]), first["left"]) == (MOST_HELD - 3, 13)
    assert [line["task"] for line in first["assigned"]] == many[: MOST_HELD - 3]
    assert (await assign(head, own)).body == {"assigned": [], "left": 13, "has_more": False}
    await posted(places, "nat-bert", (own, "window"))
    assert (await assign(head, own)).body["left"] == 0
