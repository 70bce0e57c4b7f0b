"""Visits are kept under their id, found by case and by window, and what they were for is sealed."""

from typing import Any

import pytest

from server.crypto.fields import FieldRing, SealBroken
from server.domain.case.visits import Visit
from server.store.cases.visits import VISITS, Visits
from server.store.mongo import MongoDatabase
from tests.world import MONDAY, later

RING = FieldRing(keys={"fields-1": bytes(32)}, current="fields-1")


@pytest.fixture
def visits(database: MongoDatabase) -> Visits:
    return Visits(database, RING)


def visit(id: str = "v1", **change: Any) -> Visit:
    whole = Visit(
        id=id,
        case="c1",
        window="w1",
        at=MONDAY,
        visitor="applicant",
        person="key-of-applicant",
        purpose="提交原件",
        officer="anna",
        authority="health/320102",
    )
    return whole.model_copy(update=change)


async def test_a_visit_comes_back_as_it_was_recorded(visits: Visits) -> None:
    assert await visits.find("v1") is None
    assert await visits.add(visit()) == visit()
    assert await visits.find("v1") == visit()


async def test_under_a_known_id_the_first_visit_stays(visits: Visits) -> None:
    await visits.add(visit())
    assert await visits.add(visit(purpose="领取证照", at=later(hours=1))) == visit()
    assert await visits.of_case("c1", limit=9) == [visit()]


async def test_what_it_was_for_does_not_lie_open_and_cannot_be_moved(visits: Visits, database: MongoDatabase) -> None:
    await visits.add(visit())
    document = await database.get(VISITS, "v1")
    assert document
    assert "提交原件" not in repr(document)
    await database.insert(VISITS, {**document, "_id": "v2"})
    with pytest.raises(SealBroken):
        await visits.find("v2")


async def test_they_are_found_by_case_and_by_window_in_order_of_time(visits: Visits) -> None:
    for hours, id in ((2, "b"), (1, "c"), (3, "a")):
        await visits.add(visit(id, at=later(hours=hours)))
    await visits.add(visit("d", case="c10"))
    await visits.add(visit("e", window="w10", at=later(hours=4)))
    assert [each.id for each in await visits.of_case("c1", limit=9)] == ["c", "b", "a", "e"]
    assert [each.id for each in await visits.of_case("c1", limit=2)] == ["c", "b"]
    span = {"since": later(hours=1), "until": later(hours=3)}
    assert [each.id for each in await visits.at_window("w1", **span, limit=9)] == ["c", "b"]
