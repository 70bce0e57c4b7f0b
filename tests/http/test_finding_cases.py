"""Finding cases over HTTP: by number, name, ID number and telephone, and only what the officer has a part in."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from server.desk.officer import searching
from server.domain.errors import Unavailable
from server.domain.spoken_numbers import spoken_number
from server.store.audit import Audit
from tests.http.asking import PERSONAL, Sweeper, act, crossed, in_a_session, opened, pointers, refused
from tests.nodes import MOTHER, STRANGER, Answer, Caller, Places, newborn_form
from tests.world import JIANGSU, ZHEJIANG, person

pytestmark = pytest.mark.asyncio(loop_scope="module")
DOOR = "/desk/v1/searches"
GROUPS = re.compile(r"32[0-9]{2} [0-9]{4} [0-9]{4}")
FIRST, ABROAD = "birth_certificate", "household_registration"
FIRST_MOBILE = newborn_form()["mobile"]


async def look(officer: Caller, kind: str, text: str, **more: str) -> Answer:
    return await officer.post(DOOR, {"kind": kind, "text": text, **more}, key=None)


async def found(officer: Caller, kind: str, text: str) -> dict[str, Mapping[str, Any]]:
    """All that an officer finds, by id."""
    cases: dict[str, Mapping[str, Any]] = {}
    after: dict[str, str] = {}
    while True:
        answer = await look(officer, kind, text, **after)
        assert answer.status == 200, answer.body
        cases |= {each["id"]: each for each in answer.body["cases"]}
        if not answer.body["next"]:
            return cases
        after = {"after": answer.body["next"]}


def noted(places: Places, sweeper: Sweeper) -> list[dict[str, Any]]:
    """What the audit of Jiangsu says of searches."""
    kept = sweeper[places.nodes[JIANGSU].node.settings.database]["audit"].find({"kind": "case.searched"})
    return [entry["about"] for entry in kept]


async def test_only_officers_search(places: Places, mother: Caller, database_sweeper: Sweeper):
    before = len(noted(places, database_sweeper))
    assert (await look(places.caller(), "name", MOTHER.name)).status == 401
    assert (await look(mother, "name", MOTHER.name)).status == 401
    administrator = await places.administrator("audit")
    assert (await look(administrator, "name", MOTHER.name)).status == 403
    assert len(noted(places, database_sweeper)) == before


@pytest.mark.parametrize(
    ("body", "code", "pointer", "rule"),
    [
        ({"kind": "name", "text": ""}, "body_faulty", "/text", "type"),
        ({"kind": "name", "text": "  "}, "body_faulty", "/text", "type"),
        ({"kind": "name", "text": "测" * 101}, "body_faulty", "/text", "type"),
        ({"kind": "name"}, "body_faulty", "/text", "required"),
        ({"kind": "address", "text": "测试路1号"}, "body_faulty", "/kind", "type"),
        ({"kind": "id_number", "text": "320000199001010"}, "clue_unfit", "/text", "id_number"),
        ({"kind": "id_number", "text": "320000199001010010"}, "clue_unfit", "/text", "id_number_check"),
        ({"kind": "mobile", "text": "025-1234567"}, "clue_unfit", "/text", "mobile"),
        ({"kind": "name", "text": "甲"}, "clue_unfit", "/text", "person_name_length"),
        ({"kind": "number", "text": "一二三"}, "clue_unfit", "/text", "case_number"),
    ],
)
async def test_what_is_no_clue_is_refused_by_pointer(
    health: Caller, body: dict[str, str], code: str, pointer: str, rule: str
):
    assert pointers(refused(await health.post(DOOR, body), 422, code)) == {pointer: rule}


async def test_a_place_of_another_search_is_refused(health: Caller):
    refused(await look(health, "name", MOTHER.name, after="t2026-11-23"), 422, "search_place_unknown")


async def test_an_officer_finds_a_case_by_each_kind(places: Places, mother: Caller, health: Caller, wish: Any):
    case = await opened(places, mother, wish)
    clues = {"number": case, "name": MOTHER.name, "id_number": MOTHER.id_number, "mobile": FIRST_MOBILE}
    for kind, text in clues.items():
        assert case in await found(health, kind, text), kind
    assert list(await found(health, "number", f"{JIANGSU}/{case}")) == [case]
    assert case in await found(health, "name", "测试宝宝")  # the child, whom a field of the type names
    assert case in await found(health, "mobile", " 138 0000 0000")
    assert await found(health, "name", "测试无此人") == {}


async def test_an_officer_finds_a_case_by_the_number_that_its_citizen_reads_out(
    places: Places, mother: Caller, health: Caller, insurance: Caller, wish: Any
):
    case = await opened(places, mother, wish)
    said = (await mother.get(f"/api/v1/cases/{case}")).body["number"]
    assert [each["number"] for each in (await found(health, "number", said)).values()] == [said]
    assert list(await found(health, "number", said.replace(" ", "-"))) == [case]
    assert (await health.get(f"/desk/v1/cases/{case}")).body["number"] == said
    assert await found(insurance, "number", said) == {}
    slip = said[:-1] + str((int(said[-1]) + 1) % 10)
    refusal = refused(await look(health, "number", slip), 422, "clue_unfit")
    assert pointers(refusal) == {"/text": "spoken_number_check"}
    assert [each["detail"] for each in refusal["errors"]] == ["号码有误，请核对。"]
    nobodys = spoken_number(JIANGSU, 0)
    assert nobodys == said.replace(" ", "") or await found(health, "number", nobodys) == {}


async def test_the_other_province_is_not_told_the_number(places: Places, mother: Caller, police: Caller, wish: Any):
    case = await crossed(places, mother, wish)
    said = (await mother.get(f"/api/v1/cases/{case}")).body["number"]
    copy = (await found(police, "number", f"{JIANGSU}/{case}"))[f"{JIANGSU}:{case}"]
    assert copy["number"] == ""
    assert (await police.get(f"/desk/v1/cases/{copy['id']}")).body["number"] == ""
    assert await found(police, "number", said) == {}


async def test_a_repeated_submission_has_the_same_number_and_the_list_shows_it(
    places: Places, mother: Caller, wish: Any
):
    first = await mother.post("/api/v1/cases", wish, key="once")
    again = await mother.post("/api/v1/cases", wish, key="once")
    other = await mother.post("/api/v1/cases", wish)
    assert first.body["number"] == again.body["number"] != other.body["number"]
    lines = {each["id"]: each["number"] for each in (await mother.get("/api/v1/cases")).body["cases"]}
    for answer in (first, other):
        assert GROUPS.fullmatch(answer.body["number"])
        assert lines[answer.body["id"]] == answer.body["number"]


async def test_without_numbers_a_case_is_opened_all_the_same(
    places: Places, mother: Caller, health: Caller, wish: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(places.nodes[JIANGSU].node.store.numbers, "take", no_number)
    case = await opened(places, mother, wish)
    assert (await mother.get(f"/api/v1/cases/{case}")).body["number"] == ""
    assert (await found(health, "number", case))[case]["number"] == ""


async def no_number() -> str:
    return ""


async def test_what_is_found_shows_the_officers_steps_and_no_data(
    places: Places, mother: Caller, health: Caller, wish: Any
):
    case = await opened(places, mother, wish)
    shown = (await found(health, "number", case))[case]
    assert (shown["name"], shown["bundle_name"]) == (f"{JIANGSU}/{case}", "新生儿出生")
    assert shown["applicant"] == "测***"
    assert FIRST in [step["step"] for step in shown["steps"]]
    first = next(step for step in shown["steps"] if step["step"] == FIRST)
    assert (first["part"], first["state"], first["state_name"]) == ("decide", "sent", "已转办")
    assert first["authority_name"]
    file = (await health.get(f"/desk/v1/cases/{case}")).body
    assert [step["step"] for step in shown["steps"]] == [each["step"]["step"] for each in file["steps"]]
    assert not [each for each in PERSONAL if each in str(shown)]


async def test_who_has_no_part_finds_nothing_and_learns_of_nothing(
    places: Places, mother: Caller, insurance: Caller, wish: Any
):
    case = await opened(places, mother, wish)
    for kind, text in (("number", case), ("name", MOTHER.name), ("id_number", MOTHER.id_number)):
        answer = await look(insurance, kind, text)
        assert (answer.status, answer.body) == (200, {"cases": [], "licences": [], "next": None})


async def test_the_next_page_tells_nothing_of_cases_that_are_not_the_officers(
    places: Places, stranger: Caller, health: Caller, insurance: Caller, wish: Any, monkeypatch: pytest.MonkeyPatch
):
    form = {**wish["form"], "mobile": "13700000001"}
    uploaded = await stranger.upload()
    materials = [{**each, "id": uploaded.body["id"]} for each in wish["materials"]]
    cases = [await opened(places, stranger, {**wish, "form": form, "materials": materials}) for _ in range(3)]
    monkeypatch.setattr("handlers.searches.PAGE", 1)
    monkeypatch.setattr(searching, "MOST_READS", 2)
    hidden = await look(insurance, "mobile", "13700000001")
    assert hidden.body["cases"] == []
    assert hidden.body["next"]
    assert not [case for case in cases if case in hidden.body["next"]]
    last = await look(insurance, "mobile", "13700000001", after=hidden.body["next"])
    assert last.body == {"cases": [], "licences": [], "next": None}
    assert list(await found(health, "mobile", "13700000001")) == cases[::-1]
    refused(await look(insurance, "name", MOTHER.name, after=hidden.body["next"]), 422, "search_place_unknown")


async def test_another_province_finds_its_copy_by_what_the_item_declares(
    places: Places, mother: Caller, police: Caller, wish: Any
):
    case = await crossed(places, mother, wish)
    copy = f"{JIANGSU}:{case}"
    for kind, text in (("number", case), ("number", copy), ("id_number", MOTHER.id_number), ("name", "测试宝宝")):
        assert copy in await found(police, kind, text), (kind, text)
    shown = (await found(police, "number", case))[copy]
    assert shown["applicant"] == ""
    assert [step["step"] for step in shown["steps"]] == [ABROAD]
    assert copy not in await found(await places.officer("taxation", ZHEJIANG), "number", case)


async def test_a_supplement_adds_a_clue_and_the_old_one_stays(
    places: Places, mother: Caller, health: Caller, wish: Any
):
    case = await opened(places, mother, wish)
    gaps = [{"kind": "field", "code": "mobile", "reason": "号码停用"}]
    for name, said in (("receive", {}), ("ask-supplement", {"gaps": gaps})):
        assert (await health.post(act(case, FIRST, name), said)).status == 200
    await places.settle()
    assert case not in await found(health, "mobile", "13911111111")
    supply = {"step": FIRST, "form": {"mobile": "13911111111"}}
    assert (await mother.post(f"/api/v1/cases/{case}/supplements", supply)).status == 200
    await places.settle()
    assert list(await found(health, "mobile", "13911111111")) == [case]
    assert case in await found(health, "mobile", FIRST_MOBILE)


async def test_each_search_is_noted_by_a_digest_before_anything_is_given(
    places: Places, health: Caller, database_sweeper: Sweeper, monkeypatch: pytest.MonkeyPatch
):
    before = len(noted(places, database_sweeper))
    await look(health, "id_number", STRANGER.id_number)
    await look(health, "id_number", STRANGER.id_number.lower())
    *_, first, second = noted(places, database_sweeper)
    assert len(noted(places, database_sweeper)) == before + 2
    digest = places.nodes[JIANGSU].node.keys.clue("id_number", STRANGER.id_number)
    about = {"officer": "health", "clue": "id_number", "digest": digest}
    assert in_a_session(first) == in_a_session(second) == about

    async def fails(*_: Any, **__: Any) -> None:
        raise Unavailable

    monkeypatch.setattr(Audit, "note_all", fails)
    refused(await look(health, "id_number", STRANGER.id_number), 503, "unavailable")


async def test_no_name_and_no_number_stands_openly_in_the_database(
    places: Places, mother: Caller, health: Caller, wish: Any, database_sweeper: Sweeper
):
    case = await opened(places, mother, wish)
    await health.post(act(case, FIRST, "receive"), {})
    await found(health, "id_number", MOTHER.id_number)
    await found(health, "name", MOTHER.name)
    await places.settle()
    database = database_sweeper[places.nodes[JIANGSU].node.settings.database]
    names = set(database.list_collection_names()) - {"catalogues"}  # whose fields have an example
    kept = {name: str(list(database[name].find({}))) for name in names}
    assert case in kept["clues"]
    assert case in kept["deeds"]
    for name, text in kept.items():
        for private in (MOTHER.name, MOTHER.id_number, FIRST_MOBILE, "测试宝宝", person().id_number):
            assert private not in text, name
