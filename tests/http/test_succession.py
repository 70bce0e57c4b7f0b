"""Abolished divisions (撤销) over HTTP: cases run on at the successor's authority, or where the superior says."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from server.desk.background.succeeding import succeed
from tests.catalogue.shipped import copy_with
from tests.http.asking import Sweeper, act, crossed, refused, step_of
from tests.http.conftest import module_wide, nodes_of_a_module
from tests.nodes import Caller, HandClock, Places
from tests.world import JIANGSU, ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")
STEP, GONE, SPLIT, HEIR, OTHER = "household_registration", "330108", "330111", "330102", "330105"
LAST_DAY = "2026-11-30"
HEIR_NAME = "杭州市公安局上城分局"


@module_wide
async def places(
    tmp_path_factory: pytest.TempPathFactory, database_uri: str, database_sweeper: Sweeper, clock: HandClock
) -> AsyncIterator[Places]:
    """Nodes with data by which 滨江区 goes to 上城区 at the end of the month, and 富阳区 to two districts."""
    folder = tmp_path_factory.mktemp("successions")
    line = f"{GONE},滨江区,county"
    regions = copy_with(folder, "regions", "divisions.csv", (line, f"{line},,{LAST_DAY},{HEIR}"))
    divisions, line = regions / "divisions.csv", f"{SPLIT},富阳区,county"
    text = divisions.read_text(encoding="utf-8")
    assert line in text
    divisions.write_text(text.replace(line, f"{line},,{LAST_DAY},{HEIR} {OTHER}"), encoding="utf-8")
    async with nodes_of_a_module(folder, database_uri, database_sweeper, regions_folder=regions, clock=clock) as places:
        yield places


async def accepted(places: Places, mother: Caller, wish: dict[str, Any], county: str) -> str:
    """A case whose step is accepted in this county of the other province, by its name there."""
    answers = {**wish["answers"], "household": county}
    case = f"{JIANGSU}:{await crossed(places, mother, wish | {'answers': answers})}"
    officer = await places.officer("public_security", ZHEJIANG, name=f"officer of {county}", county=county)
    for name in ("receive", "accept"):
        assert (await officer.post(act(case, STEP, name))).status == 200
    await places.settle()
    return case


async def at_home(places: Places, case: str, name: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """What the applicant reads of one act on the step, and how the step stands."""
    own, mother = case.partition(":")[2], await places.citizen("mother")
    timeline = (await mother.get(f"/api/v1/cases/{own}/timeline")).body["timeline"]
    return [each for each in timeline if each["act"] == name], await step_of(mother, own, STEP)


async def test_divisions_are_abolished_while_cases_run(
    places: Places, mother: Caller, wish: dict[str, Any], clock: HandClock
):
    node = places.nodes[ZHEJIANG].node
    case, split = [await accepted(places, mother, wish, county) for county in (GONE, SPLIT)]
    before = (await at_home(places, case, "accept"))[1]
    clock.to(11, 30, 23)
    await succeed(node)
    assert (await at_home(places, case, "take_over"))[0] == []

    clock.to(12, 1, 0, 1)
    for _ in range(2):
        await succeed(node)
    await places.settle()
    (told,), step = await at_home(places, case, "take_over")
    assert (told["by"], step["holder"]["authority_name"]) == ("系统", HEIR_NAME)
    assert told["words"] == f"改由{HEIR_NAME}继续办理：滨江区已撤销，存续至2026年11月30日。办理期限连续计算。"
    assert (step["state"], step["due_on"]) == ("accepted", before["due_on"])
    successor = await places.officer("public_security", ZHEJIANG, name="successor", county=HEIR)
    assert (await successor.post(act(case, STEP, "approve"))).body["state"] == "approved"

    assert (await at_home(places, split, "take_over"))[0] == [], "it has two successors"
    city = await places.officer("public_security", ZHEJIANG, name="city head", county=HEIR, roles=())
    await places.appoint("city head", "public_security/330100", ("head",), division=ZHEJIANG)
    (line,) = (await city.get("/desk/v1/warnings")).body["warnings"]
    assert (line["rung"], line["case"], line["step"], line["due_on"]) == ("designation", split, STEP, LAST_DAY)
    assert (line["authority_name"], line["about"]) == ("杭州市公安局", "杭州市公安局富阳分局")
    head = await places.officer("public_security", ZHEJIANG, name="head", roles=("head",), county=GONE)
    refused(await head.post("/desk/v1/designations", chosen(split, SPLIT)), 422, "division_not_in_force")
    done = await head.post("/desk/v1/designations", chosen(split, OTHER))
    assert (done.status, done.body["authority"]) == (200, f"public_security/{OTHER}"), done.body
    await places.settle()
    (told,), step = await at_home(places, split, "designate")
    assert step["holder"]["authority_name"] == done.body["authority_name"]


def chosen(case: str, division: str) -> dict[str, str]:
    """The request of a designation."""
    return {"case": case, "step": STEP, "division": division, "grounds": "该镇划入该区"}
