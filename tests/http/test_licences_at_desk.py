"""Licences at the desk that issued them: who may look and act, what comes of each act, and what its holder learns."""

from collections.abc import Mapping
from typing import Any

import pytest

from server.desk.background import clockwork
from tests.http.asking import Sweeper, pointers, refused
from tests.http.conftest import module_wide
from tests.http.heads import chained, troubles
from tests.http.licensing import CARD, WHY, licensed
from tests.http.peer_questions import Books
from tests.http.test_finding_cases import GROUPS
from tests.nodes import MOTHER, Answer, Caller, HandClock, Places
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")
SEARCHES = "/desk/v1/licence-searches"
NAME = "测试母亲"


@module_wide
async def places(alone: Places) -> Places:
    """Jiangsu alone, under a clock that stands still."""
    return alone


@module_wide
async def issuer(places: Places) -> Caller:
    """An officer of the authority that issues identity cards."""
    return await places.officer("public_security", JIANGSU, name="police-here")


async def acted(officer: Caller, identifier: str, act: str, **said: Any) -> Answer:
    return await officer.post(f"/desk/v1/licences/{identifier}/{act}", {**WHY, **said})


async def stands(citizen: Caller, identifier: str) -> Mapping[str, Any]:
    """How its holder sees that it stands."""
    answer = await citizen.get(f"/api/v1/licences/{identifier}")
    assert answer.status == 200, answer.body
    stands: Mapping[str, Any] = answer.body["stands"]
    return stands


async def told(places: Places, identifier: str) -> list[tuple[str, str]]:
    """The notices about a licence that wait to be sent: state and hint, in order."""
    node = places.nodes[JIANGSU].node
    waiting = await node.store.notices.due(node.clock.now(), limit=500)
    found = [each.notice for each in waiting if each.notice.id.startswith(f"licences:{identifier}:")]
    return [(each.values["state"], each.template) for each in sorted(found, key=lambda each: (each.at, each.id))]


async def test_what_another_authority_issued_is_nobodys_there(places: Places, mother: Caller, issuer: Caller):
    identifier = await licensed(places, mother)
    path = f"/desk/v1/licences/{identifier}"
    refused(await places.caller().get(path), 401, "token_missing")
    refused(await mother.get(path), 401, "wrong_audience")
    other = await places.officer("health")
    refused(await other.get(path), 404, "never_issued")
    refused(await other.post(f"{path}/suspend", WHY), 404, "never_issued")
    found = await other.post(SEARCHES, {"kind": "identifier", "text": identifier})
    assert (found.status, found.body["licences"]) == (200, [])
    refused(await issuer.get(f"{path[:-1]}!"), 404, "never_issued")
    refused(await issuer.post(f"{path}/eat", WHY), 404, "no_such_licence_act")
    assert (await stands(mother, identifier))["state"] == "valid"


async def test_only_who_approves_may_act_on_a_licence(places: Places, mother: Caller):
    identifier = await licensed(places, mother)
    clerk = await places.officer("public_security", JIANGSU, name="clerk", roles=("window", "handler"))
    assert (await clerk.get(f"/desk/v1/licences/{identifier}")).body["acts"] == []
    problem = refused(await acted(clerk, identifier, "suspend"), 403, "role_forbids")
    assert problem["roles"] == ["approver", "head"]


async def test_an_act_needs_its_grounds(places: Places, mother: Caller, issuer: Caller):
    identifier = await licensed(places, mother)
    answer = await issuer.post(f"/desk/v1/licences/{identifier}/revoke", {"reason": "", "cause": "whim"})
    problem = refused(answer, 422, "body_faulty")
    assert {each["pointer"] for each in problem["errors"]} == {"/reason", "/basis", "/cause"}


async def test_a_licence_is_found_by_its_identifier_and_by_its_holder_and_both_are_on_record(
    places: Places, mother: Caller, issuer: Caller, audit: Books
):
    identifier, node = await licensed(places, mother), places.nodes[JIANGSU].node
    for kind, text in (("identifier", identifier), ("holder", MOTHER.id_number)):
        found = (await issuer.post(SEARCHES, {"kind": kind, "text": text})).body["licences"]
        assert identifier in [each["identifier"] for each in found]
        assert [each["name"] for each in found[0]["holders"]] == [NAME]
    searched = audit.notes(node, "licence.searched", officer="police-here")
    assert {each["clue"] for each in searched} == {"identifier", "holder"}
    assert audit.notes(node, "licence.found", officer="police-here", case=f"licences/{identifier}")
    assert MOTHER.id_number not in str(searched)
    refused(await issuer.post(SEARCHES, {"kind": "holder", "text": "123"}), 422, "clue_unfit")
    view = (await issuer.get(f"/desk/v1/licences/{identifier}")).body
    assert (view["step"], view["history"][0]["act_name"]) == (CARD, "颁发")
    assert "suspend" in view["acts"]
    assert "restore" not in view["acts"]
    assert len(audit.notes(node, "licence.opened", officer="police-here", case=f"licences/{identifier}")) == 1


async def test_a_licence_is_found_by_the_number_that_its_holder_reads_out_in_either_box(
    places: Places, mother: Caller, issuer: Caller, audit: Books, database_sweeper: Sweeper
):
    identifier, node = await licensed(places, mother), places.nodes[JIANGSU].node
    said = (await mother.get(f"/api/v1/licences/{identifier}")).body["number"]
    assert GROUPS.fullmatch(said)
    assert (await issuer.get(f"/desk/v1/licences/{identifier}")).body["number"] == said
    other = await places.officer("health")
    for door, noted in ((SEARCHES, "licence.searched"), ("/desk/v1/searches", "case.searched")):
        before = len(audit.notes(node, "licence.found", officer="police-here", case=f"licences/{identifier}"))
        for text in (said, said.replace(" ", "-")):
            found = (await issuer.post(door, {"kind": "number", "text": text})).body["licences"]
            assert [(each["identifier"], each["number"]) for each in found] == [(identifier, said)]
        assert (await other.post(door, {"kind": "number", "text": said})).body["licences"] == []
        assert len(audit.notes(node, "licence.found", officer="police-here", case=f"licences/{identifier}")) > before
        assert "number" in {each["clue"] for each in audit.notes(node, noted, officer="police-here")}
        slip = said[:-1] + str((int(said[-1]) + 1) % 10)
        for wrong, rule in ((slip, "spoken_number_check"), (said[:-1], "spoken_number_length")):
            problem = refused(await issuer.post(door, {"kind": "number", "text": wrong}), 422, "clue_unfit")
            assert pointers(problem) == {"/text": rule}
    refused(await issuer.post(SEARCHES, {"kind": "number", "text": identifier}), 422, "clue_unfit")
    database = database_sweeper[node.settings.database]
    kept = {name: str(list(database[name].find({}))) for name in database.list_collection_names()}
    assert f"licences/{identifier}" in kept["clues"]
    assert [name for name, text in kept.items() if said in text or said.replace(" ", "") in text] == []


async def test_suspended_restored_and_revoked_its_holder_is_told_each_time(
    places: Places, mother: Caller, issuer: Caller, audit: Books
):
    identifier = await licensed(places, mother)
    key = {"key": "suspend-once-" + identifier[-22:]}
    first = await issuer.post(f"/desk/v1/licences/{identifier}/suspend", WHY, **key)
    again = await issuer.post(f"/desk/v1/licences/{identifier}/suspend", WHY, **key)
    assert (first.status, first.body) == (again.status, again.body) == (200, first.body)
    other = await issuer.post(f"/desk/v1/licences/{identifier}/suspend", {**WHY, "reason": "别的理由"}, **key)
    refused(other, 409, "idempotency_key_reused")
    shown = await stands(mother, identifier)
    assert (shown["state"], shown["state_name"], shown["state_code"], shown["is_good"]) == (
        "suspended",
        "已暂停",
        "02",
        False,
    )
    assert (shown["reason"], shown["basis"]) == (WHY["reason"], WHY["basis"])
    refused(await acted(issuer, identifier, "suspend"), 409, "licence_state_forbids")
    refused(await acted(issuer, identifier, "restore", version=1), 412, "stale_version")
    assert (await acted(issuer, identifier, "restore", version=2)).status == 200
    assert (await acted(issuer, identifier, "revoke", cause="penalised")).status == 200
    shown = await stands(mother, identifier)
    assert (shown["state_name"], shown["state_code"]) == ("已吊销", "07")
    await places.settle()
    states = [state for state, _ in await told(places, identifier)]
    assert states == ["已颁发", "已暂停", "有效", "已吊销"]
    (deed, *_) = (await issuer.get("/desk/v1/done")).body["deeds"]
    assert (deed["case"], deed["act_name"], deed["item_name"]) == (
        f"licences/{identifier}",
        "撤销或者吊销",
        "临时居民身份证",
    )
    acts = [
        each["act"] for each in audit.notes(places.nodes[JIANGSU].node, "licence.acted", case=f"licences/{identifier}")
    ]
    assert sorted(acts) == ["restore", "restore", "revoke", "suspend"]


async def test_a_corrected_licence_is_followed_by_its_next_version(places: Places, mother: Caller, issuer: Caller):
    identifier = await licensed(places, mother)
    answer = await acted(issuer, identifier, "correct", face={"holder_address": "测试路2号"})
    assert answer.status == 200, answer.body
    following = answer.body["successor"]
    await places.settle()
    before, after = [(await mother.get(f"/api/v1/licences/{each}")).body for each in (identifier, following)]
    assert (before["stands"]["state_name"], before["successor"]) == ("已更正", following)
    assert (after["stands"]["state"], after["previous"]) == ("valid", identifier)
    assert GROUPS.fullmatch(after["number"]), "one number names one licence"
    assert after["number"] != before["number"]
    assert [each["value"] for each in after["face"]] == ["测试路2号"]
    assert following.split(".")[-2] == "002"
    refused(await acted(issuer, identifier, "annul"), 409, "licence_state_forbids")
    refused(await acted(issuer, following, "renew"), 409, "no_later_end")


async def test_the_verification_names_a_licence_that_was_put_back_or_removed(
    places: Places, mother: Caller, issuer: Caller
):
    node = places.nodes[JIANGSU].node
    revoked, removed = await licensed(places, mother), await licensed(places, mother)
    before = await node.store.database.bare.get("licences", revoked)
    assert before
    assert (await acted(issuer, revoked, "revoke", cause="rescinded")).status == 200
    await places.settle()
    await chained(node)
    assert await troubles(node) == {}
    after = await node.store.database.bare.get("licences", revoked)
    gone = await node.store.database.bare.get("licences", removed)
    assert after
    assert gone
    await node.store.database.bare.replace("licences", before, version=after["version"])
    await node.store.database.bare.delete("licences", [removed])
    assert (await stands(mother, revoked))["state"] == "valid", "whoever writes to the database may put back"
    assert await troubles(node) == {f"licences/{revoked}": "rolled_back", f"licences/{removed}": "removed"}
    await node.store.database.bare.replace("licences", after, version=before["version"])
    await node.store.database.bare.insert_many("licences", [gone])


async def test_a_licence_is_reminded_of_and_expires_by_the_clock(places: Places, mother: Caller, issuer: Caller):
    """Last in its module: the clock goes on by three months."""
    node, clock = places.nodes[JIANGSU].node, places.nodes[JIANGSU].node.clock
    assert isinstance(clock, HandClock)
    identifier = await licensed(places, mother)
    last = (await mother.get(f"/api/v1/licences/{identifier}")).body["expires_on"]
    clock.wait(days=78)
    while await clockwork.tick(node):
        pass
    assert ("即将到期", "reminder") in await told(places, identifier)
    assert (await stands(await places.citizen("mother"), identifier))["state"] == "valid"
    clock.wait(days=20)
    mother = await places.citizen("mother")
    assert (await stands(mother, identifier))["state"] == "expired", f"after {last}, before the clock has said so"
    assert (await node.store.licences.one(identifier)).value.state == "valid"
    for _ in range(2):
        while await clockwork.tick(node):
            pass
    record = await node.store.licences.one(identifier)
    assert (record.value.state, record.value.version) == ("expired", 2)
    assert ("已过期", "decided") in await told(places, identifier)
    assert record.document["alarm"] == "done"
