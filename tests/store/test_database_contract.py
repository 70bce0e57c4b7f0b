"""What every database owes the store, told over a `database` fixture: the real one, and its twin in memory."""

import asyncio
import math
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.store.database import (
    Database,
    Document,
    Duplicate,
    Mark,
    Query,
    Renewal,
    UndeclaredQuery,
    UnsafeOperand,
    WalkableDatabase,
)
from server.store.mongo import MongoDatabase
from server.store.queries import CATALOGUES, QUERIES, TASKS_OF_AUTHORITY, hour_bucket, under
from tests.simulation.disk import Disk
from tests.simulation.twin import SteadyLine, Twin
from tests.store.witness import Witness

LETTER_PER_TEST = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
UNSAFE_OPERANDS = [
    "2026-11-23",
    "2026-11-23T05:45:00.123Z",
    "2026/11/23",
    "23-11-2026",
    "11/23/2026",
    " 2026-11-23",
    "\t2026-11-23",
    "２０２６-11-23",
    "a\0b",
    7,
    None,
]
UNSAFE_VALUES = [
    b"bytes",
    math.nan,
    math.inf,
    -math.inf,
    datetime(2026, 11, 23, tzinfo=UTC),
    2**63,
    -(2**63) - 1,
    {"set"},
    {"$date": 1},
    {"nul\0": 1},
    {7: "seven"},
    [[{"deep": b"bytes"}]],
]
KEYS = st.text(st.characters(exclude_characters="$\0", exclude_categories=["Cs"]), max_size=10)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["2026-11-23", "2026-11-23T05:45:00.123Z", "\0", "null", "1", "{}"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(params=["server", "twin"])
def address(request: pytest.FixtureRequest) -> tuple[str, str] | None:
    """URI and name of an empty database of the server; none for the twin."""
    if request.param == "twin":
        return None
    return request.getfixturevalue("database_uri"), request.getfixturevalue("database_name")


@pytest.fixture
async def database(address: tuple[str, str] | None, witness: Witness) -> AsyncIterator[WalkableDatabase]:
    """An empty database: the real one, or the one in memory that stands for it in the simulation."""
    if address is None:
        yield Twin(Disk(QUERIES), SteadyLine(witness.sent), queries=QUERIES)
        return
    database = MongoDatabase.connect(*address, queries=QUERIES, timeout_seconds=20.0, listeners=[witness])
    await database.prepare()
    yield database
    await database.close()
    assert witness.faults == []


def case(id: str, version: int = 1, **fields: Any) -> Document:
    return {"_id": id, "version": version, **fields}


@LETTER_PER_TEST
@given(first=VALUES, second=VALUES)
async def test_a_document_comes_back_as_it_was_written(database: Database, first: Any, second: Any) -> None:
    await database.delete("cases", ["a"])
    await database.insert("cases", case("a", body=first))
    inserted = await database.get("cases", "a")
    assert inserted == case("a", body=first)
    assert repr(inserted) == repr(case("a", body=first)), "1, 1.0 and True are not the same"
    assert await database.replace("cases", case("a", 2, body=second), version=1)
    assert repr(await database.get("cases", "a")) == repr(case("a", 2, body=second))


@LETTER_PER_TEST
@given(id=st.text(st.characters(exclude_categories=["Cs"]), max_size=12), number=st.integers(0, 2**53))
async def test_whatever_id_is_not_refused_is_found_again(database: Database, id: str, number: int) -> None:
    try:
        await database.insert("tasks", {"_id": id, "version": number, "key": id})
    except UnsafeOperand:
        return
    assert await database.get("tasks", id) == {"_id": id, "version": number, "key": id}
    assert list(await database.get_many("tasks", [id, "none"])) == [id]
    assert await database.mark("tasks", Mark(id, {"version": 1}, version=number))
    assert [one["_id"] for one in await database.between(TASKS_OF_AUTHORITY, id, id + "!", limit=9)] == [id]
    await database.delete("tasks", [id])
    assert await database.get("tasks", id) is None


async def test_what_is_not_there_is_none(database: Database) -> None:
    assert await database.get("cases", "nobody") is None
    assert await database.get_many("cases", ["nobody", "no one"]) == {}
    assert await database.between(TASKS_OF_AUTHORITY, *under("d", "open"), limit=5) == []
    assert await database.equal(CATALOGUES, "h2026-11-23T05", limit=5) == []
    assert not await database.replace("cases", case("nobody"), version=1)
    assert not await database.mark("cases", Mark("nobody", {"relay": "done"}))
    await database.delete("cases", ["nobody"])


async def test_a_second_insert_of_an_id_is_a_duplicate(database: Database) -> None:
    await database.insert("cases", case("a", body="first"))
    with pytest.raises(Duplicate):
        await database.insert("cases", case("a", body="second"))
    assert await database.get("cases", "a") == case("a", body="first")


async def test_of_twenty_parallel_inserts_of_an_id_one_is_first(database: Database) -> None:
    documents = [case("a", body=place) for place in range(20)]
    outcomes = await asyncio.gather(*(database.insert("cases", one) for one in documents), return_exceptions=True)
    [winner] = [place for place, outcome in enumerate(outcomes) if outcome is None]
    assert all(isinstance(outcome, Duplicate) for outcome in outcomes if outcome is not None)
    assert await database.get("cases", "a") == case("a", body=winner)


async def test_insert_many_tells_the_places_of_duplicates(database: Database) -> None:
    await database.insert_many("cases", [case("b", body="old"), case("d", body="old")])
    places = await database.insert_many("cases", [case(id, body="new") for id in "abcdea"])
    assert places == {1, 3, 5}
    found = await database.get_many("cases", list("abcde"))
    assert {id: one["body"] for id, one in found.items()} == {
        "a": "new",
        "b": "old",
        "c": "new",
        "d": "old",
        "e": "new",
    }


async def test_insert_many_of_new_documents_finds_no_duplicates(database: Database) -> None:
    assert await database.insert_many("cases", [case("a"), case("b")]) == frozenset()


async def test_a_replace_needs_the_version(database: Database) -> None:
    await database.insert("cases", case("a", 3, body="old"))
    assert not await database.replace("cases", case("a", 3, body="lost"), version=2)
    assert await database.get("cases", "a") == case("a", 3, body="old")
    assert await database.replace("cases", case("a", 4, body="new"), version=3)
    assert await database.get("cases", "a") == case("a", 4, body="new")


async def test_of_twenty_parallel_replaces_one_wins(database: Database) -> None:
    await database.insert("cases", case("a", 0))
    for version in range(10):
        tries = [case("a", version + 1, body=place) for place in range(20)]
        wins = await asyncio.gather(*(database.replace("cases", one, version=version) for one in tries))
        assert wins.count(True) == 1
        assert await database.get("cases", "a") == tries[wins.index(True)]


async def test_replace_many_replaces_those_that_have_their_version(database: Database) -> None:
    await database.insert_many("cases", [case("a", 1), case("b", 5)])
    wanted = [(case("a", 2, body="new"), 1), (case("b", 7, body="lost"), 6), (case("z", 2, body="lost"), 1)]
    assert await database.replace_many("cases", wanted) == 1
    assert await database.get_many("cases", list("abz")) == {"a": case("a", 2, body="new"), "b": case("b", 5)}
    assert await database.replace_many("cases", []) == 0
    with pytest.raises(UnsafeOperand):
        await database.replace_many("cases", [(case("a", 3), 2), (case("2026-11-23", 2), 1)])
    assert await database.get("cases", "a") == case("a", 2, body="new")


async def test_put_newer_puts_what_is_new_or_of_a_higher_version(database: Database) -> None:
    await database.insert_many("cases", [case("a", 5), case("b", 5), case("c", 5)])
    wanted = [case("a", 6, body="new"), case("b", 5, body="lost"), case("c", 4, body="lost"), case("d", 1)]
    assert await database.put_newer("cases", wanted) == {1, 2}
    found = await database.get_many("cases", list("abcd"))
    assert found == {"a": case("a", 6, body="new"), "b": case("b", 5), "c": case("c", 5), "d": case("d", 1)}


async def test_of_many_parallel_puts_the_highest_version_stays(database: Database) -> None:
    for id in "abc":
        versions = [*range(1, 21)] * 2
        random.Random(id).shuffle(versions)  # noqa: S311 # an order like any other
        left = versions
        while left:  # a put that meets another of the same moment may be told so
            done = await asyncio.gather(*(database.put_newer("cases", [case(id, each)]) for each in left))
            there = (await database.get_many("cases", [id]))[id]["version"]
            left = [each for each, behind in zip(left, done, strict=True) if behind and each > there]
        assert (await database.get("cases", id) or {})["version"] == 20


async def test_of_twenty_parallel_marks_of_a_version_one_wins(database: Database) -> None:
    await database.insert("tasks", case("a", 0))
    for version in range(10):
        tries = [Mark("a", {"version": version + 1, "holder": f"o{place}"}, version=version) for place in range(20)]
        wins = await asyncio.gather(*(database.mark("tasks", one) for one in tries))
        assert wins.count(True) == 1
        assert await database.get("tasks", "a") == case("a", version + 1, holder=f"o{wins.index(True)}")


async def test_a_mark_changes_its_fields_only(database: Database) -> None:
    await database.insert("cases", case("a", 7, relay="t1", relayed=3, body={"kept": [True, None]}))
    assert await database.mark("cases", Mark("a", {"relay": "done", "relayed": 5}))
    assert await database.get("cases", "a") == case("a", 7, relay="done", relayed=5, body={"kept": [True, None]})
    assert not await database.mark("cases", Mark("a", {"relay": "t2"}, version=6))
    assert (await database.get("cases", "a") or {})["relay"] == "done"


@pytest.mark.parametrize(
    "value", ["2026-11-23T05:45:00.123Z", "2026-11-23", "a\0b", "", "null", "7", 0, -(2**63), 2**63 - 1]
)
async def test_a_mark_keeps_its_value_as_it_is(database: Database, value: str | int) -> None:
    await database.insert("tasks", case("a"))
    assert await database.mark("tasks", Mark("a", {"since": value}, version=1))
    assert repr(await database.get("tasks", "a")) == repr(case("a", since=value))


async def test_mark_many_tells_how_many_found_their_document(database: Database) -> None:
    await database.insert_many("letters_out", [case(id, state="waiting") for id in "abc"])
    marks = [Mark("a", {"state": "logged"}), Mark("b", {"state": "logged"}, version=9), Mark("z", {"state": "logged"})]
    assert await database.mark_many("letters_out", marks) == 1
    assert await database.mark_many("letters_out", [Mark(id, {"state": "logged"}) for id in "abc"]) == 3
    found = await database.get_many("letters_out", list("abc"))
    assert [one["state"] for one in found.values()] == ["logged"] * 3


@pytest.mark.parametrize(
    "fields",
    [{"is_open": True}, {"ratio": 0.5}, {"gone": None}, {"list": []}, {"raw": b"x"}, {"large": 2**63}]
    + [{name: "text"} for name in ("_id", "a.b", "$inc", "é", 'a"b', "a-b", "")]
    + [{}],
)
async def test_a_mark_of_anything_but_plain_texts_and_integers_is_refused(
    database: Database, witness: Witness, fields: dict[str, Any]
) -> None:
    before = len(witness.sent)
    with pytest.raises(UnsafeOperand):
        await database.mark("tasks", Mark("a", fields))
    with pytest.raises(UnsafeOperand):
        await database.mark_many("tasks", [Mark("b", {"fine": 1}), Mark("a", fields)])
    assert len(witness.sent) == before


async def test_equal_finds_those_of_one_value(database: Database) -> None:
    early, late = (hour_bucket(datetime(2026, 11, 23, hour, tzinfo=UTC)) for hour in (5, 6))
    found = [{"_id": f"n{place}", "kind": early if place % 3 else late} for place in range(9)]
    await database.insert_many("catalogues", found)
    found = await database.equal(CATALOGUES, late, limit=100)
    assert sorted(one["_id"] for one in found) == ["n0", "n3", "n6"]
    assert len(await database.equal(CATALOGUES, early, limit=4)) == 4


async def test_between_takes_the_low_bound_and_not_the_high_one(database: Database) -> None:
    await database.insert_many("tasks", [{"_id": id, "key": id} for id in ("p|1", "p|2", "p|3", "p|4")])
    found = await database.between(TASKS_OF_AUTHORITY, "p|2", "p|4", limit=10)
    assert [one["key"] for one in found] == ["p|2", "p|3"]


async def test_between_sorts_both_ways_and_keeps_the_limit(database: Database) -> None:
    order = [3, 0, 4, 1, 2]
    keys = [f"{who}|open|t2026-11-23T05:45:00.{place:03d}Z" for who in ("320000", "330000") for place in order]
    await database.insert_many("tasks", [{"_id": f"k{place}", "key": key} for place, key in enumerate(keys)])
    bounds = under("320000", "open")
    first = await database.between(TASKS_OF_AUTHORITY, *bounds, limit=3)
    assert [one["key"][-4:-1] for one in first] == ["000", "001", "002"]
    last = await database.between(TASKS_OF_AUTHORITY, *bounds, limit=9, is_descending=True)
    assert [one["key"][-4:-1] for one in last] == ["004", "003", "002", "001", "000"]
    assert {one["key"][:6] for one in last} == {"320000"}


async def test_keys_are_the_values_alone_of_a_range(database: Database) -> None:
    await database.insert_many("tasks", [{"_id": f"t{id}", "key": f"p|{id}", "since": "x"} for id in (3, 1, 4, 2)])
    assert await database.keys(TASKS_OF_AUTHORITY, "p|2", "p|4", limit=10) == ["p|2", "p|3"]
    assert await database.keys(TASKS_OF_AUTHORITY, *under("p"), limit=3) == ["p|1", "p|2", "p|3"]
    assert await database.keys(TASKS_OF_AUTHORITY, *under("p"), limit=3, is_descending=True) == ["p|4", "p|3", "p|2"]
    assert await database.keys(TASKS_OF_AUTHORITY, *under("q"), limit=3) == []


async def walked(database: WalkableDatabase, limit: int) -> list[str]:
    """The ids that a walk meets, so many at a time."""
    met, after = list[str](), ""
    while page := await database.walk("cases", after, limit=limit):
        met += [each["_id"] for each in page]
        after = met[-1]
    return met


async def test_a_walk_meets_every_document_once_by_its_id(database: WalkableDatabase) -> None:
    ids = ["a", "a|b", "a:b", "A", "z", "7", "办件", "officer:x", "t2026", *(f"n{number:03}" for number in range(40))]
    for id in ids:
        await database.insert("cases", case(id, body=[id]))
    for limit in (1, 7, 100):
        assert await walked(database, limit) == sorted(ids)
    assert await database.walk("cases", "n039", limit=1) == [case("officer:x", body=["officer:x"])]
    assert await database.walk("tasks", "", limit=1) == []


async def test_renewals_change_their_members_where_the_proof_is_still_the_same(database: WalkableDatabase) -> None:
    for id in ("a", "b", "c"):
        await database.insert("cases", case(id, proof=f"old.{id}", relay="done", effects=[]))
    renewals = [
        Renewal("a", "old.a", {"proof": "new.a", "effects": [{"letter": {"data_key": "x"}}]}),
        Renewal("b", "another", {"proof": "new.b"}),
        Renewal("none", "old.a", {"proof": "new.c"}),
    ]
    assert await database.renew_many("cases", renewals) == 1
    assert await database.get_many("cases", ["a", "b", "c"]) == {
        "a": case("a", proof="new.a", relay="done", effects=[{"letter": {"data_key": "x"}}]),
        "b": case("b", proof="old.b", relay="done", effects=[]),
        "c": case("c", proof="old.c", relay="done", effects=[]),
    }


async def test_of_twenty_parallel_renewals_of_a_proof_one_wins(database: WalkableDatabase) -> None:
    await database.insert("cases", case("a", proof="old"))
    one = [database.renew_many("cases", [Renewal("a", "old", {"proof": f"new{n}"})]) for n in range(20)]
    assert sum(await asyncio.gather(*one)) == 1


async def test_the_server_tells_what_its_clock_said_between_the_call_and_the_answer(database: Database) -> None:
    before = datetime.now(UTC)
    told = await database.time()
    after = datetime.now(UTC)
    in_milliseconds = timedelta(milliseconds=1)
    assert before - in_milliseconds <= told.at <= after
    assert told.is_here == (not isinstance(database, Twin)), "the server of the tests has a loopback address"


async def test_deleted_documents_are_gone_and_no_others(database: Database) -> None:
    await database.insert_many("nonces", [{"_id": id} for id in "abcd"])
    await database.delete("nonces", ["b", "d", "nobody"])
    assert sorted(await database.get_many("nonces", list("abcd"))) == ["a", "c"]


async def test_nothing_to_do_asks_nobody(database: WalkableDatabase, witness: Witness) -> None:
    before = len(witness.sent)
    assert await database.insert_many("cases", []) == frozenset()
    assert await database.mark_many("cases", []) == 0
    assert await database.put_newer("cases", []) == frozenset()
    assert await database.renew_many("cases", []) == 0
    assert await database.get_many("cases", []) == {}
    await database.delete("cases", [])
    assert len(witness.sent) == before


@pytest.mark.parametrize("operand", UNSAFE_OPERANDS)
async def test_an_unsafe_operand_is_refused_before_it_is_sent(
    database: WalkableDatabase, witness: Witness, operand: Any
) -> None:
    before = len(witness.sent)
    for call in (
        database.insert("cases", case(operand)),
        database.insert_many("cases", [case("fine"), case(operand)]),
        database.replace("cases", case(operand), version=1),
        database.put_newer("cases", [case(operand)]),
        database.mark("cases", Mark(operand, {"relay": "done"})),
        database.mark_many("cases", [Mark("fine", {"relay": "done"}), Mark(operand, {"relay": "done"})]),
        database.get("cases", operand),
        database.get_many("cases", ["fine", operand]),
        database.equal(CATALOGUES, operand, limit=1),
        database.between(TASKS_OF_AUTHORITY, operand, "z", limit=1),
        database.between(TASKS_OF_AUTHORITY, "a", operand, limit=1),
        database.keys(TASKS_OF_AUTHORITY, operand, "z", limit=1),
        database.keys(TASKS_OF_AUTHORITY, "a", operand, limit=1),
        database.delete("cases", ["fine", operand]),
        database.walk("cases", operand, limit=1),
        database.renew_many("cases", [Renewal(operand, "proof", {"key": "new"})]),
        database.renew_many("cases", [Renewal("fine", operand, {"key": "new"})]),
    ):
        with pytest.raises(UnsafeOperand):
            await call
    assert len(witness.sent) == before


@pytest.mark.parametrize("value", UNSAFE_VALUES, ids=repr)
async def test_a_value_that_not_every_server_keeps_is_refused_before_it_is_sent(
    database: WalkableDatabase, witness: Witness, value: Any
) -> None:
    before = len(witness.sent)
    for call in (
        database.insert("cases", case("a", body=value)),
        database.insert_many("cases", [case("fine"), case("a", body=[value])]),
        database.replace("cases", case("a", body={"deep": value}), version=1),
        database.put_newer("cases", [case("a", 1, body=value)]),
        database.renew_many("cases", [Renewal("a", "proof", {"letters": [value]})]),
        database.renew_many("cases", [Renewal("a", "proof", {"$set": "x"})]),
    ):
        with pytest.raises(UnsafeOperand):
            await call
    assert len(witness.sent) == before


async def test_a_query_outside_the_table_is_refused(database: WalkableDatabase, witness: Witness) -> None:
    before = len(witness.sent)
    stranger = Query("stranger", "cases", "body")
    for call in (
        database.equal(stranger, "a", limit=1),
        database.between(stranger, "a", "b", limit=1),
        database.equal(TASKS_OF_AUTHORITY, "a", limit=1),
        database.between(CATALOGUES, "a", "b", limit=1),
        database.between(TASKS_OF_AUTHORITY, "a", "b", limit=0),
        database.keys(stranger, "a", "b", limit=1),
        database.keys(CATALOGUES, "a", "b", limit=1),
        database.keys(TASKS_OF_AUTHORITY, "a", "b", limit=0),
        database.equal(CATALOGUES, "a", limit=0),
        database.walk("cases", "", limit=0),
    ):
        with pytest.raises(UndeclaredQuery):
            await call
    assert len(witness.sent) == before


@pytest.mark.parametrize("address", ["server"], indirect=True)
async def test_preparing_twice_is_preparing_once(
    database: Database, database_name: str, database_sweeper: pymongo.MongoClient[Document]
) -> None:
    def indexes() -> dict[str, list[str]]:
        own = database_sweeper[database_name]
        return {name: sorted(own[name].index_information()) for name in own.list_collection_names()}

    await database.insert("cases", case("a"))
    once = indexes()
    await database.prepare()  # type: ignore[attr-defined]
    assert indexes() == once
    assert {query.collection for query in QUERIES} <= set(once)
    assert await database.get("cases", "a") == case("a")
