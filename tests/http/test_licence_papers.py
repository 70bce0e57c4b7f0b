"""The face of a licence: sealed with the approval that leads to it, and checked by how the licence stands today."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pymongo
import pytest

from server.desk.background.case_papers import papers_amiss
from tests.http.conftest import module_wide
from tests.http.licensing import CARD, WHY, applied, approved
from tests.http.paper_making import MakerHere, giving_papers, made, papers_of
from tests.http.test_checking_papers import asked, path_of
from tests.nodes import MOTHER, Caller, HandClock, Places
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")


@module_wide
async def places(
    tmp_path_factory: pytest.TempPathFactory,
    database_uri: str,
    database_sweeper: pymongo.MongoClient[dict[str, Any]],
) -> AsyncIterator[Places]:
    async with giving_papers(tmp_path_factory.mktemp("giving"), database_uri, database_sweeper) as places:
        yield places


async def page(places: Places, case: str) -> str:
    """What the check of the licence in this case says today."""
    answer = await asked(places, await path_of(places, case, "licence"))
    assert answer.status == 200
    return str(answer.body.decode())


async def test_a_licence_has_its_face_as_a_paper_and_its_check_tells_how_it_stands_today(
    places: Places, mother: Caller
):
    police = await places.officer("public_security", JIANGSU, name="police-here")
    case = await applied(places, mother)
    await approved(places, police, case, result={"holder_address": "测试路1号"})
    maker = MakerHere()
    await made(places, maker)
    [body] = [each.data.body.model_dump(mode="json") for each in maker.made if each.data.kind == "licence"]
    (line,) = (await mother.get(f"/api/v1/cases/{case}")).body["results"]
    assert body["identifier"] == line["electronic"]["identifier"]
    assert body["holders"] == [{"name": MOTHER.name, "number": MOTHER.id_number}]
    assert body["lines"] == [{"label": "持证人住址", "value": "测试路1号"}]
    given = (await papers_of(mother, case, step=CARD))["licence"]
    assert (given["id"], given["title"]) == (line["paper"], "临时居民身份证")
    told = await page(places, case)
    assert "这份证照现为“有效”" in told
    assert body["identifier"] in told
    assert MOTHER.id_number not in told
    act = f"/desk/v1/licences/{body['identifier']}"
    assert (await police.post(f"{act}/suspend", WHY)).status == 200
    told = await page(places, case)
    assert "现为“已暂停”（2026年11月23日起），现在不能使用，由" in told
    assert (await police.post(f"{act}/restore", WHY)).status == 200
    assert "现为“有效”" in await page(places, case)
    record = await places.nodes[JIANGSU].node.store.cases.case(case)
    assert not [each async for each in papers_amiss(places.nodes[JIANGSU].node, record)]


async def nothing_of(_: Sequence[str]) -> Mapping[str, Any]:
    """As if none of these had ever been issued."""
    return {}


async def test_a_licence_that_was_revoked_or_has_ended_is_no_good_for_its_paper(
    places: Places, mother: Caller, monkeypatch: pytest.MonkeyPatch
):
    police = await places.officer("public_security", JIANGSU, name="police-too")
    revoked, ended = await applied(places, mother), await applied(places, mother)
    for case in (revoked, ended):
        await approved(places, police, case)
    await made(places, MakerHere())
    identifier = (await mother.get(f"/api/v1/cases/{revoked}")).body["results"][0]["electronic"]["identifier"]
    said = {**WHY, "cause": "rescinded"}
    assert (await police.post(f"/desk/v1/licences/{identifier}/revoke", said)).status == 200
    assert "现为“已撤销”（2026年11月23日起），现在不能使用，由" in await page(places, revoked)
    with monkeypatch.context() as erased:
        erased.setattr(places.nodes[JIANGSU].node.store.licences, "find_many", nothing_of)
        assert "现在查不到它的状态" in await page(places, revoked)
    clock = places.nodes[JIANGSU].node.clock
    assert isinstance(clock, HandClock)
    clock.wait(days=100)
    assert "现为“已过期”（2027年2月24日起），现在不能使用，由" in await page(places, ended)
