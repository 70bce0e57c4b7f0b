"""Group calls: who calls alone does so at once; many who call at the same time share commands, never answers."""

import asyncio
from collections.abc import Sequence

from server.domain.errors import Unavailable
from server.store.database import Database, Document, Duplicate, UnsafeOperand
from server.store.group_calls import MOST_ITEMS, GroupCalls
from tests.store.witness import Witness

Reads = GroupCalls[str, dict[str, Document]]


def of_these(found: dict[str, Document], ids: Sequence[str], _: int) -> dict[str, Document]:
    return {id: dict(found[id]) for id in ids if id in found}


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
    reads: Reads, *wishes: list[str], collection: str = "persons"
) -> list[asyncio.Task[dict[str, Document]]]:
    asked = [asyncio.create_task(reads.of(collection, ids)) for ids in wishes]
    await asyncio.sleep(0)
    return asked


async def test_whoever_reads_alone_asks_at_once(database: Database) -> None:
    await database.insert("persons", {"_id": "a"})
    assert await GroupCalls(database.get_many, of_these).of("persons", ["a", "b"]) == {"a": {"_id": "a"}}


async def test_those_who_wait_share_one_command_and_each_gets_their_own() -> None:
    slow = Slow()
    first, second, third, fourth = await asking(
        GroupCalls(slow.get_many, of_these), ["a"], ["b"], ["c", "a"], ["missing", "c"]
    )
    assert slow.asked == [["a"], ["b"]]
    await slow.answer(0)
    assert slow.asked[2:] == [["c", "a", "missing", "c"]]
    await slow.answer(1)
    await slow.answer(2)
    assert [sorted(await each) for each in (first, second, third, fourth)] == [["a"], ["b"], ["a", "c"], ["c"]]
    assert (await third)["c"] is not (await fourth)["c"], "what one does to an answer is no matter of the other"


async def test_collections_do_not_wait_for_each_other() -> None:
    slow = Slow()
    reads = GroupCalls(slow.get_many, of_these)
    await asking(reads, ["a"], ["b"])
    (other,) = await asking(reads, ["a"], collection="materials")
    await slow.answer(2)
    assert await other == {"a": {"_id": "a", "in": "materials"}}


async def test_a_command_has_a_bound_and_who_alone_asks_for_more_gets_it() -> None:
    slow = Slow()
    long = [f"l{place}" for place in range(MOST_ITEMS + 1)]
    await asking(GroupCalls(slow.get_many, of_these), ["a"], ["b"], long, ["c"])
    await slow.answer(0)
    assert slow.asked[2] == long
    await slow.answer(1)
    assert slow.asked[3] == ["c"]


async def test_a_fault_is_told_to_all_who_asked_together_and_the_next_are_read() -> None:
    slow = Slow()
    reads = GroupCalls(slow.get_many, of_these)
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
    _first, _second, gone, here = await asking(
        GroupCalls(slow.get_many, of_these), ["a"], ["b"], ["c"] * MOST_ITEMS, ["d"]
    )
    gone.cancel()
    await asyncio.sleep(0)
    await slow.answer(0)
    assert slow.asked[2] == ["d"]
    await slow.answer(2)
    assert "d" in await here


async def test_an_unsafe_id_is_refused_to_who_asks_for_it_alone(database: Database, witness: Witness) -> None:
    await database.insert("persons", {"_id": "a"})
    asked = [database.get("persons", id) for id in ["a"] * 8 + ["2026-01-01"] + ["a"] * 8]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(each) for each in answers] == [dict] * 8 + [UnsafeOperand] + [dict] * 8
    assert len(witness.named("find")) < 16


async def test_inserts_that_wait_share_one_command_and_each_hears_of_its_own_duplicate(
    database: Database, witness: Witness
) -> None:
    await database.insert("persons", {"_id": "p3"})
    adding = [database.insert("persons", {"_id": f"p{place}"}) for place in range(10)]
    answers = await asyncio.gather(*adding, return_exceptions=True)
    assert [place for place, each in enumerate(answers) if isinstance(each, Duplicate)] == [3]
    assert all(each is None for place, each in enumerate(answers) if place != 3)
    assert len(await database.get_many("persons", [f"p{place}" for place in range(10)])) == 10
    sizes = sorted(len(one["documents"]) for one in witness.named("insert"))
    assert sizes == [1, 1, 1, 8]


async def test_of_equal_ids_in_one_command_one_is_stored_and_the_others_are_duplicates(database: Database) -> None:
    adding = [database.insert_many("persons", [{"_id": f"own{place}"}, {"_id": "same"}]) for place in range(6)]
    answers = await asyncio.gather(*adding)
    assert sorted(answers, key=len) == [frozenset()] + [frozenset({1})] * 5


async def test_an_unsafe_document_is_refused_to_who_adds_it_alone(database: Database) -> None:
    documents = [{"_id": f"p{place}", "at": b"bytes" if place == 5 else "text"} for place in range(9)]
    answers = await asyncio.gather(*(database.insert("persons", each) for each in documents), return_exceptions=True)
    assert [place for place, each in enumerate(answers) if isinstance(each, UnsafeOperand)] == [5]
    assert len(await database.get_many("persons", [each["_id"] for each in documents])) == 8
