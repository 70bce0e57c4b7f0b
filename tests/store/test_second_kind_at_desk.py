"""Acts on a second kind of aggregate: each is done once, and what follows is carried with what follows cases."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pymongo
import pytest
from structlog.testing import capture_logs

from server.crypto.keyring import make_keys
from server.desk import acting, relay
from server.desk.background.case_verifying import CaseWatch
from server.desk.performing import IdempotencyKeyReused, Performing
from server.domain.aggregate.acts import Act
from server.domain.effects.records import CaseRecord
from server.domain.errors import OutcomeUnknown, Refusal, StaleVersion
from server.domain.rules.decide import decide as decide_case
from server.store.aggregates.aggregates import Aggregates
from server.store.aggregates.heads import HistoryHeads
from server.store.aggregates.histories import Histories
from server.store.cases.case_documents import CASES, CaseDocuments
from server.store.cases.plans import Plans
from server.store.mongo import MongoDatabase
from server.store.store import Store, open_store
from server.tools.logs import log
from server.tools.metrics import Metrics
from tests.counting import (
    COUNTERS,
    KIND,
    Counter,
    CounterErased,
    CounterFull,
    CounterRecord,
    CountingFacts,
    NoSuchCounter,
    begin,
    commit_of,
    count,
    database_that_counts,
    decide,
)
from tests.http.heads import chained, troubles
from tests.store.witness import Witness
from tests.world import JIANGSU, MONDAY, facts, later, opening

KEYS = make_keys(JIANGSU)
DUE = timedelta(seconds=5)
NAME = "counters/visitors"
COUNTING: Performing[Counter, Any, CounterRecord, Act, CountingFacts] = Performing(
    room=lambda node: node.store.aggregates[COUNTERS],
    facts=lambda _node: CountingFacts(),
    decide=decide,
    commit_of=commit_of,
)


class CountingStore(Store):
    """A store that has a room for counters beside that for cases."""

    counters: Aggregates[Counter, Any, CounterRecord]

    @property
    def aggregates(self) -> Mapping[str, Aggregates[Any, Any, Any]]:
        return {CASES: self.cases, COUNTERS: self.counters}


@pytest.fixture
async def database(
    database_uri: str, database_name: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[MongoDatabase, Witness]]:
    async with database_that_counts(database_uri, database_name, monkeypatch) as found:
        yield found


@pytest.fixture
def node(database: tuple[MongoDatabase, Witness], tmp_path: Path) -> Any:
    """As much of a node as acts and what follows them ask for, some seconds after the acts were done."""
    opened = open_store(database[0], KEYS, tmp_path, here=JIANGSU, relay_due_seconds=5)
    store = CountingStore(**vars(opened))
    cases = CaseDocuments(KEYS, Plans(store.database), here=JIANGSU, relay_due=DUE)
    counters = Histories(KIND, KEYS, relay_due=DUE)
    store.cases.heads = HistoryHeads(store.database, [cases, counters], tmp_path)
    object.__setattr__(store, "counters", Aggregates(store.database, counters, heads=store.heads))
    return SimpleNamespace(
        here=JIANGSU,
        store=store,
        clock=SimpleNamespace(now=lambda: later(minutes=2)),
        metrics=Metrics(),
        log=log,
        settings=SimpleNamespace(work_port=1),
    )


@pytest.fixture
def raw(database_sweeper: pymongo.MongoClient[dict[str, Any]], database_name: str) -> Any:
    """The database as somebody without keys writes to it."""
    return database_sweeper[database_name]


def doubtful(monkeypatch: pytest.MonkeyPatch, database: MongoDatabase, call: str, *, is_written: bool) -> None:
    """Let nobody know whether the next write of this kind arrives."""
    write = getattr(database, call)

    async def once(*written: Any, **more: Any) -> None:
        monkeypatch.setattr(database, call, write)
        if is_written:
            await write(*written, **more)
        raise OutcomeUnknown

    monkeypatch.setattr(database, call, once)


async def begun(node: Any, *names: str) -> None:
    done = await COUNTING.perform_many(node, {name: [begin(name)] for name in names})
    assert set(done.answers.values()) == {None}


async def opened(node: Any) -> CaseRecord:
    """A case that was just opened."""
    known = facts()
    commit = acting.commit_of(None, decide_case(None, opening(), known), known)
    record: CaseRecord = await node.store.cases.add(commit, owner="owner", request="request")
    return record


async def total(node: Any, name: str = "visitors") -> int:
    return int((await node.store.counters.one(name)).value.total)


def named(answers: Mapping[str, Refusal | None]) -> dict[str, type[Refusal] | None]:
    return {act: type(answer) if answer else None for act, answer in answers.items()}


# Once.


async def test_an_act_is_done_once_however_often_it_is_asked_for(node: Any):
    await begun(node, "visitors")
    with capture_logs() as lines:
        first = await COUNTING.perform(node, "visitors", count("one", digest="a"))
        again = await COUNTING.perform(node, "visitors", count("one", digest="a"))
    assert (first.value.total, again.value, again.events) == (1, first.value, first.events)
    assert [(line["event"], line["counter"], line["acts"]) for line in lines] == [
        ("counter.moved", "visitors", ["count"])
    ]
    with pytest.raises(IdempotencyKeyReused):
        await COUNTING.perform(node, "visitors", count("one", 5, digest="b"))
    assert await total(node) == 1


async def test_what_is_refused_or_comes_to_nothing_writes_nothing(node: Any, database: tuple[Any, Witness]):
    await begun(node, "visitors")
    database[1].sent.clear()
    with pytest.raises(CounterFull):
        await COUNTING.perform(node, "visitors", count("many", 10))
    with pytest.raises(NoSuchCounter):
        await COUNTING.perform(node, "strangers", count("one"))
    assert (await COUNTING.perform(node, "visitors", count("none", 0))).value.version == 1
    assert {next(iter(command)) for command in database[1].sent} == {"find"}


@pytest.mark.parametrize("is_written", [True, False])
async def test_in_doubt_it_is_looked_first_whether_it_was_done(
    node: Any, database: tuple[MongoDatabase, Witness], monkeypatch: pytest.MonkeyPatch, is_written: bool
):
    await begun(node, "visitors")
    doubtful(monkeypatch, database[0], "replace", is_written=is_written)
    record = await COUNTING.perform(node, "visitors", count("one"))
    assert (record.value.total, await total(node)) == (1, 1)


async def test_who_was_overtaken_decides_again_on_what_stands_now(node: Any):
    await begun(node, "visitors")
    known = await node.store.counters.one("visitors")
    await COUNTING.perform(node, "visitors", count("most", 8))
    record = await COUNTING.perform(node, "visitors", count("one"), known=known)
    assert record.value.total == 9
    with pytest.raises(CounterFull):
        await COUNTING.perform(node, "visitors", count("more"), known=known)


async def test_a_doubt_that_lasts_is_told(node: Any, monkeypatch: pytest.MonkeyPatch):
    await begun(node, "visitors")

    async def taken(*_: Any, **__: Any) -> bool:
        return False

    monkeypatch.setattr(node.store.database.bare, "replace", taken)
    with pytest.raises(StaleVersion, match="计数"):
        await COUNTING.perform(node, "visitors", count("one"))


# Many.


async def test_many_are_begun_and_moved_together_and_a_refusal_ends_one_course_alone(node: Any):
    await begun(node, "visitors", "gone")
    gone = await node.store.counters.one("gone")
    await node.store.counters.mark_relayed([gone])
    await node.store.counters.erase(await node.store.counters.one("gone"), at=MONDAY)
    done = await COUNTING.perform_many(
        node,
        {
            "visitors": [count("a"), count("b", 2)],
            "letters": [begin("letters"), count("c", 4)],
            "calls": [begin("calls"), count("d", 10), count("e")],
            "strangers": [count("f")],
            "gone": [count("g")],
        },
    )
    assert named(done.answers) == {
        **dict.fromkeys(("a", "b", "begin:letters", "c", "begin:calls")),
        **{"d": CounterFull, "f": NoSuchCounter, "g": CounterErased},
    }
    assert {record.id: record.value.total for record in done.records} == {"visitors": 3, "letters": 4, "calls": 0}
    again = await COUNTING.perform_many(node, {"visitors": [count("a"), count("b", 2)]})
    assert (named(again.answers), await total(node)) == (dict.fromkeys(("a", "b")), 3)


@pytest.mark.parametrize("call", ["insert_many", "replace_many"])
@pytest.mark.parametrize("is_written", [True, False])
async def test_in_doubt_about_many_each_is_done_once(
    node: Any,
    database: tuple[MongoDatabase, Witness],
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    is_written: bool,
):
    await begun(node, "visitors")
    doubtful(monkeypatch, database[0], call, is_written=is_written)
    acts = {"visitors": [count("a"), count("b", 2)], "letters": [begin("letters"), count("c", 4)]}
    done = await COUNTING.perform_many(node, acts)
    assert set(done.answers.values()) == {None}
    assert (await total(node), await total(node, "letters")) == (3, 4)
    assert {record.id for record in done.records} == {"visitors", "letters"}


# What follows.


async def test_what_follows_several_kinds_is_carried_in_the_round_trips_of_one(
    node: Any, database: tuple[Any, Witness], raw: Any
):
    await begun(node, "visitors")
    assert await node.store.oldest_relay() == MONDAY, "no promise beyond letters that may follow it"
    case, counter = await opened(node), await node.store.counters.one("visitors")
    database[1].sent.clear()
    await relay.relay(node, case, counter)
    into = [(name, command[name]) for command in database[1].sent if (name := next(iter(command))) != "find"]
    assert [each for each in into if each == ("insert", "heads")] == [("insert", "heads")]
    assert [collection for name, collection in into if name == "update" and collection in (CASES, COUNTERS)] == [
        CASES,
        COUNTERS,
    ]
    assert {each["_id"] for each in raw.heads.find()} == {case.head.id, f"{NAME}|1"}
    assert raw.notices.find_one({"_id": "visitors:1"})
    assert await node.store.oldest_relay() is None


async def test_a_later_record_of_one_kind_does_not_take_the_place_of_one_of_another(node: Any, raw: Any):
    await begun(node, "case1")
    case, counter = await opened(node), await node.store.counters.one("case1")
    assert case.id == counter.id
    await relay.Relays(node).carry([case, counter])
    assert {each["_id"] for each in raw.heads.find()} == {case.head.id, "counters/case1|1"}


async def test_what_a_crash_left_behind_is_swept_and_a_broken_one_is_set_apart_by_its_name(node: Any, raw: Any):
    await begun(node, "visitors", "letters", "calls")
    raw.counters.update_one({"_id": "visitors"}, {"$set": {"link": "A"}})
    assert not await relay.sweep(node)
    assert {each["_id"] for each in raw.notices.find()} == {"letters:1", "calls:1"}
    row = await node.store.apart.find(f"effects:{NAME}")
    assert row
    assert (row.state, row.fault) == ("trying", "NotAuthentic")
    assert await node.store.counters.due_for_relay(later(days=9), limit=9) == []


async def test_a_counter_that_is_not_where_the_chain_says_is_named(node: Any, raw: Any):
    await begun(node, "visitors", "letters")
    await COUNTING.perform(node, "visitors", count("one"))
    before = raw.counters.find_one({"_id": "letters"})
    await COUNTING.perform(node, "letters", count("two"))
    await relay.sweep(node)
    await chained(node)
    assert await troubles(node) == {}
    raw.counters.delete_one({"_id": "visitors"})
    raw.counters.replace_one({"_id": "letters"}, before)
    found = {NAME: "removed", "counters/letters": "rolled_back"}
    assert await troubles(node) == found
    await CaseWatch(node).look()
    for name in found:
        assert await node.store.apart.find(f"stored:{name}")


async def test_a_counter_that_the_chain_does_not_know_is_named(node: Any):
    await begun(node, "visitors")
    assert await troubles(node) == {NAME: "unlogged"}
    known = await node.store.counters.one("visitors")
    assert replace(known.head, version=2).id == f"{NAME}|2"
