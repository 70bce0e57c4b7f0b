"""Clues and deeds in the store: each once, found in order of time, and clues by digests alone."""

from dataclasses import replace
from typing import Any

import pytest

from server.crypto.fields import FieldRing
from server.crypto.keyring import make_keys
from server.domain.effects.clues import CaseClues, clue
from server.domain.effects.deeds import Deed
from server.store.effects.clues import CLUES, Clues, SearchPlaceUnknown, written_clues
from server.store.effects.deeds import DEEDS, Deeds, written_deed
from server.store.mongo import MongoDatabase
from server.store.queries import CASES_BY_CLUE, DEEDS_OF_OFFICER
from tests.world import JIANGSU, MONDAY, later, person

RING = FieldRing(keys={"fields-1": bytes(32)}, current="fields-1")
KEYS = make_keys(JIANGSU)
NAME = KEYS.clue("name", person().name)


@pytest.fixture
def clues(database: MongoDatabase) -> Clues:
    return Clues(database, RING)


@pytest.fixture
def deeds(database: MongoDatabase) -> Deeds:
    return Deeds(database)


async def keep(
    clues: Clues, case: str, *names: str, hours: int = 0, event: int = 1, kept: int = len(CASES_BY_CLUE)
) -> None:
    """Keep these names, and ID numbers enough for so many clues."""
    texts = [clue("name", name) for name in names or (person().name,)]
    texts += [clue("id_number", f"{place}") for place in range(kept - len(texts))]
    await clues.put(written_clues(CaseClues(case, event, later(hours=hours), tuple(texts)), KEYS.clue))


async def kept_in(database: MongoDatabase) -> list[Any]:
    """All documents."""
    return await database.between(CASES_BY_CLUE[0], "", "~", limit=99)


async def test_cases_are_found_by_the_digest_of_a_clue_the_last_opened_first(clues: Clues) -> None:
    for hours, case in ((1, "a"), (3, "b"), (2, "c")):
        await keep(clues, case, hours=hours)
    await keep(clues, "d", "测试乙")
    assert list((await clues.cases(NAME, limit=9)).values()) == ["b", "c", "a"]
    assert list((await clues.cases(KEYS.clue("name", "测试乙"), limit=9)).values()) == ["d"]
    assert await clues.cases(KEYS.clue("mobile", person().name), limit=9) == {}


async def test_a_page_goes_on_where_the_one_before_has_ended(clues: Clues) -> None:
    for case in ("a", "b", "c"):
        await keep(clues, case)
    first = await clues.cases(NAME, limit=2)
    rest = await clues.cases(NAME, before=list(first)[-1], limit=2)
    assert [*first.values(), *rest.values()] == ["c", "b", "a"]


@pytest.mark.parametrize("place", range(2 * len(CASES_BY_CLUE) + 1))
async def test_each_clue_finds_its_case_wherever_it_stands_among_them(clues: Clues, place: int) -> None:
    names = [f"测试{number}" for number in range(2 * len(CASES_BY_CLUE) + 1)]
    await keep(clues, "a", *names)
    assert list((await clues.cases(KEYS.clue("name", names[place]), limit=9)).values()) == ["a"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
async def test_each_case_is_found_once_and_in_order_however_often_and_wherever_it_has_a_clue(
    clues: Clues, limit: int
) -> None:
    cases = "fbdaec"
    for hours, case in enumerate(cases):
        others = [f"测试{place}" for place in range(hours % len(CASES_BY_CLUE))]
        await keep(clues, case, *others, person().name, hours=hours)
        await keep(clues, case, person().name, hours=hours, event=2)
    found: list[str] = []
    before = ""
    while page := await clues.cases(NAME, before=before, limit=limit):
        assert len(page) == min(limit, len(cases) - len(found))
        found += page.values()
        before = list(page)[-1]
    assert found == list(reversed(cases))


async def test_a_clue_is_kept_once_however_often_it_is_carried(clues: Clues, database: MongoDatabase) -> None:
    for _ in range(2):
        await keep(clues, "a")
    assert len(await kept_in(database)) == 1


async def test_a_case_is_forgotten_with_all_its_clues_and_no_other(clues: Clues, database: MongoDatabase) -> None:
    for case in ("a", "a:1"):
        for event in (1, 7):
            await keep(clues, case, event=event, kept=2 * len(CASES_BY_CLUE) + 1)
    await clues.forget(clues.ids("a", {1: 2 * len(CASES_BY_CLUE) + 1, 7: 99}))
    assert {each["case"] for each in await kept_in(database)} == {"a:1"}
    assert len(await kept_in(database)) == 6


async def test_what_is_kept_names_nobody(clues: Clues, database: MongoDatabase) -> None:
    await keep(clues, "a")
    kept = repr(await kept_in(database))
    assert person().name not in kept
    assert person().id_number not in kept
    assert await database.get(CLUES, "a:1:0")


async def test_a_digest_is_of_a_kind_and_of_a_node() -> None:
    assert KEYS.clue("name", "a") != KEYS.clue("number", "a")
    assert KEYS.clue("name", "a") != make_keys(JIANGSU).clue("name", "a")
    assert KEYS.clue("name", "a") != KEYS.owner("name", "a")


async def test_a_hidden_place_tells_nothing_and_is_of_one_search(clues: Clues) -> None:
    hidden = clues.hide("t2026|a", NAME)
    assert clues.find_hidden(hidden, NAME) == "t2026|a"
    assert hidden != clues.hide("t2026|a", NAME)
    for wrong, digest in ((hidden, KEYS.clue("name", "测试乙")), ("?", NAME), ("", NAME), (hidden[:-4], NAME)):
        with pytest.raises(SearchPlaceUnknown):
            clues.find_hidden(wrong, digest)


DEED = Deed(
    officer="anna",
    stands_in_for="",
    at=MONDAY,
    case="c1",
    event=2,
    step="birth",
    act="receive",
    item_name="出生医学证明",
    authority="health/320102",
    authority_name="某卫生健康局",
)


async def test_deeds_are_their_officers_and_the_last_stands_first(deeds: Deeds) -> None:
    made = [replace(DEED, event=number, at=later(hours=number // 2)) for number in range(9, 12)]
    await deeds.put(*[written_deed(each) for each in made])
    await deeds.put(written_deed(replace(DEED, officer="anna|b", event=20)))
    await deeds.put(written_deed(replace(DEED, officer="ann", event=21)))
    assert await deeds.deeds_of("anna", limit=9) == made[::-1]
    assert await deeds.deeds_of("anna", before=Deeds.place(made[1]), limit=9) == made[:1]
    assert await deeds.deeds_of("nobody", limit=9) == []


@pytest.mark.parametrize("before", ["}", "zzz", "\0", "2026-11-23", "|"])
async def test_no_place_leads_to_the_deeds_of_others(deeds: Deeds, before: str) -> None:
    await deeds.put(written_deed(DEED), written_deed(replace(DEED, officer="anna2", event=3)))
    assert {each.officer for each in await deeds.deeds_of("anna", before=before, limit=9)} <= {"anna"}


async def test_a_deed_is_kept_once(deeds: Deeds, database: MongoDatabase) -> None:
    for _ in range(2):
        await deeds.put(written_deed(DEED))
    assert len(await database.between(DEEDS_OF_OFFICER, "o", "p", limit=9)) == 1
    assert await database.get(DEEDS, "c1:2")
