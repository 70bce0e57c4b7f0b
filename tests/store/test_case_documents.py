"""The case that is kept in its document: the one that its events make, under the rules and in the shape of today."""

from dataclasses import replace
from datetime import timedelta

import pytest

from server.crypto.fields import DataKey, FieldRing, SealBroken
from server.crypto.keyring import make_keys
from server.desk.acting import commit_of
from server.domain.case import acts
from server.domain.effects.records import Record
from server.domain.rules.decide import decide
from server.domain.rules.lifecycle import replay
from server.store.cases import case_documents
from server.store.cases.case_documents import CaseDocuments
from tests.world import JIANGSU, facts, officer, opening, person, worked

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


RING = TellingRing({"k1": bytes(32)}, "k1")
KEYS = replace(make_keys(JIANGSU), fields=RING)
DOCUMENTS = CaseDocuments(KEYS, here=JIANGSU, relay_due=timedelta(seconds=5))


WAY = (opening(), *worked("first", officer(), result={"birth_number": "A1"}))


def committed(before: Record | None, act: acts.Act) -> Record:
    """The record right after an act, as the store answers it."""
    decision = decide(before.case if before else None, act, facts())
    commit = commit_of(before, decision, facts())
    document = DOCUMENTS.continued(before, commit) if before else DOCUMENTS.new(commit)
    return DOCUMENTS.after(document, commit, before=before)


def told() -> list[Record]:
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


def test_the_shape_follows_the_rules(monkeypatch: pytest.MonkeyPatch):
    before = case_documents.shape()
    case_documents.shape.cache_clear()
    monkeypatch.setattr(case_documents, "REVISION", case_documents.REVISION + 1)
    changed = case_documents.shape()
    case_documents.shape.cache_clear()
    assert changed != before


def test_the_case_of_another_version_is_not_taken_for_this_one():
    *_, before, last = told()
    with pytest.raises(SealBroken):
        DOCUMENTS.read({**last.document, "state": before.document["state"]})


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
    assert {place.split("/")[2] for place in opens} == {"1"}, "of the events before, the opening alone has seals"
    assert record.events == DOCUMENTS.read(record.document).events


def test_what_stood_before_a_commit_is_not_read_for_it():
    before = told()[2]
    opens.clear()
    record = committed(before, acts.Refuse(id="refuse", by=officer(), step="first", grounds="材料不实"))
    assert record.case.steps["first"].state == "refused"
    assert opens == [record.document["case"]], "the key, to seal what is new"


def test_a_document_tells_nobody_what_the_case_says():
    for record in told():
        assert person().id_number not in str(record.document)
