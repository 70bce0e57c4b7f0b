"""Every door that asks who comes keeps out whoever cannot say so."""

import re
from collections.abc import Iterator

import pytest

from handlers.base import AUDIENCES, Handler, Role
from handlers.routes import DOORS
from server.desk import sessions
from tests.http.asking import refused
from tests.nodes import Answer, Caller, Places
from tests.world import ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")


def locked(*kinds: Role) -> Iterator[tuple[str, str]]:
    """Method and path of each door for these people, with a made-up name in place of each segment."""
    for door in DOORS:
        for method in door.operations if door.role in kinds else ():
            yield method, re.sub(r"{\w+}", "some", door.path)


CITIZEN_DOORS = sorted(locked(Role.CITIZEN, Role.REAL_NAME))
REAL_NAME_DOORS = sorted(locked(Role.REAL_NAME))
DESK = tuple(role for role, audience in AUDIENCES.items() if audience == sessions.OFFICERS)
OFFICER_DOORS = sorted(locked(*DESK))


async def ask(caller: Caller, method: str, path: str, **more: object) -> Answer:
    return await caller.call(method, path, **more)


async def test_there_are_doors_to_lock():
    assert len(CITIZEN_DOORS) == 33
    assert len(OFFICER_DOORS) == 46


async def test_every_role_shows_a_token_or_none_on_purpose():
    assert set(Role) - set(AUDIENCES) == {Role.ANYONE, Role.PEER, Role.WATCHER}


@pytest.mark.parametrize(("method", "path"), CITIZEN_DOORS + OFFICER_DOORS)
async def test_nobody_enters_without_a_token(places: Places, method: str, path: str):
    answer = await ask(places.caller(), method, path)
    refused(answer, 401, "token_missing")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path"), CITIZEN_DOORS)
async def test_an_officers_token_opens_no_door_of_citizens(health: Caller, method: str, path: str):
    refused(await ask(health, method, path), 401, "wrong_audience")


@pytest.mark.parametrize(("method", "path"), OFFICER_DOORS)
async def test_a_citizens_token_opens_no_door_of_officers(mother: Caller, method: str, path: str):
    refused(await ask(mother, method, path), 401, "wrong_audience")


@pytest.mark.parametrize(("method", "path"), REAL_NAME_DOORS)
async def test_whoever_has_not_proven_a_name_is_asked_to(places: Places, method: str, path: str):
    nameless = await places.citizen("stranger", ZHEJIANG, is_real_name=False)
    refused(await ask(nameless, method, path), 403, "real_name_needed")


@pytest.mark.parametrize(
    "authorization", ["Bearer nonsense", "Bearer a.b.c", f"Bearer {'x' * 5000}", "Bearer é", "Bearer   "]
)
async def test_a_token_that_is_none_is_refused(places: Places, authorization: str):
    answer = await places.caller().get("/api/v1/cases", headers={"Authorization": authorization})
    refused(answer, 401, "token_missing" if authorization == "Bearer   " else "token_invalid")


async def test_another_scheme_than_bearer_is_no_token(places: Places, mother: Caller):
    answer = await places.caller().get("/api/v1/cases", headers={"Authorization": f"Basic {mother.token}"})
    refused(answer, 401, "token_missing")


async def test_the_token_of_another_node_is_not_ours(places: Places, mother: Caller):
    there = places.caller(ZHEJIANG)
    there.token = mother.token
    refused(await there.get("/api/v1/cases"), 401, "token_invalid")


async def test_a_token_with_a_changed_letter_is_refused(places: Places, mother: Caller):
    head, body, signature = mother.token.split(".")
    forger = places.caller()
    forger.token = ".".join((head, body, signature[:20] + ("A" if signature[20] != "A" else "B") + signature[21:]))
    refused(await forger.get("/api/v1/cases"), 401, "token_invalid")


@pytest.mark.parametrize("path", ["/", "/api/v1", "/api/v1/cases/", "/api/v2/cases", "/desk/v1/cases", "/favicon.ico"])
async def test_where_no_door_is_there_is_a_problem(places: Places, path: str):
    refused(await places.caller().get(path), 404, "no_such_door")
    refused(await places.caller().post(path), 404, "no_such_door")


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
async def test_a_wrong_method_is_told_the_right_ones(places: Places, door: type[Handler]):
    path = re.sub(r"{\w+}", "some", door.path)
    for method in {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"} - set(door.operations):
        answer = await places.caller().call(method, path)
        refused(answer, 405, "method_not_allowed")
        assert answer.headers["Allow"] == ", ".join(door.operations)


async def test_a_path_or_query_that_is_not_utf_8_is_a_problem(mother: Caller):
    refused(await mother.get("/api/v1/cases/%ff"), 400, "bad_request")
    refused(await mother.get("/api/v1/cases?before=%ff"), 400, "bad_request")
