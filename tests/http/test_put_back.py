"""Over HTTP: whoever puts an older document of the node back, proof and all, revives no right that was ended."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio

from server.node import Node
from server.store.people.accounts import OFFICERS, document_id
from server.store.people.desk_sessions import DESK_SESSIONS
from server.store.people.mandates import MANDATES
from server.store.people.people import SESSIONS
from server.store.people.posts import POSTS
from tests.http.asking import Sweeper, opened, refused
from tests.http.conftest import module_wide
from tests.nodes import AGENT, APP_ID, PASSWORD, Answer, Caller, HandClock, Places, newborn_wish

pytestmark = pytest.mark.asyncio(loop_scope="module")
ALL, TASKS = "/desk/v1/officers", "/desk/v1/tasks"
HERE = {"household": "320102", "maternity_insurance": "no"}
Revive = Callable[[str, str, Callable[[], Awaitable[Answer]]], Awaitable[None]]


@module_wide
async def places(alone: Places) -> Places:
    """One node, whose clock the tests hold."""
    return alone


@module_wide
async def security(places: Places) -> Caller:
    """Who gives and ends the rights of officers."""
    return await places.administrator("security")


@pytest.fixture
def revive(node: Node, database_sweeper: Sweeper) -> Revive:
    """End a right by a request, then put its document back as it was before."""

    async def put_back(collection: str, id: str, end: Callable[[], Awaitable[Answer]]) -> None:
        room = database_sweeper[node.settings.database][collection]
        before = room.find_one({"_id": id})
        assert before is not None
        answer = await end()
        assert answer.status in (200, 204), answer.body
        assert room.find_one({"_id": id}) != before
        room.replace_one({"_id": id}, before, upsert=True)

    return put_back


async def sign_in(places: Places, name: str, password: str = PASSWORD) -> Answer:
    return await places.caller().post("/desk/v1/sessions", {"name": name, "password": password})


async def test_an_officer_who_has_ended(places: Places, security: Caller, revive: Revive):
    officer = await places.officer("health", name="leaver")
    await revive(OFFICERS, document_id("leaver"), lambda: security.post(f"{ALL}/leaver/end", {"reason": "调离"}))
    refused(await officer.get(TASKS), 401, "officer_ended")
    refused(await sign_in(places, "leaver"), 401, "wrong_password")
    refused(await security.post(ALL, {"name": "leaver"}), 409, "name_ended")


async def test_a_password_that_was_reset(places: Places, security: Caller, revive: Revive):
    officer, wish = await places.officer("health", name="robbed"), {"what": "password", "reason": "密码泄露"}
    await revive(OFFICERS, document_id("robbed"), lambda: security.post(f"{ALL}/robbed/reset", wish))
    refused(await officer.get(TASKS), 401, "session_over")
    refused(await sign_in(places, "robbed"), 401, "wrong_password")
    again = await security.post(f"{ALL}/robbed/reset", wish)
    assert (await sign_in(places, "robbed", again.body["one_time_password"])).status == 201


async def test_a_post_that_was_ended(
    places: Places, node: Node, security: Caller, mother: Caller, wish: dict[str, Any], revive: Revive
):
    case = await opened(places, mother, wish | {"answers": HERE})
    officer = await places.officer("health", name="mover")
    assert (await officer.get(f"/desk/v1/cases/{case}", params={"reason": "核对"})).status == 200
    posts = await node.store.posts.of_officer("mover")
    for post in posts:
        path = f"{ALL}/mover/posts/{quote(post.id, safe='')}?reason={quote('调岗')}"
        await revive(POSTS, post.id, lambda path=path: security.call("DELETE", path))  # type: ignore[misc]
    refused(await officer.get(f"/desk/v1/cases/{case}", params={"reason": "核对"}), 404, "no_such_case")
    assert (await officer.get("/desk/v1/posts")).body["posts"] == []


async def test_a_session_that_was_signed_out(places: Places, node: Node, revive: Revive):
    officer = await places.officer("health", name="gone home")
    (session,) = await node.store.desk_sessions.of_officer("gone home", at=node.clock.now(), limit=9)
    await revive(DESK_SESSIONS, session.id, lambda: officer.call("DELETE", "/desk/v1/sessions/current"))
    refused(await officer.get(TASKS), 401, "session_over")


async def test_a_mandate_that_was_revoked(places: Places, mother: Caller, clock: HandClock, revive: Revive):
    agent = await places.citizen("agent")
    given = {"agent_name": AGENT.name, "agent_id_number": AGENT.id_number, "bundles": ["newborn"]}
    mandate = (await mother.post("/api/v1/mandates", given | {"ends_on": "2026-12-23"})).body["id"]
    wish = await newborn_wish(agent)
    await revive(MANDATES, mandate, lambda: mother.call("DELETE", f"/api/v1/mandates/{mandate}"))
    refused(await agent.post("/api/v1/cases", {**wish, "mandate": mandate}), 403, "mandate_revoked")
    (listed,) = (await mother.get("/api/v1/mandates")).body["given"]
    assert listed["state"] == "revoked"


class Phone:
    """A citizen's phone, whose session an intruder puts back as it was when they had its refresh token."""

    def __init__(self, caller: Caller, room: Any) -> None:
        self.caller = caller
        self.room = room
        self.token = ""
        self.session = ""
        self.stolen: list[tuple[str, dict[str, Any]]] = []

    def keep(self, answer: Answer) -> None:
        """Keep the tokens; the intruder copies both the refresh token and the document of this moment."""
        assert answer.status in (200, 201), answer.body
        self.caller.token, self.token = answer.body["access_token"], answer.body["refresh_token"]
        self.session = self.token.partition(".")[0]
        self.stolen.append((self.token, self.room.find_one({"_id": self.session})))

    async def refresh(self, token: str = "") -> Answer:
        return await self.caller.post("/api/v1/sessions/refresh", {"refresh_token": token or self.token})

    def put_back(self, version: int) -> str:
        """The document of this version; answers the intruder's token for it."""
        token, document = self.stolen[version - 1]
        self.room.replace_one({"_id": self.session}, document, upsert=True)
        return token


@pytest_asyncio.fixture(loop_scope="module")
async def phone(places: Places, node: Node, database_sweeper: Sweeper) -> Phone:
    """A phone that has renewed its session three times."""
    phone = Phone(places.caller(), database_sweeper[node.settings.database][SESSIONS])
    phone.keep(await phone.caller.post("/api/v1/sessions", {"app_id": APP_ID, "code": "mother"}))
    for _ in range(3):
        phone.keep(await phone.refresh())
    return phone


@pytest.mark.parametrize("renewals", range(6))
async def test_a_citizens_session_that_was_put_back_is_over_as_soon_as_her_phone_comes(
    phone: Phone, node: Node, renewals: int
):
    """However often the intruder has renewed it meanwhile: as many times as she, less, or more."""
    told: list[tuple[str, str]] = []
    node.store.ends.tell_older = lambda *place: told.append(place)
    theirs = phone.put_back(1)
    for _ in range(renewals):
        theirs = (await phone.refresh(theirs)).body["refresh_token"]
    refused(await phone.refresh(), 401, "no_such_session")
    refused(await phone.refresh(theirs), 401, "no_such_session")
    assert told == ([(SESSIONS, phone.session)] if renewals < 5 else [])
    phone.put_back(1)
    refused(await phone.refresh(phone.stolen[0][0]), 401, "no_such_session")
    refused(await phone.caller.get("/api/v1/cases"), 401, "no_such_session")


async def test_a_citizens_session_that_was_signed_out(phone: Phone, revive: Revive):
    out = "/api/v1/sessions/current"
    await revive(SESSIONS, phone.session, lambda: phone.caller.call("DELETE", out))
    refused(await phone.caller.get("/api/v1/cases"), 401, "no_such_session")
    refused(await phone.refresh(), 401, "no_such_session")


async def test_operators_are_told_of_what_was_put_back(places: Places, node: Node, security: Caller, revive: Revive):
    officer, told = await places.officer("health", name="haunting"), []
    node.store.ends.tell_older = lambda *place: told.append(place)
    await revive(OFFICERS, document_id("haunting"), lambda: security.post(f"{ALL}/haunting/end", {"reason": "调离"}))
    passed = node.store.ends.now
    node.store.ends.now = lambda: passed() + 60
    refused(await officer.get(TASKS), 401, "officer_ended")
    assert told == [(OFFICERS, document_id("haunting"))]
