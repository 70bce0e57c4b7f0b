"""Electronic licences: issued once with an approval, told in the case, and shown to who holds them."""

from dataclasses import replace
from typing import Any

import pytest

from server.desk import relay
from server.domain.licence.identifier import parse
from tests.http.asking import opened, refused
from tests.http.conftest import module_wide
from tests.http.licensing import CARD, applied, approved
from tests.http.test_finding_cases import GROUPS
from tests.http.test_modes import timeline
from tests.nodes import MOTHER, Caller, Places, newborn_wish
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")


@module_wide
async def places(three: Places) -> Places:
    """Three nodes under a clock that stands still."""
    return three


@module_wide
async def police_here(places: Places) -> Caller:
    """An officer of Jiangsu whose department issues identity cards."""
    return await places.officer("public_security", JIANGSU, name="police-here")


async def electronic(citizen: Caller, case: str, item: str = CARD) -> dict[str, Any]:
    """The electronic licence of this step, as the applicant is told of it."""
    results = (await citizen.get(f"/api/v1/cases/{case}")).body["results"]
    return dict(next(each["electronic"] for each in results if each["step"] == item))


async def held(citizen: Caller) -> list[dict[str, Any]]:
    """The licences of a citizen, all pages of them."""
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        answer = await citizen.get("/api/v1/licences", params={"after": after} if after else {})
        assert answer.status == 200, answer.body
        found += answer.body["licences"]
        if (after := answer.body["next"]) is None:
            return found


async def test_an_approval_leads_to_a_licence_that_its_holder_finds(
    places: Places, mother: Caller, police_here: Caller
):
    before = await held(mother)
    case = await applied(places, mother)
    assert (await mother.get(f"/api/v1/cases/{case}")).body["results"] == []
    await approved(places, police_here, case, result={"holder_address": "测试路1号"})
    told = await electronic(mother, case)
    identifier = parse(told["identifier"])
    assert (identifier.version, told["is_sample"]) == (1, True)
    assert (told["state"], told["state_name"], told["expires_on"]) == ("valid", "有效", "2027-02-23")
    (line,) = [each for each in await held(mother) if each not in before]
    assert GROUPS.fullmatch(line["number"])
    assert (line["identifier"], line["name"], line["stands"]["state_code"]) == (
        told["identifier"],
        "临时居民身份证",
        "01",
    )
    view = (await mother.get(f"/api/v1/licences/{told['identifier']}")).body
    assert view["number"] == line["number"]
    assert view["holders"] == [{"name": MOTHER.name, "number": MOTHER.id_number, "is_me": True}]
    assert [(each["name"], each["value"]) for each in view["face"]] == [("持证人住址", "测试路1号")]
    entries = [(each["act"], each["words"]) for each in await timeline(mother, case)]
    assert ("licence", f"电子证照标识 {told['identifier']}，有效。") in entries
    step = (await police_here.get(f"/desk/v1/cases/{case}")).body["steps"][0]
    assert step["electronic"] == told


async def test_a_licence_is_issued_once_however_often_its_effect_is_carried(
    places: Places, mother: Caller, police_here: Caller
):
    node = places.nodes[JIANGSU].node
    case = await applied(places, mother)
    await approved(places, police_here, case)
    record = await node.store.cases.case(case)
    first = await node.store.licences.one(record.case.step(CARD).electronic)
    unmarked = replace(record, document={**record.document, "relayed": 0})
    assert [each["issue"]["licence"] for each in unmarked.pending if "issue" in each] == [first.id]
    for _ in range(3):
        await relay.relay(node, unmarked)
    again = await node.store.licences.one(first.id)
    assert again.document == first.document
    assert again.value.spoken_number == first.value.spoken_number != ""


async def test_a_licence_of_another_is_nobodys(places: Places, mother: Caller, stranger: Caller, police_here: Caller):
    case = await applied(places, mother)
    await approved(places, police_here, case)
    path = f"/api/v1/licences/{(await electronic(mother, case))['identifier']}"
    refused(await places.caller().get(path), 401, "token_missing")
    refused(await stranger.get(path), 404, "never_issued")
    assert await held(stranger) == []
    refused(await mother.get("/api/v1/licences/1.2.156.3005.2.x"), 404, "never_issued")
    refused(await mother.get("/api/v1/licences/2026-11-23"), 404, "never_issued")
    refused(await mother.get("/api/v1/licences", params={"after": "nowhere"}), 422, "search_place_unknown")


async def test_nobody_holds_a_licence_whose_number_is_not_known_and_the_case_says_so(
    places: Places, mother: Caller, health: Caller
):
    before = await held(mother)
    case = await opened(places, mother, await newborn_wish(mother))
    await approved(places, health, case, "birth_certificate")
    told = await electronic(mother, case, "birth_certificate")
    assert (told["identifier"], told["state"], told["words"]) == ("", None, "持证人号码未知，未颁发电子证照。")
    assert "持证人号码未知，未颁发电子证照。" in [each["words"] for each in await timeline(mother, case)]
    assert await held(mother) == before
