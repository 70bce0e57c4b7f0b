"""Group reads: who reads alone reads at once; many who read at the same time share commands, never answers."""

import asyncio
from collections.abc import Sequence

import pytest

from server.domain.errors import Unavailable
from server.store.database import Database, Document, UnsafeOperand
from server.store.group_reads import MOST_IDS, GroupReads


class Slow:
    """Answers each read when it is told to."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.turns: list[asyncio.Future[None]] = []

    async def get_many(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        self.asked.append(list(ids))
        self.turns.append(turn := asyncio.get_running_loop().create_future())
        await turn
        return {id: {"_id": id, "in": collection} for id in ids if id != "missing"}

    async def answer(self, place: int, fault: BaseException | None = None) -> None:
        """Let the read of this place end."""
        if fault:
            self.turns[place].set_exception(fault)
        else:
            self.turns[place].set_result(None)
        for _ in range(5):
            await asyncio.sleep(0)


async def asking(
    reads: GroupReads, *wishes: list[str], collection: str = "persons"
) -> list[asyncio.Task[dict[str, Document]]]:
    asked = [asyncio.create_task(reads.get_many(collection, ids)) for ids in wishes]
    await asyncio.sleep(0)
    return asked


async def test_whoever_reads_alone_asks_at_once(database: Database) -> None:
    await database.insert("persons", {"_id": "a"})
    assert await GroupReads(database.get_many).get_many("persons", ["a", "b"]) == {"a": {"_id": "a"}}


async def test_those_who_wait_share_one_command_and_each_gets_their_own() -> None:
    slow = Slow()
    first, second, third, fourth = await asking(GroupReads(slow.get_many), ["a"], ["b"], ["c", "a"], ["missing", "c"])
    assert slow.asked == [["a"], ["b"]]
    await slow.answer(0)
    assert slow.asked[2:] == [["c", "a", "missing"]]
    await slow.answer(1)
    await slow.answer(2)
    assert [sorted(await each) for each in (first, second, third, fourth)] == [["a"], ["b"], ["a", "c"], ["c"]]
    assert (await third)["c"] is not (await fourth)["c"], "what one does to an answer is no matter of the other"


async def test_collections_do_not_wait_for_each_other() -> None:
    slow = Slow()
    reads = GroupReads(slow.get_many)
    await asking(reads, ["a"], ["b"])
    (other,) = await asking(reads, ["a"], collection="materials")
    await slow.answer(2)
    assert await other == {"a": {"_id": "a", "in": "materials"}}


async def test_a_command_has_a_bound_and_who_alone_asks_for_more_gets_it() -> None:
    slow = Slow()
    long = [f"l{place}" for place in range(MOST_IDS + 1)]
    await asking(GroupReads(slow.get_many), ["a"], ["b"], long, ["c"])
    await slow.answer(0)
    assert slow.asked[2] == long
    await slow.answer(1)
    assert slow.asked[3] == ["c"]


async def test_a_fault_is_told_to_all_who_asked_together_and_the_next_are_read() -> None:
    slow = Slow()
    reads = GroupReads(slow.get_many)
    first, second, third, fourth = await asking(reads, ["a"], ["b"], ["c"], ["d"])
    await slow.answer(0)
    (later,) = await asking(reads, ["e"])
    await slow.answer(2, Unavailable())
    outcomes = await asyncio.gather(third, fourth, return_exceptions=True)
    assert [type(each) for each in outcomes] == [Unavailable, Unavailable]
    assert slow.asked[3] == ["e"]
    await slow.answer(3)
    assert "e" in await later
    for each in (first, second):
        each.cancel()


async def test_who_goes_away_holds_up_nobody() -> None:
    slow = Slow()
    _first, _second, gone, here = await asking(GroupReads(slow.get_many), ["a"], ["b"], ["c"] * MOST_IDS, ["d"])
    gone.cancel()
    await asyncio.sleep(0)
    await slow.answer(0)
    assert slow.asked[2] == ["d"]
    await slow.answer(2)
    assert "d" in await here


async def test_an_unsafe_id_is_refused_to_who_asks_for_it_alone() -> None:
    slow = Slow()
    reads = GroupReads(slow.get_many)
    await asking(reads, ["a"], ["b"])
    (other,) = await asking(reads, ["c"])
    with pytest.raises(UnsafeOperand):
        await reads.get_many("persons", ["2026-01-01"])
    await slow.answer(0)
    await slow.answer(2)
    assert "c" in await other
