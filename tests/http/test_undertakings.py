"""Promises over HTTP: what may come later against a signed undertaking, what may not, and who may not."""

from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from server.cli import run
from server.domain.audit import Doer
from server.listing import change_dishonest
from server.node import Node
from tests.http.asking import opened, pointers, refused
from tests.http.conftest import module_wide
from tests.http.test_agents import death_wish
from tests.nodes import MOTHER, Caller, Places, data_of
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")
LATER = "kinship_proof"


@module_wide
async def wish(mother: Caller) -> dict[str, Any]:
    """A complete application after a death, but for one material that may come later."""
    whole = await death_wish(mother)
    materials = [each for each in whole["materials"] if each["code"] != LATER]
    return {**whole, "materials": materials, "deferred": [LATER]}


@module_wide
async def texts(places: Places) -> dict[str, dict[str, str]]:
    """The undertakings as the node tells them, by kind."""
    answer = await places.caller().get("/api/v1/undertakings")
    assert answer.status == 200
    return {each["kind"]: each for each in answer.body["undertakings"]}


def signed(text: dict[str, str], **change: str) -> dict[str, str]:
    """What a phone sends of a text that it showed: its digest is the phone's own."""
    digest = sha256(text["text"].encode()).hexdigest()
    return {"kind": text["kind"], "version": text["version"], "sha256": digest, **change}


@pytest.fixture
async def dishonest(places: Places) -> AsyncIterator[None]:
    """While the mother is listed as dishonest."""
    node = places.nodes[JIANGSU].node
    assert await listed(node, [MOTHER.id_number], is_listed=True) == 1
    yield
    assert await listed(node, [MOTHER.id_number], is_listed=False) == 1


async def listed(node: Node, numbers: list[str], *, is_listed: bool) -> int:
    """What the command does, with the data files that this process has read."""
    return await change_dishonest(
        node.settings, numbers, is_listed=is_listed, by=Doer(name="op"), data=data_of(node.settings)
    )


async def test_a_material_comes_later_against_the_text_that_was_shown(
    places: Places, mother: Caller, wish: dict[str, Any], texts: dict[str, dict[str, str]]
):
    promise = signed(texts["deferral"])
    assert promise["sha256"] == texts["deferral"]["sha256"]
    case = await opened(places, mother, {**wish, "undertakings": [promise]})
    record = await places.nodes[JIANGSU].node.store.cases.case(case)
    assert record.case.deferred == (LATER,)
    assert [each.model_dump(include=set(promise)) for each in record.case.undertakings] == [promise]
    assert record.case.undertakings[0].at <= record.case.opened_at


async def test_nothing_comes_later_without_an_undertaking(mother: Caller, wish: dict[str, Any]):
    problem = refused(await mother.post("/api/v1/cases", wish), 422, "undertaking_missing")
    assert pointers(problem) == {"/undertakings": "required"}


@pytest.mark.parametrize("change", [{"sha256": "0" * 64}, {"version": "2025.1"}])
async def test_another_text_than_the_one_in_force_is_not_taken(
    mother: Caller, wish: dict[str, Any], texts: dict[str, dict[str, str]], change: dict[str, str]
):
    promise = signed(texts["deferral"], **change)
    refused(await mother.post("/api/v1/cases", {**wish, "undertakings": [promise]}), 412, "undertaking_outdated")


async def test_what_may_not_come_later_is_refused(
    mother: Caller, wish: dict[str, Any], texts: dict[str, dict[str, str]]
):
    later = ["death_statement", "deceased_identity_card", "passport"]
    materials = [each for each in wish["materials"] if each["code"] != "death_statement"]
    body = {**wish, "materials": materials, "deferred": [LATER, *later], "undertakings": [signed(texts["deferral"])]}
    problem = refused(await mother.post("/api/v1/cases", body), 422, "form_faulty")
    assert pointers(problem) == {f"/deferred/{index}": "not_deferrable" for index in (1, 2, 3)}


@pytest.mark.usefixtures("dishonest")
async def test_whoever_is_listed_as_dishonest_may_not_defer_and_may_apply_all_the_same(
    places: Places, mother: Caller, wish: dict[str, Any], texts: dict[str, dict[str, str]]
):
    body = {**wish, "undertakings": [signed(texts["deferral"])]}
    refused(await mother.post("/api/v1/cases", body), 403, "deferral_forbidden")
    await opened(places, mother, await death_wish(mother))


async def test_whoever_is_off_the_list_defers_again(
    places: Places, mother: Caller, wish: dict[str, Any], texts: dict[str, dict[str, str]]
):
    node = places.nodes[JIANGSU].node
    for is_listed, changed in ((True, 1), (True, 0), (False, 1), (False, 0)):
        assert await listed(node, [MOTHER.id_number] * 2, is_listed=is_listed) == changed
    await opened(places, mother, {**wish, "undertakings": [signed(texts["deferral"])]})


async def test_of_a_list_with_a_number_that_is_none_nothing_is_taken(places: Places):
    node = places.nodes[JIANGSU].node
    numbers = [MOTHER.id_number, MOTHER.id_number[:-1]]
    with pytest.raises(ValueError, match="entry 2 is no ID number") as refused:
        await listed(node, numbers, is_listed=True)
    assert MOTHER.id_number[:-1] not in str(refused.value)
    assert not await node.store.dishonest.has(node.keys.owner("person", MOTHER.id_number))


async def test_a_closing_undertaking_is_refused_where_the_case_closes_with_its_last_step(
    mother: Caller, wish: dict[str, Any], texts: dict[str, dict[str, str]]
):
    body = {**wish, "undertakings": [signed(texts["deferral"]), signed(texts["closing"])]}
    refused(await mother.post("/api/v1/cases", body), 409, "nothing_to_promise")


async def test_an_undertaking_that_promises_nothing_is_refused(mother: Caller, texts: dict[str, dict[str, str]]):
    body = {**await death_wish(mother), "undertakings": [signed(texts["deferral"])]}
    refused(await mother.post("/api/v1/cases", body), 409, "nothing_to_promise")


@pytest.mark.parametrize("content", ['{"id": 1}', "[1]", "nonsense"])
async def test_what_is_no_list_of_id_numbers_is_refused_by_the_command(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "numbers.json"
    file.write_text(content, encoding="utf-8")
    assert run(["dishonest", "add", str(file)]) == 1
    assert capsys.readouterr().err.startswith("tongban: ")
