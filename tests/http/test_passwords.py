"""Passwords at the desk: changed by their officer, by rule, and given by an administrator for one use only."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.crypto.passwords import hash_password
from server.domain.errors import StaleVersion
from server.domain.people.accounts import Account
from server.domain.people.persons import Officer
from server.node import Node
from server.store.people import accounts
from server.store.people.accounts import OFFICERS
from tests.http.asking import Sweeper, in_a_session, pointers, refused
from tests.nodes import CHEAP, PASSWORD, Answer, Caller, HandClock, Places, running_nodes
from tests.world import JIANGSU

TASKS, CHANGE = "/desk/v1/tasks", "/desk/v1/password"
NEW = "tulpen aus holland"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def places(tmp_path: Path, database_uri: str, database_name: str, clock: HandClock) -> AsyncIterator[Places]:
    """One node, whose clock the test holds."""
    async with running_nodes(tmp_path, database_uri, database_name, divisions=(JIANGSU,), clock=clock) as places:
        yield places


async def sign_in(places: Places, password: str, name: str = "health") -> tuple[Caller, Answer]:
    caller = places.caller()
    answer = await caller.post("/desk/v1/sessions", {"name": name, "password": password})
    caller.token = answer.body.get("access_token", "")
    return caller, answer


async def change(caller: Caller, new: str, current: str = PASSWORD) -> Answer:
    return await caller.post(CHANGE, {"current": current, "new": new})


async def test_a_changed_password_counts_from_now_on_and_ends_the_other_sessions(places: Places):
    officer = await places.officer("health")
    elsewhere, _ = await sign_in(places, PASSWORD)
    answer = await change(officer, NEW)
    assert (answer.status, answer.body["needs"]) == (200, "")
    for ended in (officer, elsewhere):
        refused(await ended.get(TASKS), 401, "session_over")
    officer.token = answer.body["access_token"]
    assert (await officer.get(TASKS)).status == 200
    refused((await sign_in(places, PASSWORD))[1], 401, "wrong_password")
    assert (await sign_in(places, NEW))[1].status == 201


@pytest.mark.parametrize(
    ("new", "faults"),
    [
        ("short-one-9", {"password_short"}),
        ("Password2026!!", {"password_guessable"}),
        ("my-health-is-fine", {"password_has_name"}),
        ("health", {"password_short", "password_has_name", "password_guessable"}),
    ],
)
async def test_an_easy_password_is_refused_by_the_rules_it_breaks(places: Places, new: str, faults: set[str]):
    officer = await places.officer("health")
    problem = refused(await change(officer, new), 422, "password_too_easy")
    assert {fault["code"] for fault in problem["errors"]} == faults
    assert set(pointers(problem)) == {"/new"}
    assert new not in {problem["detail"], *(fault["detail"] for fault in problem["errors"])}
    assert (await officer.get(TASKS)).status == 200


async def test_a_change_needs_the_present_password_and_wrong_ones_are_slowed_down(places: Places, clock: HandClock):
    officer = await places.officer("health")
    for seconds in (0, 0, 0, 1, 2, 4, 0):
        refused(await change(officer, NEW, "guessed"), 401, "wrong_password")
        clock.wait(seconds=seconds)
    refused(await change(officer, NEW), 429, "too_many_attempts")


async def test_none_of_the_last_five_passwords_comes_back(
    places: Places, node: Node, database_sweeper: Sweeper, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(accounts, "hash_password", lambda text, _=CHEAP: hash_password(text, CHEAP))
    account = await officer_with(node, PASSWORD)
    words = ("tulpen", "narzissen", "krokusse", "hyazinthen", "anemonen")
    for word in words:
        account = await node.store.accounts.set_password(account, f"{word} aus holland", is_one_time=False)
    officer, _ = await sign_in(places, f"{words[-1]} aus holland")
    for word in words:
        again = await change(officer, f"{word} aus holland", f"{words[-1]} aus holland")
        refused(again, 422, "password_used_before")
    assert (await change(officer, PASSWORD, f"{words[-1]} aus holland")).status == 200
    kept = database_sweeper[node.settings.database][OFFICERS].find_one({"_id": "officer:health"})
    assert kept
    assert len(kept["past_hashes"]) == 4
    assert "holland" not in str(kept)


async def officer_with(node: Node, password: str, *, is_one_time: bool = False) -> Account:
    """The account of a new officer."""
    officer = Officer(name="health")
    await node.store.accounts.add(officer, password, is_one_time=is_one_time, cost=CHEAP)
    return await node.store.accounts.account("health")


async def test_a_one_time_password_opens_nothing_but_its_own_change(places: Places, node: Node):
    await officer_with(node, PASSWORD, is_one_time=True)
    officer, answer = await sign_in(places, PASSWORD)
    assert (answer.status, answer.body["needs"]) == (201, "password_change")
    refused(await officer.get(TASKS), 403, "password_change_needed")
    refused(await change(officer, PASSWORD), 422, "password_used_before")
    changed = await change(officer, NEW)
    officer.token = changed.body["access_token"]
    assert (await officer.get(TASKS)).status == 200
    assert (await sign_in(places, NEW))[1].body["needs"] == ""


async def test_a_change_is_lost_if_an_administrator_was_faster(node: Node):
    """Who has proven the old password must not undo a reset."""
    seen = await officer_with(node, PASSWORD)
    await node.store.accounts.set_password(seen, NEW, is_one_time=True)
    with pytest.raises(StaleVersion):
        await node.store.accounts.set_password(seen, "narzissen aus holland", is_one_time=False)


async def test_a_change_is_on_record_without_the_password(places: Places, node: Node, database_sweeper: Sweeper):
    officer = await places.officer("health")
    await change(officer, NEW)
    audit = database_sweeper[node.settings.database]["audit"]
    (entry,) = audit.find({"kind": "officer.password_changed"})
    assert in_a_session(entry["about"]) == {"name": "health"}
    assert NEW not in str(list(audit.find()))
