"""The file of a licence: handed in at the desk that decides, offered with the decision, and opened by its holder."""

from typing import Any

import pytest

from regions import fetching
from regions.asking import PeerRefused
from tests.http.asking import act, refused
from tests.http.conftest import module_wide
from tests.http.peer_questions import FAR, Books, asked, digest, far_case, fetches_of, picture
from tests.nodes import Answer, Caller, Places
from tests.world import GUANGDONG, JIANGSU, ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")
UPLOAD = "/desk/v1/licence-files"


@module_wide
async def places(three: Places) -> Places:
    """Three nodes under a clock that stands still."""
    return three


async def taken_up(places: Places, mother: Caller, officer: Caller, mark: str) -> str:
    """A case whose household registration Zhejiang has accepted."""
    case = await far_case(places, mother, picture(600, mark))
    await places.settle()
    for name in ("receive", "accept"):
        assert (await officer.post(act(f"{JIANGSU}:{case}", FAR, name))).status == 200
    return case


async def licence_of(officer: Caller, content: bytes) -> str:
    """The id under which the desk knows the file."""
    answer = await officer.upload(content, path=UPLOAD, name="licence.pdf")
    assert answer.status == 201
    return str(answer.body["id"])


async def decided(officer: Caller, case: str, name: str, **said: Any) -> Answer:
    answer = await officer.post(act(f"{JIANGSU}:{case}", FAR, name), said)
    assert answer.status == 200, answer.body
    return answer


ELECTRONIC = {"delivery": {"method": "electronic"}}


async def file_path(mother: Caller, case: str) -> str:
    """Where the file of the household register is."""
    answer = await mother.get(f"/api/v1/cases/{case}")
    (number,) = [each["number"] for each in answer.body["licences"] if each["step"] == FAR]
    return f"/api/v1/cases/{case}/licences/{number}/file"


@pytest.mark.parametrize("with_act", ["approve", "deliver"])
async def test_the_citizen_opens_the_file_once_it_has_come_from_afar(
    places: Places, mother: Caller, police: Caller, audit: Books, with_act: str
):
    case = await taken_up(places, mother, police, f"home-{with_act}")
    content = b"%PDF-1.7 the household register " + with_act.encode()
    handed = {"licence": await licence_of(police, content)}
    places.is_fetching = False
    await decided(police, case, "approve", **(handed if with_act == "approve" else {}))
    await decided(police, case, "deliver", **ELECTRONIC, **(handed if with_act == "deliver" else {}))
    await places.settle()
    path = await file_path(mother, case)
    refused(await mother.get(path), 409, "licence_still_coming")
    assert (await mother.get(path.removesuffix("/file"))).body["has_file"] is True
    places.is_fetching = True
    await places.settle()
    answer = await mother.get(path)
    assert (answer.status, answer.body) == (200, content)
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == "attachment"
    (note,) = audit.notes(places.nodes[ZHEJIANG].node, "content.served", case=f"{JIANGSU}/{case}")
    assert (note["peer"], note["reason"]) == (JIANGSU, f"home of the licence of {FAR}")
    assert [each.outcome for each in await fetches_of(places.nodes[JIANGSU].node, case)] == ["kept"]
    assert not audit.notes(places.nodes[JIANGSU].node, "licence.read", case=f"{JIANGSU}/{case}")
    refused(await (await places.citizen("stranger")).get(path), 404, "no_such_case")


async def test_a_licence_goes_to_the_home_alone_and_only_after_the_decision(
    places: Places, mother: Caller, police: Caller, audit: Books
):
    case = await taken_up(places, mother, police, "decision")
    content = b"%PDF-1.7 not decided yet"
    handed = {"licence": await licence_of(police, content)}
    about = {"at": ZHEJIANG, "step": FAR}

    async def refusal(by: str, sha: str = digest(content)) -> str:
        with pytest.raises(PeerRefused) as refused:
            await asked(places, sha, case, by=by, **about)
        return refused.value.reason

    assert await refusal(JIANGSU) == "content_not_served"
    await decided(police, case, "approve", **handed)
    assert await refusal(GUANGDONG) == "content_not_served"
    assert await refusal(JIANGSU, "0" * 64) == "content_not_served"
    material = digest(picture(600, "decision"))  # the home's own, and no licence
    assert await refusal(JIANGSU, material) == "content_not_served"
    assert (await asked(places, digest(content), case, by=JIANGSU, **about)).body == content
    assert len(audit.notes(places.nodes[ZHEJIANG].node, "content.refused", case=f"{JIANGSU}/{case}")) == 4


async def test_a_licence_that_nobody_handed_in_or_another_did_is_refused(
    places: Places, mother: Caller, police: Caller
):
    case = await taken_up(places, mother, police, "nobody's")
    colleague = await places.officer("public_security", ZHEJIANG, name="colleague")
    others = await licence_of(colleague, b"%PDF-1.7 of a colleague")
    for id in ("nothing", "2026-11-23", others):
        answer = await police.post(act(f"{JIANGSU}:{case}", FAR, "approve"), {"licence": id})
        problem = refused(answer, 422, "form_faulty")
        assert [(each["pointer"], each["code"]) for each in problem["errors"]] == [("/licence", "material_unknown")]
    await decided(police, case, "approve")
    await decided(police, case, "deliver", **ELECTRONIC)
    await places.settle()
    refused(await mother.get(await file_path(mother, case)), 404, "no_such_licence")


async def test_a_licence_of_ones_own_province_is_there_at_once(places: Places, mother: Caller, health: Caller):
    case = await far_case(places, mother, picture(602))
    deliver = act(case, "birth_certificate", "deliver")
    handed = {"licence": await licence_of(health, b"%PDF-1.7 of birth")}
    assert (await health.post(deliver, ELECTRONIC | handed)).status == 200
    answer = await mother.get(f"/api/v1/cases/{case}/licences/1/file")
    assert (answer.status, answer.body) == (200, b"%PDF-1.7 of birth")
    assert not await fetching.fetch(places.nodes[JIANGSU].node, ZHEJIANG)


async def test_what_is_no_picture_and_no_pdf_is_no_licence(police: Caller):
    refused(await police.upload(b"<html>", path=UPLOAD), 415, "material_type_unknown")
