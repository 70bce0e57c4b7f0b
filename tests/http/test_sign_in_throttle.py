"""Wrong passwords are answered slower and slower, for a name and for an address, and every sign-in is on record."""

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pymongo
import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from server import main
from server.desk.background.forgetting import forget_expired
from server.desk.officer import officers
from server.desk.officer.pacing import take_turn
from server.desk.officer.proving import DeskProof
from server.domain.audit import Doer
from server.domain.errors import Refusal
from server.domain.people.persons import Officer
from server.node import Node
from server.store.people.accounts import HASHING, MOST_HASHING
from tests.http.asking import Sweeper, in_a_session, refused
from tests.http.conftest import nodes_of_a_module
from tests.nodes import CHEAP, PASSWORD, Answer, HandClock, Places, data_of
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"
NAMES = ("anna", "bert", "gone")
GUESSED = "guessed"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(
    tmp_path_factory: pytest.TempPathFactory,
    database_uri: str,
    database_sweeper: pymongo.MongoClient[dict[str, Any]],
    clock: HandClock,
) -> AsyncIterator[Places]:
    """A node with three officers, one of whom has ended."""
    folder = tmp_path_factory.mktemp("desk")
    async with nodes_of_a_module(folder, database_uri, database_sweeper, divisions=(JIANGSU,), clock=clock) as places:
        node = places.nodes[JIANGSU].node
        for name in NAMES:
            await node.store.accounts.add(Officer(name=name), PASSWORD, cost=CHEAP)
        await officers.end(node, "gone", reason="调离", by=Doer(name="operator"))
        yield places


@pytest.fixture(autouse=True)
def a_new_season(clock: HandClock) -> None:
    """Whatever failed in the test before is forgotten, and no address is familiar."""
    clock.wait(days=40)


class Trier:
    """Somebody at one address; what they would wait for is noted, and the clock is moved on instead."""

    def __init__(self, node: Node, clock: HandClock, address: str = HERE) -> None:
        self.node = node
        self.clock = clock
        self.address = address
        self.waits: list[float] = []

    async def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.clock.wait(seconds=seconds)

    async def tries(self, name: str, password: str = GUESSED) -> str:
        """`signed_in`, or the code of the refusal."""
        try:
            proof = DeskProof(name=name, password=password, address=self.address)
            await officers.sign_in(self.node, proof, wait=self.wait)
        except Refusal as refusal:
            return refusal.code
        return "signed_in"

    async def has_failed(self, *names: str) -> None:
        """These were tried before, once each; the passwords are not checked, for that takes long."""
        for name in names:
            await take_turn(self.node, name, self.address, wait=self.wait)


def many(count: int) -> list[str]:
    """So many names."""
    return [f"name {number}" for number in range(count)]


@pytest.fixture
def node(desk: Places) -> Node:
    return desk.nodes[JIANGSU].node


@pytest.fixture
def here(node: Node, clock: HandClock) -> Trier:
    return Trier(node, clock)


@pytest.fixture
def elsewhere(node: Node, clock: HandClock) -> Trier:
    return Trier(node, clock, ELSEWHERE)


async def sign_in(desk: Places, name: str, password: str = GUESSED) -> Answer:
    return await desk.caller().post("/desk/v1/sessions", {"name": name, "password": password})


async def test_wrong_passwords_are_answered_slower_and_slower_and_at_last_refused(desk: Places, clock: HandClock):
    for seconds in (0, 0, 0, 1, 2, 4):
        refused(await sign_in(desk, "anna"), 401, "wrong_password")
        clock.wait(seconds=seconds)
    refused(await sign_in(desk, "anna"), 401, "wrong_password")
    answer = await sign_in(desk, "anna", PASSWORD)
    assert refused(answer, 429, "too_many_attempts")["retry_after_seconds"] == 8
    assert answer.headers["Retry-After"] == "8"
    clock.wait(seconds=8)
    assert (await sign_in(desk, "anna", PASSWORD)).status == 201


async def test_an_attempt_waits_for_its_turn_if_that_is_near(here: Trier):
    assert [await here.tries("anna") for _ in range(7)] == ["wrong_password"] * 7
    assert here.waits == [1, 2, 4]
    assert await here.tries("anna") == "too_many_attempts"


async def test_a_name_that_is_unknown_or_has_ended_is_answered_like_a_known_one(here: Trier, clock: HandClock):
    found = {}
    for name in ("anna", "gone", "nobody", "he\0lth"):
        clock.wait(days=2)
        await here.has_failed(*[name] * 5)
        codes = [await here.tries(name, PASSWORD if name == "gone" else GUESSED) for _ in range(3)]
        found[name] = (codes, here.waits.copy())
        here.waits.clear()
    assert found["gone"] == found["nobody"] == found["he\0lth"] == found["anna"]


async def test_guesses_at_once_queue_up_instead_of_passing_together(node: Node, clock: HandClock):
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    async def guess(number: int) -> str:
        proof = DeskProof(name="anna", password=f"guess {number}", address=f"203.0.113.{number}")
        with pytest.raises(Refusal) as caught:
            await officers.sign_in(node, proof, wait=wait)
        return caught.value.code

    codes = await asyncio.gather(*(guess(number) for number in range(200)))
    assert (codes.count("wrong_password"), codes.count("too_many_attempts")) == (6, 194)
    assert sorted(waits) == [1, 3]


async def test_success_ends_the_failures_of_a_name(here: Trier):
    for _ in range(3):
        await here.has_failed(*["anna"] * 3)
        assert await here.tries("anna", PASSWORD) == "signed_in"
    assert here.waits == []


async def test_one_address_that_tries_many_names_is_slowed_down(here: Trier, elsewhere: Trier):
    await here.has_failed(*many(21))
    assert here.waits == []
    assert [await here.tries(name) for name in "abcd"] == ["wrong_password"] * 3 + ["too_many_attempts"]
    assert here.waits == [1, 2, 4]
    assert await elsewhere.tries("d") == "wrong_password"
    assert elsewhere.waits == []


async def test_the_success_of_one_name_does_not_free_an_address_to_guess_others(here: Trier):
    await here.has_failed(*many(21))
    for name in "abc":
        assert await here.tries("anna", PASSWORD) == "signed_in"
        await here.has_failed(name)
    assert len(here.waits) == 6
    assert set(here.waits) == {1}


async def test_a_stranger_elsewhere_does_not_lock_an_officer_out(here: Trier, elsewhere: Trier):
    assert await here.tries("anna", PASSWORD) == "signed_in"
    await elsewhere.has_failed(*["anna"] * 7)
    assert await elsewhere.tries("anna") == "too_many_attempts"
    assert await here.tries("anna", PASSWORD) == "signed_in"
    assert here.waits == []


async def test_a_stranger_at_a_familiar_address_does_not_lock_its_officers_out(here: Trier):
    assert await here.tries("anna", PASSWORD) == "signed_in"
    await here.has_failed(*many(60))
    here.waits.clear()
    assert await here.tries("anna", PASSWORD) == "signed_in"
    assert [seconds <= 1 for seconds in here.waits] == [True]


async def test_every_process_knows_of_the_failures(node: Node, here: Trier, clock: HandClock):
    await here.has_failed(*["bert"] * 7)
    async with main.opened(node.settings, clock=clock, data=data_of(node.settings)) as another:
        assert await Trier(another, clock).tries("bert", PASSWORD) == "too_many_attempts"


async def test_at_most_two_passwords_are_checked_at_once(node: Node):
    before = {thread for thread in threading.enumerate() if thread.name.startswith(HASHING)}
    async with main.opened(node.settings, data=data_of(node.settings)) as fresh:
        accounts = fresh.store.accounts
        await accounts.add(Officer(name="slow"), PASSWORD)  # each check takes long enough for all to come at once
        answers = await asyncio.gather(*(accounts.proven("slow", PASSWORD) for _ in range(6)))
        hashing = {thread for thread in threading.enumerate() if thread.name.startswith(HASHING)} - before
    assert [account.officer.name for account in answers] == ["slow"] * 6
    assert 1 <= len(hashing) <= MOST_HASHING == 2


# What is on record.


def entries(sweeper: Sweeper, node: Node, kind: str, clock: HandClock) -> list[dict[str, Any]]:
    """The audit entries of this kind since the test began."""
    since = (clock.now() - timedelta(days=1)).isoformat()
    found = sweeper[node.settings.database]["audit"].find({"kind": kind})
    return [entry for entry in found if entry["at"] > since]


async def test_a_sign_in_is_audited_with_name_and_address(
    desk: Places, node: Node, clock: HandClock, database_sweeper: Sweeper
):
    assert (await sign_in(desk, "bert", PASSWORD)).status == 201
    found = entries(database_sweeper, node, "officer.signed_in", clock)
    assert [in_a_session(entry["about"]) for entry in found] == [{"name": "bert", "outcome": "signed_in"}]


async def test_refusals_are_counted_in_one_entry_for_each_name_address_and_hour(
    here: Trier, elsewhere: Trier, node: Node, clock: HandClock, database_sweeper: Sweeper
):
    secret = "a password in the wrong field"
    for trier, name, times in ((here, "anna", 3), (elsewhere, "anna", 1), (here, secret, 2), (here, "nobody", 1)):
        for _ in range(times):
            assert await trier.tries(name) == "wrong_password"
    found = entries(database_sweeper, node, "officer.sign_in_refused", clock)
    counted = {(entry["about"]["name"], entry["about"]["address"]): entry["times"] for entry in found}
    assert counted == {("anna", HERE): 3, ("anna", ELSEWHERE): 1, ("", HERE): 3}
    assert {entry["about"]["outcome"] for entry in found} == {"wrong_password"}
    everything = [list(database_sweeper[node.settings.database][name].find()) for name in ("audit", "attempts")]
    assert secret not in str(everything)
    assert HERE not in str(everything[1])


async def test_a_flood_of_refusals_makes_few_entries(
    here: Trier, node: Node, clock: HandClock, database_sweeper: Sweeper
):
    await here.has_failed(*["nobody"] * 5)
    for _ in range(20):
        await here.tries("nobody")
    found = entries(database_sweeper, node, "officer.sign_in_refused", clock)
    assert len(found) == 2
    assert {entry["about"]["outcome"]: entry["times"] for entry in found} == {
        "wrong_password": 2,
        "too_many_attempts": 18,
    }


async def test_sign_ins_are_logged_without_name_or_address(here: Trier):
    with capture_logs() as logs:
        await here.tries("anna", PASSWORD)
        await here.tries("anna")
    assert [line["event"] for line in logs] == ["officer.signed_in", "officer.sign_in_refused"]
    assert (logs[0]["role"], logs[1]["code"]) == ("officer", "wrong_password")
    assert "anna" not in str(logs)
    assert HERE not in str(logs)


async def test_what_failed_is_not_kept_for_good(here: Trier, node: Node, clock: HandClock, database_sweeper: Sweeper):
    lanes = database_sweeper[node.settings.database]["attempts"]
    await forget_expired(node, clock.now())
    before = lanes.count_documents({})
    await here.tries("nobody")
    assert lanes.count_documents({}) == before + 2
    clock.wait(hours=26)
    assert await forget_expired(node, clock.now()) == 2
    assert lanes.count_documents({}) == before
