"""Proposals (拟办) over HTTP: two persons decide, and what officers say among themselves stays among them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.catalogue.shipped import copy_small
from tests.http.asking import Sweeper, act, opened, refused, state_of
from tests.http.conftest import module_wide, nodes_of_a_module
from tests.nodes import Caller, HandClock, Places

pytestmark = pytest.mark.asyncio(loop_scope="module")
STEP = "birth_certificate"
OPINION = {"outcome": "approve", "grounds": "接生记录和母亲身份一致"}


@module_wide
async def places(
    tmp_path_factory: pytest.TempPathFactory, database_uri: str, database_sweeper: Sweeper, clock: HandClock
) -> AsyncIterator[Places]:
    """Nodes where one person proposes a birth certificate and another one decides it."""
    folder = tmp_path_factory.mktemp("proposals")
    copy_small(folder / "catalogue")
    item = folder / "catalogue/items/health.toml"
    code = f'code = "{STEP}"\n'
    text = item.read_text(encoding="utf-8")
    item.write_text(text.replace(code, f"{code}two_persons = true\n", 1), encoding="utf-8")
    async with nodes_of_a_module(
        folder, database_uri, database_sweeper, catalogue_folder=folder / "catalogue", clock=clock
    ) as places:
        yield places


async def accepted(places: Places, mother: Caller, wish: dict[str, Any]) -> tuple[str, Caller, Caller]:
    """A case whose first step is accepted, and two officers of the authority that decides it."""
    case = await opened(places, mother, wish)
    anna, bert = await places.officer("health", name="anna"), await places.officer("health", name="bert")
    for name in ("receive", "accept"):
        assert (await anna.post(act(case, STEP, name))).status == 200
    return case, anna, bert


async def test_another_one_than_who_proposed_decides(places: Places, mother: Caller, wish: dict[str, Any]):
    case, anna, bert = await accepted(places, mother, wish)
    refused(await bert.post(act(case, STEP, "approve")), 409, "proposal_needed")
    seen = (await bert.get(f"/desk/v1/cases/{case}")).body["steps"][0]
    assert (seen["two_persons"], seen["proposal"]) == (True, None)
    assert (await anna.post(act(case, STEP, "propose"), OPINION)).body["state"] == "accepted"
    refused(await anna.post(act(case, STEP, "approve")), 403, "two_persons_needed")
    refused(await anna.post(act(case, STEP, "refuse"), {"grounds": "材料不实"}), 403, "two_persons_needed")
    proposal = (await bert.get(f"/desk/v1/cases/{case}")).body["steps"][0]["proposal"]
    assert (proposal["by"], proposal["outcome"], proposal["opinion"]) == ("anna", "approve", OPINION["grounds"])
    stale = {"version": seen["step"]["version"]}
    assert "拟办" in str(refused(await bert.post(act(case, STEP, "approve"), stale), 412, "step_changed"))
    assert (await bert.post(act(case, STEP, "approve"))).body["state"] == "approved"


async def test_who_decides_reads_in_the_history_who_proposed(places: Places, mother: Caller, wish: dict[str, Any]):
    case, anna, bert = await accepted(places, mother, wish)
    assert (await anna.post(act(case, STEP, "propose"), OPINION)).status == 200
    last = (await bert.get(f"/desk/v1/cases/{case}")).body["history"][-1]
    assert (last["act"], last["officer"]) == ("propose", "anna")
    await places.settle()
    assert [each["act"] for each in (await anna.get("/desk/v1/done")).body["deeds"]][:3] == [
        "propose",
        "accept",
        "receive",
    ]


async def test_the_applicant_reads_nothing_of_a_proposal(places: Places, mother: Caller, wish: dict[str, Any]):
    case, anna, _ = await accepted(places, mother, wish)
    before = (await mother.get(f"/api/v1/cases/{case}/timeline")).body
    assert (await anna.post(act(case, STEP, "propose"), OPINION)).status == 200
    await places.settle()
    assert (await mother.get(f"/api/v1/cases/{case}/timeline")).body == before
    shown = await mother.get(f"/api/v1/cases/{case}")
    assert OPINION["grounds"] not in str(shown.body)
    assert await state_of(mother, case, STEP) == "accepted"


async def test_an_opinion_is_sealed_in_the_store(
    places: Places, mother: Caller, wish: dict[str, Any], database_sweeper: Sweeper
):
    case, anna, _ = await accepted(places, mother, wish)
    assert (await anna.post(act(case, STEP, "propose"), OPINION)).status == 200
    for running in places.nodes.values():
        books = database_sweeper[running.node.settings.database]
        assert OPINION["grounds"] not in str(list(books["cases"].find()))


async def test_who_stands_in_for_the_proposer_does_not_decide_nor_the_proposer_what_was_proposed_for_them(
    places: Places, mother: Caller, wish: dict[str, Any]
):
    case, anna, bert = await accepted(places, mother, wish)
    carl = await places.officer("health", name="carl", roles=("window",))
    leave = {"substitute": "carl", "from_day": "2026-11-23", "to_day": "2026-12-31", "reason": "休假"}
    assert (await anna.post("/desk/v1/substitutions", leave)).status == 201
    assert (await anna.post(act(case, STEP, "propose"), OPINION)).status == 200
    refused(await carl.post(act(case, STEP, "approve")), 403, "two_persons_needed")

    other, _, _ = await accepted(places, mother, wish)
    assert (await carl.post(act(other, STEP, "propose"), OPINION)).status == 200
    for caller in (anna, carl):
        refused(await caller.post(act(other, STEP, "approve")), 403, "two_persons_needed")
    for each in (case, other):
        assert (await bert.post(act(each, STEP, "approve"))).body["state"] == "approved"
