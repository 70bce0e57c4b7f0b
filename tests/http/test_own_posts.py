"""One's own posts over HTTP, and substitutions and delegations that are ended early by whom they concern."""

from typing import Any

import pytest

from server.domain.people.posts import Post
from server.node import Node
from tests.http.asking import pointers, refused
from tests.http.conftest import module_wide
from tests.http.test_worklist import claim, line_of, place_of, posted, put, task
from tests.nodes import Caller, Places

pytestmark = pytest.mark.asyncio(loop_scope="module")


@module_wide
async def places(alone: Places) -> Places:
    return alone


async def in_force(caller: Caller) -> list[tuple[str, str]]:
    posts = (await caller.get("/desk/v1/posts")).body["posts"]
    return sorted((post["kind"], post["role"]) for post in posts)


async def test_a_substitution_is_ended_early_by_whom_it_concerns_and_nobody_else(places: Places, node: Node):
    own = place_of("bank")
    away = await posted(places, "bank-away", (own, "handler"))
    stand_in = await posted(places, "bank-in", (own, "window"))
    head = await posted(places, "bank-head", (own, "head"))
    peer = await posted(places, "bank-peer", (own, "approver"))
    far = await posted(places, "bank-far", (place_of("bank", "320106"), "head"))
    await put(node, task("bank:x", "bank", state="received"))
    absence: dict[str, Any] = {"substitute": "bank-in", "reason": "休假"}
    absence |= {"from_day": "2026-11-23", "to_day": "2026-11-30"}
    for ending in (away, stand_in, head):
        made = await away.post("/desk/v1/substitutions", absence)
        [post] = made.body["posts"]
        door = f"/desk/v1/substitutions/{post['id']}"
        assert await in_force(stand_in) == [("own", "window"), ("substitution", "handler")]
        for caller in (away, head):
            assert (await caller.get("/desk/v1/posts")).body["stand_ins"] == [{"officer": "bank-in", "posts": [post]}]
        for caller in (peer, far):
            assert (await caller.get("/desk/v1/posts")).body["stand_ins"] == []
            refused(await caller.call("DELETE", door, params={"reason": "不需要"}), 404, "no_such_post")
        assert pointers(refused(await ending.call("DELETE", door), 422, "body_faulty")) == {"/reason": "required"}
        ended = await ending.call("DELETE", door, params={"reason": "提前返岗"})
        assert (ended.status, ended.body["is_in_force"]) == (200, False)
        assert (await ending.call("DELETE", door, params={"reason": "提前返岗"})).body == ended.body
        assert await in_force(stand_in) == [("own", "window")]


async def test_nobody_ends_an_own_post_by_that_door(places: Places, node: Node):
    own = place_of("fire_rescue")
    head = await posted(places, "fire-head", (own, "head"))
    await posted(places, "fire-anna", (own, "handler"))
    for id in (f"fire-head:{own}:head", f"fire-anna:{own}:handler", "none"):
        door = f"/desk/v1/substitutions/{id.replace('/', '%2F')}"
        refused(await head.call("DELETE", door, params={"reason": "试一试"}), 404, "no_such_post")
    assert await in_force(head) == [("own", "head")]


async def test_what_was_in_hand_by_a_substitution_is_free_when_it_ends(places: Places, node: Node):
    own = place_of("veterans_affairs")
    anna = await posted(places, "vet-anna", (own, "handler"))
    bert = await posted(places, "vet-bert")
    for item, officer, more in (
        ("y", "vet-bert", {}),
        ("x", "vet-bert", {"kind": "delegation", "stands_in_for": "vet-head", "to_day": "2026-11-30"}),
    ):
        told: dict[str, Any] = {"officer": officer, "authority": own, "role": "handler", "items": (item,), **more}
        await node.store.posts.add(Post(id=f"vet-{item}", **told))
    await put(node, task("vet-x:x", "veterans_affairs"), task("vet-y:y", "veterans_affairs"))
    for id in ("vet-x:x", "vet-y:y"):
        assert (await claim(bert, id)).status == 200
    refused(await anna.call("DELETE", "/desk/v1/substitutions/vet-x", params={"reason": "收回"}), 404, "no_such_post")
    assert (await bert.call("DELETE", "/desk/v1/substitutions/vet-x", params={"reason": "收回"})).status == 200
    assert (await line_of(anna, "vet-x:x"))["holder"] == ""
    assert (await line_of(bert, "vet-y:y", mine="true"))["holder"] == "vet-bert"
