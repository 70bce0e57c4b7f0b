"""Posts over HTTP: the security administrator gives and ends them, and officers are stood in for until a day."""

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest

from server.desk.officer.officers import entered
from server.desk.sessions import OFFICERS
from server.domain.people.posts import Post
from server.node import Node
from tests.http.asking import Sweeper, in_a_session, pointers, refused
from tests.http.conftest import module_wide, nodes_of_a_module
from tests.http.test_officers_ended import command
from tests.nodes import Answer, Caller, HandClock, Places

pytestmark = pytest.mark.asyncio(loop_scope="module")
HERE, ELSEWHERE = "public_security/320102", "public_security/320106"
ITEM = "household_registration"
YESTERDAY, TODAY, TOMORROW, LATER = "2026-11-22", "2026-11-23", "2026-11-24", "2026-11-30"
AWAY = {"from_day": TODAY, "to_day": LATER, "reason": "休假"}
LEFT = {"role": "handler", "authority": HERE, "items": [ITEM], **AWAY}


@module_wide
async def places(
    tmp_path_factory: pytest.TempPathFactory, database_uri: str, database_sweeper: Sweeper, clock: HandClock
) -> AsyncIterator[Places]:
    """Nodes on a Monday, until a test moves on."""
    folder = tmp_path_factory.mktemp("posts")
    async with nodes_of_a_module(folder, database_uri, database_sweeper, clock=clock) as places:
        yield places


@module_wide
async def security(places: Places) -> Caller:
    return await places.administrator("security")


async def officer(places: Places, name: str) -> Caller:
    """An officer who has no post yet."""
    return await places.officer("public_security", name=name, roles=())


async def give(security: Caller, name: str, **said: Any) -> Answer:
    return await security.post(f"/desk/v1/officers/{name}/posts", {"role": "handler", "authority": HERE} | said)


async def end(security: Caller, name: str, id: str, reason: str = "调岗") -> Answer:
    return await security.call("DELETE", f"/desk/v1/officers/{name}/posts/{id}?reason={quote(reason)}")


async def in_force(node: Node, caller: Caller) -> list[tuple[str, str, str]]:
    """The posts that come with the officer's token now: kind, role and place of each."""
    claims = node.tokens.verify(caller.token, audience=OFFICERS, at=node.clock.now())
    return sorted((post.kind, post.role, post.place) for post in (await entered(node, claims)).posts)


# Giving and ending.


@pytest.mark.parametrize(
    ("said", "faults"),
    [
        ({"authority": ""}, {"/authority": "post_place"}),
        ({"window": "w1"}, {"/authority": "post_place"}),
        ({"authority": "", "window": "w1"}, {"/role": "post_role"}),
        ({"authority": "", "window": "nowhere", "role": "window"}, {"/window": "place_unknown"}),
        ({"authority": "magic/320102"}, {"/authority": "place_unknown"}),
        ({"authority": "public_security/330106"}, {"/authority": "place_unknown"}),
        ({"authority": "provider/health/330106"}, {"/authority": "place_unknown"}),
        ({"authority": "", "window": "330106-hall", "role": "window"}, {"/window": "place_unknown"}),
        ({"authority": "public_security/999999"}, {"/authority": "place_unknown"}),
        ({"authority": "public_security"}, {"/authority": "place_unknown"}),
        ({"authority": "provider/magic/320102"}, {"/authority": "place_unknown"}),
        ({"authority": "chosen/justice/999999"}, {"/authority": "place_unknown"}),
        ({"items": [ITEM, "magic"]}, {"/items/1": "item_unknown"}),
        ({"from_day": TOMORROW, "to_day": TODAY}, {"/to_day": "post_period"}),
        ({"to_day": YESTERDAY}, {"/to_day": "post_period"}),
    ],
    ids=str,
)
async def test_what_is_no_post_is_not_given(
    places: Places, security: Caller, said: dict[str, Any], faults: dict[str, str]
):
    await officer(places, "nobody yet")
    assert pointers(refused(await give(security, "nobody yet", **said), 422, "post_unfit")) == faults


async def test_only_officers_in_office_have_posts(places: Places, security: Caller, node: Node):
    await places.administrator("audit")
    refused(await give(security, "audit administrator"), 422, "posts_for_officers_only")
    refused(await give(security, "never there"), 404, "no_such_officer")
    refused(await give(security, "audit administrator", role="king"), 422, "body_faulty")
    refused(await end(security, "never there", "some"), 404, "no_such_post")
    refused(await security.get("/desk/v1/officers/never%20there"), 404, "no_such_officer")


@pytest.mark.parametrize("place", [HERE, "provider/health/320102", "chosen/justice/320102"])
async def test_a_post_counts_at_once_is_listed_and_ends_at_once(
    places: Places, security: Caller, node: Node, place: str
):
    name = f"anna at {place}".replace("/", " ").replace("_", " ")
    anna = await officer(places, name)
    assert await in_force(node, anna) == []
    given = await give(security, name, authority=place)
    assert given.status == 201, given.body
    assert given.body["place_name"]
    assert await in_force(node, anna) == [("own", "handler", place)]
    listed = await security.get(f"/desk/v1/officers/{name}")
    assert (listed.body["name"], listed.body["posts"]) == (name, [given.body])
    refused(await end(security, name, given.body["id"], " "), 422, "body_faulty")
    await officer(places, "another one")
    refused(await end(security, "another one", given.body["id"]), 404, "no_such_post")
    ended = await end(security, name, given.body["id"])
    assert (ended.status, ended.body["is_in_force"]) == (200, False)
    assert await in_force(node, anna) == []
    assert (await end(security, name, given.body["id"])).body == ended.body
    assert (await security.get(f"/desk/v1/officers/{name}")).body["posts"] == [ended.body]


async def test_the_same_request_again_gives_no_second_post(places: Places, security: Caller, node: Node):
    repeater = await officer(places, "repeater")
    wish = {"role": "window", "authority": HERE}
    answers = [await security.post("/desk/v1/officers/repeater/posts", wish, key="one") for _ in range(2)]
    assert answers[0].body == answers[1].body
    assert len(await in_force(node, repeater)) == 1


async def test_what_was_given_and_ended_is_audited_before_and_after(
    places: Places, security: Caller, node: Node, database_sweeper: Sweeper
):
    await officer(places, "watched")
    given = (await give(security, "watched", items=[ITEM], to_day=LATER)).body
    await end(security, "watched", given["id"])
    books = database_sweeper[node.settings.database]["audit"]
    told = [
        (each["kind"], in_a_session(each["about"])) for each in books.find({"about.post": given["id"]}).sort("kind", -1)
    ]
    words = f"own role=handler at={HERE} from= to={LATER} items={ITEM}"
    own = {"name": "watched", "by": "security administrator", "post": given["id"]}
    assert told == [
        ("officer.post_given", own | {"reason": "", "before": "", "after": words}),
        ("officer.post_ended", own | {"reason": "调岗", "before": words, "after": "ended"}),
    ]


async def test_a_window_has_posts_of_its_own(places: Places, security: Caller, node: Node):
    sitter = await officer(places, "sitter")
    given = await give(security, "sitter", authority="", window="320102-hall", role="window")
    assert (given.status, bool(given.body["place_name"])) == (201, True), given.body
    assert await in_force(node, sitter) == [("own", "window", "320102-hall")]


async def test_the_end_of_an_officer_ends_their_posts_and_who_stands_in(places: Places, security: Caller, node: Node):
    goer, stayer = await officer(places, "goer"), await officer(places, "stayer")
    for name in ("goer", "stayer"):
        await give(security, name, role="head")
    assert (await goer.post("/desk/v1/substitutions", {"substitute": "stayer", **AWAY})).status == 201
    assert (await goer.post("/desk/v1/delegations", {"to": "stayer", **LEFT})).status == 201
    assert [kind for kind, _, _ in await in_force(node, stayer)] == ["delegation", "own", "substitution"]
    assert (await security.post("/desk/v1/officers/goer/end", {"reason": "调离"})).status == 200
    assert await in_force(node, stayer) == [("own", "head", HERE)]
    posts = (await security.get("/desk/v1/officers/goer")).body["posts"]
    assert [post["is_in_force"] for post in posts] == [False]


# Standing in.


async def test_who_is_away_is_stood_in_for_until_the_end_of_a_day(
    places: Places, security: Caller, node: Node, clock: HandClock
):
    away, colleague = await officer(places, "away"), await officer(places, "colleague")
    await give(security, "away", role="approver", items=[ITEM])
    await give(security, "away", role="handler", authority=ELSEWHERE, to_day=TODAY)
    for place in (HERE, ELSEWHERE):
        await give(security, "colleague", authority=place)
    wish = {"substitute": "colleague", **AWAY}
    made = await away.post("/desk/v1/substitutions", wish, key="once")
    assert made.status == 201, made.body
    shown = [(each["kind"], each["stands_in_for"], each["items"], each["to_day"]) for each in made.body["posts"]]
    assert sorted(shown, key=str) == [("substitution", "away", [ITEM], LATER), ("substitution", "away", [], TODAY)]
    assert (await away.post("/desk/v1/substitutions", wish, key="once")).body == made.body
    own = [("own", "handler", HERE), ("own", "handler", ELSEWHERE)]
    own.sort()
    instead = [("substitution", "approver", HERE)]
    assert await in_force(node, colleague) == [*own, *instead, ("substitution", "handler", ELSEWHERE)]
    clock.to(11, 24, 1)
    assert await in_force(node, await officer(places, "colleague")) == [*own, *instead]
    clock.to(12, 1, 0, 1)
    assert await in_force(node, await officer(places, "colleague")) == own
    clock.to(11, 23, 12)


async def test_nobody_stands_in_for_themselves_or_where_they_have_no_post(places: Places, security: Caller):
    one = await officer(places, "one")
    refused(await one.post("/desk/v1/substitutions", {"substitute": "two", **AWAY}), 403, "not_your_post")
    await give(security, "one")
    for name, authority in (("far", ELSEWHERE), ("late", HERE)):
        await officer(places, name)
        await give(security, name, authority=authority, **({"from_day": "2026-12-24"} if name == "late" else {}))
    for name in ("one", "far", "late", "never there", "security administrator"):
        answer = await one.post("/desk/v1/substitutions", {"substitute": name, **AWAY})
        refused(answer, 422, "stand_in_unfit")
    reversed_days = {"substitute": "far", **AWAY, "to_day": YESTERDAY}
    refused(await one.post("/desk/v1/substitutions", reversed_days), 422, "post_unfit")
    endless = {"substitute": "far", "from_day": TODAY, "reason": "休假"}
    refused(await one.post("/desk/v1/substitutions", endless), 422, "body_faulty")


async def test_a_head_lets_others_be_stood_in_for_at_their_own_authority(places: Places, security: Caller, node: Node):
    head, peer = await officer(places, "a head"), await officer(places, "a peer")
    for name, said in {
        "a head": {"role": "head"},
        "a peer": {},
        "the ill one": {},
    }.items():
        await officer(places, name)
        assert (await give(security, name, **said)).status == 201
    await give(security, "the ill one", authority=ELSEWHERE)
    wish = {"absent": "the ill one", "substitute": "a peer", **AWAY}
    refused(await peer.post("/desk/v1/substitutions", wish | {"substitute": "a head"}), 403, "not_your_post")
    made = await head.post("/desk/v1/substitutions", wish)
    assert [(each["authority"], each["kind"]) for each in made.body["posts"]] == [(HERE, "substitution")]
    assert await in_force(node, peer) == [("own", "handler", HERE), ("substitution", "handler", HERE)]


async def test_a_substitution_is_not_passed_on(places: Places, security: Caller, node: Node):
    first, second = await officer(places, "first"), await officer(places, "second")
    await officer(places, "third")
    await give(security, "first", role="head")
    for name in ("second", "third"):
        await give(security, name)
    assert (await first.post("/desk/v1/substitutions", {"substitute": "second", **AWAY})).status == 201
    passed = await second.post("/desk/v1/substitutions", {"substitute": "third", **AWAY})
    assert [each["role"] for each in passed.body["posts"]] == ["handler"]
    assert await in_force(node, await officer(places, "third")) == [
        ("own", "handler", HERE),
        ("substitution", "handler", HERE),
    ]


async def test_a_head_delegates_some_items_until_a_day(places: Places, security: Caller, node: Node, clock: HandClock):
    head, hand = await officer(places, "delegator"), await officer(places, "hand")
    await give(security, "delegator", role="head", to_day=LATER)
    await give(security, "hand", role="window")
    wish = {"to": "hand", **LEFT, "from_day": TOMORROW}
    refused(await hand.post("/desk/v1/delegations", wish), 403, "role_forbids")
    refused(await head.post("/desk/v1/delegations", wish | {"authority": ELSEWHERE}), 403, "not_your_post")
    refused(await head.post("/desk/v1/delegations", wish | {"to_day": "2026-12-01"}), 422, "stand_in_unfit")
    refused(await head.post("/desk/v1/delegations", wish | {"to": "delegator"}), 422, "stand_in_unfit")
    refused(await head.post("/desk/v1/delegations", wish | {"items": []}), 422, "body_faulty")
    refused(await head.post("/desk/v1/delegations", wish | {"items": ["magic"]}), 422, "post_unfit")
    refused(await head.post("/desk/v1/delegations", wish | {"role": "head"}), 422, "body_faulty")
    made = await head.post("/desk/v1/delegations", wish)
    assert [(each["kind"], each["stands_in_for"]) for each in made.body["posts"]] == [("delegation", "delegator")]
    assert await in_force(node, hand) == [("own", "window", HERE)], "it begins at midnight"
    clock.to(11, 24, 0, 1)
    assert await in_force(node, await officer(places, "hand")) == [
        ("delegation", "handler", HERE),
        ("own", "window", HERE),
    ]
    clock.to(11, 23, 12)


# By command, and in the store.


@pytest.mark.soak
async def test_an_operator_gives_lists_and_ends_posts(places: Places, node: Node):
    await officer(places, "commanded")
    said = ("officers", "posts", "commanded")
    for code, *words in ((0, "--authority", HERE), (1, "--authority", HERE, "--from", "soon")):
        assert (await command(node, *said, "--add", "handler", *map(str, words))).code == code
    (listed,) = json.loads((await command(node, *said, "--json")).out)
    assert (listed["role"], listed["authority"]) == ("handler", HERE)
    assert (await command(node, *said, "--end", listed["id"])).code == 1
    ended = json.loads((await command(node, *said, "--end", listed["id"], "--reason", "调岗", "--json")).out)
    assert ended["ended_at"]
    assert "ended at" in (await command(node, *said)).out


async def test_posts_are_found_by_place_as_long_as_they_are_not_over(node: Node):
    def post(id: str, **more: Any) -> Post:
        return Post(**({"id": id, "officer": "kept", "authority": "health/320106", "role": "handler"} | more))

    posts, today = node.store.posts, node.clock.now().date()
    for each in (post("k1"), post("k2", to_day=YESTERDAY), post("k3", to_day=TODAY), post("k4", from_day=LATER)):
        await posts.add(each)
    assert sorted(each.id for each in await posts.at("health/320106", on=today)) == ["k1", "k3", "k4"]
    assert [each.id for each in await posts.at("health/3201", on=today)] == []
    ended = await posts.end("k1", at=node.clock.now())
    assert (ended.ended_at, await posts.end("k1", at=node.clock.now())) == (node.clock.now(), ended)
    assert sorted(each.id for each in await posts.not_over("kept", on=today)) == ["k3", "k4"]
    assert [each.id for each in await posts.of_officer("kept")] == ["k2", "k3", "k4", "k1"]
