"""The case that is kept in its document: the one that its events make, under the rules and in the shape of today."""

from datetime import timedelta

import pytest

from server.crypto.fields import FieldRing, SealBroken
from server.desk.acting import commit_of
from server.domain.deciding import decide
from server.domain.lifecycle import replay
from server.domain.records import Record
from server.store import case_documents
from server.store.case_documents import CaseDocuments
from tests.world import JIANGSU, facts, officer, opening, person, worked

RING = FieldRing({"k1": bytes(32)}, "k1")
DOCUMENTS = CaseDocuments(RING, here=JIANGSU, relay_due=timedelta(seconds=5))


def told() -> list[Record]:
    """A case as its document has it after each commit of its first step."""
    record, records = None, []
    for act in (opening(), *worked("first", officer(), result={"birth_number": "A1"})):
        events = decide(record.case if record else None, act, facts())
        commit = commit_of(record, events, facts())
        document = DOCUMENTS.continued(record, commit) if record else DOCUMENTS.new(commit)
        record = DOCUMENTS.read(document)
        assert DOCUMENTS.after(document, commit).case == record.case
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


def test_a_document_tells_nobody_what_the_case_says():
    for record in told():
        assert person().id_number not in str(record.document)
