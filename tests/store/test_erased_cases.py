"""Erased cases in the store: a tombstone tells that a case was there, and nothing of what it said."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pymongo
import pytest

from server.crypto.keyring import make_keys
from server.desk.acting import commit_of
from server.domain.aggregate.acts import Act
from server.domain.case.erasure import CaseErased, CaseNotErasable
from server.domain.effects.records import CaseRecord
from server.domain.errors import NotAuthentic, StaleVersion
from server.domain.exchange.letters import LetterErased
from server.domain.rules.decide import decide
from server.domain.spoken_numbers import spoken_number
from server.domain.values import moment_text
from server.store.aggregates.heads import HistoryHeads
from server.store.aggregates.intake import Intake
from server.store.cases.case_documents import CASES, CaseDocuments
from server.store.cases.cases import Cases
from server.store.cases.plans import Plans
from server.store.database import Document
from server.store.mongo import MongoDatabase
from server.store.proven import ProvenDatabase
from server.store.sealing import erased_letter, letter_text, sealed_letter
from tests.store.test_kept_letters import letter
from tests.world import JIANGSU, MONDAY, facts, officer, opening, worked

OWNER = "owner"
ERASED_AT = MONDAY + timedelta(days=400)
KEYS = make_keys(JIANGSU)
SPOKEN = spoken_number(JIANGSU, 1)
WAY = worked("first", officer(), result={"birth_number": "A1"})


@pytest.fixture
def proven(database: MongoDatabase) -> ProvenDatabase:
    return ProvenDatabase(database, KEYS.integrity)


@pytest.fixture
def cases(proven: ProvenDatabase) -> Cases:
    documents = CaseDocuments(KEYS, Plans(proven), here=JIANGSU, relay_due=timedelta(seconds=5))
    heads = HistoryHeads(proven, [documents], Path("nowhere"))
    return Cases(proven, documents, Intake(proven, CASES), heads=heads)


async def added(cases: Cases, number: str = "case1") -> CaseRecord:
    said = {"number": number, "spoken_number": SPOKEN if number == "case1" else ""}
    commit = commit_of(None, decide(None, opening().model_copy(update=said), facts()), facts())
    return await cases.add(commit, owner=OWNER, request="request")


async def moved(cases: Cases, record: CaseRecord, act: Act) -> CaseRecord:
    return await cases.commit(record, commit_of(record, decide(record.case, act, facts()), facts()))


async def told(cases: Cases) -> list[CaseRecord]:
    """A case after each commit of its first step; all that followed is carried."""
    records = [await added(cases)]
    for act in WAY:
        records.append(await moved(cases, records[-1], act))
    await cases.mark_relayed(records[-1:])
    return [*records[:-1], await cases.case(records[-1].id)]


async def kept(proven: ProvenDatabase, id: str = "case1") -> Document:
    found = await proven.bare.get(CASES, id)
    assert found is not None
    return found


# Erasing.


async def test_an_erased_case_is_refused_by_name_and_is_no_broken_one(cases: Cases, proven: ProvenDatabase):
    broken: list[tuple[str, str]] = []
    proven.tell_broken = lambda *place: broken.append(place)
    record = (await told(cases))[-1]
    await cases.erase(record, at=ERASED_AT)
    with pytest.raises(CaseErased) as refusal:
        await cases.case("case1")
    assert refusal.value.more == {"erased_at": moment_text(ERASED_AT)}
    with pytest.raises(CaseErased):
        await added(cases)
    assert await cases.find("case1") is None
    assert broken == []


async def test_a_list_and_a_sweep_pass_it_over(cases: Cases):
    other = await added(cases, "case2")
    assert len(await cases.lines_of(OWNER, limit=9)) == 1
    await cases.erase((await told(cases))[-1], at=ERASED_AT)
    assert [id for id, _ in await cases.lines_of(OWNER, limit=9)] == [other.id]
    found = await cases.find_many(["case1", "case2", "case3"])
    assert (list(found), found.erased) == (["case2"], {"case1"})
    assert [each.id for each in await cases.due_for_relay(ERASED_AT, limit=9)] == ["case2"]


async def test_its_number_finds_it_as_long_as_it_is_there_and_leads_nowhere_after(cases: Cases, proven: ProvenDatabase):
    said = KEYS.clue("number", SPOKEN)
    await added(cases, "case2")
    assert await cases.of_number(said) == []
    records = await told(cases)
    assert [(each.id, each.case.spoken_number) for each in await cases.of_number(said)] == [("case1", SPOKEN)]
    assert {each.case.spoken_number for each in records} == {SPOKEN}
    assert SPOKEN not in str(await kept(proven))
    await cases.erase(records[-1], at=ERASED_AT)
    assert await cases.of_number(said) == []


async def test_what_is_left_can_open_nothing_and_names_nobody(cases: Cases, proven: ProvenDatabase):
    record = (await told(cases))[-1]
    await cases.erase(record, at=ERASED_AT)
    left = await kept(proven)
    names = {
        "_id",
        "format",
        "case",
        "event_key",
        "version",
        "link",
        "links",
        "relayed",
        "relay",
        "alarm",
        "erased_at",
        "proof",
    }
    assert left.keys() == names
    assert OWNER not in str(left)


async def test_each_head_that_the_case_ever_had_is_found_in_its_chain(cases: Cases, proven: ProvenDatabase):
    records = await told(cases)
    await cases.erase(records[-1], at=ERASED_AT)
    left = await kept(proven)
    heads = [(each.document["version"], each.document["link"]) for each in records]
    assert heads == [(version, left["links"][version - 1]) for version, _ in heads]
    assert (left["version"], left["link"]) == (len(left["links"]), left["links"][-1])
    assert left["version"] == heads[-1][0] + 1


@pytest.mark.parametrize(
    "change",
    [{"erased_at": "2026-11-23T00:00:00.000Z"}, {"links": []}, {"link": "A"}, {"version": 3}, {"case": "320000/other"}],
)
async def test_an_altered_tombstone_is_broken(
    cases: Cases,
    database_sweeper: pymongo.MongoClient[dict[str, Any]],
    database_name: str,
    change: dict[str, Any],
):
    await cases.erase((await told(cases))[-1], at=ERASED_AT)
    database_sweeper[database_name][CASES].update_one({"_id": "case1"}, {"$set": change})
    with pytest.raises(NotAuthentic):
        await cases.case("case1")


async def test_a_case_cannot_be_made_to_look_erased(
    cases: Cases, database_sweeper: pymongo.MongoClient[dict[str, Any]], database_name: str
):
    await told(cases)
    database_sweeper[database_name][CASES].update_one({"_id": "case1"}, {"$set": {"erased_at": "2026-11-23T00:00:00Z"}})
    with pytest.raises(NotAuthentic):
        await cases.case("case1")


async def test_who_read_the_case_before_cannot_write_it_back(cases: Cases):
    records = await told(cases)
    await cases.erase(records[-1], at=ERASED_AT)
    with pytest.raises(StaleVersion):
        await moved(cases, records[1], WAY[1])
    await cases.mark_relayed(records)
    with pytest.raises(CaseErased):
        await cases.case("case1")


async def test_a_case_that_has_moved_meanwhile_is_not_erased(cases: Cases):
    records = await told(cases)
    before = replace(records[-2], document={**records[-2].document, "effects": [], "relay": "done"})
    with pytest.raises(StaleVersion):
        await cases.erase(before, at=ERASED_AT)
    assert (await cases.case("case1")).case == records[-1].case


async def test_a_case_with_effects_that_wait_is_not_erased(cases: Cases):
    with pytest.raises(CaseNotErasable):
        await cases.erase(await added(cases), at=ERASED_AT)
    assert await cases.find("case1")


def test_an_erased_letter_says_by_name_that_it_is_one():
    one = letter("a")
    ring = KEYS.fields
    erased = erased_letter(sealed_letter(one, ring.new_key(one.id), context=one.id), at=ERASED_AT)
    with pytest.raises(LetterErased):
        letter_text(erased, ring)
    assert erased.keys() >= {"_id", "to", "kind", "about", "at"}
    assert not erased.keys() & {"text", "data_key"}
