"""Spoken numbers in the store: each is given once, whatever processes do at once, and a block costs one insert."""

import asyncio
from collections.abc import Sequence

import pytest

from server.crypto.keyring import make_keys
from server.domain.errors import OutcomeUnknown, Unavailable
from server.domain.spoken_numbers import PLACES, spoken_number, spoken_number_fault
from server.store.database import Document, Duplicate
from server.store.mongo import MongoDatabase
from server.store.numbers import AT_ONCE, BLOCKS, FOR_CASES, Numbers
from server.store.queries import BLOCKS_TAKEN
from tests.store.witness import Witness
from tests.world import JIANGSU

KEYS = make_keys(JIANGSU)
LAST = PLACES // AT_ONCE - 1


async def taken(numbers: Numbers, many: int) -> list[str]:
    return [await numbers.take() for _ in range(many)]


async def blocks(database: MongoDatabase) -> Sequence[str]:
    """The blocks that were taken, in order."""
    return await database.keys(BLOCKS_TAKEN, "n", "o", limit=1000)


def block(number: int) -> Document:
    return {"_id": f"block:{number:012}", "place": f"n{number:012}"}


async def test_numbers_are_sound_and_each_is_given_once(database: MongoDatabase) -> None:
    numbers = await taken(Numbers(database, KEYS), 3 * AT_ONCE)
    assert len(set(numbers)) == 3 * AT_ONCE
    assert {spoken_number_fault(each) for each in numbers} == {""}


async def test_processes_that_take_them_at_the_same_time_never_have_the_same(database: MongoDatabase) -> None:
    processes = [Numbers(database, KEYS) for _ in range(8)]
    found = await asyncio.gather(*(taken(each, 2 * AT_ONCE) for each in processes))
    assert len({number for numbers in found for number in numbers}) == 8 * 2 * AT_ONCE


async def test_who_ask_at_the_same_time_share_a_block(database: MongoDatabase) -> None:
    numbers = Numbers(database, KEYS)
    found = await asyncio.gather(*(numbers.take() for _ in range(AT_ONCE // 2)))
    await numbers.drain()
    assert len(set(found)) == AT_ONCE // 2
    assert await blocks(database) == ["n000000000001"]


async def test_the_next_block_is_taken_by_one_command_before_it_is_needed(
    database: MongoDatabase, witness: Witness
) -> None:
    numbers = Numbers(database, KEYS)
    await taken(numbers, AT_ONCE // 2)
    sent = len(witness.sent)
    await taken(numbers, 1)
    await numbers.drain()
    assert [next(iter(command)) for command in witness.sent[sent:]] == ["insert"]
    sent = len(witness.sent)
    await taken(numbers, AT_ONCE - 1)
    assert len(witness.sent) == sent


async def test_a_process_that_begins_goes_on_behind_those_before_and_leaves_what_they_did_not_use(
    database: MongoDatabase,
) -> None:
    before = await taken(Numbers(database, KEYS), 3)
    after = await taken(Numbers(database, KEYS), 3)
    assert not {*before} & {*after}
    assert await blocks(database) == ["n000000000001", "n000000000002"]


async def test_when_all_have_been_given_there_is_none_and_nobody_is_asked_again(
    database: MongoDatabase, witness: Witness
) -> None:
    await database.insert(BLOCKS, block(LAST - 1))
    numbers = Numbers(database, KEYS)
    assert len(set(await taken(numbers, AT_ONCE))) == AT_ONCE
    assert await numbers.take() == ""
    sent = len(witness.sent)
    assert await numbers.take() == ""
    assert len(witness.sent) == sent
    assert await Numbers(database, KEYS).take() == ""


@pytest.mark.parametrize("place", ["n9", "nine", "n99999999999999"])
async def test_a_place_that_we_did_not_write_leaves_cases_without_a_number_and_stops_nobody(
    database: MongoDatabase, place: str
) -> None:
    await database.insert(BLOCKS, {"_id": "block:x", "place": place})
    assert await Numbers(database, KEYS).take() == ""


@pytest.mark.parametrize("is_stored", [True, False])
async def test_while_no_block_can_be_had_it_is_refused_and_then_goes_on(
    database: MongoDatabase, monkeypatch: pytest.MonkeyPatch, is_stored: bool
) -> None:
    """If the block may have been taken it is nobody's."""
    insert, numbers = database.insert, Numbers(database, KEYS)

    async def lost(collection: str, document: Document) -> None:
        if is_stored:
            await insert(collection, document)
        raise OutcomeUnknown

    monkeypatch.setattr(database, "insert", lost)
    with pytest.raises(Unavailable):
        await numbers.take()
    monkeypatch.setattr(database, "insert", insert)
    first = 2 * AT_ONCE
    assert await numbers.take() == spoken_number(JIANGSU, KEYS.places(first))


async def test_what_cannot_be_taken_in_advance_disturbs_nobody_who_has_a_number(
    database: MongoDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers, insert = Numbers(database, KEYS), database.insert
    await numbers.take()

    async def fails(collection: str, document: Document) -> None:
        raise Unavailable

    monkeypatch.setattr(database, "insert", fails)
    assert len(set(await taken(numbers, AT_ONCE - 1))) == AT_ONCE - 1
    monkeypatch.setattr(database, "insert", insert)
    assert await numbers.take()


async def test_who_is_taken_for_too_often_late_is_told_to_come_again(
    database: MongoDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def late(collection: str, document: Document) -> None:
        raise Duplicate

    monkeypatch.setattr(database, "insert", late)
    with pytest.raises(Unavailable):
        await Numbers(database, KEYS).take()


async def test_who_stops_waiting_stops_nobody_else(database: MongoDatabase) -> None:
    numbers = Numbers(database, KEYS)
    one, other = asyncio.create_task(numbers.take()), asyncio.create_task(numbers.take())
    await asyncio.sleep(0)
    one.cancel()
    assert await other
    assert await blocks(database) == ["n000000000001"]


async def test_of_the_second_half_only_cases_take(database: MongoDatabase) -> None:
    await database.insert(BLOCKS, block(FOR_CASES // AT_ONCE - 2))
    numbers = Numbers(database, KEYS)
    places = [await numbers.take_beside() for _ in range(AT_ONCE)]
    assert places == list(range(FOR_CASES - AT_ONCE, FOR_CASES))
    assert {numbers.of(place) for place in places} == {spoken_number(JIANGSU, KEYS.places(place)) for place in places}
    assert [await numbers.take_beside() for _ in range(2)] == [0, 0]
    assert numbers.of(0) == ""
    assert await numbers.take() == spoken_number(JIANGSU, KEYS.places(FOR_CASES)), "nothing was lost meanwhile"
