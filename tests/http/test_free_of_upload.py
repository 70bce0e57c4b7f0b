"""Free of upload: the licence of a first case takes the place of a photo in a second, at home and abroad."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from regions import licence_copies
from regions.questions import NodeUnknown, PeerNotReached
from server.desk.citizen import applying
from server.desk.citizen.applying import Handing
from server.desk.officer.covered import Checking, covered_at_desk
from server.desk.showing import Looking
from server.domain.licence.copies import CopyAsked, holder_mark
from server.domain.licence.covering import REFERENCE
from server.domain.licence.licence import NeverIssued
from server.domain.rules.opening import Submission
from tests.catalogue.shipped import CATALOGUE
from tests.http.asking import act, opened, pointers, refused
from tests.http.conftest import module_wide
from tests.http.licensing import WHY, approved
from tests.http.peer_questions import Books
from tests.http.test_agents import mandate_wish
from tests.http.test_erasing import erase
from tests.http.test_every_bundle import followed, guided
from tests.http.test_licences_abroad import CutWire
from tests.nodes import MOTHER, STRANGER, Caller, HandClock, Places
from tests.world import JIANGSU, ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")
FIRST, SECOND, MATERIAL = "disability_certificate_issue", "disability_living_subsidy", "disability_certificate"
COVERAGE = f"/api/v1/bundles/{SECOND}/coverage"
CHECKED = {"grounds": "材料齐全"}
NUMBER = CATALOGUE.field_of["disability_certificate_number"].example


@module_wide
async def places(three: Places) -> Places:
    """Three nodes under a clock that stands still."""
    return three


async def wish_of(citizen: Caller, item: str, *, decided_in: str = JIANGSU) -> dict[str, Any]:
    """A complete application, which somebody hands in at Jiangsu."""
    answers, guide = await guided(citizen, item, elsewhere=decided_in)
    return await followed(citizen, CATALOGUE.bundle(item), answers, guide, home=JIANGSU)


async def certified(places: Places, citizen: Caller, *, issued_in: str = JIANGSU) -> str:
    """The identifier of a certificate that a first case has led to."""
    case = await opened(places, citizen, await wish_of(citizen, FIRST, decided_in=issued_in))
    id = case if issued_in == JIANGSU else f"{JIANGSU}:{case}"
    if issued_in != JIANGSU:
        checking = await (await places.officer("disabled_federation")).post(act(case, FIRST, "check"), CHECKED)
        assert checking.status == 200, checking.body
        await places.settle()
    federation = await places.officer("disabled_federation", issued_in)
    await approved(places, federation, id, FIRST, result={"disability_certificate_number": NUMBER})
    return (await places.nodes[issued_in].node.store.cases.case(id)).case.step(FIRST).electronic


async def covered_wish(citizen: Caller, licence: str, *, decided_in: str = JIANGSU, **more: Any) -> dict[str, Any]:
    """A second application, with the licence in the place of the photo."""
    wish = await wish_of(citizen, SECOND, decided_in=decided_in)
    materials = [each for each in wish["materials"] if each["code"] != MATERIAL]
    assert len(materials) == len(wish["materials"]) - 1
    given = {"code": MATERIAL, "identifier": licence, "has_consented": True, **more}
    return {**wish, "materials": materials, "licences": [given]}


async def civil(places: Places, division: str = JIANGSU) -> Caller:
    """An officer of those who decide the second case."""
    return await places.officer("civil_affairs", division)


async def the_covered(officer: Caller, id: str) -> dict[str, Any]:
    """The licence that takes the place of a material, as the case file shows it."""
    answer = await officer.get(f"/desk/v1/cases/{id}")
    assert answer.status == 200, answer.body
    (covered,) = answer.body["steps"][0]["covered"]
    return dict(covered)


async def revoked(places: Places, licence: str, division: str = JIANGSU) -> None:
    """The federation takes it back."""
    federation = await places.officer("disabled_federation", division)
    answer = await federation.post(f"/desk/v1/licences/{licence}/revoke", {**WHY, "cause": "rescinded"})
    assert answer.status == 200, answer.body


async def test_ones_licences_are_looked_through_only_with_consent(places: Places, mother: Caller):
    licence = await certified(places, mother)
    answers = (await wish_of(mother, SECOND))["answers"]
    asked = {"answers": answers, "has_consented": False}
    problem = refused(await mother.post(COVERAGE, asked), 422, "consent_missing")
    assert pointers(problem) == {"/has_consented": "consent_missing"}
    found = (await mother.post(COVERAGE, asked | {"has_consented": True})).body["materials"]
    assert [each["code"] for each in found] == [MATERIAL]
    assert licence in [each["identifier"] for each in found[0]["licences"]]
    stranger = await places.citizen("stranger")
    assert (await stranger.post(COVERAGE, asked | {"has_consented": True})).body["materials"] == []
    await revoked(places, licence)
    found = (await mother.post(COVERAGE, asked | {"has_consented": True})).body["materials"]
    assert licence not in [each["identifier"] for one in found for each in one["licences"]]


async def test_what_may_not_take_the_place_of_a_material_is_a_fault_of_the_application(places: Places, mother: Caller):
    licence = await certified(places, mother)
    stranger = await places.citizen("stranger")
    for citizen, change, pointer, code in (
        (mother, {"has_consented": False}, "/licences/0/has_consented", "consent_missing"),
        (mother, {"identifier": "1.2.3"}, "/licences/0/identifier", "licence_unknown"),
        (stranger, {}, "/licences/0/identifier", "licence_unknown"),
        (mother, {"code": "payment_bank_card"}, "/licences/0/identifier", "licence_unfit"),
    ):
        wish = await covered_wish(citizen, licence, **change)
        problem = refused(await citizen.post("/api/v1/cases", wish), 422, "form_faulty")
        assert pointers(problem) == {pointer: code}
    await revoked(places, licence)
    answer = await mother.post("/api/v1/cases", await covered_wish(mother, licence))
    problem = refused(answer, 422, "form_faulty")
    assert pointers(problem) == {"/licences/0/identifier": "licence_not_good"}
    assert "已撤销" in problem["errors"][0]["detail"]


async def test_a_second_case_asks_for_no_photo_of_the_licence_of_the_first(
    places: Places, mother: Caller, audit: Books
):
    licence, node = await certified(places, mother), places.nodes[JIANGSU].node
    wish = await covered_wish(mother, licence)
    answer = await mother.post("/api/v1/cases", wish, key="second-case-once")
    again = await mother.post("/api/v1/cases", wish, key="second-case-once")
    assert (answer.status, again.status, again.body) == (201, 201, answer.body)
    case = answer.body["id"]
    await places.settle()
    mine = (await mother.get(f"/api/v1/cases/{case}")).body["materials"]
    assert {each["code"]: each["media_type"] for each in mine}[MATERIAL] == REFERENCE
    officer = await civil(places)
    covered = await the_covered(officer, case)
    assert (covered["identifier"], covered["state_name"], covered["warning"]) == (licence, "有效", "")
    assert (covered["now"]["state"], covered["authority_name"]) == ("valid", "南京市玄武区残疾人联合会")
    path = f"/desk/v1/cases/{case}/materials/{covered['sha256']}"
    face = (await officer.get(f"{path}/licence")).body
    assert {each["code"]: each["value"] for each in face["face"]} == {"disability_certificate_number": NUMBER}
    assert face["face_sha256"] == covered["face_sha256"]
    assert audit.notes(node, "material.read", officer="civil_affairs", case=f"{JIANGSU}/{case}")
    uses = (await mother.get(f"/api/v1/licences/{licence}/uses")).body["uses"]
    of_the_case = [each for each in uses if each["case"] == f"{JIANGSU}/{case}"]
    assert sorted(each["officer"] for each in of_the_case) == ["", "civil_affairs"], "handed in once, and opened once"
    other = next(each["sha256"] for each in await materials_of(officer, case) if each["code"] != MATERIAL)
    refused(await officer.get(f"/desk/v1/cases/{case}/materials/{other}/licence"), 404, "no_such_material")
    refused(await (await places.officer("health")).get(f"{path}/licence"), 404, "no_such_case")
    for name in ("receive", "accept", "approve"):
        assert (await officer.post(act(case, SECOND, name))).status == 200


async def materials_of(officer: Caller, id: str) -> list[dict[str, Any]]:
    """The materials of the one step of a case."""
    return list((await officer.get(f"/desk/v1/cases/{id}")).body["steps"][0]["materials"])


async def test_a_draft_keeps_what_is_given_in_place_of_uploads(places: Places, mother: Caller):
    wish = await covered_wish(mother, await certified(places, mother))
    kept = await mother.call("PUT", "/api/v1/drafts/covered", json=wish)
    assert (kept.status, kept.body["licences"]) == (200, wish["licences"])
    case = await opened(places, mother, {"draft": "covered", "version": 1})
    mine = (await mother.get(f"/api/v1/cases/{case}")).body["materials"]
    assert REFERENCE in [each["media_type"] for each in mine]


async def test_an_agent_cannot_consent_for_the_applicant(places: Places, mother: Caller):
    licence, clock = await certified(places, mother), places.nodes[JIANGSU].node.clock
    assert isinstance(clock, HandClock)
    given = await mother.post("/api/v1/mandates", mandate_wish(clock, bundles=[SECOND]))
    assert given.status == 201, given.body
    agent = await places.citizen("agent")
    wish = {**await covered_wish(agent, licence), "mandate": given.body["id"]}
    problem = refused(await agent.post("/api/v1/cases", wish), 422, "form_faulty")
    assert pointers(problem) == {"/licences/0/identifier": "licence_by_agent"}


async def test_a_reference_is_no_upload_of_anybodys(places: Places, mother: Caller):
    """What stands in an old case cannot be handed in again: it says how a licence stood then."""
    licence = await certified(places, mother)
    wish = await covered_wish(mother, licence)
    case = await opened(places, mother, wish)
    stored = (await places.nodes[JIANGSU].node.store.cases.case(case)).case
    id = next(each.id for each in stored.materials if each.media_type == REFERENCE)  # type: ignore[union-attr]
    stolen = {**wish, "licences": [], "materials": [*wish["materials"], {"code": MATERIAL, "id": id}]}
    problem = refused(await mother.post("/api/v1/cases", stolen), 422, "form_faulty")
    assert set(pointers(problem).values()) == {"material_unknown"}
    wish = await covered_wish(mother, licence)
    instead = [{**each, "id": licence} for each in wish["materials"]]
    problem = refused(await mother.post("/api/v1/cases", {**wish, "materials": instead}), 422, "form_faulty")
    assert set(pointers(problem).values()) == {"material_unknown"}, "nor does it serve for what it is not given for"


async def test_what_is_revoked_before_the_decision_is_told_and_the_original_may_be_asked_for(
    places: Places, mother: Caller
):
    licence, officer = await certified(places, mother), await civil(places)
    case = await opened(places, mother, await covered_wish(mother, licence))
    assert (await officer.post(act(case, SECOND, "receive"))).status == 200
    await revoked(places, licence)
    covered = await the_covered(officer, case)
    assert (covered["state_name"], covered["now"]["state_name"]) == ("有效", "已撤销")
    assert "已撤销" in covered["warning"]
    gaps = [{"kind": "material", "code": MATERIAL, "reason": "证照已撤销，请提交原件照片"}]
    assert (await officer.post(act(case, SECOND, "ask-supplement"), {"gaps": gaps})).status == 200
    await places.settle()
    given = {"step": SECOND, "materials": [{"code": MATERIAL, "id": (await mother.upload()).body["id"]}]}
    assert (await mother.post(f"/api/v1/cases/{case}/supplements", given)).status == 200
    assert (await officer.get(f"/desk/v1/cases/{case}")).body["steps"][0]["covered"] == []


async def test_what_took_the_place_of_an_upload_goes_with_its_case(places: Places, mother: Caller):
    licence, officer = await certified(places, mother), await civil(places, ZHEJIANG)
    case = await opened(places, mother, await covered_wish(mother, licence, decided_in=ZHEJIANG))
    sha256 = (await the_covered(officer, f"{JIANGSU}:{case}"))["sha256"]
    assert (await officer.post(act(f"{JIANGSU}:{case}", SECOND, "receive"))).status == 200
    await places.settle()
    assert (await mother.post(f"/api/v1/cases/{case}/withdrawal")).status == 200
    await places.settle()
    for division, id in ((JIANGSU, case), (ZHEJIANG, f"{JIANGSU}:{case}")):
        node = places.nodes[division].node
        address = node.keys.material(sha256)
        assert not await node.store.materials.missing([address])
        await erase(places, id, division)
        assert await node.store.materials.missing([address]), division


async def test_the_decider_of_another_province_sees_the_licence_as_it_is_there(places: Places, mother: Caller):
    licence, officer = await certified(places, mother), await civil(places, ZHEJIANG)
    case = await opened(places, mother, await covered_wish(mother, licence, decided_in=ZHEJIANG))
    there = f"{JIANGSU}:{case}"
    covered = await the_covered(officer, there)
    assert (covered["identifier"], covered["node_name"], covered["warning"]) == (licence, "江苏省", "")
    face = (await officer.get(f"/desk/v1/cases/{there}/materials/{covered['sha256']}/licence")).body
    assert [each["value"] for each in face["face"]] == [NUMBER]
    uses = (await mother.get(f"/api/v1/licences/{licence}/uses")).body["uses"]
    assert {(each["kind"], each["officer"]) for each in uses if each["node_name"] == "浙江省"} == {
        ("checked", "civil_affairs")
    }
    await revoked(places, licence)
    assert (await the_covered(officer, there))["now"]["state_name"] == "已撤销"


async def test_a_licence_of_another_province_is_checked_there_and_serves_at_home(
    places: Places, mother: Caller, audit: Books
):
    licence = await certified(places, mother, issued_in=ZHEJIANG)
    answers = (await wish_of(mother, SECOND))["answers"]
    found = (await mother.post(COVERAGE, {"answers": answers, "has_consented": True})).body["materials"]
    assert licence in [each["identifier"] for each in found[0]["licences"]]
    wish = await covered_wish(mother, licence)
    case = await opened(places, mother, wish)
    again = [await mother.post("/api/v1/cases", wish, key="asked-once") for _ in range(2)]
    assert again[0].body == again[1].body
    asked = audit.notes(places.nodes[ZHEJIANG].node, "licence.shown", peer=JIANGSU, case=f"licences/{licence}")
    assert len(asked) == 2, "once for each case, and not again for a repeat"
    officer = await civil(places)
    covered = await the_covered(officer, case)
    assert (covered["node_name"], covered["now"]["is_good"], covered["warning"]) == ("浙江省", True, "")
    wish = await covered_wish(mother, licence)
    await revoked(places, licence, ZHEJIANG)
    problem = refused(await mother.post("/api/v1/cases", wish), 422, "form_faulty")
    assert pointers(problem) == {"/licences/0/identifier": "licence_not_good"}, "before any letter has come"
    assert "已撤销" in (await the_covered(officer, case))["warning"]


async def test_an_issuer_that_cannot_be_asked_stops_the_use_and_is_told_to_the_officer(places: Places, mother: Caller):
    licence = await certified(places, mother, issued_in=ZHEJIANG)
    case = await opened(places, mother, await covered_wish(mother, licence))
    node = places.nodes[JIANGSU].node
    alone = replace(node, wire=CutWire())
    wish = Submission.model_validate(await covered_wish(mother, licence))
    owner, how = node.keys.owner("person", MOTHER.id_number), Handing(copy_of=licence_copies.copy_of)
    with pytest.raises(PeerNotReached):
        await applying.submit(alone, owner, wish, key="while-it-is-down", how=how)
    stored = (await node.store.cases.case(case)).case
    checking = Checking(Looking("anna", JIANGSU, licence_copies.copy_of), "民政局")
    said = {"case": stored.name, "materials": stored.materials, "checking": checking}
    (covered,) = await covered_at_desk(alone, stored.step(SECOND), **said)
    assert covered.now is None
    assert "暂时无法" in covered.warning
    (covered,) = await covered_at_desk(node, stored.step(SECOND), **said)
    assert covered.now
    assert not covered.warning
    (*_, reference) = stored.materials
    said["case"] = f"{JIANGSU}/another"
    assert reference.media_type == REFERENCE
    assert await covered_at_desk(node, stored.step(SECOND), **said) == (), "it is for one case"


async def test_a_face_is_given_only_to_who_knows_the_number_of_a_holder(places: Places, mother: Caller):
    licence, there = await certified(places, mother), places.nodes[ZHEJIANG].node
    asked = CopyAsked(identifier=licence, node=JIANGSU, mark=holder_mark(licence, MOTHER.id_number), purpose="核验")
    assert (await licence_copies.copy_of(there, asked)).face == {"disability_certificate_number": NUMBER}
    guessed = asked.model_copy(update={"mark": holder_mark(licence, STRANGER.id_number)})
    with pytest.raises(NeverIssued):
        await licence_copies.copy_of(there, guessed)
    for change in ({"purpose": ""}, {"mark": "x"}, {"case": "x"}):
        with pytest.raises(PeerNotReached):
            await licence_copies.copy_of(there, asked.model_copy(update=change))
    with pytest.raises(NodeUnknown):
        await licence_copies.copy_of(there, asked.model_copy(update={"node": "990000"}))
    with pytest.raises(ValidationError):
        CopyAsked(**{**asked.model_dump(), "identifier": "../heads?way=in"})
    uses = (await mother.get(f"/api/v1/licences/{licence}/uses")).body["uses"]
    assert [(each["kind"], each["node_name"], each["purpose"]) for each in uses] == [("checked", "浙江省", "核验")]
