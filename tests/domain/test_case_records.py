"""A case as it is kept: its names, its events written down, and what an act has done to it."""

import pytest

from server.domain.case.case import NoSuchStep, local_id
from server.domain.case.events import EVENT
from server.domain.effects.records import CaseRecord
from server.domain.rules.lifecycle import replay
from tests.domain.carrying import Place
from tests.world import CASE, JIANGSU, ZHEJIANG, officer, opened, opening, worked


def record() -> CaseRecord:
    """The case after its first step was approved."""
    home = Place(JIANGSU)
    for act in (opening(), *worked("first", officer(), result={"birth_number": "A1"})):
        home.do(act)
    assert home.case
    written = [event.model_dump(mode="json") for event in home.events]
    document = {"threads": home.threads, "events": written}
    return CaseRecord(kind="cases", id="case1", value=home.case, document=document, read=lambda: tuple(home.events))


def test_a_case_is_kept_under_its_bare_number_at_home_only():
    assert opened().name == CASE
    assert local_id(CASE, JIANGSU) == "case1"
    assert local_id(CASE, ZHEJIANG) == "320000:case1"
    assert local_id(f"{ZHEJIANG}/case1", JIANGSU) == "330000:case1"


def test_a_step_is_found_by_its_code():
    assert opened().step("second").plan.code == "second"
    with pytest.raises(NoSuchStep):
        opened().step("fifth")


def test_whether_an_act_was_done_is_known_by_its_id():
    assert record().done_by("open") == record().events[0].act_digest
    assert record().done_by("first-approve") is not None
    assert record().done_by("never") is None


def test_a_record_knows_the_last_letter_to_each_node():
    assert list(record().threads) == [ZHEJIANG]
    assert record().threads[ZHEJIANG] == record().document["threads"][ZHEJIANG]


def test_events_survive_being_written_down_and_make_the_same_case():
    kept = record()
    read = tuple(EVENT.validate_json(event.model_dump_json()) for event in kept.events)
    assert read == kept.events
    assert replay(read) == kept.case
