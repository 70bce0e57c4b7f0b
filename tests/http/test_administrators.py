"""The three administrators: of cases they see nothing, and the security administrator sees to all accounts."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote

import pytest

from handlers.base import ACCOUNTS, Role
from handlers.routes import DOORS
from server import cli
from server.domain.people.persons import AccountRole, Officer
from server.node import Node
from server.store.people.accounts import OFFICERS
from tests.http.asking import Sweeper, in_a_session, opened, refused
from tests.http.test_officers_ended import command
from tests.nodes import CHEAP, PASSWORD, Answer, Caller, Places

pytestmark = pytest.mark.asyncio(loop_scope="module")
TASKS, ALL = "/desk/v1/tasks", "/desk/v1/officers"
ADMINISTRATORS = tuple(role for role in get_args(AccountRole) if role != "officer")
NEW = "tulpen aus holland"


def doors(role: Role) -> Iterator[tuple[str, str]]:
    for door in DOORS:
        for method in door.operations if door.role is role else ():
            yield method, re.sub(r"{\w+}", "some", door.path)


async def sign_in(places: Places, name: str, password: str = PASSWORD) -> tuple[Caller, Answer]:
    caller = places.caller()
    answer = await caller.post("/desk/v1/sessions", {"name": name, "password": password})
    caller.token = answer.body.get("access_token", "")
    return caller, answer


def entries(sweeper: Sweeper, node: Node, kind: str, name: str) -> list[dict[str, str]]:
    """What the audit tells of the changes of one account."""
    found = sweeper[node.settings.database]["audit"].find({"kind": kind, "about.name": name})
    return [in_a_session(entry["about"]) for entry in found]


# Who comes in where.


@pytest.mark.parametrize(("method", "path"), sorted(doors(Role.OFFICER)))
@pytest.mark.parametrize("role", ADMINISTRATORS)
async def test_no_administrator_enters_where_cases_are(places: Places, role: AccountRole, method: str, path: str):
    caller = await places.administrator(role)
    refused(await caller.call(method, path), 403, "not_for_administrators")


OTHERS = [
    (role, method, path, f"{wanted}_administrator_only")
    for door_role, wanted in ACCOUNTS.items()
    for method, path in (sorted(doors(door_role)) if wanted in ADMINISTRATORS else ())
    for role in get_args(AccountRole)
    if role != wanted
]


@pytest.mark.parametrize(("role", "method", "path", "code"), OTHERS)
async def test_what_one_administrator_does_is_for_them_only(
    places: Places, role: AccountRole, method: str, *, path: str, code: str
):
    is_head = role == "officer"
    caller = (
        await places.officer("health", name="a head", roles=("head",)) if is_head else await places.administrator(role)
    )
    refused(await caller.call(method, path), 403, code)


async def test_every_account_has_doors_of_its_own():
    assert {ACCOUNTS[door.role] for door in DOORS if door.role in ACCOUNTS} == set(get_args(AccountRole))


async def test_an_administrator_sees_to_their_own_account(places: Places):
    caller = await places.administrator("audit", "ann")
    changed = await caller.post("/desk/v1/password", {"current": PASSWORD, "new": NEW})
    assert (changed.status, changed.body["name"], changed.body["role"]) == (200, "ann", "audit")


async def test_no_task_is_handed_to_an_administrator(places: Places, mother: Caller, wish: dict[str, Any]):
    case = await opened(places, mother, wish)
    await places.administrator("system")
    officer, task = await places.officer("health"), f"/desk/v1/tasks/{case}:birth_certificate"
    assert (await officer.post(f"{task}/claim")).status == 200
    refused(await officer.post(f"{task}/hand-over", {"to": "system administrator"}), 422, "no_such_colleague")


# What the security administrator does.


async def test_an_account_is_added_with_a_password_for_one_use(places: Places, node: Node, database_sweeper: Sweeper):
    security = await places.administrator("security")
    made = await security.post(ALL, {"name": "新来的"})
    assert made.status == 201, made.body
    secret = made.body["one_time_password"]
    caller, admission = await sign_in(places, "新来的", secret)
    assert (admission.body["needs"], admission.body["role"]) == ("password_change", "officer")
    refused(await caller.get(TASKS), 403, "password_change_needed")
    caller.token = (await caller.post("/desk/v1/password", {"current": secret, "new": NEW})).body["access_token"]
    assert (await caller.get(TASKS)).body == {"tasks": [], "next": None}, "they have no post yet"
    after = "role=officer one-time"
    told = {"name": "新来的", "by": "security administrator", "before": "", "after": after}
    assert entries(database_sweeper, node, "officer.added", "新来的") == [told]
    books = database_sweeper[node.settings.database]
    assert secret not in str([list(books[name].find()) for name in ("audit", OFFICERS)])


async def test_what_is_no_account_is_not_added(places: Places):
    security = await places.administrator("security")
    for wish, status, code in (
        ({"name": "new", "department": "health"}, 422, "body_faulty"),
        ({"name": "new", "rank": "head"}, 422, "body_faulty"),
        ({"name": "new", "role": "king"}, 422, "body_faulty"),
        ({"role": "officer"}, 422, "body_faulty"),
        ({"name": "2026-11-23"}, 422, "body_faulty"),
        ({"name": "a|b"}, 422, "body_faulty"),
        ({"name": "security administrator"}, 409, "officer_exists"),
    ):
        refused(await security.post(ALL, wish), status, code)


async def test_the_end_of_a_post_counts_at_once_and_frees_what_was_in_hand(
    places: Places, node: Node, mother: Caller, wish: dict[str, Any]
):
    security = await places.administrator("security")
    case = await opened(places, mother, wish)
    mover = await places.officer("health", name="mover")
    claim = f"/desk/v1/tasks/{case}:birth_certificate/claim"
    assert (await mover.post(claim)).body["holder"] == "mover"
    for post in await node.store.posts.of_officer("mover"):
        ended = await security.call("DELETE", f"{ALL}/mover/posts/{quote(post.id, safe='')}?reason={quote('调岗')}")
        assert ended.status == 200, ended.body
    given = await security.post(f"{ALL}/mover/posts", {"role": "head", "authority": "medical_insurance_bureau/320102"})
    assert given.status == 201, given.body
    refused(await mover.get(f"/desk/v1/cases/{case}"), 404, "no_such_case")
    refused(await mover.post(claim), 404, "no_such_task")
    assert (await mover.get(TASKS, params={"mine": "true"})).body["tasks"] == []
    assert (await (await places.officer("health")).post(claim)).body["holder"] == "health"


async def test_a_reset_password_ends_every_session_and_is_for_one_use(
    places: Places, node: Node, database_sweeper: Sweeper
):
    security = await places.administrator("security")
    officer = await places.officer("health", name="forgetful")
    wish = {"what": "password", "reason": "忘记密码"}
    given = await security.post(f"{ALL}/forgetful/reset", wish)
    refused(await officer.get(TASKS), 401, "session_over")
    refused((await sign_in(places, "forgetful"))[1], 401, "wrong_password")
    _, admission = await sign_in(places, "forgetful", given.body["one_time_password"])
    assert admission.body["needs"] == "password_change"
    (told,) = entries(database_sweeper, node, "officer.reset", "forgetful")
    assert (told["what"], told["reason"], told["by"]) == ("password", "忘记密码", "security administrator")
    assert (told["before"], told["after"]) == (
        "role=officer",
        "role=officer one-time",
    )
    refused(await security.post(f"{ALL}/nobody/reset", wish), 404, "no_such_officer")


async def test_a_reset_authenticator_is_asked_for_no_more(places: Places, node: Node):
    security = await places.administrator("security")
    officer = await places.officer("health", name="loser")
    await node.store.second_factors.plant(await node.store.accounts.account("loser"), "A" * 32)
    refused((await sign_in(places, "loser"))[1], 401, "totp_code_needed")
    given = await security.post(f"{ALL}/loser/reset", {"what": "totp", "reason": "手机丢失"})
    assert (given.status, given.body["one_time_password"]) == (200, "")
    refused(await officer.get(TASKS), 401, "session_over")
    assert (await sign_in(places, "loser"))[1].status == 201


async def test_an_officer_who_is_ended_is_out_at_once(places: Places):
    security = await places.administrator("security")
    officer = await places.officer("health", name="goer")
    refused(await security.post(f"{ALL}/goer/end", {"reason": " "}), 422, "body_faulty")
    assert (await security.post(f"{ALL}/goer/end", {"reason": "调离"})).body["name"] == "goer"
    refused(await officer.get(TASKS), 401, "officer_ended")
    refused(await security.post(f"{ALL}/goer/reset", {"what": "password", "reason": "复职"}), 404, "no_such_officer")
    post = {"role": "handler", "authority": "health/320102"}
    refused(await security.post(f"{ALL}/goer/posts", post), 404, "no_such_officer")
    refused(await security.post(ALL, {"name": "goer"}), 409, "name_ended")


async def test_nobody_ends_or_resets_their_own_account(places: Places):
    security = await places.administrator("security")
    own = f"{ALL}/security%20administrator"
    refused(await security.post(f"{own}/end", {"reason": "调离"}), 409, "not_yourself")
    refused(await security.post(f"{own}/reset", {"what": "totp", "reason": "换手机"}), 409, "not_yourself")


async def test_ending_and_resetting_need_a_fresh_proof(places: Places, node: Node):
    security = await places.administrator("security", "sleepy")
    await places.officer("health", name="awaited")
    [session] = await node.store.desk_sessions.of_officer("sleepy", at=node.clock.now(), limit=2)
    assert await node.store.desk_sessions.prove(session, node.clock.now() - timedelta(hours=1))
    ending, resetting = {"reason": "调离"}, {"what": "password", "reason": "忘记密码"}
    refused(await security.post(f"{ALL}/awaited/end", ending), 403, "reauthentication_needed")
    refused(await security.post(f"{ALL}/awaited/reset", resetting), 403, "reauthentication_needed")
    proof = {"kind": "password", "secret": PASSWORD}
    assert (await security.post("/desk/v1/reauthentication", proof)).status == 204
    assert (await security.post(f"{ALL}/awaited/reset", resetting)).status == 200
    assert (await security.post(f"{ALL}/awaited/end", ending)).status == 200


async def test_the_list_goes_page_by_page_with_those_in_office_first(places: Places, node: Node):
    security = await places.administrator("security")
    for number in range(60):
        officer = Officer(name=f"listed {number:02}")
        await node.store.accounts.add(officer, PASSWORD, cost=CHEAP)
    await node.store.accounts.end("listed 00", at=node.clock.now())
    rows: list[dict[str, Any]] = []
    after = ""
    while after is not None:
        page = (await security.get(ALL, params={"after": after})).body
        assert 0 < len(page["officers"]) <= 50
        rows += page["officers"]
        after = page["next"]
    named = {row["name"]: row for row in rows}
    assert len(named) == len(rows)
    assert {f"listed {number:02}" for number in range(60)} <= set(named)
    assert named["security administrator"]["role"] == "security"
    are_over = [bool(row["ended_at"]) for row in rows]
    assert are_over == sorted(are_over)
    assert named["listed 00"]["ended_at"]
    assert set(rows[0]) == {"name", "role", "has_one_time_password", "has_totp", "ended_at"}
    for strange in ("\0", "~", "zzz", "2026-11-23"):
        assert (await security.get(ALL, params={"after": strange})).status == 200


# The commands.


@pytest.mark.soak
async def test_the_first_administrator_is_made_by_command_and_the_others_by_them(
    node: Node, database_sweeper: Sweeper, tmp_path: Path
):
    place = {"database": f"{node.settings.database}_new", "data_folder": tmp_path}
    empty = replace(node, settings=node.settings.model_copy(update=place))
    made = await command(empty, "officers", "add", "first", "--role", "security", "--json")
    assert made.code == 0, made.err
    secret = json.loads(made.out)["one_time_password"]
    assert re.fullmatch(r"([a-z2-7]{4}-){5}[a-z2-7]{4}", secret)
    second = await command(empty, "officers", "add", "second", "--role", "audit")
    assert (second.code, second.out) == (1, "")
    assert "安全管理员" in second.err
    officer = await command(empty, "officers", "add", "anna")
    assert officer.code == 0
    listed = await command(empty, "officers", "list", "--json")
    assert [(row["name"], row["role"]) for row in json.loads(listed.out)] == [
        ("anna", "officer"),
        ("first", "security"),
    ]
    assert secret not in listed.out


@pytest.mark.soak
async def test_the_commands_list_reset_and_refuse(places: Places, node: Node):
    officer = await places.officer("health", name="commanded")
    given = await command(node, "officers", "reset", "commanded", "password", "--reason", "忘记密码")
    assert (given.code, given.out.startswith("commanded signs in once with ")) == (0, True), given.err
    refused(await officer.get(TASKS), 401, "session_over")
    gone = await command(node, "officers", "reset", "commanded", "totp", "--reason", "手机丢失", "--json")
    assert json.loads(gone.out) == {"name": "commanded", "one_time_password": ""}
    listed = await command(node, "officers", "list")
    assert "commanded: officer, one-time password" in listed.out.splitlines()
    unknown = await command(node, "officers", "reset", "nobody", "password", "--reason", "忘记密码")
    assert (unknown.code, unknown.out) == (1, "")


@pytest.mark.parametrize(
    "words",
    [
        ("add",),
        ("add", "anna", "--role", "king"),
        ("add", "anna", "--password", "secret"),
        ("reset", "anna", "password"),
        ("reset", "anna", "name", "--reason", "x"),
        (),
    ],
)
async def test_a_wrong_command_line_is_told_so(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]):
    with pytest.raises(SystemExit) as caught:
        cli.run(["officers", *words])
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err
