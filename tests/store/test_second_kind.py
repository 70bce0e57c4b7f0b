"""A second kind of aggregate: what keeps cases keeps it as well, and neither is ever taken for the other."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pymongo
import pytest

from server.crypto.fields import SealBroken
from server.crypto.keyring import make_keys
from server.domain.aggregate.acts import Act
from server.domain.aggregate.alarms import DueAlarm
from server.domain.aggregate.heads import HistoryHead, finding_of
from server.domain.aggregate.names import kind_and_id, name_of
from server.domain.chains import Chained
from server.domain.errors import NotAuthentic, StaleVersion, WrittenByNewer
from server.domain.values import moment_key
from server.store.aggregates.aggregates import Aggregates
from server.store.aggregates.alarms import Alarms
from server.store.aggregates.heads import HistoryHeads
from server.store.aggregates.histories import Histories
from server.store.apart import Apart
from server.store.cases.case_documents import CaseDocuments
from server.store.cases.plans import Plans
from server.store.database import Document
from server.store.mongo import MongoDatabase
from server.store.proven import ProvenDatabase
from tests import counting
from tests.counting import (
    COUNTERS,
    KIND,
    QUERIES_OF_COUNTERS,
    Clear,
    Counter,
    CounterErased,
    CounterNotErasable,
    CounterRecord,
    CountingFacts,
    NoSuchCounter,
    begin,
    commit_of,
    count,
    database_that_counts,
    decide,
)
from tests.world import JIANGSU, MONDAY

KEYS = make_keys(JIANGSU)
DUE = timedelta(seconds=5)
LATER = MONDAY + timedelta(days=1)
HISTORIES = Histories(KIND, KEYS, relay_due=DUE)
NAME = "counters/visitors"
WAY = (begin(), count("one"), count("two", 2), Clear(id="anew", by=counting.BY_RULE), count("three", 3))
Counters = Aggregates[Counter, Any, CounterRecord]
Client = pymongo.MongoClient[dict[str, Any]]


@pytest.fixture
async def database(
    database_uri: str, database_name: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[MongoDatabase]:
    async with database_that_counts(database_uri, database_name, monkeypatch) as (found, _):
        yield found


@pytest.fixture
def proven(database: MongoDatabase) -> ProvenDatabase:
    return ProvenDatabase(database, KEYS.integrity)


@pytest.fixture
def counters(proven: ProvenDatabase) -> Counters:
    cases = CaseDocuments(KEYS, Plans(proven), here=JIANGSU, relay_due=DUE)
    return Aggregates(proven, HISTORIES, heads=HistoryHeads(proven, [cases, HISTORIES], Path("nowhere")))


@pytest.fixture
def raw(database_sweeper: Client, database_name: str) -> Any:
    """The collection as somebody without keys writes to it."""
    return database_sweeper[database_name][COUNTERS]


def done(record: CounterRecord | None, act: Act) -> Any:
    """What an act on this record writes."""
    decision = decide(record.value if record else None, act, CountingFacts())
    return commit_of(record, decision, CountingFacts())


async def told(counters: Counters, *acts: Act) -> list[CounterRecord]:
    """A counter after each of these acts, each record as it was answered."""
    records: list[CounterRecord] = []
    for act in acts:
        last = records[-1] if records else None
        records.append(await counters.commit(last, done(last, act)))
    return records


# What is written is read.


async def test_what_was_committed_is_read_as_its_events_made_it(counters: Counters):
    for record in await told(counters, *WAY):
        assert record.value == counting.replay(record.events)
    found = await counters.one("visitors")
    assert (found.value, found.events, found.document["link"]) == (record.value, record.events, record.head.link)
    assert (found.value.total, found.value.version, found.name) == (3, 5, NAME)


async def test_its_document_holds_what_all_kinds_have_and_nothing_of_a_case(counters: Counters, raw: Any):
    await told(counters, *WAY)
    common = {"_id", "format", "key", "version", "relayed", "events", "link", "effects", "shape", "state", "threads"}
    assert raw.find_one().keys() == common | {"relay", "alarm", "event_key", "proof"}
    assert "访客" not in str(raw.find_one())


async def test_what_was_kept_in_another_shape_is_made_of_its_events():
    record = None
    for act in WAY:
        commit = done(record, act)
        document = HISTORIES.continued(record, commit) if record else HISTORIES.new(commit)
        record = HISTORIES.after(document, commit, before=record)
        old = {**document, "shape": "of another program", "state": "what nobody reads"}
        assert HISTORIES.read(old).value == HISTORIES.read(document).value == record.value
    assert replace(KIND, revision=2).shape != KIND.shape


async def test_one_that_is_not_there_is_refused_by_its_own_words(counters: Counters):
    with pytest.raises(NoSuchCounter):
        await counters.one("visitors")
    for id in ("visitors", "2026-11-23"):
        assert await counters.find(id) is None
    assert await counters.find_many(["visitors"]) == {}


# Once, whoever was first.


async def test_of_two_that_move_it_at_once_one_is_stale(counters: Counters):
    begun = (await told(counters, begin()))[-1]
    await counters.commit(begun, done(begun, count("one")))
    with pytest.raises(StaleVersion, match="计数"):
        await counters.commit(begun, done(begun, count("other")))
    assert (await counters.one("visitors")).value.total == 1


async def test_of_two_that_begin_it_one_is_stale(counters: Counters):
    await told(counters, begin())
    with pytest.raises(StaleVersion):
        await counters.commit(None, done(None, begin(id="again")))
    assert (await counters.one("visitors")).done_by("begin:visitors") == ""


async def test_many_are_begun_and_moved_at_once_or_nobody_knows_which(counters: Counters):
    begun = (await told(counters, begin()))[-1]
    moves = [(begun, done(begun, count("one"))), (None, done(None, begin("letters")))]
    after = await counters.commit_many(moves)
    assert after is not None
    assert [each.value.total for each in after] == [1, 0]
    assert await counters.commit_many(moves) is None
    found = await counters.find_many(["visitors", "letters", "nobody"])
    assert {id: each.value.total for id, each in found.items()} == {"visitors": 1, "letters": 0}


# Broken, and by whom.


def altered(document: Document, number: int, **change: str) -> Document:
    """What of the document says this event otherwise."""
    events = [dict(event) for event in document["events"]]
    events[number - 1] |= change
    return {"events": events}


@pytest.mark.parametrize(
    "change",
    [
        lambda last: altered(last, 1, act_id="another"),
        lambda last: altered(last, 2, seal="A" * 80),
        lambda last: {"events": last["events"][:-1]},
        lambda last: {"events": last["events"][::-1]},
        lambda _: {"link": "A"},
        lambda _: {"version": 4},
        lambda _: {"state": "A" * 80},
        lambda _: {"effects": []},
        lambda _: {"threads": {"330000": "a letter"}},
    ],
)
async def test_what_somebody_without_the_keys_has_altered_is_not_read(
    counters: Counters, raw: Any, change: Callable[[Document], Document]
):
    await told(counters, *WAY)
    raw.update_one({"_id": "visitors"}, {"$set": change(raw.find_one())})
    with pytest.raises(NotAuthentic):
        await counters.one("visitors")


async def test_nothing_of_one_opens_in_another(counters: Counters, raw: Any):
    await told(counters, *WAY)
    await told(counters, begin("letters"), count("one"))
    other = raw.find_one({"_id": "letters"})
    raw.update_one({"_id": "visitors"}, {"$set": {"key": other["key"]}})
    with pytest.raises(SealBroken):
        await counters.one("visitors")


def test_a_document_of_one_kind_opens_as_none_of_another():
    document = HISTORIES.new(done(None, begin()))
    elsewhere = Histories(replace(KIND, collection="cases"), KEYS, relay_due=DUE)
    with pytest.raises(SealBroken):
        elsewhere.read(document)


def test_an_event_of_a_kind_that_only_a_newer_program_knows_is_told_by_name():
    older = Histories(replace(KIND, kinds=frozenset({"counted"})), KEYS, relay_due=DUE)
    with pytest.raises(WrittenByNewer, match=f"{NAME}/1 is of a kind .+: begun"):
        older.read(HISTORIES.new(done(None, begin())))


# What follows.


async def test_what_waits_is_found_until_it_is_marked_and_a_later_commit_waits_on(counters: Counters):
    one, two = await told(counters, begin(), count("one"))
    assert await counters.due_for_relay(MONDAY, limit=9) == []
    [due] = await counters.due_for_relay(LATER, limit=9)
    assert [effect["notice"]["id"] for effect in due.pending] == ["visitors:1", "visitors:2"]
    assert await counters.oldest_relay() == MONDAY
    await counters.mark_relayed([one])  # it has moved since: the mark finds nothing
    assert len(await counters.due_for_relay(LATER, limit=9)) == 1
    await counters.mark_relayed([two])
    assert await counters.due_for_relay(LATER, limit=9) == []
    assert await counters.oldest_relay() is None
    assert (await counters.one("visitors")).pending == []


async def test_a_broken_one_that_waits_is_told_by_its_name_and_stops_no_other(counters: Counters, raw: Any):
    await told(counters, begin())
    await told(counters, begin("letters"))
    raw.update_one({"_id": "visitors"}, {"$set": {"link": "A"}})
    found = await counters.due_for_relay(LATER, limit=9)
    assert ([each.id for each in found], list(found.unreadable)) == (["letters"], [NAME])


async def test_what_is_set_apart_of_it_leaves_its_queue_and_comes_back(counters: Counters, proven: ProvenDatabase):
    await told(counters, begin())
    apart, alarms = Apart(proven), Alarms(proven, QUERIES_OF_COUNTERS.alarms_due)
    assert await alarms.due(LATER, limit=9) == [DueAlarm("visitors", 1)]
    await apart.hold("effects", NAME)
    await apart.hold("alarm", NAME)
    assert await counters.due_for_relay(LATER, limit=9) == []
    assert await alarms.due(LATER, limit=9) == []
    assert await counters.oldest_relay() == MONDAY, "it is not carried as long as it is held"
    await apart.release("effects", NAME, at=LATER)
    await apart.release("alarm", NAME, at=LATER)
    assert [each.id for each in await counters.due_for_relay(LATER, limit=9)] == ["visitors"]
    assert await alarms.due(LATER, limit=9) == [DueAlarm("visitors", 1)]
    await apart.hold("alarm", NAME)
    held = await apart.held("alarm", NAME)
    assert held
    assert await apart.drop("alarm", NAME, held)
    assert await alarms.due(LATER, limit=9) == []


# How far it has come.


def test_no_name_of_one_kind_is_one_of_another():
    names = {name_of("cases", "C1"): ("cases", "C1"), name_of("cases", "330000:C1"): ("cases", "330000:C1")}
    names[name_of(COUNTERS, "1.2.156/x")] = (COUNTERS, "1.2.156/x")
    assert {name: kind_and_id(name) for name in names} == names
    assert name_of("cases", "C1") == "C1", "as heads of cases were always named"


async def test_its_heads_stand_in_the_chain_of_all_kinds_and_it_stands_where_they_say(
    counters: Counters, proven: ProvenDatabase, raw: Any
):
    records = await told(counters, *WAY)
    heads = counters.heads
    await heads.put([each.head for each in records], at=MONDAY)
    waiting = await heads.chain.waiting(limit=9)
    assert sorted(each.id for each in waiting) == [f"{NAME}|{number}" for number in range(1, 6)]
    assert [HistoryHead.of(Chained(id=each.head.id, sha256=each.head.link)) for each in records] == [
        each.head for each in records
    ]
    standings = await heads.standings([NAME, "visitors", "strangers/visitors"])
    assert standings.keys() == {NAME}
    assert [finding_of(each.head, standings[NAME]) for each in records] == [None] * 5
    forked = finding_of(replace(records[0].head, link="A"), standings[NAME])
    assert forked
    assert forked.trouble == "forked"
    assert [page async for page in heads.versions(before=LATER, at_once=9)] == [{}, {NAME: 5}]
    raw.update_one({"_id": "visitors"}, {"$set": altered(raw.find_one(), 1, act_id="another")})
    assert (await heads.standings([NAME]))[NAME].links is None
    raw.delete_many({})
    assert await heads.standings([NAME]) == {}


def test_a_head_of_a_kind_that_only_a_newer_program_knows_is_known_as_such(counters: Counters):
    assert [counters.heads.is_known(name) for name in ("C1", "330000:C1", NAME, "strangers/C1")] == [
        *[True] * 3,
        False,
    ]


# Erased.


async def test_it_is_erased_once_all_that_follows_is_carried(counters: Counters):
    records = await told(counters, *WAY)
    with pytest.raises(CounterNotErasable):
        await counters.erase(records[-1], at=LATER)
    last = await carried_now(counters, records)
    before = replace(records[-2], document={**records[-2].document, "effects": [], "relay": "done"})
    with pytest.raises(StaleVersion):
        await counters.erase(before, at=LATER)
    await counters.erase(last, at=LATER)
    with pytest.raises(CounterErased) as refusal:
        await counters.one("visitors")
    assert refusal.value.more.keys() == {"erased_at"}
    assert await counters.find("visitors") is None
    assert (await counters.find_many(["visitors"])).erased == {"visitors"}
    with pytest.raises(StaleVersion):
        await counters.commit(None, done(None, begin(id="again")))


async def test_of_an_erased_one_its_links_are_left_and_every_head_is_found_in_them(counters: Counters, raw: Any):
    records = await told(counters, *WAY)
    await counters.erase(await carried_now(counters, records), at=LATER)
    left: Document = raw.find_one()
    common = {"_id", "format", "version", "relayed", "relay", "alarm", "links", "link", "erased_at", "event_key"}
    assert left.keys() == common | {"proof"}
    assert left["event_key"] == moment_key(LATER)
    standing = (await counters.heads.standings([NAME]))[NAME]
    assert [finding_of(each.head, standing) for each in records] == [None] * 5
    waiting = await counters.heads.chain.waiting(limit=9)
    assert [each.id for each in waiting] == [f"{NAME}|6"]
    await counters.heads.put_again(NAME, at=LATER)
    assert [each.id for each in await counters.heads.chain.waiting(limit=9)] == [f"{NAME}|6"]
    raw.update_one({"_id": "visitors"}, {"$set": {"erased_at": "2026-11-23T00:00:00.000Z"}})
    with pytest.raises(NotAuthentic):
        await counters.one("visitors")


async def carried_now(counters: Counters, records: Sequence[CounterRecord]) -> CounterRecord:
    """The last of these records, with all that followed carried."""
    await counters.mark_relayed(records[-1:])
    return await counters.one(records[-1].id)
