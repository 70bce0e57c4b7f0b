"""Mandates over HTTP: somebody lets another one apply for him, who then acts as long as the mandate holds."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pymongo
import pytest

from server.domain.values import china_day
from tests.catalogue.test_subjects import after_death
from tests.http.asking import act, opened, pointers, refused
from tests.http.conftest import module_wide, nodes_of_a_module
from tests.nodes import AGENT, CITIZENS, MOTHER, STRANGER, Answer, Caller, HandClock, Places, newborn_wish
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")
MONTH_SECONDS = 2_592_000
FIRST = "death_certificate_normal"
HERE = {"household": "320102", "maternity_insurance": "no"}
ASKED_AGAIN = {"code": "death_statement", "reason": "照片不清楚", "kind": "material"}


@module_wide
async def places(
    tmp_path_factory: pytest.TempPathFactory,
    database_uri: str,
    database_sweeper: pymongo.MongoClient[dict[str, Any]],
    clock: HandClock,
) -> AsyncIterator[Places]:
    """One node, where tokens live for a month."""
    folder = tmp_path_factory.mktemp("mandates")
    more = {
        "access_token_seconds": MONTH_SECONDS,
        "desk_session_seconds": MONTH_SECONDS,
        "desk_idle_seconds": MONTH_SECONDS,
        "clock": clock,
    }
    async with nodes_of_a_module(folder, database_uri, database_sweeper, divisions=(JIANGSU,), **more) as places:
        yield places


@module_wide
async def agent(places: Places) -> Caller:
    """The one who acts for the mother."""
    return await places.citizen("agent")


@module_wide
async def wish(agent: Caller) -> dict[str, Any]:
    """What a relative hands in after a death, the materials uploaded by the agent."""
    return await death_wish(agent)


async def death_wish(citizen: Caller) -> dict[str, Any]:
    upload = (await citizen.upload()).body["id"]
    filled = after_death()
    return {
        "bundle": "after_death",
        "answers": dict(filled.answers),
        "form": dict(filled.form),
        "materials": [{"code": each.code, "id": upload} for each in filled.materials],
    }


def mandate_wish(clock: HandClock, *, days: int = 10, **change: Any) -> dict[str, Any]:
    ends_on = (china_day(clock.now()) + timedelta(days=days)).isoformat()
    named = {"agent_name": AGENT.name, "agent_id_number": AGENT.id_number}
    return {**named, "bundles": ["after_death"], "ends_on": ends_on, **change}


async def given(principal: Caller, clock: HandClock, **change: Any) -> str:
    """The id of a new mandate for the agent."""
    answer = await principal.post("/api/v1/mandates", mandate_wish(clock, **change))
    assert answer.status == 201, answer.body
    return str(answer.body["id"])


async def revoke(citizen: Caller, id: str) -> Answer:
    return await citizen.call("DELETE", f"/api/v1/mandates/{id}")


async def applied(places: Places, agent: Caller, wish: dict[str, Any], mandate: str) -> str:
    """The id of the case that the agent handed in under this mandate."""
    return await opened(places, agent, {**wish, "mandate": mandate})


async def listed(citizen: Caller) -> list[str]:
    return [each["id"] for each in (await citizen.get("/api/v1/cases")).body["cases"]]


async def supplement_asked(places: Places, case: str) -> None:
    """An officer asks for one material of the first step again."""
    health = await places.officer("health")
    for name, said in (("receive", {}), ("ask-supplement", {"gaps": [ASKED_AGAIN]})):
        answer = await health.post(act(case, FIRST, name), said)
        assert answer.status == 200, answer.body
    await places.settle()


async def supplied(citizen: Caller, case: str) -> Answer:
    upload = (await citizen.upload(b"%PDF-1.7 clearer", name="clear.pdf")).body["id"]
    materials = [{"code": "death_statement", "id": upload}]
    return await citizen.post(f"/api/v1/cases/{case}/supplements", {"step": FIRST, "materials": materials})


async def all_refused(agent: Caller, case: str, code: str) -> None:
    """Every door of this case keeps the agent out by this name."""
    path = f"/api/v1/cases/{case}"
    for each in ("", "/timeline", "/licences/1"):
        refused(await agent.get(path + each), 403, code)
    refused(await agent.post(f"{path}/withdrawal"), 403, code)
    refused(await agent.post(f"{path}/supplements", {"step": FIRST}), 403, code)
    assert case not in await listed(agent)


async def test_a_mandate_is_seen_by_both_its_persons_and_nobody_else(
    mother: Caller, agent: Caller, stranger: Caller, clock: HandClock
):
    wish = mandate_wish(clock, bundles=["after_death", "newborn", "newborn"])
    answer = await mother.post("/api/v1/mandates", wish)
    assert answer.status == 201
    assert (answer.body["agent_name"], answer.body["principal_name"]) == (AGENT.name, "测***")
    assert [each["name"] for each in answer.body["bundles"]] == ["个人身后", "新生儿出生"]
    assert (answer.body["begins_on"], answer.body["state"]) == ("2026-11-23", "in_force")
    lists = [(await citizen.get("/api/v1/mandates")).body for citizen in (mother, agent, stranger)]
    assert answer.body in lists[0]["given"]
    assert answer.body in lists[1]["received"]
    assert (lists[0]["received"], lists[1]["given"]) == ([], [])
    assert lists[2] == {"given": [], "received": []}
    assert AGENT.id_number not in str(lists)
    assert MOTHER.name not in str(lists)


async def test_a_mandate_is_given_once_for_each_key(mother: Caller, clock: HandClock):
    wish = mandate_wish(clock)
    first, again = [await mother.post("/api/v1/mandates", wish, key="one-key") for _ in range(2)]
    assert (first.status, again.status, again.body) == (201, 201, first.body)
    other = await mother.post("/api/v1/mandates", {**wish, "bundles": ["newborn"]}, key="one-key")
    refused(other, 409, "idempotency_key_reused")
    await revoke(mother, first.body["id"])
    clock.wait(days=20)
    late = await mother.post("/api/v1/mandates", wish, key="one-key")
    clock.wait(days=-20)
    assert (late.status, late.body["id"], late.body["state"]) == (201, first.body["id"], "revoked")


@pytest.mark.parametrize(
    ("change", "code", "faults"),
    [
        ({"agent_id_number": MOTHER.id_number}, "mandate_to_oneself", {"/agent_id_number": "agent_is_principal"}),
        (
            {"agent_id_number": AGENT.id_number[:-1] + "0"},
            "id_number_invalid",
            {"/agent_id_number": "id_number_check"},
        ),
        ({"days": -1}, "mandate_span_unfit", {"/ends_on": "mandate_span"}),
        ({"days": 367}, "mandate_span_unfit", {"/ends_on": "mandate_span"}),
        ({"bundles": []}, "body_faulty", {"/bundles": "type"}),
        ({"ends_on": "tomorrow"}, "body_faulty", {"/ends_on": "type"}),
    ],
)
async def test_what_is_no_mandate_is_refused(
    mother: Caller, clock: HandClock, change: dict[str, Any], code: str, faults: dict[str, str]
):
    problem = refused(await mother.post("/api/v1/mandates", mandate_wish(clock, **change)), 422, code)
    assert pointers(problem) == faults


async def test_a_mandate_for_a_bundle_that_nobody_knows_is_refused(mother: Caller, clock: HandClock):
    refused(await mother.post("/api/v1/mandates", mandate_wish(clock, bundles=["immortality"])), 404, "no_such_bundle")


async def test_an_agent_applies_for_his_principal_and_both_see_the_case(
    places: Places, mother: Caller, agent: Caller, wish: dict[str, Any], clock: HandClock
):
    mandate = await given(mother, clock)
    case = await applied(places, agent, wish, mandate)
    shown = [(await citizen.get(f"/api/v1/cases/{case}")).body for citizen in (mother, agent)]
    assert shown[0] == shown[1]
    assert (shown[0]["on_behalf_of"], shown[0]["agent_name"]) == ("测***", "测***")
    assert shown[0]["subject_name"] == "测***"
    values = {field["code"]: field["value"] for field in shown[0]["form"]}
    assert values["applicant_id_number"].endswith(MOTHER.id_number[-4:])
    assert case in await listed(mother)
    assert case in await listed(agent)
    record = await places.nodes[JIANGSU].node.store.cases.case(case)
    application = record.events[0].application
    assert (application.applicant.name, application.agent.person.name) == (MOTHER.name, AGENT.name)
    assert (application.agent.mandate, application.form["applicant_name"]) == (mandate, MOTHER.name)
    at_rest = repr(record.document)
    personal = (AGENT.name, AGENT.id_number, application.subject.name, application.subject.id_number)
    assert not [each for each in personal if each in at_rest]
    timeline = (await agent.get(f"/api/v1/cases/{case}/timeline")).body["timeline"]
    assert (timeline[0]["act"], timeline[0]["by"]) == ("open", "代理人")


async def test_an_officer_is_told_that_a_relative_applies_through_an_agent(
    places: Places, mother: Caller, agent: Caller, wish: dict[str, Any], clock: HandClock
):
    health = await places.officer("health")
    case = await applied(places, agent, wish, await given(mother, clock))
    own = await opened(places, mother, await death_wish(mother))
    seen = [(await health.get(f"/desk/v1/cases/{each}")).body for each in (case, own)]
    assert [(each["applicant_kind"], each["is_by_agent"]) for each in seen] == [("relative", True), ("relative", False)]
    born = await opened(places, mother, {**await newborn_wish(mother), "answers": HERE})
    view = (await health.get(f"/desk/v1/cases/{born}")).body
    assert (view["applicant_kind"], view["is_by_agent"]) == ("subject", False)


async def test_an_agent_supplements_and_the_timeline_tells_who_did(
    places: Places, mother: Caller, agent: Caller, wish: dict[str, Any], clock: HandClock
):
    case = await applied(places, agent, wish, await given(mother, clock))
    await supplement_asked(places, case)
    answer = await supplied(agent, case)
    assert answer.status == 200, answer.body
    assert next(step["state"] for step in answer.body["steps"] if step["step"] == FIRST) == "received"
    timeline = (await mother.get(f"/api/v1/cases/{case}/timeline")).body["timeline"]
    assert [each["by"] for each in timeline if each["act"] == "supply"] == ["代理人"]


async def test_after_a_revocation_the_agent_is_kept_out_and_the_principal_goes_on(
    places: Places, mother: Caller, agent: Caller, wish: dict[str, Any], clock: HandClock
):
    mandate = await given(mother, clock)
    case = await applied(places, agent, wish, mandate)
    await supplement_asked(places, case)
    assert [(await revoke(mother, mandate)).status for _ in range(2)] == [204, 204]
    await all_refused(agent, case, "mandate_revoked")
    refused(await agent.post("/api/v1/cases", {**wish, "mandate": mandate}), 403, "mandate_revoked")
    answer = await supplied(mother, case)
    assert answer.status == 200, answer.body
    timeline = (await mother.get(f"/api/v1/cases/{case}/timeline")).body["timeline"]
    assert [each["by"] for each in timeline if each["act"] == "supply"] == ["申请人"]
    assert (await mother.post(f"/api/v1/cases/{case}/withdrawal")).status == 200


async def test_a_mandate_ends_with_its_last_day(
    places: Places, mother: Caller, agent: Caller, wish: dict[str, Any], clock: HandClock
):
    mandate = await given(mother, clock, days=0)
    case = await applied(places, agent, wish, mandate)
    clock.wait(days=1)
    try:
        await all_refused(agent, case, "mandate_over")
        refused(await agent.post("/api/v1/cases", {**wish, "mandate": mandate}), 403, "mandate_over")
        assert case in await listed(mother)
        states = {each["id"]: each["state"] for each in (await agent.get("/api/v1/mandates")).body["received"]}
        assert states[mandate] == "over"
    finally:
        clock.wait(days=-1)


async def test_an_agent_applies_for_nothing_that_the_mandate_does_not_name(
    mother: Caller, agent: Caller, wish: dict[str, Any], clock: HandClock
):
    mandate = await given(mother, clock, bundles=["newborn"])
    refused(await agent.post("/api/v1/cases", {**wish, "mandate": mandate}), 403, "mandate_too_narrow")


async def test_a_mandate_opens_nothing_to_a_stranger(
    places: Places, mother: Caller, agent: Caller, stranger: Caller, wish: dict[str, Any], clock: HandClock
):
    mandate = await given(mother, clock)
    case = await applied(places, agent, wish, mandate)
    theirs = await death_wish(stranger)
    for made_up in (mandate, "nothing", "2026-11-23"):
        refused(await stranger.post("/api/v1/cases", {**theirs, "mandate": made_up}), 404, "no_such_mandate")
    refused(await mother.post("/api/v1/cases", {**theirs, "mandate": mandate}), 404, "no_such_mandate")
    refused(await stranger.get(f"/api/v1/cases/{case}"), 404, "no_such_case")
    for citizen in (stranger, agent):
        refused(await revoke(citizen, mandate), 404, "no_such_mandate")
    assert (await agent.get(f"/api/v1/cases/{case}")).status == 200


async def test_a_mandate_that_names_the_agent_wrongly_serves_nobody(
    mother: Caller, agent: Caller, wish: dict[str, Any], clock: HandClock
):
    mandate = await given(mother, clock, agent_name=STRANGER.name)
    refused(await agent.post("/api/v1/cases", {**wish, "mandate": mandate}), 403, "mandate_names_another")


async def test_another_case_of_the_principal_stays_closed_to_the_agent(
    places: Places, mother: Caller, agent: Caller, clock: HandClock
):
    await given(mother, clock)
    own = await opened(places, mother, await death_wish(mother))
    refused(await agent.get(f"/api/v1/cases/{own}"), 404, "no_such_case")
    assert own not in await listed(agent)


async def test_an_agent_pages_through_his_own_cases_and_those_of_his_principals(
    places: Places, mother: Caller, agent: Caller, wish: dict[str, Any], clock: HandClock
):
    mandate = await given(mother, clock)
    made = []
    for number in range(24):
        clock.wait(seconds=1)
        made.append(await applied(places, agent, wish, mandate) if number % 2 else await own_case(agent, wish))
    first = (await agent.get("/api/v1/cases")).body
    assert [each["id"] for each in first["cases"]] == made[:3:-1]
    second = (await agent.get(f"/api/v1/cases?before={first['next']}")).body
    assert [each["id"] for each in second["cases"]][:4] == made[3::-1]
    assert {each["on_behalf_of"] for each in first["cases"]} == {"", "测***"}
    await revoke(mother, mandate)
    kept = (await agent.get("/api/v1/cases")).body
    assert [each["id"] for each in kept["cases"]] == made[:3:-1][1::2]
    assert kept["next"] == first["next"]


async def own_case(citizen: Caller, wish: dict[str, Any]) -> str:
    answer = await citizen.post("/api/v1/cases", wish)
    assert answer.status == 201, answer.body
    return str(answer.body["id"])


async def test_a_draft_keeps_its_mandate_until_it_is_handed_in(
    places: Places, mother: Caller, agent: Caller, wish: dict[str, Any], clock: HandClock
):
    mandate = await given(mother, clock)
    body = {**wish, "mandate": mandate, "deferred": ["payment_bank_card"]}
    assert (await agent.call("PUT", "/api/v1/drafts/for-mother", json=body)).status == 200
    kept = (await agent.get("/api/v1/drafts/for-mother")).body
    assert {name: kept[name] for name in body} == body
    body = {**wish, "mandate": mandate}
    await agent.call("PUT", "/api/v1/drafts/for-mother", json=body, headers={"If-Match": '"1"'})
    answer = await agent.post("/api/v1/cases", {"draft": "for-mother", "version": 2})
    assert answer.status == 201, answer.body
    assert answer.body["id"] in await listed(mother)


async def test_a_relative_applies_and_nobody_applies_as_the_deceased(places: Places, mother: Caller):
    wish = await death_wish(mother)
    case = await opened(places, mother, wish)
    shown = (await mother.get(f"/api/v1/cases/{case}")).body
    assert (shown["subject_name"], shown["on_behalf_of"], shown["agent_name"]) == ("测***", "", "")
    form = {**wish["form"], "deceased_id_number": MOTHER.id_number}
    problem = refused(await mother.post("/api/v1/cases", {**wish, "form": form}), 422, "subject_is_applicant")
    assert pointers(problem) == {"/form/deceased_id_number": "subject_is_applicant"}


async def test_an_agents_look_at_a_licence_is_noted_with_his_mandate(
    places: Places,
    mother: Caller,
    agent: Caller,
    wish: dict[str, Any],
    clock: HandClock,
    database_sweeper: pymongo.MongoClient[dict[str, Any]],
):
    mandate = await given(mother, clock)
    case = await applied(places, agent, wish, mandate)
    health = await places.officer("health")
    result = {"result": {"death_certificate_number": "示死2026001"}}
    delivery = {"delivery": {"method": "electronic"}}
    for name, said in (("receive", {}), ("accept", {}), ("approve", result), ("deliver", delivery)):
        answer = await health.post(act(case, FIRST, name), said)
        assert answer.status == 200, answer.body
    audit = database_sweeper[places.nodes[JIANGSU].node.settings.database]["audit"]
    for citizen, looks in ((mother, 0), (agent, 1)):
        licence = await citizen.get(f"/api/v1/cases/{case}/licences/1")
        assert (licence.status, licence.body["fields"][0]["value"]) == (200, "示死2026001")
        noted = [each["about"] for each in audit.find({"kind": "licence.read"})]
        assert len(noted) == looks
    assert noted[0]["reason"] == f"mandate {mandate}"
    assert noted[0]["case"].endswith(case)
    assert not [each for each in CITIZENS if each.id_number in str(noted)]


async def test_an_agents_looks_into_the_case_are_on_record_and_the_principals_are_not(
    places: Places,
    mother: Caller,
    agent: Caller,
    wish: dict[str, Any],
    clock: HandClock,
    database_sweeper: pymongo.MongoClient[dict[str, Any]],
):
    mandate = await given(mother, clock)
    case = await applied(places, agent, wish, mandate)
    node = places.nodes[JIANGSU].node
    audit = database_sweeper[node.settings.database]["audit"]
    for citizen, looks in ((mother, 0), (agent, 2)):
        for path in (f"/api/v1/cases/{case}", f"/api/v1/cases/{case}/timeline"):
            assert (await citizen.get(path)).status == 200
        noted = list(audit.find({"kind": "case.read", "about.case": f"{JIANGSU}/{case}"}))
        assert len(noted) == looks
    owner, looker = (node.keys.owner("person", each.id_number) for each in (MOTHER, AGENT))
    assert {(each["about"]["person"], each["about"]["agent"]) for each in noted} == {(owner, looker)}
    assert {each["about"]["reason"] for each in noted} == {f"mandate {mandate}"}


async def test_the_principal_is_told_when_his_agent_takes_his_case_back(
    places: Places, mother: Caller, agent: Caller, wish: dict[str, Any], clock: HandClock
):
    case = await applied(places, agent, wish, await given(mother, clock))
    assert (await agent.post(f"/api/v1/cases/{case}/withdrawal")).status == 200
    record = await places.nodes[JIANGSU].node.store.cases.case(case)
    taken = [event for event in record.events if event.act == "withdraw"]
    assert taken
    assert all(event.by.is_agent for event in taken)
    await places.settle()
    notices = await places.nodes[JIANGSU].node.store.notices.notices([f"{case}:{event.number}" for event in taken])
    assert {kept.notice.values["state"] for kept in notices.values()} == {"已撤回"}
    assert {kept.notice.person for kept in notices.values()} == {record.case.applicant.key}


async def test_at_most_twenty_mandates_are_in_force_at_a_time(stranger: Caller, clock: HandClock):
    made = [await given(stranger, clock) for _ in range(20)]
    refused(await stranger.post("/api/v1/mandates", mandate_wish(clock)), 409, "too_many_mandates")
    await revoke(stranger, made[0])
    assert (await stranger.post("/api/v1/mandates", mandate_wish(clock))).status == 201
