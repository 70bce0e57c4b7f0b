"""What the clocks of a node have told: one document for each machine, and the newest moment that is stored."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from server.crypto.keyring import make_keys
from server.domain.time.clock_guard import Beat
from server.domain.values import moment_key
from server.store.clocks import COLLECTION, KEPT, MOST_MACHINES, Clocks
from server.store.mongo import MongoDatabase
from server.store.queries import AGGREGATES
from server.store.store import Store, open_store
from tests.store.witness import Witness
from tests.world import JIANGSU, MONDAY, later

BEAT = Beat("boot:a", MONDAY, "agrees", "")
HELD = Beat("boot:b", MONDAY + timedelta(days=10), "held", "本机时钟比数据库快10天。")


@pytest.fixture
def store(database: MongoDatabase, tmp_path: Path) -> Store:
    return open_store(database, make_keys(JIANGSU), tmp_path, here=JIANGSU, relay_due_seconds=5.0)


@pytest.fixture
def clocks(store: Store) -> Clocks:
    return store.clocks


async def test_each_machine_has_told_what_it_told_last(clocks: Clocks, witness: Witness) -> None:
    assert await clocks.beats() == []
    for beat in (HELD, BEAT, replace(BEAT, at=later(seconds=30))):
        await clocks.beat(beat)
    assert await clocks.beats() == [replace(BEAT, at=later(seconds=30)), HELD]
    assert len(witness.named("insert")) == 2, "a machine that is known costs one small write"


async def test_a_machine_that_tells_nothing_is_forgotten_after_a_day_and_comes_back(store: Store) -> None:
    await store.clocks.beat(BEAT)
    assert "clocks" in store.expiring
    assert await store.forget_expired("clocks", MONDAY + KEPT - timedelta(hours=1)) == 0
    assert await store.forget_expired("clocks", MONDAY + KEPT) == 1
    assert await store.clocks.beats() == []
    await store.clocks.beat(BEAT)
    assert await store.clocks.beats() == [BEAT]


async def test_more_machines_than_any_province_has_are_not_read(clocks: Clocks) -> None:
    for number in range(MOST_MACHINES + 5):
        await clocks.beat(replace(BEAT, machine=f"boot:{number}"))
    assert len(await clocks.beats()) == MOST_MACHINES


async def test_the_newest_moment_is_that_of_a_case_or_of_an_audit_entry(store: Store, database: MongoDatabase) -> None:
    assert await store.clocks.newest_stored() is None
    for id, seconds in (("x", 5), ("y", 9), ("z", 7)):
        await database.insert("cases", {"_id": id, "version": 1, "event_key": moment_key(later(seconds=seconds))})
    assert await store.clocks.newest_stored() == later(seconds=9)
    await store.audit.note("a", "audit.read", at=later(seconds=8), about={})
    assert await store.clocks.newest_stored() == later(seconds=9)
    await store.audit.note("b", "audit.read", at=later(seconds=11), about={})
    assert await store.clocks.newest_stored() == later(seconds=11)


async def test_what_was_accepted_is_the_newest_no_more_and_what_comes_after_it_is(store: Store) -> None:
    for id, seconds in (("a", 5), ("b", 9)):
        await store.audit.note(id, "audit.read", at=later(seconds=seconds), about={})
    await store.clocks.accept_stored(later(seconds=9))
    assert await store.clocks.newest_stored() is None
    await store.audit.note("c", "audit.read", at=later(seconds=10), about={})
    assert await store.clocks.newest_stored() == later(seconds=10)
    assert await store.forget_expired("clocks", later(days=400)) == 0, "what was accepted stays so"


async def test_the_newest_moment_is_read_from_indexes_and_no_document_of_them(store: Store, witness: Witness) -> None:
    before = len(witness.named("find"))
    await store.clocks.newest_stored()
    asked = [each for each in witness.named("find")[before:] if each["find"] != COLLECTION]
    assert [(each["limit"], each["projection"]["_id"]) for each in asked] == [(1, 0)] * (len(AGGREGATES) + 1)
