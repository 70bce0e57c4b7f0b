"""Showing licences: a code that lives a minute, a purpose, the holder who confirms, and then the faces."""

import asyncio
from typing import Any

import pytest

from server.desk.background import forgetting
from tests.http.asking import refused
from tests.http.conftest import module_wide
from tests.http.licensing import CARD, WHY, licensed
from tests.http.peer_questions import Books
from tests.nodes import MOTHER, Answer, Caller, HandClock, Places
from tests.world import GUANGDONG, JIANGSU, ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")
CODES, DESK_CODES, REQUESTS = "/api/v1/licences/codes", "/desk/v1/licence-codes", "/api/v1/licence-requests"
DESK_REQUESTS = "/desk/v1/licence-requests"
PURPOSE = "核对居住登记的身份信息"


@module_wide
async def places(three: Places) -> Places:
    """Three nodes under a clock that stands still."""
    return three


@module_wide
async def card(places: Places, mother: Caller) -> str:
    """A licence of the mother, issued in Jiangsu."""
    return await licensed(places, mother)


def clock_of(places: Places) -> HandClock:
    clock = places.nodes[JIANGSU].node.clock
    assert isinstance(clock, HandClock)
    return clock


async def shown_code(holder: Caller, *licences: str) -> str:
    answer = await holder.post(CODES, {"licences": licences})
    assert answer.status == 201, answer.body
    return str(answer.body["code"])


async def redeemed(officer: Caller, code: str, **more: Any) -> Answer:
    """What an officer of a health authority is answered who redeems a code."""
    place = {"at": "public_security/320102", "item": CARD, "purpose": PURPOSE}
    return await officer.post(DESK_CODES, {"code": code, **place, **more.pop("said", {})}, **more)


async def one_request(holder: Caller) -> dict[str, Any]:
    """The request that waits for the holder."""
    (waiting,) = [each for each in (await holder.get(REQUESTS)).body["requests"] if each["state"] == "waiting"]
    return dict(waiting)


@module_wide
async def clerk(places: Places) -> Caller:
    """An officer of Jiangsu whose county's police did not issue the card by themselves."""
    return await places.officer("public_security", JIANGSU, name="police-here")


@module_wide
async def abroad(places: Places) -> Caller:
    """One of Zhejiang."""
    return await places.officer("public_security", ZHEJIANG)


THERE = {"at": "public_security/330106"}


async def test_only_ones_own_valid_licence_is_shown(places: Places, mother: Caller, clerk: Caller):
    card = await licensed(places, mother)
    refused(await (await places.citizen("stranger")).post(CODES, {"licences": [card]}), 404, "never_issued")
    refused(await mother.post(CODES, {"licences": []}), 422, "body_faulty")
    assert (await clerk.post(f"/desk/v1/licences/{card}/suspend", WHY)).status == 200
    problem = refused(await mother.post(CODES, {"licences": [card]}), 409, "licence_not_good")
    assert (problem["state"], problem["state_name"]) == ("suspended", "已暂停")


async def test_an_expired_code_is_as_one_that_never_was(places: Places, mother: Caller, clerk: Caller, card: str):
    code = await shown_code(mother, card)
    assert MOTHER.id_number not in code
    clock_of(places).wait(seconds=60)
    gone = refused(await redeemed(clerk, code), 404, "show_code_unknown")
    never = refused(await redeemed(clerk, f"{JIANGSU}0000000000"), 404, "show_code_unknown")
    assert {**gone, "instance": ""} == {**never, "instance": ""}
    refused(await redeemed(clerk, "something"), 404, "show_code_unknown")
    refused(await redeemed(clerk, "9900000000000000"), 404, "node_unknown")


async def test_a_code_is_redeemed_once(mother: Caller, clerk: Caller, card: str):
    code = await shown_code(mother, card)
    first = await redeemed(clerk, code, key="redeem-once")
    again = await redeemed(clerk, code, key="redeem-once")
    assert (first.status, first.body) == (201, again.body)
    refused(await redeemed(clerk, code), 409, "show_code_used")
    assert (first.body["state"], first.body["licences"]) == ("waiting", [])
    assert (await mother.post(f"{REQUESTS}/{(await one_request(mother))['id']}/decline")).status == 200


async def test_of_two_who_redeem_a_code_at_once_one_gets_it(mother: Caller, clerk: Caller, card: str):
    code = await shown_code(mother, card)
    answers = await asyncio.gather(*(redeemed(clerk, code, key=f"at-once-{each}") for each in range(4)))
    assert sorted(each.status for each in answers) == [201, 409, 409, 409]
    assert (await mother.post(f"{REQUESTS}/{(await one_request(mother))['id']}/decline")).status == 200


async def test_who_has_no_post_there_or_asks_for_no_item_redeems_nothing(mother: Caller, clerk: Caller, card: str):
    code = await shown_code(mother, card)
    refused(await redeemed(clerk, code, said={"at": "health/320102"}), 403, "not_your_post")
    refused(await redeemed(clerk, code, said={"item": "no_such"}), 404, "no_such_item")
    refused(await redeemed(clerk, code, said={"purpose": " "}), 422, "body_faulty")
    assert (await redeemed(clerk, code)).status == 201, "what was refused has not used the code"
    assert (await mother.post(f"{REQUESTS}/{(await one_request(mother))['id']}/decline")).status == 200


async def test_nothing_is_seen_before_the_holder_confirms_and_then_what_they_chose(
    places: Places, mother: Caller, clerk: Caller, card: str, audit: Books
):
    other = await licensed(places, mother)
    shown = (await redeemed(clerk, await shown_code(mother, card, other))).body
    path = f"{DESK_REQUESTS}/{shown['id']}"
    assert (await clerk.get(path)).body["licences"] == []
    asked = await one_request(mother)
    assert (asked["purpose"], asked["item"], asked["state"]) == (PURPOSE, CARD, "waiting")
    assert [each["identifier"] for each in asked["licences"]] == [card, other]
    confirm = f"{REQUESTS}/{asked['id']}/confirm"
    stranger = await places.citizen("stranger")
    refused(await stranger.post(confirm, {"licences": [card]}), 404, "no_such_licence_request")
    refused(await mother.post(confirm, {"licences": ["1.2.3"]}), 422, "licence_not_offered")
    assert (await mother.post(confirm, {"licences": [card]})).body["state"] == "confirmed"
    assert (await mother.post(confirm, {"licences": [card]})).status == 200, "the same again is the same"
    refused(await mother.post(f"{REQUESTS}/{asked['id']}/decline"), 409, "licence_request_answered")
    (face,) = (await clerk.get(path)).body["licences"]
    assert (face["identifier"], face["stands"]["state"], face["holders"][0]["name"]) == (card, "valid", MOTHER.name)
    colleague = await places.officer("public_security", JIANGSU, name="colleague")
    refused(await colleague.get(path), 404, "no_such_licence_request")
    assert audit.notes(places.nodes[JIANGSU].node, "licence.shown", officer="police-here", case=f"licences/{card}")
    uses = (await mother.get(f"/api/v1/licences/{card}/uses")).body["uses"]
    assert [(each["kind"], each["outcome"]) for each in uses[:3]] == [
        ("shown", "given"),
        ("shown", "confirmed"),
        ("shown", "asked"),
    ]
    assert {(each["officer"], each["purpose"], each["item"]) for each in uses} == {("police-here", PURPOSE, CARD)}
    left_out = (await mother.get(f"/api/v1/licences/{other}/uses")).body["uses"]
    assert [each["outcome"] for each in left_out] == ["declined", "asked"]
    refused(await stranger.get(f"/api/v1/licences/{card}/uses"), 404, "never_issued")
    assert (await clerk.get(f"/desk/v1/licences/{other}")).status == 200
    uses = (await mother.get(f"/api/v1/licences/{other}/uses")).body["uses"]
    assert [each["officer"] for each in uses if each["kind_name"] == "颁发机关查看"] == ["police-here"]
    clock_of(places).wait(minutes=10)
    refused(await clerk.get(path), 409, "licence_request_over")


async def test_what_is_declined_or_never_answered_is_not_seen(places: Places, mother: Caller, clerk: Caller, card: str):
    shown = (await redeemed(clerk, await shown_code(mother, card))).body
    asked = await one_request(mother)
    assert (await mother.post(f"{REQUESTS}/{asked['id']}/decline")).body["state"] == "declined"
    refused(await clerk.get(f"{DESK_REQUESTS}/{shown['id']}"), 403, "licence_request_declined")
    shown = (await redeemed(clerk, await shown_code(mother, card))).body
    asked = await one_request(mother)
    clock_of(places).wait(minutes=5)
    refused(await clerk.get(f"{DESK_REQUESTS}/{shown['id']}"), 409, "licence_request_over")
    refused(await mother.post(f"{REQUESTS}/{asked['id']}/confirm", {"licences": [card]}), 409, "licence_request_over")


async def test_what_became_of_it_since_is_told(places: Places, mother: Caller, clerk: Caller):
    card = await licensed(places, mother)
    shown = (await redeemed(clerk, await shown_code(mother, card))).body
    asked = await one_request(mother)
    assert (await clerk.post(f"/desk/v1/licences/{card}/suspend", WHY)).status == 200
    confirm = f"{REQUESTS}/{asked['id']}/confirm"
    assert refused(await mother.post(confirm, {"licences": [card]}), 409, "licence_not_good")["state"] == "suspended"
    assert (await clerk.post(f"/desk/v1/licences/{card}/restore", WHY)).status == 200
    assert (await mother.post(confirm, {"licences": [card]})).status == 200
    revoked = await clerk.post(f"/desk/v1/licences/{card}/revoke", {**WHY, "cause": "rescinded"})
    assert revoked.status == 200
    (face,) = (await clerk.get(f"{DESK_REQUESTS}/{shown['id']}")).body["licences"]
    assert (face["stands"]["state_name"], face["stands"]["is_good"]) == ("已撤销", False)


async def test_a_code_of_another_province_is_redeemed_by_a_signed_question(
    places: Places, mother: Caller, abroad: Caller, card: str, audit: Books
):
    code = await shown_code(mother, card)
    first = await redeemed(abroad, code, said=THERE, key="once-abroad")
    assert first.status == 201, first.body
    assert (await redeemed(abroad, code, said=THERE, key="once-abroad")).body == first.body
    refused(await redeemed(abroad, code, said=THERE), 409, "show_code_used")
    path = f"{DESK_REQUESTS}/{first.body['id']}"
    assert (await abroad.get(path)).body["licences"] == []
    asked = await one_request(mother)
    assert (asked["node_name"], asked["officer"], asked["purpose"]) == ("浙江省", "public_security", PURPOSE)
    assert (await mother.post(f"{REQUESTS}/{asked['id']}/confirm", {"licences": [card]})).status == 200
    (face,) = (await abroad.get(path)).body["licences"]
    assert (face["identifier"], face["holders"][0]["number"]) == (card, MOTHER.id_number)
    home, there = places.nodes[JIANGSU].node, places.nodes[ZHEJIANG].node
    assert audit.notes(home, "licence.shown", peer=ZHEJIANG, case=f"licences/{card}")
    assert audit.notes(there, "licence.asked", peer=JIANGSU)
    assert len(audit.notes(there, "licence.shown", peer=JIANGSU, case=f"licences/{card}")) == 1, "not while it waited"
    newest = (await mother.get(f"/api/v1/licences/{card}/uses")).body["uses"][0]
    assert (newest["node_name"], newest["outcome"]) == ("浙江省", "given")
    refused(await redeemed(abroad, f"{GUANGDONG}0123456789", said=THERE), 404, "show_code_unknown")
    clerk = await places.officer("public_security", ZHEJIANG, name="another")
    refused(await clerk.get(path), 404, "no_such_licence_request")
    refused(await clerk.get(f"{DESK_REQUESTS}/{JIANGSU}-..%2Fheads"), 404, "no_such_licence_request")
    code = await shown_code(mother, card)
    shown = (await redeemed(abroad, code, said=THERE)).body
    declined = await mother.post(f"{REQUESTS}/{(await one_request(mother))['id']}/decline")
    assert declined.status == 200
    refused(await abroad.get(f"{DESK_REQUESTS}/{shown['id']}"), 403, "licence_request_declined")


async def test_codes_are_forgotten_and_uses_are_not(places: Places, mother: Caller, card: str):
    home = places.nodes[JIANGSU].node
    clock_of(places).wait(hours=3)
    await forgetting.forget_expired(home, home.clock.now())
    mother = await places.citizen("mother")
    assert (await mother.get(REQUESTS)).body["requests"] == []
    assert (await mother.get(f"/api/v1/licences/{card}/uses")).body["uses"]
