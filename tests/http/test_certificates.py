"""A certificate from guide and form to the sealed PDF in hand, told by the province that decides."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pymongo
import pytest

from server.desk.background.case_papers import papers_amiss
from server.papers.seal_folder import SealFolder
from server.papers.verifying import TrustedSeals, verify
from tests.catalogue.shipped import CATALOGUE
from tests.http.asking import act, opened, refused
from tests.http.conftest import module_wide
from tests.http.paper_making import MakerHere, giving_papers, made, papers_of
from tests.http.peer_questions import digest
from tests.http.test_every_bundle import followed, guided, wish_for
from tests.http.test_licence_files import ELECTRONIC, licence_of
from tests.http.test_sealed_papers import Sealing, root_of
from tests.nodes import Caller, Places
from tests.world import JIANGSU, ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")
PROOF = "no_criminal_record_proof"
NAME = "无犯罪记录证明"
IN_NANJING = "320102"
RESULT = {"record_period": "出生至今", "record_finding": "none", "result_valid_until": "2027-02-28"}


@module_wide
async def places(
    tmp_path_factory: pytest.TempPathFactory,
    database_uri: str,
    database_sweeper: pymongo.MongoClient[dict[str, Any]],
) -> AsyncIterator[Places]:
    async with giving_papers(tmp_path_factory.mktemp("giving"), database_uri, database_sweeper) as places:
        yield places


async def approved(places: Places, citizen: Caller, officer: Caller, **said: Any) -> str:
    """A case as the guide asks for it, whose one step Zhejiang has approved."""
    wish, _ = await wish_for(citizen, CATALOGUE.bundle(PROOF), home=JIANGSU)
    case = await opened(places, citizen, wish | {"division": IN_NANJING})
    await places.settle()
    for name in ("receive", "accept"):
        assert (await officer.post(act(f"{JIANGSU}:{case}", PROOF, name))).status == 200
    answer = await officer.post(act(f"{JIANGSU}:{case}", PROOF, "approve"), said)
    assert answer.status == 200, answer.body
    return case


async def shown(citizen: Caller, case: str) -> dict[str, Any]:
    """What the applicant is told that it came to."""
    (line,) = (await citizen.get(f"/api/v1/cases/{case}")).body["results"]
    return dict(line)


async def test_a_certificate_of_no_criminal_record_goes_from_the_guide_to_a_sealed_file_in_hand(
    places: Places, mother: Caller
):
    police = await places.officer("public_security", ZHEJIANG)
    case = await approved(places, mother, police, result=RESULT)
    desk = f"{JIANGSU}:{case}"
    (seen,) = (await police.get(f"/desk/v1/cases/{desk}")).body["steps"]
    assert seen["result_paper"]
    assert (await police.post(act(desk, PROOF, "deliver"), ELECTRONIC)).status == 200
    await places.settle()
    assert (await shown(mother, case))["paper"] is None, "the home is told once it is made"
    node = places.nodes[ZHEJIANG].node
    seals = node.settings.seals_folder
    assert seals
    maker = Sealing(SealFolder(seals))
    await made(places, maker)
    told = await shown(mother, case)
    assert (told["name"], told["paper"], told["delivery"]) == (NAME, seen["result_paper"], "done")
    given = (await papers_of(mother, case, step=PROOF))["certificate"]
    assert (given["title"], given["id"], given["is_made"]) == (NAME, told["paper"], True)
    assert "证字〔2026〕1号" in given["number"]
    answer = await mother.get(f"/api/v1/cases/{case}/papers/{given['id']}")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/pdf")
    trust = TrustedSeals(roots=(root_of(seals),), authorities=(given["authority"],))
    verdict = await asyncio.to_thread(verify, answer.body, trust, at=node.clock.now())
    assert (verdict.fault, verdict.seal) == (None, "authority")
    [data] = [each.data for each in maker.made if each.data.kind == "certificate"]
    assert [(each["label"], each["value"]) for each in data.body.model_dump()["lines"]] == [
        ("查询期间", "出生至今"),
        ("查询情况", CATALOGUE.field_of["record_finding"].choices["none"]),
        ("有效期截止日期", "2027年2月28日"),
    ]
    assert (data.frame.recipient, data.frame.number) == ("测试母亲", given["number"])
    document = f"/api/v1/cases/{case}/licences/{told['licence']}"
    assert (await mother.get(document)).body["has_file"] is True
    assert (await mother.get(f"{document}/file")).body == answer.body
    assert not [each async for each in papers_amiss(node, await node.store.cases.case(desk))]


async def test_a_certificate_made_before_it_is_delivered_is_named_by_its_receipt(places: Places, mother: Caller):
    police = await places.officer("public_security", ZHEJIANG)
    case = await approved(places, mother, police, result=RESULT)
    await made(places, MakerHere())
    path = f"/api/v1/cases/{case}/licences/1/file"
    refused(await mother.get(path), 404, "no_such_licence")
    assert (await police.post(act(f"{JIANGSU}:{case}", PROOF, "deliver"), ELECTRONIC)).status == 200
    places.is_fetching = False
    await places.settle()
    assert (await mother.get(path)).status == 200, "it came before it was delivered"
    places.is_fetching = True
    maker = MakerHere()
    await made(places, maker)
    [receipt] = [each.data.body.model_dump() for each in maker.made if each.data.kind == "delivery"]
    given = (await papers_of(mother, case, step=PROOF))["certificate"]
    assert (receipt["delivered_title"], receipt["delivered_number"]) == (NAME, given["number"])
    assert receipt["file_digest"] == digest((await mother.get(path)).body)


async def test_a_certificate_that_was_delivered_and_is_still_being_made_is_said_to_come(places: Places, mother: Caller):
    police = await places.officer("public_security")
    bundle = CATALOGUE.bundle(PROOF)
    answers, guide = await guided(mother, PROOF, elsewhere=JIANGSU)
    wish = await followed(mother, bundle, answers, guide, home=JIANGSU)
    case = await opened(places, mother, wish | {"division": IN_NANJING})
    for name in ("receive", "accept", "approve"):
        assert (await police.post(act(case, PROOF, name))).status == 200
    assert (await police.post(act(case, PROOF, "deliver"), ELECTRONIC)).status == 200
    path = f"/api/v1/cases/{case}/licences/1/file"
    refused(await mother.get(path), 409, "licence_still_coming")
    await made(places, MakerHere())
    assert (await mother.get(path)).body.startswith(b"%PDF")


async def test_a_file_that_the_authority_hands_in_is_the_paper_in_hand_and_no_other_is_made(
    places: Places, mother: Caller
):
    police = await places.officer("public_security", ZHEJIANG)
    content = b"%PDF-1.7 of the authority"
    case = await approved(places, mother, police, result=RESULT, licence=await licence_of(police, content))
    assert (await police.post(act(f"{JIANGSU}:{case}", PROOF, "deliver"), ELECTRONIC)).status == 200
    await made(places, MakerHere())
    assert "certificate" not in await papers_of(mother, case, step=PROOF)
    told = await shown(mother, case)
    assert told["paper"] is None
    assert (await mother.get(f"/api/v1/cases/{case}/licences/{told['licence']}/file")).body == content
