"""The document of a case: its chain of events, and beside it the case that they make, in the shape of today."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from server.crypto.fields import DataKey, FieldRing, SealBroken
from server.crypto.keyring import make_keys
from server.desk.acting import commit_of
from server.domain.aggregate.acts import Act
from server.domain.case import acts
from server.domain.case.lines import line_of
from server.domain.effects.records import CaseRecord
from server.domain.errors import NotAuthentic, WrittenByNewer
from server.domain.rules.decide import decide
from server.domain.rules.lifecycle import replay
from server.domain.values import moment_key
from server.store.aggregates.links import link_after
from server.store.cases.case_documents import LINE_FIELDS, CaseDocuments, cases_at
from server.store.cases.plans import Plans
from server.store.database import Database, Document
from tests.world import JIANGSU, ZHEJIANG, facts, officer, opening, person, worked

opens: list[str] = []


class TellingKey(DataKey):
    """A data key that tells what it opens."""

    def open(self, sealed: str, place: str) -> str:
        opens.append(place)
        return super().open(sealed, place)


class TellingRing(FieldRing):
    """A ring that tells which data keys it unwraps, and what these open."""

    def new_key(self, context: str) -> DataKey:
        return TellingKey(**vars(super().new_key(context)))

    def key(self, wrapped: str, context: str) -> DataKey:
        opens.append(context)
        return TellingKey(**vars(super().key(wrapped, context)))


NOWHERE: Any = None  # what these documents refer to is known: it was made here
RING = TellingRing({"k1": bytes(32)}, "k1")
KEYS = replace(make_keys(JIANGSU), fields=RING)
PLANS = Plans(NOWHERE)
DOCUMENTS = CaseDocuments(KEYS, PLANS, here=JIANGSU, relay_due=timedelta(seconds=5))


WAY = (opening(), *worked("first", officer(), result={"birth_number": "A1"}))


def committed(before: CaseRecord | None, act: Act) -> CaseRecord:
    """The record right after an act, as the store answers it."""
    decision = decide(before.case if before else None, act, facts())
    commit = commit_of(before, decision, facts())
    document = DOCUMENTS.continued(before, commit) if before else DOCUMENTS.new(commit)
    return DOCUMENTS.after(document, commit, before=before)


def told() -> list[CaseRecord]:
    """A case as its document has it after each commit of its first step."""
    record, records = None, []
    for act in WAY:
        after = committed(record, act)
        record = DOCUMENTS.read(after.document)
        assert after.case == record.case
        records.append(record)
    return records


def test_the_kept_case_is_the_one_that_its_events_make():
    records = told()
    assert len(records) == 4
    for record in records:
        assert record.case == replay(record.events)
        assert record.case.version == len(record.events) == record.document["version"]


def test_a_case_kept_in_another_shape_is_made_of_its_events():
    for record in told():
        old = {**record.document, "shape": "of another program", "state": "what nobody reads"}
        assert DOCUMENTS.read(old).case == record.case
        assert DOCUMENTS.read(old).events == record.events


def test_the_shape_follows_the_rules():
    kind = cases_at(JIANGSU)
    assert replace(kind, revision=kind.revision + 1).shape != kind.shape == cases_at(ZHEJIANG).shape


def test_a_document_says_when_its_last_event_was_stored_by_our_clock():
    for record in told():
        assert record.document["event_key"] == moment_key(record.events[-1].at)


def test_the_case_of_another_version_is_not_taken_for_this_one():
    *_, before, last = told()
    with pytest.raises(SealBroken):
        DOCUMENTS.read({**last.document, "state": before.document["state"]})


def test_after_the_first_commit_no_case_is_kept_beside_the_events():
    assert ["state" in record.document for record in told()] == [False, True, True, True]


def changed(document: Document, number: int, **change: str) -> Document:
    """The document with another event of this number."""
    events = [dict(event) for event in document["events"]]
    events[number - 1] |= change
    return {**document, "events": events}


def linked(document: Document) -> Document:
    """The document with the link that its events have, as somebody would write it who has no key."""
    link = ""
    for event in document["events"]:
        link = link_after(link, event)
    return {**document, "link": link, "version": len(document["events"])}


@pytest.mark.parametrize(
    "alter",
    [
        lambda last: changed(last, 1, act_id="another"),
        lambda last: changed(last, 1, act_digest="another"),
        lambda last: changed(last, 3, seal="A" * 80),
        lambda last: {**last, "events": last["events"][:-1]},
        lambda last: {**last, "events": last["events"][1:]},
        lambda last: {**last, "events": [*last["events"], last["events"][-1]]},
        lambda last: {**last, "events": last["events"][::-1]},
        lambda last: {**last, "link": ""},
        lambda last: {**last, "version": last["version"] - 1},
    ],
)
def test_events_that_are_not_those_of_the_chain_are_no_case(alter: Callable[[Document], Document]):
    with pytest.raises(NotAuthentic):
        DOCUMENTS.read(alter(dict(told()[-1].document)))


@pytest.mark.parametrize(
    "alter",
    [
        lambda last: changed(last, 1, act_id="another"),
        lambda last: {**last, "events": last["events"][1:]},
        lambda last: {**last, "events": [*last["events"], last["events"][-1]]},
        lambda last: {**last, "events": last["events"][::-1]},
    ],
)
def test_a_chain_that_was_made_anew_without_the_keys_opens_nowhere(alter: Callable[[Document], Document]):
    document = linked(alter(dict(told()[-1].document)))
    with pytest.raises(SealBroken):
        DOCUMENTS.read({**document, "shape": "so that the events are read"})


def test_an_event_of_a_kind_that_nobody_knows_here_is_told_by_name():
    last = told()[-1].document
    document = linked({**changed(last, 1, kind="tomorrowed"), "shape": "so that the events are read"})
    with pytest.raises(WrittenByNewer, match=r"cases/case1/1 is of a kind .+: tomorrowed"):
        DOCUMENTS.read(document)


def test_events_of_another_case_are_none_of_this_one():
    here, there = told()[-1].document, {**told()[-1].document, "_id": "case2"}
    with pytest.raises(SealBroken):
        DOCUMENTS.read(there)
    assert DOCUMENTS.read({**here, "key": RING.key(here["key"], "cases/case1").wrapped}).case.name == here["case"]


def test_what_the_document_refers_to_must_be_what_was_written():
    record = told()[-1]
    for plans in ([], ["pAAAAAAAAAAAAAAAAAAAAAA"] * 9):
        document = {**record.document, "plans": plans, "shape": "so that the events are read"}
        with pytest.raises(NotAuthentic, match="plans/"):
            DOCUMENTS.read(document)


async def test_what_is_still_to_be_written_is_not_forgotten(monkeypatch: pytest.MonkeyPatch):
    class Writes:
        async def insert_many(self, _collection: str, documents: Sequence[Document]) -> None:
            written.extend(each["_id"] for each in documents)

    written: list[str] = []
    plans = Plans(cast(Database, Writes()))
    step_plans = [step.plan for step in told()[-1].case.steps.values()]
    monkeypatch.setattr("server.store.cases.plans.MOST_KNOWN", 1)
    digests = {plans.of(plan).digest for plan in step_plans}
    assert len(digests) > 1
    await plans.store(digests)
    assert set(written) == digests


def test_the_line_tells_how_the_case_stands_and_is_bound_to_who_may_find_it():
    record = told()[-1]
    line = DOCUMENTS.line({name: record.document[name] for name in ("_id", *LINE_FIELDS)})
    assert line == line_of(record.case)
    for change in ({"owner_key": "another"}, {"agent_key": "another"}, {"link": ""}, {"_id": "case2"}):
        with pytest.raises(SealBroken):
            DOCUMENTS.line({**record.document, **change})


def test_what_the_catalogue_says_of_the_steps_does_not_stand_in_the_document():
    record = told()[-1]
    plans = sum(len(step.plan.model_dump_json()) for step in record.case.steps.values())
    opening = RING.key(record.document["key"], "cases/case1").open(
        record.document["events"][0]["seal"], "cases/case1/1/"
    )
    assert len(opening) + plans - len(record.events[0].model_dump_json(exclude_none=True)) in range(-300, 0)


def test_right_after_a_commit_the_events_are_those_that_would_be_read():
    record = None
    for act in WAY:
        record = committed(record, act)
        assert record.events == DOCUMENTS.read(record.document).events


def test_the_events_of_a_commit_that_begins_a_case_are_told_without_opening_anything():
    opens.clear()
    assert [event.act for event in committed(None, WAY[0]).events] == ["open", "send"]
    assert opens == []


def test_the_events_of_a_later_commit_are_told_without_opening_them_and_those_before_when_asked_for():
    before = told()[2]
    record = committed(before, acts.Refuse(id="refuse", by=officer(), step="first", grounds="材料不实"))
    opens.clear()
    assert [event.grounds for event in record.events if event.act == "refuse"] == ["材料不实"]
    assert sorted(int(place.split("/")[2]) for place in opens) == [1, 2, 3, 4], "each event is one seal"
    assert record.events == DOCUMENTS.read(record.document).events


def test_what_stood_before_a_commit_is_not_read_for_it():
    before = told()[2]
    opens.clear()
    record = committed(before, acts.Refuse(id="refuse", by=officer(), step="first", grounds="材料不实"))
    assert record.case.steps["first"].state == "refused"
    assert opens == ["cases/case1"], "the key, to seal what is new"


def test_a_document_tells_nobody_what_the_case_says():
    for record in told():
        assert person().id_number not in str(record.document)
