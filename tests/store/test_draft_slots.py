"""Drafts are sealed, counted on by version, listed by owner, and forgotten only when their time is over."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from server.crypto.fields import FieldRing
from server.crypto.keyring import make_keys
from server.domain.errors import NotAuthentic, Refusal, StaleVersion
from server.domain.rules.drafts import (
    MOST_DRAFTS,
    Draft,
    DraftExists,
    DraftGone,
    DraftIdSpent,
    Slot,
    UnfinishedSubmission,
    check_turn,
    expiry,
)
from server.domain.rules.opening import MaterialGiven
from server.store.cases.drafts import DRAFTS, Drafts
from server.store.mongo import MongoDatabase
from server.store.store import Store, open_store
from tests.world import JIANGSU, MONDAY, later

ME, SHE = "owner-a", "owner-b"
DAYS = 30
SECRET = "测试路1号"
WISH = UnfinishedSubmission(
    bundle="newborn",
    division="320100",
    answers={"household": "330100"},
    form={"home_address": SECRET, "$odd.name": "x"},
    materials=(MaterialGiven(code="mother_identity_card", id="up-1"),),
)
RING = FieldRing(keys={"fields-1": bytes(32)}, current="fields-1")


def draft(id: str = "mine", version: int = 1, *, at: datetime = MONDAY, **form: str) -> Draft:
    wish = WISH.model_copy(update={"form": {**WISH.form, **form}})
    return Draft(
        id=id, version=version, bundle_name="出生一件事", wish=wish, changed_at=at, expires_at=expiry(at, days=DAYS)
    )


@pytest.fixture
def store(database: MongoDatabase, tmp_path: Path) -> Store:
    return open_store(database, replace(make_keys(JIANGSU), fields=RING), tmp_path, here=JIANGSU, relay_due_seconds=5.0)


@pytest.fixture
def drafts(store: Store) -> Drafts:
    return store.drafts


async def the_document(database: MongoDatabase, id: str = "mine", owner: str = ME) -> dict[str, Any]:
    document = await database.get(DRAFTS, f"{owner}:{id}")
    assert document
    return document


async def sweep(store: Store, *, until: datetime) -> int:
    """What the expiry loop forgets at this moment: the hours that are over."""
    return await store.forget_expired("drafts", until - timedelta(hours=1))


async def test_a_draft_comes_back_as_it_was_kept(drafts: Drafts) -> None:
    await drafts.keep(ME, draft())
    assert await drafts.draft(ME, "mine", at=MONDAY) == draft()
    assert await drafts.slot(ME, "mine", at=MONDAY) == Slot(version=1, draft=draft())


async def test_nothing_a_citizen_wrote_lies_open(drafts: Drafts, database: MongoDatabase) -> None:
    await drafts.keep(ME, draft())
    text = repr(await the_document(database))
    assert not [each for each in (SECRET, "home_address", "330100", "mother_identity_card", "up-1") if each in text]


async def test_a_sealed_draft_cannot_be_moved_to_another_owner(drafts: Drafts, database: MongoDatabase) -> None:
    await drafts.keep(ME, draft())
    await database.insert(DRAFTS, {**await the_document(database), "_id": f"{SHE}:mine"})
    with pytest.raises(NotAuthentic):
        await drafts.draft(SHE, "mine", at=MONDAY)


async def test_another_persons_draft_is_gone_for_everybody_else(drafts: Drafts) -> None:
    await drafts.keep(ME, draft())
    with pytest.raises(DraftGone):
        await drafts.draft(SHE, "mine", at=MONDAY)
    assert await drafts.drafts_of(SHE, at=MONDAY) == []


async def test_of_two_changes_of_one_version_the_second_is_refused(drafts: Drafts) -> None:
    await drafts.keep(ME, draft())
    await drafts.keep(ME, draft(version=2, mobile="1"))
    with pytest.raises(StaleVersion):
        await drafts.keep(ME, draft(version=2, mobile="2"))
    with pytest.raises(StaleVersion):
        await drafts.keep(ME, draft(mobile="3"))
    assert (await drafts.draft(ME, "mine", at=MONDAY)).wish.form["mobile"] == "1"


async def test_the_draft_changed_last_comes_first(drafts: Drafts) -> None:
    for minute, id in enumerate(("a", "b", "c")):
        await drafts.keep(ME, draft(id, at=later(minutes=minute)))
    await drafts.keep(SHE, draft("d", at=later(minutes=9)))
    await drafts.keep(ME, draft("a", 2, at=later(minutes=5)))
    assert [each.id for each in await drafts.drafts_of(ME, at=later(minutes=6))] == ["a", "c", "b"]


async def test_all_drafts_that_one_may_keep_are_listed(drafts: Drafts) -> None:
    for number in range(MOST_DRAFTS):
        await drafts.keep(ME, draft(f"d{number}"))
    assert len(await drafts.drafts_of(ME, at=MONDAY)) == MOST_DRAFTS


async def test_a_forgotten_draft_leaves_its_version_and_nothing_else(drafts: Drafts, database: MongoDatabase) -> None:
    await drafts.keep(ME, draft())
    assert await drafts.forget(ME, "mine", version=1, until=later(days=DAYS))
    assert await drafts.slot(ME, "mine", at=MONDAY) == Slot(version=2)
    assert await drafts.drafts_of(ME, at=MONDAY) == []
    assert {"text", "data_key"}.isdisjoint(await the_document(database))
    await drafts.keep(ME, draft(version=3))
    assert (await drafts.draft(ME, "mine", at=MONDAY)).version == 3


async def test_a_draft_that_was_changed_is_not_forgotten(drafts: Drafts) -> None:
    await drafts.keep(ME, draft())
    await drafts.keep(ME, draft(version=2, mobile="1"))
    assert not await drafts.forget(ME, "mine", version=1, until=later(days=DAYS))
    assert (await drafts.draft(ME, "mine", at=MONDAY)).version == 2


async def test_forgetting_what_never_was_leaves_no_trace(drafts: Drafts, database: MongoDatabase) -> None:
    for version in (0, 1, 7):
        assert not await drafts.forget(ME, "mine", version=version, until=later(days=DAYS))
    assert await database.get(DRAFTS, f"{ME}:mine") is None


@pytest.mark.parametrize(("minutes", "expected"), [(0, 0), (1, 1), (59, 1), (60, 1), (61, 2)])
def test_a_draft_expires_at_the_full_hour_after_its_days(minutes: int, expected: int) -> None:
    assert expiry(later(minutes=minutes), days=DAYS) == later(days=DAYS, hours=expected)


@pytest.mark.parametrize(
    ("slot", "version", "refusal"),
    [
        (Slot(version=2, draft=draft(version=2)), None, DraftExists),
        (Slot(version=2, draft=draft(version=2)), 1, StaleVersion),
        (Slot(version=2), 2, DraftGone),
        (Slot(), 1, DraftGone),
        (Slot(version=1, is_spent=True), None, DraftIdSpent),
        (Slot(version=1, is_spent=True), 1, DraftGone),
    ],
)
def test_nothing_is_written_over_what_one_does_not_know(slot: Slot, version: int, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        check_turn(slot, version)


@pytest.mark.parametrize(
    ("slot", "version"), [(Slot(), None), (Slot(version=2), None), (Slot(version=2, draft=draft(version=2)), 2)]
)
def test_whoever_knows_what_stands_there_may_write(slot: Slot, version: int | None) -> None:
    assert check_turn(slot, version) is None


async def test_an_expired_draft_is_gone_before_it_is_forgotten(drafts: Drafts) -> None:
    await drafts.keep(ME, draft())
    end = later(days=DAYS)
    assert await drafts.draft(ME, "mine", at=end - timedelta(milliseconds=1))
    assert await drafts.slot(ME, "mine", at=end) == Slot(version=1, is_spent=True)
    assert await drafts.drafts_of(ME, at=end) == []
    with pytest.raises(DraftGone):
        await drafts.draft(ME, "mine", at=end)


async def test_the_expiry_loop_forgets_a_draft_and_what_a_deleted_one_left(drafts: Drafts, store: Store) -> None:
    await drafts.keep(ME, draft("old"))
    await drafts.keep(ME, draft("deleted"))
    await drafts.forget(ME, "deleted", version=1, until=later(days=DAYS))
    assert await sweep(store, until=later(days=DAYS, minutes=59)) == 0
    assert await sweep(store, until=later(days=DAYS, hours=1)) == 2
    assert await drafts.slot(ME, "old", at=MONDAY) == await drafts.slot(ME, "deleted", at=MONDAY) == Slot()


async def test_a_changed_draft_is_not_forgotten_with_its_old_hour(drafts: Drafts, store: Store) -> None:
    await drafts.keep(ME, draft())
    changed = draft(version=2, at=later(days=29), mobile="1")
    await drafts.keep(ME, changed)
    assert await sweep(store, until=later(days=31)) == 0
    assert await drafts.draft(ME, "mine", at=later(days=31)) == changed
    assert await sweep(store, until=later(days=29 + DAYS, hours=1)) == 1


async def test_drafts_about_to_expire_are_told_page_by_page(drafts: Drafts) -> None:
    for owner, id in ((ME, "a"), (ME, "ab"), (SHE, "a")):
        await drafts.keep(owner, draft(id))
    await drafts.keep(ME, draft("later", at=later(hours=1)))
    await drafts.keep(ME, draft("deleted"))
    await drafts.forget(ME, "deleted", version=1, until=later(days=DAYS))
    end = later(days=DAYS)
    window = (end, end + timedelta(hours=1))
    seen, last = [], ""
    while page := await drafts.drafts_expiring(*window, limit=1, after=last):
        seen += page
        last = page.cursor
    assert [(each.owner, each.id, each.bundle_name, each.expires_at) for each in seen] == [
        (ME, "a", "出生一件事", end),
        (ME, "ab", "出生一件事", end),
        (SHE, "a", "出生一件事", end),
    ]
    assert await drafts.drafts_expiring(MONDAY, end, limit=9) == []
    assert len(await drafts.drafts_expiring(*window, limit=9)) == 3
