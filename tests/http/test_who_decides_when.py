"""Who decides over HTTP, by place, by exception and by day: the same birth from three counties, as the data has it."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.http.asking import Sweeper, act, opened, refused, step_of
from tests.http.conftest import module_wide, nodes_of_a_module
from tests.nodes import WORKING, Caller, HandClock, Places, newborn_wish

pytestmark = pytest.mark.asyncio(loop_scope="module")
REGIONS = Path(__file__).parents[2] / "config/regions"
FIRST, STEP = "birth_certificate", "household_registration"
PLAIN, WITH_BUREAU, DELEGATING = "320102", "320104", "320508"
POLICE = {PLAIN: "南京市公安局玄武分局", DELEGATING: "苏州市公安局姑苏分局"}
MADE_UP = 'source = "示例：测试自拟"\nstatus = "sample"\n'
EXCEPTIONS = f"""
[[authority]]
id = "approval/{WITH_BUREAU}"
name = "南京市秦淮区行政审批局"
level = "county"
departments = ["public_security"]
divisions = ["{WITH_BUREAU}"]
items = ["{STEP}"]
{MADE_UP}
[[authority]]
id = "registry/{DELEGATING}"
name = "苏州市姑苏区户政服务中心"
level = "county"
departments = ["public_security"]
divisions = ["{DELEGATING}"]
items = ["no_criminal_record_proof"]
{MADE_UP}
[[delegation]]
id = "{DELEGATING}-{STEP}"
kind = "entrusted"
giver = "county"
receiver = "registry/{DELEGATING}"
items = ["{STEP}"]
divisions = ["{DELEGATING}"]
basis = "示例〔2026〕1号"
from_day = 2026-11-25
{MADE_UP}"""


@module_wide
async def places(
    tmp_path_factory: pytest.TempPathFactory, database_uri: str, database_sweeper: Sweeper, clock: HandClock
) -> AsyncIterator[Places]:
    """Nodes under one clock, that know of a bureau which decides for the police, and of a delegation to come."""
    folder = tmp_path_factory.mktemp("deciding")
    shutil.copytree(REGIONS, folder / "regions")
    with (folder / "regions/authorities.toml").open("a", encoding="utf-8") as file:
        file.write(EXCEPTIONS)
    async with nodes_of_a_module(
        folder, database_uri, database_sweeper, regions_folder=folder / "regions", clock=clock
    ) as places:
        yield places


async def registered(places: Places, citizen: Caller, county: str) -> str:
    """The id of a case of this county, whose household registration lies on a desk there."""
    answers = {"household": county, "maternity_insurance": "no"}
    case = await opened(places, citizen, await newborn_wish(citizen, division=county) | {"answers": answers})
    hospital = await places.officer("health", name=f"hospital of {county}", county=county)
    for name in ("receive", "accept", "approve"):
        assert (await hospital.post(act(case, FIRST, name))).status == 200
    await places.settle()
    return case


async def holder(citizen: Caller, case: str) -> tuple[str, str]:
    """Who has the household registration, by id and by name."""
    held: dict[str, Any] = (await step_of(citizen, case, STEP))["holder"]
    return held["authority"], held["authority_name"]


async def posted(places: Places, name: str, authority: str) -> Caller:
    """An officer with posts at just this authority."""
    caller = await places.officer("public_security", name=name, roles=())
    await places.appoint(name, authority, WORKING)
    return caller


async def approved(officer: Caller, case: str) -> None:
    for name in ("receive", "accept", "approve"):
        answer = await officer.post(act(case, STEP, name))
        assert answer.status == 200, answer.body


async def test_the_same_birth_goes_to_the_authority_of_its_county_and_to_a_bureau_where_there_is_one(
    places: Places, mother: Caller
):
    cases = {county: await registered(places, mother, county) for county in (PLAIN, WITH_BUREAU, DELEGATING)}
    assert {county: await holder(mother, case) for county, case in cases.items()} == {
        PLAIN: (f"public_security/{PLAIN}", POLICE[PLAIN]),
        WITH_BUREAU: (f"approval/{WITH_BUREAU}", "南京市秦淮区行政审批局"),
        DELEGATING: (f"public_security/{DELEGATING}", POLICE[DELEGATING]),
    }
    bureau = await posted(places, "bureau", f"approval/{WITH_BUREAU}")
    police = await posted(places, "police next to it", f"public_security/{WITH_BUREAU}")
    refused(await police.get(f"/desk/v1/cases/{cases[WITH_BUREAU]}"), 404, "no_such_case")
    await approved(bureau, cases[WITH_BUREAU])


async def test_a_delegation_begins_at_midnight_and_moves_no_case_that_runs(
    places: Places, mother: Caller, clock: HandClock
):
    clock.to(11, 24, 23, 59)
    before = await registered(places, await places.citizen(), DELEGATING)
    clock.to(11, 25, 0, 0)
    citizen = await places.citizen()
    after = await registered(places, citizen, DELEGATING)
    assert await holder(citizen, before) == (f"public_security/{DELEGATING}", POLICE[DELEGATING])
    assert await holder(citizen, after) == (f"registry/{DELEGATING}", "苏州市姑苏区户政服务中心")
    told = (await citizen.get("/api/v1/authorities", params={"item": STEP, "division": DELEGATING})).body
    assert POLICE[DELEGATING] in str(told), "it is decided in the name of who entrusts it"
    centre = await posted(places, "centre", f"registry/{DELEGATING}")
    refused(await centre.get(f"/desk/v1/cases/{before}"), 404, "no_such_case")
    await approved(centre, after)
