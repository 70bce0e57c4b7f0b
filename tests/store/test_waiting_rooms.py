"""Waiting rooms in the store: what several processes have met is put together, and no number of arrival comes twice."""

import asyncio
from typing import Any

import pytest

from server.crypto.digests import keyed_bytes
from server.crypto.integrity import IntegrityRing
from server.domain.errors import NotAuthentic, OutcomeUnknown, Unavailable
from server.domain.waiting.lots import MOST_KEPT, Lots, lot_of
from server.store.database import Database, Document
from server.store.mongo import MongoDatabase
from server.store.proven import ProvenDatabase
from server.store.waiting import WAITING, WaitingRoom
from tests.store.witness import Witness

PEAK = "enrolment-2026"


def lots(*people: int) -> list[int]:
    """The lots of these people."""
    return [lot_of(keyed_bytes(bytes(32), ["lot", each])) for each in people]


def processes(database: Database, many: int = 2) -> list[WaitingRoom]:
    """The waiting room of one peak in so many processes."""
    return [WaitingRoom(database, PEAK) for _ in range(many)]


async def test_what_processes_have_met_is_put_together_and_nobody_counts_twice(database: MongoDatabase) -> None:
    one, other = processes(database)
    for room, people in ((one, range(0, 30)), (other, range(20, 50))):
        for lot in lots(*people):
            room.draw(lot)
    await one.tell(is_over=False)
    await other.tell(is_over=False)
    assert (one.people_so_far, other.people_so_far) == (30, 50)
    await one.tell(is_over=False)
    assert one.people_so_far == 50
    assert one.people is None


async def test_who_told_at_the_same_time_lose_nobody(database: MongoDatabase) -> None:
    rooms = processes(database, 4)
    for number, room in enumerate(rooms):
        for lot in lots(*range(number * 10, number * 10 + 10)):
            room.draw(lot)
    await asyncio.gather(*(room.tell(is_over=False) for room in rooms))
    [fresh] = processes(database, 1)
    await fresh.tell(is_over=False)
    assert fresh.people_so_far == 40


async def test_once_it_is_over_all_processes_name_the_same_number_for_good(database: MongoDatabase) -> None:
    one, other, late = processes(database, 3)
    for lot in lots(*range(2000)):
        one.draw(lot)
    await one.tell(is_over=False)
    late.draw(lots(5000)[0])
    await asyncio.gather(one.tell(is_over=True), other.tell(is_over=True))
    await late.tell(is_over=True)
    people = Lots().together(lots(*range(2000))).people
    assert [each.people for each in (one, other)] == [people, people]
    assert late.people == people
    [started_anew] = processes(database, 1)
    await started_anew.tell(is_over=True)
    assert started_anew.people == people


async def test_nothing_is_written_where_nobody_has_come(database: MongoDatabase) -> None:
    [room] = processes(database, 1)
    await room.tell(is_over=False)
    assert await database.get(WAITING, f"lots:{PEAK}") is None
    await room.tell(is_over=True)
    assert room.people == 0


async def test_what_a_process_has_told_outlives_it_and_telling_again_writes_nothing(
    database: MongoDatabase, witness: Witness
) -> None:
    first, second = processes(database)
    for lot in lots(*range(MOST_KEPT + 100)):
        first.draw(lot)
    await first.tell(is_over=False)
    await second.tell(is_over=False)
    assert second.people_so_far == first.people_so_far
    document = await database.get(WAITING, f"lots:{PEAK}")
    for lot in lots(*range(MOST_KEPT + 100)):
        second.draw(lot)
    await second.tell(is_over=False)
    assert await database.get(WAITING, f"lots:{PEAK}") == document


async def test_an_older_document_that_is_put_back_makes_nobody_forgotten(database: MongoDatabase) -> None:
    [room] = processes(database, 1)
    for lot in lots(*range(10)):
        room.draw(lot)
    await room.tell(is_over=False)
    await database.delete(WAITING, [f"lots:{PEAK}"])
    await room.tell(is_over=True)
    assert room.people == 10


@pytest.mark.parametrize(
    ("part", "change"), [("lots", {"people": 1}), ("lots", {"lots": ""}), ("arrivals", {"next_number": 0})], ids=str
)
async def test_what_somebody_else_has_written_is_not_believed(
    database: MongoDatabase, part: str, change: dict[str, Any]
) -> None:
    """Neither by a process that goes on nor by one that starts."""
    proven = ProvenDatabase(database, IntegrityRing({"one": bytes(32)}, "one"))
    before, after = processes(proven)
    before.draw(lots(1)[0])
    await before.tell(is_over=False)
    await before.arrive("anna", at_least=0)
    document = await database.get(WAITING, f"{part}:{PEAK}")
    assert document
    altered = {**document, **change, "version": document["version"] + 1}
    await database.replace(WAITING, altered, version=document["version"])
    for room in (before, after):
        with pytest.raises(NotAuthentic):
            await (room.tell(is_over=False) if part == "lots" else room.arrive("bert", at_least=0))
    assert await database.get(WAITING, f"{part}:{PEAK}") == altered


async def test_numbers_of_arrival_run_from_nought_and_none_comes_twice(database: MongoDatabase) -> None:
    rooms = processes(database, 3)
    arriving = [rooms[n % 3].arrive(f"person-{n}", at_least=0) for n in range(90)]
    assert sorted(await asyncio.gather(*arriving)) == list(range(90))


async def test_all_who_come_at_once_are_numbered_by_a_few_commands(database: MongoDatabase) -> None:
    counted = Counted(database)
    room = WaitingRoom(counted, PEAK)
    numbers = await asyncio.gather(*(room.arrive(f"person-{n}", at_least=0) for n in range(500)))
    assert numbers == list(range(500))
    assert counted.writes <= 2


async def test_who_comes_again_has_the_number_they_have(database: MongoDatabase) -> None:
    [room] = processes(database, 1)
    both = await asyncio.gather(room.arrive("anna", at_least=0), room.arrive("anna", at_least=0))
    assert both == [0, 0]
    assert await room.arrive("bert", at_least=0) == 2
    assert await room.arrive("anna", at_least=100) == 0


async def test_numbers_behind_the_time_are_passed_over(database: MongoDatabase) -> None:
    one, other = processes(database)
    assert await one.arrive("anna", at_least=100) == 100
    assert await other.arrive("bert", at_least=0) == 101
    assert await one.arrive("carl", at_least=50) == 102


async def test_a_process_that_starts_anew_gives_no_number_again(database: MongoDatabase) -> None:
    before, after = processes(database)
    assert await before.arrive("anna", at_least=0) == 0
    assert await after.arrive("bert", at_least=0) == 1


async def test_an_older_count_that_is_put_back_gives_no_number_again(database: MongoDatabase) -> None:
    [room] = processes(database, 1)
    await room.arrive("anna", at_least=7)
    await database.delete(WAITING, [f"arrivals:{PEAK}"])
    assert await room.arrive("bert", at_least=0) == 8


async def test_those_who_came_first_are_forgotten_first(database: MongoDatabase) -> None:
    room = WaitingRoom(database, PEAK, most_remembered=2)
    for name in ("anna", "bert", "carl"):
        await room.arrive(name, at_least=0)
    assert await room.arrive("carl", at_least=0) == 2
    assert await room.arrive("anna", at_least=0) == 3


@pytest.mark.parametrize("fault", [Unavailable, OutcomeUnknown])
async def test_all_who_wait_are_told_when_the_database_does_not_answer(
    database: MongoDatabase, fault: type[Unavailable]
) -> None:
    broken = Counted(database)
    room = WaitingRoom(broken, PEAK)
    broken.fault = fault
    told = await asyncio.gather(*(room.arrive(f"{n}", at_least=0) for n in range(20)), return_exceptions=True)
    assert all(isinstance(each, fault) for each in told)
    assert broken.writes == 1
    broken.fault = None
    assert await room.arrive("anna", at_least=0) >= 0


async def test_who_goes_away_leaves_those_behind_them_their_numbers(database: MongoDatabase) -> None:
    [room] = processes(database, 1)
    await room.arrive("first", at_least=0)
    gone = asyncio.create_task(room.arrive("gone", at_least=0))
    waits = asyncio.create_task(room.arrive("waits", at_least=0))
    await asyncio.sleep(0.01)
    gone.cancel()
    assert await waits == 2


class Counted:
    """A database that counts its writes, or fails them; nothing is written then."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.writes = 0
        self.fault: type[Unavailable] | None = None

    async def get(self, collection: str, id: str) -> Document | None:
        return await self._database.get(collection, id)

    async def insert(self, collection: str, document: Document) -> None:
        self._count()
        await self._database.insert(collection, document)

    async def replace(self, collection: str, document: Document, *, version: int) -> bool:
        self._count()
        return await self._database.replace(collection, document, version=version)

    def _count(self) -> None:
        self.writes += 1
        if self.fault:
            raise self.fault
