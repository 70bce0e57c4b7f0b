"""Logging in, proving a name, going on with a session, and when all of it is over."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server import main
from server.crypto.keyring import make_keys
from server.desk import sessions
from server.domain.people.persons import NoSuchSession, check_character
from tests.http.asking import pointers, refused
from tests.nodes import APP_ID, MOTHER, STRANGER, Answer, Caller, HandClock, Places, data_of, running_nodes
from tests.world import JIANGSU

LOG_IN = {"app_id": APP_ID, "code": "mother"}
PROOF = {"name": MOTHER.name, "id_number": MOTHER.id_number, "face_token": "face-mother"}


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def places(tmp_path: Path, database_uri: str, database_name: str, clock: HandClock) -> AsyncIterator[Places]:
    """One node, whose clock the test holds."""
    async with running_nodes(tmp_path, database_uri, database_name, divisions=(JIANGSU,), clock=clock) as places:
        yield places


async def log_in(caller: Caller) -> Answer:
    answer = await caller.post("/api/v1/sessions", LOG_IN)
    assert answer.status == 201
    caller.token = answer.body["access_token"]
    return answer


async def refresh(caller: Caller, token: str) -> Answer:
    return await caller.post("/api/v1/sessions/refresh", {"refresh_token": token})


async def test_a_citizens_token_is_over_after_its_time(places: Places, clock: HandClock):
    mother = await places.citizen()
    clock.wait(seconds=1799)
    assert (await mother.get("/api/v1/cases")).status == 200
    clock.wait(seconds=1)
    refused(await mother.get("/api/v1/cases"), 401, "token_expired")


async def test_a_refresh_token_is_good_once(places: Places):
    caller = places.caller()
    admission = (await log_in(caller)).body
    assert (admission["token_type"], admission["expires_in"]) == ("Bearer", 1800)
    renewed = await refresh(caller, admission["refresh_token"])
    assert renewed.status == 200
    refused(await refresh(caller, admission["refresh_token"]), 401, "refresh_token_used")
    assert (await refresh(caller, renewed.body["refresh_token"])).status == 200


async def test_a_refreshed_session_keeps_the_proven_name(places: Places, clock: HandClock):
    caller = places.caller()
    await log_in(caller)
    proven = await caller.post("/api/v1/identity", PROOF)
    assert proven.status == 200
    clock.wait(hours=2)
    caller.token = (await refresh(caller, proven.body["refresh_token"])).body["access_token"]
    assert (await caller.get("/api/v1/cases")).status == 200


async def test_a_token_from_before_the_proof_stays_good(places: Places):
    caller = places.caller()
    await log_in(caller)
    refused(await caller.get("/api/v1/cases"), 403, "real_name_needed")
    assert (await caller.post("/api/v1/identity", PROOF)).status == 200
    assert (await caller.get("/api/v1/cases")).status == 200


async def test_a_session_that_was_not_refreshed_in_time_is_over(places: Places, clock: HandClock):
    caller = places.caller()
    admission = (await log_in(caller)).body
    clock.wait(days=29)
    renewed = (await refresh(caller, admission["refresh_token"])).body
    clock.wait(days=30, hours=1)
    refused(await refresh(caller, renewed["refresh_token"]), 401, "no_such_session")


@pytest.mark.parametrize("token", ["unknown", "unknown.secret", ".", "2026-11-23.x", "a\0b.c", "会话.1.x.y", "s.x.y.z"])
async def test_what_is_no_refresh_token_of_ours_is_refused(places: Places, token: str):
    refused(await refresh(places.caller(), token), 401, "refresh_token_used")


@pytest.mark.parametrize("place", range(4))
async def test_a_refresh_token_that_was_altered_anywhere_is_refused(places: Places, place: int):
    """Its session, its version, its stamp, its proof; that of another session among them."""
    caller, other = places.caller(), places.caller()
    token = (await log_in(caller)).body["refresh_token"]
    parts = token.split(".")
    foreign = (await log_in(other)).body["refresh_token"].split(".")
    for word in ("2", foreign[place]):
        forged = ".".join(word if index == place else part for index, part in enumerate(parts))
        if forged != token:
            refused(await refresh(caller, forged), 401, "refresh_token_used")
    assert (await refresh(caller, token)).status == 200


async def test_a_refresh_token_of_another_nodes_keys_is_refused(places: Places):
    caller, keys = places.caller(), places.nodes[JIANGSU].node.keys
    token = (await log_in(caller)).body["refresh_token"]
    words = token.rpartition(".")[0]
    ours, theirs = [f"{words}.{each.owner('refresh_token', words)}" for each in (keys, make_keys(JIANGSU))]
    assert ours == token
    refused(await refresh(caller, theirs), 401, "refresh_token_used")


async def test_who_sends_a_used_token_again_loses_nothing_else(places: Places):
    """As a phone does that has not got the answer, and two parts of one that ask at once."""
    caller = places.caller()
    first = (await log_in(caller)).body["refresh_token"]
    second = (await refresh(caller, first)).body
    refused(await refresh(caller, first), 401, "refresh_token_used")
    caller.token = second["access_token"]
    refused(await caller.get("/api/v1/cases"), 403, "real_name_needed")
    assert (await refresh(caller, second["refresh_token"])).status == 200


async def test_a_token_that_was_used_long_ago_ends_the_session(places: Places):
    """No phone that has had an answer sends it: somebody else has it."""
    caller = places.caller()
    tokens = [(await log_in(caller)).body["refresh_token"]]
    for _ in range(2):
        renewed = (await refresh(caller, tokens[-1])).body
        tokens.append(renewed["refresh_token"])
    caller.token = renewed["access_token"]
    refused(await refresh(caller, tokens[0]), 401, "no_such_session")
    refused(await refresh(caller, tokens[-1]), 401, "no_such_session")
    refused(await caller.get("/api/v1/cases"), 401, "no_such_session")


async def test_who_signs_out_is_not_let_in_any_more(places: Places, clock: HandClock):
    caller, elsewhere = places.caller(), places.caller()
    admission, other = (await log_in(caller)).body, (await log_in(elsewhere)).body
    assert (await caller.post("/api/v1/identity", PROOF)).status == 200
    signed_out = await caller.call("DELETE", "/api/v1/sessions/current")
    assert (signed_out.status, signed_out.body) == (204, b"")
    for method in ("GET", "DELETE"):
        path = "/api/v1/cases" if method == "GET" else "/api/v1/sessions/current"
        refused(await caller.call(method, path), 401, "no_such_session")
    refused(await caller.post("/api/v1/identity", PROOF), 401, "no_such_session")
    refused(await refresh(caller, admission["refresh_token"]), 401, "no_such_session")
    assert (await refresh(elsewhere, other["refresh_token"])).status == 200


async def test_another_process_learns_of_a_sign_out_by_the_log_of_ends(places: Places):
    caller, node = places.caller(), places.nodes[JIANGSU].node
    await log_in(caller)
    async with main.opened(node.settings, clock=node.clock, data=data_of(node.settings)) as other:
        claims = other.tokens.verify(caller.token, audience=sessions.CITIZENS, at=node.clock.now())
        other.store.people.check_goes_on(claims.session)
        assert (await caller.call("DELETE", "/api/v1/sessions/current")).status == 204
        await other.store.ends.follow(node.clock.now())
        with pytest.raises(NoSuchSession):
            other.store.people.check_goes_on(claims.session)


async def test_nobody_signs_out_without_a_token_of_a_citizen(places: Places):
    officer = await places.officer("health")
    refused(await places.caller().call("DELETE", "/api/v1/sessions/current"), 401, "token_missing")
    refused(await officer.call("DELETE", "/api/v1/sessions/current"), 401, "wrong_audience")


async def test_a_login_of_another_app_or_with_an_unknown_code_is_refused(places: Places):
    caller = places.caller()
    refused(await caller.post("/api/v1/sessions", LOG_IN | {"app_id": "wx-other"}), 422, "not_our_app")
    refused(await caller.post("/api/v1/sessions", LOG_IN | {"code": "guessed"}), 401, "login_code_invalid")
    problem = refused(await caller.post("/api/v1/sessions", {"app_id": "", "kode": "mother"}), 422, "body_faulty")
    assert pointers(problem) == {"/app_id": "type", "/code": "required", "/kode": "unknown"}


async def test_a_name_must_belong_to_the_number_and_the_face(places: Places):
    caller = places.caller()
    await log_in(caller)
    for lie in ({"name": STRANGER.name}, {"id_number": STRANGER.id_number}, {"face_token": "face-stranger"}):
        refused(await caller.post("/api/v1/identity", PROOF | lie), 422, "identity_mismatch")
    refused(await caller.get("/api/v1/cases"), 403, "real_name_needed")


@pytest.mark.parametrize(
    ("number", "rule"),
    [
        ("1", "id_number"),
        ("32000019900101002", "id_number"),
        ("32000019900101002x", "id_number_small_x"),
        ("32000019900230002" + check_character("32000019900230002"), "id_number_birth_date"),
        ("32000020990101002" + check_character("32000020990101002"), "id_number_birth_date"),
    ],
)
async def test_an_id_number_that_nobody_can_have_is_refused_by_the_rule_it_breaks(
    places: Places, number: str, rule: str
):
    caller = places.caller()
    await log_in(caller)
    problem = refused(await caller.post("/api/v1/identity", PROOF | {"id_number": number}), 422, "id_number_invalid")
    assert pointers(problem) == {"/id_number": rule}
    assert problem["detail"] == problem["errors"][0]["detail"]


async def test_an_id_number_with_a_wrong_check_character_is_refused(places: Places):
    caller = places.caller()
    await log_in(caller)
    wrong = MOTHER.id_number[:17] + ("0" if MOTHER.id_number[17] != "0" else "1")
    problem = refused(await caller.post("/api/v1/identity", PROOF | {"id_number": wrong}), 422, "id_number_invalid")
    assert pointers(problem) == {"/id_number": "id_number_check"}
    assert wrong not in str(problem)
