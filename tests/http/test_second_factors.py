"""Authenticators at the desk: set up, asked for at sign-in, good once, and required where the node says so."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server import main
from server.crypto.totp import code_at
from server.desk.officer import proving
from server.desk.officer.proving import DeskProof
from server.node import Node
from server.store.people.accounts import OFFICERS
from tests.http.asking import Sweeper, in_a_session, refused
from tests.nodes import PASSWORD, Answer, Caller, HandClock, Places, data_of, running_nodes
from tests.world import JIANGSU

TASKS, TOTP, CONFIRMATION = "/desk/v1/tasks", "/desk/v1/totp", "/desk/v1/totp/confirmation"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def mode() -> str:
    return "optional"


@pytest.fixture
async def places(
    tmp_path: Path, database_uri: str, database_name: str, clock: HandClock, mode: str
) -> AsyncIterator[Places]:
    """One node, whose clock the test holds."""
    more = {"divisions": (JIANGSU,), "clock": clock, "desk_totp": mode}
    async with running_nodes(tmp_path, database_uri, database_name, **more) as places:
        yield places


class Holder:
    """An officer with an authenticator in hand, ten recovery codes and a clock."""

    def __init__(self, places: Places, clock: HandClock) -> None:
        self.places = places
        self.clock = clock
        self.secret = ""
        self.recovery: list[str] = []

    @property
    def code(self) -> str:
        """What the authenticator shows now."""
        return code_at(self.secret, self.clock.now())

    async def sets_up(self, caller: Caller) -> None:
        """Set the authenticator up, and let a step go by, whose code is used up."""
        offer = await caller.post(TOTP, {"password": PASSWORD})
        self.secret = offer.body["secret"]
        confirmed = await caller.post(CONFIRMATION, {"code": self.code})
        assert confirmed.status == 200, confirmed.body
        self.recovery = confirmed.body["recovery_codes"]
        self.clock.wait(seconds=30)

    async def signs_in(self, code: str = "", password: str = PASSWORD) -> Answer:
        wish = {"name": "health", "password": password} | ({"code": code} if code else {})
        return await self.places.caller().post("/desk/v1/sessions", wish)


@pytest.fixture
def holder(places: Places, clock: HandClock) -> Holder:
    return Holder(places, clock)


async def test_with_an_authenticator_the_password_alone_opens_nothing(places: Places, holder: Holder):
    await holder.sets_up(await places.officer("health"))
    refused(await holder.signs_in(), 401, "totp_code_needed")
    refused(await holder.signs_in("000000"), 401, "totp_code_wrong")
    refused(await holder.signs_in(holder.code, "guessed"), 401, "wrong_password")
    assert (await holder.signs_in(holder.code)).status == 201


async def test_a_code_is_good_once(holder: Holder, places: Places, clock: HandClock):
    await holder.sets_up(await places.officer("health"))
    code = holder.code
    assert (await holder.signs_in(code)).status == 201
    refused(await holder.signs_in(code), 401, "totp_code_wrong")
    clock.wait(seconds=30)
    refused(await holder.signs_in(code), 401, "totp_code_wrong")
    assert (await holder.signs_in(holder.code)).status == 201


async def test_a_code_is_good_once_in_all_processes(holder: Holder, places: Places, node: Node, clock: HandClock):
    await holder.sets_up(await places.officer("health"))
    proof = DeskProof(name="health", password=PASSWORD, code=holder.code, address="192.0.2.1")
    async with main.opened(node.settings, clock=clock, data=data_of(node.settings)) as another:
        assert (await proving.prove(another, proof)).officer.name == "health"
    refused(await holder.signs_in(holder.code), 401, "totp_code_wrong")


async def test_a_recovery_code_signs_in_once(holder: Holder, places: Places):
    await holder.sets_up(await places.officer("health"))
    assert len(set(holder.recovery)) == 10
    first, second, *_ = holder.recovery
    assert (await holder.signs_in(first)).status == 201
    refused(await holder.signs_in(first), 401, "totp_code_wrong")
    assert (await holder.signs_in(second.replace("-", " ").upper())).status == 201


async def test_wrong_codes_are_slowed_down_as_passwords_are(holder: Holder, places: Places, clock: HandClock):
    await holder.sets_up(await places.officer("health"))
    for seconds in (0, 0, 0, 1, 2, 4, 0):
        refused(await holder.signs_in("000000"), 401, "totp_code_wrong")
        clock.wait(seconds=seconds)
    refused(await holder.signs_in(holder.code), 429, "too_many_attempts")


async def test_the_authenticator_counts_once_a_code_of_it_is_confirmed(places: Places, holder: Holder):
    officer = await places.officer("health")
    refused(await officer.post(CONFIRMATION, {"code": "000000"}), 409, "totp_not_offered")
    refused(await officer.post(TOTP, {"password": "guessed"}), 401, "wrong_password")
    assert (await officer.post(TOTP, {"password": PASSWORD})).status == 200
    refused(await officer.post(CONFIRMATION, {"code": "000000"}), 401, "totp_code_wrong")
    assert (await holder.signs_in()).status == 201
    await holder.sets_up(officer)
    refused(await officer.post(TOTP, {"password": PASSWORD}), 409, "totp_is_on")
    refused(await officer.post(CONFIRMATION, {"code": holder.code}), 409, "totp_is_on")


async def test_secret_and_recovery_codes_are_kept_so_that_nobody_reads_them(
    places: Places, node: Node, holder: Holder, database_sweeper: Sweeper
):
    await holder.sets_up(await places.officer("health"))
    books = database_sweeper[node.settings.database]
    kept = str([list(books[name].find()) for name in (OFFICERS, "audit", "desk_sessions")])
    assert holder.secret not in kept
    assert not [code for code in holder.recovery if code in kept or code.replace("-", "") in kept]
    (entry,) = books["audit"].find({"kind": "officer.totp_on"})
    assert in_a_session(entry["about"]) == {"name": "health"}


@pytest.mark.parametrize("mode", ["required"])
async def test_where_it_is_required_nothing_else_is_open_before(places: Places, holder: Holder):
    await places.officer("health")
    admission = await holder.signs_in()
    assert (admission.status, admission.body["needs"]) == (201, "totp")
    officer = places.caller()
    officer.token = admission.body["access_token"]
    refused(await officer.get(TASKS), 403, "totp_needed")
    await holder.sets_up(officer)
    assert (await officer.get(TASKS)).status == 200
    assert (await holder.signs_in(holder.code)).body["needs"] == ""


@pytest.mark.parametrize("mode", ["off"])
async def test_where_it_is_off_nobody_sets_one_up(places: Places):
    officer = await places.officer("health")
    refused(await officer.post(TOTP, {"password": PASSWORD}), 409, "totp_is_off")
    refused(await officer.post(CONFIRMATION, {"code": "000000"}), 409, "totp_is_off")


# A fresh proof for weighty acts.


async def change(caller: Caller) -> Answer:
    """A weighty act."""
    return await caller.post("/desk/v1/password", {"current": PASSWORD, "new": "tulpen aus holland"})


async def reauthenticate(caller: Caller, kind: str, secret: str) -> Answer:
    return await caller.post("/desk/v1/reauthentication", {"kind": kind, "secret": secret})


async def test_a_weighty_act_needs_a_proof_of_the_last_five_minutes(places: Places, clock: HandClock):
    officer = await places.officer("health")
    clock.wait(minutes=5)
    refused(await change(officer), 403, "reauthentication_needed")
    refused(await reauthenticate(officer, "password", "guessed"), 401, "wrong_password")
    refused(await reauthenticate(officer, "code", "000000"), 401, "totp_code_wrong")
    refused(await change(officer), 403, "reauthentication_needed")
    assert (await reauthenticate(officer, "password", PASSWORD)).status == 204
    clock.wait(minutes=4, seconds=59)
    assert (await change(officer)).status == 200


async def test_a_code_is_a_proof_too(places: Places, clock: HandClock, holder: Holder):
    officer = await places.officer("health")
    await holder.sets_up(officer)
    clock.wait(minutes=5)
    code = holder.code
    assert (await reauthenticate(officer, "code", code)).status == 204
    refused(await reauthenticate(officer, "code", code), 401, "totp_code_wrong")
    assert (await change(officer)).status == 200


async def test_the_proof_of_one_session_is_none_for_another(places: Places, clock: HandClock):
    first = await places.officer("health")
    clock.wait(minutes=5)
    places.desk_tokens.clear()
    await places.officer("health")
    refused(await change(first), 403, "reauthentication_needed")
