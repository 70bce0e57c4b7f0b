"""What officers have done, over HTTP: their own list, and the history in the case file."""

from typing import Any

import pytest

from tests.http.asking import PERSONAL, act, crossed, opened
from tests.nodes import HOSPITALS, Caller, Places
from tests.world import ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")
DOOR = "/desk/v1/done"
FIRST, ABROAD = "birth_certificate", "household_registration"


async def deeds(officer: Caller) -> list[dict[str, Any]]:
    answer = await officer.get(DOOR)
    assert answer.status == 200, answer.body
    return list(answer.body["deeds"])


async def history(officer: Caller, case: str) -> list[dict[str, Any]]:
    answer = await officer.get(f"/desk/v1/cases/{case}")
    assert answer.status == 200, answer.body
    return list(answer.body["history"])


async def test_only_officers_have_done_something(places: Places, mother: Caller):
    assert (await places.caller().get(DOOR)).status == 401
    assert (await mother.get(DOOR)).status == 401
    assert (await (await places.administrator("system")).get(DOOR)).status == 403


async def test_an_officer_sees_what_they_did_the_last_first_and_nobody_elses(
    places: Places, mother: Caller, wish: dict[str, Any]
):
    case = await opened(places, mother, wish)
    anna, bert = [await places.officer("health", name=name) for name in ("anna", "bert")]
    assert (await anna.post(act(case, FIRST, "receive"), {})).status == 200
    assert (await bert.post(act(case, FIRST, "accept"), {})).status == 200
    assert (await anna.post(act(case, FIRST, "approve"), {})).status == 200
    await places.settle()
    done = await deeds(anna)
    assert [(each["case"], each["step"], each["act"]) for each in done] == [
        (case, FIRST, "approve"),
        (case, FIRST, "receive"),
    ]
    assert [each["act_name"] for each in done] == ["准予", "收件"]
    assert done[0]["item_name"] == "出生医学证明（首签）"
    assert done[0]["authority_name"]
    assert [each["act"] for each in await deeds(bert)] == ["accept"]
    assert await deeds(await places.officer("health", name="carl")) == []
    assert not [each for each in PERSONAL if each in str(done)]


async def test_a_long_list_comes_page_by_page(
    places: Places, mother: Caller, wish: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    case = await opened(places, mother, wish)
    dora = await places.officer("health", name="dora")
    for name in ("receive", "accept", "approve"):
        assert (await dora.post(act(case, FIRST, name), {})).status == 200
    await places.settle()
    monkeypatch.setattr("handlers.searches.PAGE", 2)
    first = (await dora.get(DOOR)).body
    rest = (await dora.get(DOOR, params={"after": first["next"]})).body
    assert [each["act"] for each in (*first["deeds"], *rest["deeds"])] == ["approve", "accept", "receive"]
    assert rest["next"] is None
    assert (await dora.get(DOOR, params={"after": "zzz"})).body == (await dora.get(DOOR)).body


async def test_the_case_file_tells_what_happened_to_the_officers_steps(
    places: Places, mother: Caller, health: Caller, wish: dict[str, Any]
):
    case = await crossed(places, mother, wish)
    told = await history(health, case)
    own = [each for each in told if each["step"] == FIRST]
    assert [each["act"] for each in own] == ["send", "receive", "accept", "approve"]
    assert [each["officer"] for each in own] == ["", "health", "health", "health"]
    assert own[1]["act_name"] == "收件"
    assert own[1]["by"] == HOSPITALS
    assert ABROAD not in {each["step"] for each in told}


async def test_another_authoritys_officers_are_not_named(
    places: Places, mother: Caller, police: Caller, wish: dict[str, Any]
):
    case = await crossed(places, mother, wish)
    abroad = f"320000:{case}"
    assert (await police.post(act(abroad, ABROAD, "receive"), {})).status == 200
    told = await history(police, abroad)
    assert [(each["act"], each["officer"]) for each in told] == [
        ("request", ""),
        ("gather", ""),
        ("receive", "public_security"),
    ]
    assert "health" not in str(told)
    colleague = await places.officer("public_security", ZHEJIANG, name="erna")
    assert (await history(colleague, abroad))[-1]["officer"] == "public_security"
