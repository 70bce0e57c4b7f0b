"""Whatever posts an officer has, no door shows or moves a step outside them: random posts, a rule written anew."""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, get_args

import pytest

from server.desk.background import counting
from server.domain.people.posts import Post, PostRole
from server.domain.values import china_day
from server.node import Node
from tests.http.asking import Sweeper, act, opened, refused
from tests.http.conftest import module_wide
from tests.http.test_clockwork import warning
from tests.nodes import PNG, Caller, Places, desks_of, newborn_wish
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")
COUNTIES = ("320102", "320104", "320508")
WINDOW = "320102-hall"
DEPARTMENTS = ("health", "disease_control", "public_security", "human_resources")
ROLES: tuple[PostRole, ...] = get_args(PostRole)
TASKS = "/desk/v1/tasks"
REFUSED = ("role_forbids", "not_your_post", "item_not_in_post")
STALE = {"version": 999}  # an act that is let in is refused for this, so that nothing moves


@dataclass(frozen=True)
class Lying:
    """A step on a desk: its case, item, authority, and the window that the applicant chose."""

    case: str
    step: str
    authority: str
    window: str


@module_wide
async def node(places: Places) -> Node:
    return places.nodes[JIANGSU].node


@module_wide
async def lying(places: Places, node: Node, mother: Caller) -> list[Lying]:
    """Cases of three counties, half of them one step further, and all their steps that lie on a desk."""
    found: list[Lying] = []
    for number, county in enumerate(COUNTIES * 2):
        window = WINDOW if number == 0 else ""
        wish = await newborn_wish(mother, division=county) | {
            "answers": {"household": county, "maternity_insurance": "no"},
            "window": window,
        }
        case = await opened(places, mother, wish)
        if number >= len(COUNTIES):
            hospital = await places.officer("health", name=f"hospital {county}", county=county)
            for name in ("receive", "accept", "approve"):
                assert (await hospital.post(act(case, "birth_certificate", name))).status == 200
            await places.settle()
        for step in (await mother.get(f"/api/v1/cases/{case}")).body["steps"]:
            if step["holder"] or step["state"] == "approved":
                authority = step["holder"]["authority"] if step["holder"] else f"provider/health/{county}"
                found.append(Lying(case, step["step"], authority, window))
    for number, each in enumerate(found):
        await node.store.warnings.put(warning(f"w{number}", each.authority, "officer", number, step=each.step))
    while await counting.count(node):
        pass
    return found


def drawn_posts(chosen: random.Random, node: Node, name: str, *, lying: Sequence[Lying]) -> list[Post]:
    """Up to five posts, mostly where something lies, else at any desk around it; some of them over or to come."""
    desks = [WINDOW, *(desk for county in COUNTIES for each in DEPARTMENTS for desk in desks_of(node, each, county))]
    today, made = china_day(node.clock.now()), []
    items = sorted({each.step for each in lying})
    for number in range(chosen.randint(0, 5)):
        place = chosen.choice([chosen.choice(desks), *(chosen.choice(lying).authority for _ in range(3))])
        days = chosen.choice([{}, {}, {"to_day": today}, {"from_day": today}, {"to_day": today - timedelta(days=1)}])
        days = chosen.choice([days, days, {"from_day": today + timedelta(days=1)}])
        at: dict[str, Any] = {"window": place, "role": "window"} if place == WINDOW else {"authority": place}
        at = {"role": chosen.choice(ROLES), **at}
        some = tuple(chosen.sample(items, 2)) if chosen.random() < 0.4 else ()
        made.append(Post(id=f"{name}:{number}", officer=name, items=some, **at, **days))
    return made


def counting_for(posts: Sequence[Post], each: Lying, *, on: Any) -> list[Post]:
    """The posts that are for a step: written from the page on rights, and not from the code."""
    return [
        post
        for post in posts
        if (post.from_day is None or post.from_day <= on)
        and (post.to_day is None or on <= post.to_day)
        and (post.authority == each.authority or (each.window and post.window == each.window))
        and (not post.items or each.step in post.items)
    ]


@pytest.mark.parametrize("seed", range(12))
async def test_every_door_shows_and_moves_what_the_posts_are_for_and_nothing_else(
    places: Places, node: Node, lying: list[Lying], database_sweeper: Sweeper, seed: int
):
    chosen, name = random.Random(seed), f"drawn {seed}"  # noqa: S311 # posts, no secrets
    posts = drawn_posts(chosen, node, name, lying=lying)
    officer = await places.officer("health", name=name, roles=())
    for post in posts:
        await node.store.posts.add(post)
    today = china_day(node.clock.now())
    mine = {each: counting_for(posts, each, on=today) for each in lying}
    seen = {each for each, found in mine.items() if found}
    before = versions(database_sweeper, node)

    listed, after = [], ""
    while True:
        page = (await officer.get(TASKS, params={"after": after})).body
        listed += [(line["case"], line["step"]) for line in page["tasks"]]
        after = page["next"]
        if not after:
            break
    cases = {each.case for each in lying}
    assert {pair for pair in listed if pair[0] in cases} == {(each.case, each.step) for each in seen}

    for case in cases:
        steps = {each.step: each for each in seen if each.case == case}
        found = (await officer.post("/desk/v1/searches", {"kind": "number", "text": case})).body["cases"]
        assert [{step["step"] for step in each["steps"]} for each in found] == ([set(steps)] if steps else [])
        answer = await officer.get(f"/desk/v1/cases/{case}")
        material = await officer.get(f"/desk/v1/cases/{case}/materials/{hashlib.sha256(PNG).hexdigest()}")
        if not steps:
            refused(answer, 404, "no_such_case")
            refused(material, 404, "no_such_case")
        else:
            assert {each["step"]["step"] for each in answer.body["steps"]} == set(steps)
            assert material.status == (200 if any(declares_it(node, step) for step in steps) else 404)
    for each in lying:
        await tries(officer, each, mine[each])

    warned = {line["id"] for line in (await officer.get("/desk/v1/warnings")).body["warnings"]}
    wanted = {f"w{number}" for number, each in enumerate(lying) if any(post.authority for post in mine[each])}
    assert {id for id in warned if id.startswith("w")} == wanted
    counts = (await officer.get("/desk/v1/counts")).body
    own = {
        post.authority for post in posts if counting_for([post.model_copy(update={"items": ()})], at(post), on=today)
    }
    assert {line["authority"] for line in counts["authorities"]} <= own
    heads = {post.authority for post in posts if post.role == "head" and post.authority in own}
    assert {view["all"]["authority"] for view in counts["below"]} <= heads
    assert versions(database_sweeper, node) == before, "nothing has moved"


async def tries(officer: Caller, each: Lying, found: Sequence[Post]) -> None:
    """What one may try with a step: each is let in by the posts that are for it, and by no others."""
    claim = await officer.post(f"{TASKS}/{each.case}:{each.step}/claim")
    batch = {"act": "receive", "items": [{"case": each.case, "step": each.step, **STALE}]}
    (line,) = (await officer.post("/desk/v1/batch", batch)).body["items"]
    if not found:
        refused(claim, 404, "no_such_task")
        is_hidden = (await officer.get(f"/desk/v1/cases/{each.case}")).status == 404
        assert line["refusal"]["code"] in (("no_such_case",) if is_hidden else REFUSED)
        return
    assert claim.status == 200 or claim.code == "task_ended"
    if claim.status == 200:
        assert (await officer.call("DELETE", f"{TASKS}/{each.case}:{each.step}/claim")).status == 200
    roles = {post.role for post in found}
    for name, role in (("receive", "window"), ("accept", "handler"), ("approve", "approver")):
        answer = await officer.post(act(each.case, each.step, name), STALE)
        if roles & {role, "head"}:
            assert answer.code not in {"no_such_case", *REFUSED}, answer.body
        else:
            assert (answer.status, answer.code in REFUSED) == (403, True), answer.body


def at(post: Post) -> Lying:
    """A step where the post is."""
    return Lying("", "", post.authority, post.window)


def declares_it(node: Node, step: str) -> bool:
    """Whether the item wants the picture that everything was handed in with."""
    return any(need.code.startswith("mother_") for need in node.catalogue.item_of[step].materials)


def versions(sweeper: Sweeper, node: Node) -> dict[str, int]:
    """The version of each case, straight from the database."""
    books = sweeper[node.settings.database]
    return {document["_id"]: document["version"] for document in books["cases"].find({}, {"version": 1})}
