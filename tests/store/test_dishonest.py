"""The list of the dishonest: nobody gets off it by what is removed or put back, and a crash leaves it believed."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from server.domain.errors import NotAuthentic, Unavailable
from server.store.database import Database, Document
from server.store.mongo import MongoDatabase
from server.store.people.dishonest import DISHONEST, HEAD
from server.store.store import Store
from tests.store.test_ends import SOON, process, put_back
from tests.store.witness import Witness

LISTED, BESIDE, ELSEWHERE = "aa-listed", "aa-beside", "bb-elsewhere"
PART, HEADS = "part:aa", HEAD
MOST_WRITES = 3


@pytest.fixture
async def store(database: MongoDatabase, tmp_path: Path) -> Store:
    return await process(database, tmp_path)


async def stored(database: Database, *ids: str) -> list[Document]:
    found = await database.get_many(DISHONEST, ids)
    return [found[id] for id in ids]


async def has(store: Store, *persons: str) -> list[bool]:
    return [await store.dishonest.has(person) for person in persons]


async def test_nobody_is_listed_where_there_never_was_a_list(store: Store, database: MongoDatabase) -> None:
    assert await has(store, LISTED, "") == [False, False]
    assert await store.dishonest.remove([LISTED]) == 0
    assert await store.dishonest.add([]) == 0
    assert await database.get_many(DISHONEST, [PART, HEADS]) == {}
    assert store.ends.of(DISHONEST, HEAD) is None


async def test_who_is_put_on_the_list_stands_on_it_until_they_are_taken_off(
    store: Store, database: MongoDatabase, tmp_path: Path
) -> None:
    assert await store.dishonest.add([LISTED, ELSEWHERE]) == 2
    assert await store.dishonest.add([LISTED, BESIDE]) == 1
    other = await process(database, tmp_path)
    assert await has(other, LISTED, BESIDE, ELSEWHERE, "aa-nobody", "cc") == [True, True, True, False, False]
    assert await other.dishonest.remove([LISTED, "cc"]) == 1
    assert await has(store, LISTED, BESIDE, ELSEWHERE) == [False, True, True]


async def test_each_part_is_written_once_whatever_comes_or_goes(store: Store, witness: Witness) -> None:
    persons = [f"{part}-{number}" for part in ("aa", "bb", "cc") for number in range(50)]
    assert await store.dishonest.add(persons) == 150
    inserts = [command for command in witness.named("insert") if command["insert"] == DISHONEST]
    assert len(inserts) == 3 + 1
    assert await store.dishonest.remove(persons[10:60]) == 50
    updates = [command for command in witness.named("update") if command["update"] == DISHONEST]
    assert len(updates) == 2 + 1


WAYS: dict[str, tuple[str, ...]] = {"the part": (PART,), "the head": (HEADS,), "both": (PART, HEADS)}
each_way = pytest.mark.parametrize("ids", WAYS.values(), ids=WAYS)


@each_way
async def test_nobody_is_off_the_list_because_something_of_it_was_removed(
    store: Store, database: MongoDatabase, tmp_path: Path, ids: tuple[str, ...]
) -> None:
    await store.dishonest.add([LISTED])
    other = await process(database, tmp_path)
    await database.delete(DISHONEST, ids)
    for each in (store, other, await process(database, tmp_path)):
        with pytest.raises(NotAuthentic, match=f"{DISHONEST}/{ids[-1]}"):
            await each.dishonest.has(LISTED)


@each_way
@pytest.mark.parametrize("is_first_off", [True, False], ids=["listed before", "listed since"])
async def test_nobody_comes_or_goes_because_something_older_of_it_was_put_back(
    store: Store, database: MongoDatabase, ids: tuple[str, ...], is_first_off: bool
) -> None:
    await store.dishonest.add([BESIDE, LISTED] if is_first_off else [BESIDE])
    before = await stored(database, *ids)
    await (store.dishonest.remove([LISTED]) if is_first_off else store.dishonest.add([LISTED]))
    for document in before:
        await put_back(database, DISHONEST, document)
    told: list[tuple[str, str]] = []
    store.ends.tell_older = lambda *place: told.append(place)
    with pytest.raises(NotAuthentic, match=f"{DISHONEST}/{ids[-1]}"):
        await store.dishonest.has(LISTED)
    assert told == [(DISHONEST, ids[-1])]
    with pytest.raises(NotAuthentic):
        await store.dishonest.add([BESIDE])


async def test_another_part_than_the_one_that_was_removed_is_believed(store: Store, database: MongoDatabase) -> None:
    await store.dishonest.add([LISTED, ELSEWHERE])
    await database.delete(DISHONEST, [PART])
    assert await has(store, ELSEWHERE, "cc") == [True, False]


async def test_what_stood_there_last_is_believed_again_once_it_is_put_back(
    store: Store, database: MongoDatabase
) -> None:
    await store.dishonest.add([LISTED])
    whole = await stored(database, PART, HEADS)
    await database.delete(DISHONEST, [PART, HEADS])
    for document in whole:
        await database.insert(DISHONEST, document)
    assert await has(store, LISTED, BESIDE) == [True, False]
    assert await store.dishonest.remove([LISTED]) == 1


@pytest.mark.parametrize("id", [PART, HEADS])
async def test_what_others_wrote_is_not_believed_nor_written_again(
    store: Store, database: MongoDatabase, id: str
) -> None:
    await store.dishonest.add([BESIDE])
    (document,) = await stored(database, id)
    await put_back(database, DISHONEST, {**document, "persons": [LISTED], "versions": {}, "version": 9})
    for use in (store.dishonest.has(LISTED), store.dishonest.add([LISTED]), store.dishonest.remove([BESIDE])):
        with pytest.raises(NotAuthentic, match=f"{DISHONEST}/{id}"):
            await use


def cut_off(patch: pytest.MonkeyPatch, store: Store, *, after: int) -> None:
    """The process dies when it would write for the next time after so many."""
    left = iter(range(after))
    for name in ("insert", "replace"):
        write = getattr(store.database, name)

        async def write_or_die(*what: Any, write: Any = write, **more: Any) -> Any:
            if next(left, None) is None:
                raise Unavailable
            return await write(*what, **more)

        patch.setattr(store.database, name, write_or_die)


@pytest.mark.parametrize("is_off", [True, False], ids=["taken off", "put on"])
@pytest.mark.parametrize("after", range(MOST_WRITES + 1))
async def test_wherever_a_change_is_cut_off_the_list_is_believed_and_the_change_is_finished_by_giving_it_again(
    store: Store, database: MongoDatabase, tmp_path: Path, after: int, is_off: bool
) -> None:
    await store.dishonest.add([BESIDE, ELSEWHERE, *([LISTED] if is_off else [])])
    before = await stored(database, PART, HEADS)

    async def change(by: Store, persons: Iterable[str]) -> int:
        return await (by.dishonest.remove(persons) if is_off else by.dishonest.add(persons))

    other = await process(database, tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        cut_off(patch, other, after=after)
        if after < MOST_WRITES:
            with pytest.raises(Unavailable):
                await change(other, [LISTED])
        else:
            await change(other, [LISTED])
    late = await process(database, tmp_path)
    for each in (store, late):
        assert await has(each, LISTED, BESIDE, ELSEWHERE) == [is_off is (after == 0), True, True]
    assert await change(late, [LISTED]) == (after == 0)
    await store.ends.follow(SOON)
    for document in before:
        await put_back(database, DISHONEST, document)
    for each in (store, late):
        with pytest.raises(NotAuthentic):
            await each.dishonest.has(LISTED)


async def test_of_two_changes_at_once_none_is_lost(store: Store, database: MongoDatabase, tmp_path: Path) -> None:
    other = await process(database, tmp_path)
    for number in range(10):
        pairs = [[f"{part}-{who}{number}" for part in ("aa", "bb")] for who in "xy"]
        counted = await asyncio.gather(store.dishonest.add(pairs[0]), other.dishonest.add(pairs[1]))
        assert counted == [2, 2]
    await store.ends.follow(SOON)
    persons = [f"{part}-{who}{number}" for part in ("aa", "bb") for who in "xy" for number in range(10)]
    for each in (store, other, await process(database, tmp_path)):
        assert await has(each, *persons) == [True] * 40
    (head,) = await stored(database, HEADS)
    end = store.ends.of(DISHONEST, HEAD)
    assert end
    assert end.below == head["version"]
    assert head["versions"] == {"aa": 20, "bb": 20}
