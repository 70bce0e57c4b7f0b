"""An officer who has ended signs in no more; every token of theirs is refused at once, and their tasks are free."""

import asyncio
import json
import os
import re
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from handlers.base import AUDIENCES
from handlers.routes import DOORS
from server import cli
from server.desk import sessions
from server.desk.officer import officers
from server.domain.audit import Doer
from server.node import Node
from server.staffing import seed_officers
from server.store.people.accounts import NameEnded, NoSuchOfficer
from tests.http.asking import Sweeper, opened, refused
from tests.http.conftest import module_wide
from tests.nodes import PASSWORD, Answer, Caller, Places, data_of
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")
FIRST_STEP = "birth_certificate"
OFFICER_DOORS = sorted(
    (method, re.sub(r"{\w+}", "some", door.path))
    for door in DOORS
    if AUDIENCES.get(door.role) == sessions.OFFICERS
    for method in door.operations
)


async def end(node: Node, name: str) -> officers.EndedOfficer:
    return await officers.end(node, name, reason="调离", by=Doer(name="operator"))


async def sign_in(places: Places, name: str, password: str = PASSWORD) -> Answer:
    return await places.caller().post("/desk/v1/sessions", {"name": name, "password": password})


@module_wide
async def leaver(places: Places) -> Caller:
    """An officer who has ended, with the token from before."""
    leaver = await places.officer("health", name="leaver")
    await end(places.nodes[JIANGSU].node, "leaver")
    return leaver


@pytest.mark.parametrize(("method", "path"), OFFICER_DOORS)
async def test_a_token_from_before_the_end_opens_no_door(leaver: Caller, method: str, path: str):
    refused(await leaver.call(method, path), 401, "officer_ended")


async def test_the_end_of_one_closes_no_door_to_others(places: Places, leaver: Caller):
    other = await places.officer("health")
    assert (await other.get("/desk/v1/tasks")).status == 200


async def test_who_has_ended_is_answered_like_a_wrong_password(places: Places, node: Node):
    await places.officer("health", name="retired")
    await end(node, "retired")
    right, wrong = await sign_in(places, "retired"), await sign_in(places, "retired", "guessed")
    assert refused(right, 401, "wrong_password") == refused(wrong, 401, "wrong_password")


async def test_the_end_is_audited_once_with_who_and_why(places: Places, node: Node, database_sweeper: Sweeper):
    await places.officer("health", name="audited")
    first = await end(node, "audited")
    assert await officers.end(node, "audited", reason="again", by=Doer(name="another")) == first
    entries = database_sweeper[node.settings.database]["audit"].find({"kind": "officer.ended", "about.name": "audited"})
    told = {"name": "audited", "by": "operator", "reason": "调离", "after": "ended"}
    assert [entry["about"] for entry in entries] == [told | {"before": "role=officer"}]


async def test_their_tasks_are_free_for_colleagues(places: Places, node: Node, mother: Caller, wish: dict[str, Any]):
    case = await opened(places, mother, wish)
    leaver, colleague = await places.officer("health", name="holder"), await places.officer("health")
    claim = f"/desk/v1/tasks/{case}:{FIRST_STEP}/claim"
    assert (await leaver.post(claim)).body["holder"] == "holder"
    refused(await colleague.post(claim), 409, "claimed_by_another")
    assert (await end(node, "holder")).released == 1
    assert (await colleague.post(claim)).body["holder"] == "health"
    refused(await leaver.post(claim), 401, "officer_ended")


async def test_no_task_is_handed_to_who_has_ended(places: Places, node: Node, mother: Caller, wish: dict[str, Any]):
    case = await opened(places, mother, wish)
    await places.officer("health", name="gone")
    officer, task = await places.officer("health"), f"/desk/v1/tasks/{case}:{FIRST_STEP}"
    assert (await officer.post(f"{task}/claim")).status == 200
    await end(node, "gone")
    refused(await officer.post(f"{task}/hand-over", {"to": "gone"}), 422, "no_such_colleague")


async def test_a_name_is_never_given_twice(places: Places, node: Node):
    leaver = await places.officer("health", name="once")
    await end(node, "once")
    seat = {"name": "once", "posts": [], "password": "another password"}
    with pytest.raises(NameEnded):
        await seed_officers(node.settings, [seat], data=data_of(node.settings))
    refused(await sign_in(places, "once", "another password"), 401, "wrong_password")
    refused(await leaver.get("/desk/v1/tasks"), 401, "officer_ended")


@pytest.mark.parametrize("name", ["nobody", "he\0lth", ""])
async def test_nobody_is_ended_who_never_was(node: Node, name: str):
    with pytest.raises(NoSuchOfficer):
        await end(node, name)


async def test_a_token_counts_for_the_posts_that_the_officer_has_now(
    places: Places, node: Node, mother: Caller, wish: dict[str, Any]
):
    """Rights are checked at use, and not when a token is issued."""
    case = await opened(places, mother, wish)
    mover = await places.officer("health", name="mover")
    assert (await mover.get(f"/desk/v1/cases/{case}")).status == 200
    for post in await node.store.posts.of_officer("mover"):
        await node.store.posts.end(post.id, at=node.clock.now())
    await places.appoint("mover", "medical_insurance_bureau/320102")
    refused(await mover.get(f"/desk/v1/cases/{case}"), 404, "no_such_case")


# The command.


@dataclass(frozen=True)
class Ran:
    """What a command wrote, and its exit code."""

    code: int
    out: str
    err: str


def environ_of(node: Node) -> dict[str, str]:
    """The environment of a process of this node."""
    chosen = {name: value for name, value in node.settings if name in node.settings.model_fields_set}
    chosen["platform_app_secret"] = chosen["platform_app_secret"].get_secret_value()
    return {**os.environ, **{f"TONGBAN_{name.upper()}": str(value) for name, value in chosen.items()}}


async def command(node: Node, *words: str) -> Ran:
    """Run a command of the node, as its operator would."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", *words),
        env=environ_of(node),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return Ran(int(process.returncode or 0), out.decode(), err.decode())


@pytest.mark.soak
async def test_the_command_ends_an_officer(places: Places, node: Node):
    leaver = await places.officer("health", name="by command")
    first = await command(node, "officers", "end", "by command", "--reason", "退休")
    assert (first.code, first.out.startswith("by command ended at ")) == (0, True), first.err
    refused(await leaver.get("/desk/v1/tasks"), 401, "officer_ended")
    again = await command(node, "officers", "end", "by command", "--reason", "退休", "--json")
    ended = json.loads(again.out)
    assert (ended["name"], ended["released"]) == ("by command", 0)
    assert ended["ended_at"][:10] in first.out


async def test_the_command_says_what_is_wrong(node: Node, capsys: pytest.CaptureFixture[str]):
    unknown = await command(node, "officers", "end", "nobody", "--reason", "退休")
    assert (unknown.code, unknown.out) == (1, "")
    assert unknown.err.splitlines()[-1].startswith("tongban: ")
    for words in (("end", "nobody"), ("end", "nobody", "--reason", " "), ("seed", "-", "--reason", "退休")):
        with pytest.raises(SystemExit) as caught:
            cli.run(["officers", *words])
        assert caught.value.code == 2
        assert "--reason" in capsys.readouterr().err
