"""Mandates are kept under their id, found by both their persons, revoked once, and their names are sealed."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from server.crypto.fields import FieldRing, SealBroken
from server.domain.people.mandates import Mandate, NoSuchMandate
from server.store.ends import Ends
from server.store.mongo import MongoDatabase
from server.store.people.mandates import MANDATES, Mandates
from tests.world import MONDAY, later

TODAY = date(2026, 11, 23)
RING = FieldRing(keys={"fields-1": bytes(32)}, current="fields-1")


@pytest.fixture
def mandates(database: MongoDatabase, tmp_path: Path) -> Mandates:
    return Mandates(database, RING, Ends(database, tmp_path))


def mandate(id: str = "m1", **change: Any) -> Mandate:
    whole = Mandate(
        id=id,
        principal="key-of-principal",
        principal_name="甲**",
        agent="key-of-agent",
        agent_name="测试代理",
        bundles=("newborn", "after_death"),
        begins_on=TODAY,
        ends_on=TODAY + timedelta(days=30),
    )
    return whole.model_copy(update=change)


async def test_a_mandate_comes_back_as_it_was_given(mandates: Mandates) -> None:
    assert await mandates.find("m1") is None
    assert await mandates.add(mandate(), at=MONDAY) == mandate()
    assert await mandates.mandate("m1") == await mandates.find("m1") == mandate()
    assert await mandates.mandates(["m1", "m2", "m1"]) == {"m1": mandate()}


async def test_under_a_known_id_the_first_mandate_stays(mandates: Mandates) -> None:
    await mandates.add(mandate(), at=MONDAY)
    other = mandate(ends_on=TODAY)
    assert await mandates.add(other, at=MONDAY) == mandate()
    assert await mandates.mandate("m1") == mandate()


@pytest.mark.parametrize("id", ["m2", "2026-11-23", "m\0"])
async def test_an_id_that_is_no_mandates_is_refused_by_name(mandates: Mandates, id: str) -> None:
    with pytest.raises(NoSuchMandate):
        await mandates.mandate(id)


async def test_no_name_lies_open_and_no_seal_can_be_moved(mandates: Mandates, database: MongoDatabase) -> None:
    await mandates.add(mandate(), at=MONDAY)
    document = await database.get(MANDATES, "m1")
    assert document
    assert not [name for name in ("甲", "测试代理") if name in repr(document)]
    await database.insert(MANDATES, {**document, "_id": "m2"})
    with pytest.raises(SealBroken):
        await mandates.mandate("m2")


async def test_the_first_revocation_counts_and_the_rest_stays_as_it_was(mandates: Mandates) -> None:
    await mandates.add(mandate(), at=MONDAY)
    await mandates.revoke("m1", at=later(hours=1))
    await mandates.revoke("m1", at=later(hours=2))
    assert await mandates.mandate("m1") == mandate(revoked_at=later(hours=1))


async def test_a_mandate_that_is_given_again_after_its_revocation_stays_revoked(mandates: Mandates) -> None:
    await mandates.add(mandate(), at=MONDAY)
    await mandates.revoke("m1", at=later(hours=1))
    assert (await mandates.add(mandate(), at=later(hours=2))).revoked_at == later(hours=1)


async def test_both_persons_find_theirs_newest_first_and_nobody_elses(mandates: Mandates) -> None:
    for hours, id in enumerate(("b", "a", "c")):
        await mandates.add(mandate(id), at=later(hours=hours))
    await mandates.add(mandate("d", agent="key-of-another"), at=later(hours=3))
    await mandates.add(mandate("e", principal="key-of-principal2"), at=later(hours=4))
    assert [each.id for each in await mandates.given_by("key-of-principal", limit=9)] == ["d", "c", "a", "b"]
    assert [each.id for each in await mandates.received_by("key-of-agent", limit=2)] == ["e", "c"]
    assert await mandates.given_by("key-of-agent", limit=9) == []
