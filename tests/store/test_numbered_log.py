"""The numbered log: the insert decides, there are no holes, and the head is found from any hint."""

import asyncio
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.store.database import Database, UnsafeOperand
from server.store.numbered import NumberedLog, entry_id
from tests.store.witness import Witness

NAMES = itertools.count()


async def filled(database: Database, length: int) -> NumberedLog:
    name = f"out:{next(NAMES)}:1"
    entries = [{"_id": entry_id(name, number), "body": f"b{number}"} for number in range(1, length + 1)]
    await database.insert_many("log", entries)
    return NumberedLog(database, name)


def test_an_entry_is_named_by_its_log_and_its_number() -> None:
    assert entry_id("320000:330000:1", 118) == "320000:330000:1:000000000118"


async def test_of_twenty_parallel_appenders_of_a_number_one_is_first(database: Database) -> None:
    log = NumberedLog(database, "audit")
    firsts = await asyncio.gather(*(log.append(1, {"by": place}) for place in range(20)))
    assert firsts.count(True) == 1
    assert await log.head() == {"_id": "audit:000000000001", "by": firsts.index(True)}


async def test_racing_appenders_leave_no_hole_and_lose_nothing(database: Database) -> None:
    async def append_ten(writer: int) -> None:
        log, number = NumberedLog(database, "audit"), 0
        for place in range(10):
            while True:
                head = await log.head(number)
                number = int(head["_id"].rpartition(":")[2]) + 1 if head else 1
                if await log.append(number, {"by": [writer, place]}):
                    break

    await asyncio.gather(*(append_ten(writer) for writer in range(5)))
    entries = await NumberedLog(database, "audit").entries(range(70))
    assert sorted(entries) == list(range(1, 51))
    assert sorted(one["by"] for one in entries.values()) == [[w, p] for w in range(5) for p in range(10)]


async def test_logs_do_not_see_each_other(database: Database) -> None:
    first, second = NumberedLog(database, "out:a"), NumberedLog(database, "out:b")
    assert await first.append(1, {"body": "a"})
    assert await second.append(1, {"body": "b"})
    assert await first.append(2, {"body": "c"})
    assert (await second.head() or {})["body"] == "b"
    assert await NumberedLog(database, "out:a", collection="letters_in").head() is None


@settings(max_examples=50, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    length=st.sampled_from([0, 1, 2, 3, 8, 9, 33, 70]),
    hint=st.integers(-3, 80) | st.integers(0, 10**12 - 1) | st.sampled_from([2**power for power in range(60)]),
)
async def test_the_head_is_found_from_any_hint(database: Database, length: int, hint: int) -> None:
    head = await (await filled(database, length)).head(hint)
    assert head == ({"_id": head["_id"], "body": f"b{length}"} if head else None)
    assert bool(head) == bool(length)


async def test_a_right_hint_costs_one_read_of_one_entry(database: Database, witness: Witness) -> None:
    log = await filled(database, 40)
    before = len(witness.sent)
    assert (await log.head(40) or {})["body"] == "b40"
    assert [next(iter(command)) for command in witness.sent[before:]] == ["find"]


async def test_a_long_log_is_searched_in_few_steps(database: Database, witness: Witness) -> None:
    log = await filled(database, 600)
    for hint in (0, 1, 599, 601, 10**11):
        before = len(witness.sent)
        assert (await log.head(hint) or {})["body"] == "b600"
        assert len(witness.sent) - before <= 14


async def test_entries_are_those_of_the_numbers_that_exist(database: Database) -> None:
    log = await filled(database, 5)
    entries = await log.entries([4, 2, 9])
    assert {number: one["body"] for number, one in entries.items()} == {2: "b2", 4: "b4"}


async def test_a_log_whose_name_begins_like_a_date_is_refused(database: Database) -> None:
    with pytest.raises(UnsafeOperand):
        await NumberedLog(database, "2026-11-23").append(1, {})
