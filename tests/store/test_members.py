"""A stored value is read with members that nobody here knows, at every depth; a door refuses each of them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args

import orjson
import pytest
from pydantic import ValidationError

from server.crypto.fields import FieldRing
from server.domain.case.events import EVENT, KINDS, Event
from server.domain.catalogue.plan import PlannedStep
from server.domain.errors import NotAuthentic
from server.domain.exchange.letters import Letter
from server.domain.exchange.reconciliation import Heads
from server.domain.values import Value
from server.store.members import read, read_one_of, read_text
from server.store.sealing import opened_letter
from server.store.unproven import UnprovenDocument
from tests.store import side_by_side, tomorrow
from tests.store.examples import annotations, example, is_kind, kinds_in, values_in
from tests.store.side_by_side import MEMBER, RED
from tests.test_docs import ROOT

EVENTS: tuple[type[Value], ...] = get_args(get_args(Event)[0])
STORED = [*EVENTS, PlannedStep, *(kind for kind in side_by_side.KINDS.values() if issubclass(kind, Value))]


def grown(value: Any, told: Any, *, only: int | None = None) -> Any:
    """What a value says in JSON, with a member more in each value inside, or only in the one of this place."""
    places = iter(range(1_000_000))

    def grow(inner: Any, said: Any) -> Any:
        if is_kind(type(inner)):
            is_wanted = only in (None, next(places))
            members = {name: grow(getattr(inner, name), said[name]) for name in annotations(type(inner))}
            return members | ({MEMBER: RED} if is_wanted else {})
        if isinstance(inner, Mapping):
            return {name: grow(each, said[name]) for name, each in inner.items()}
        if isinstance(inner, tuple):
            return [grow(each, one) for each, one in zip(inner, said, strict=True)]
        return said

    return grow(value, told)


def said_by(value: Value) -> Any:
    return orjson.loads(value.model_dump_json())


@pytest.mark.parametrize("kind", STORED)
def test_a_member_that_nobody_knows_is_passed_over_at_every_depth(kind: type[Value]):
    value = example(kind)
    told = grown(value, said_by(value))
    assert str(told).count(MEMBER) == len(list(values_in(value)))
    found = [read(kind, told), read_text(kind, orjson.dumps(told))]
    found += [read_one_of(EVENT, told)] if kind in EVENTS else []
    for each in found:
        assert each == value
        assert [type(inner) for inner in values_in(each)] == [type(inner) for inner in values_in(value)]


@pytest.mark.parametrize("kind", STORED)
def test_what_comes_in_by_a_door_is_refused_for_any_of_them(kind: type[Value]):
    value = example(kind)
    for place in range(len(list(values_in(value)))):
        with pytest.raises(ValidationError):
            kind.model_validate_json(orjson.dumps(grown(value, said_by(value), only=place)))


def test_no_kind_but_the_answer_about_heads_passes_over_by_itself():
    lenient = {each for each in _all_kinds(Value) if each.model_config.get("extra") != "forbid"}
    assert lenient == {Heads}


def _all_kinds(kind: type[Value]) -> Iterator[type[Value]]:
    for each in kind.__subclasses__():
        yield each
        yield from _all_kinds(each)


def test_the_values_made_up_have_a_value_of_each_kind_inside():
    found = {type(inner) for kind in STORED for inner in values_in(example(kind))}
    assert found == kinds_in(*STORED)
    assert {kind for kind in tomorrow.GROWING if issubclass(kind, Value)} <= found
    assert {kind.model_fields["kind"].default for kind in EVENTS} == KINDS


def test_a_letter_is_read_strictly_wherever_it_stands():
    one = side_by_side.letter("320000", "330000")
    ring = FieldRing({"k": bytes(32)}, "k")
    key = ring.new_key(one.id)
    for member in ({}, {MEMBER: RED}):
        text = orjson.dumps(orjson.loads(one.text()) | member).decode()
        document = {"_id": one.id, "text": key.seal(text, one.id), "data_key": key.wrapped, "context": one.id}
        if not member:
            assert opened_letter(document, ring) == one
            continue
        with pytest.raises(ValidationError):
            opened_letter(document, ring)


def test_nothing_is_read_of_a_document_without_its_proof():
    told = said_by(example(side_by_side.KINDS["apart"]))
    with pytest.raises(NotAuthentic):
        read(side_by_side.KINDS["apart"], UnprovenDocument("apart", told | {"_id": "x"}, ()))


def test_rooms_read_values_in_one_way_and_letters_in_theirs():
    calls = re.compile(r"(\S+)\.(?:model_validate|model_validate_json|validate_python|validate_json)\(")
    found = {
        (file.name, kind)
        for file in (ROOT / "server/store").rglob("*.py")
        for kind in calls.findall(file.read_text(encoding="utf-8"))
        if file.name != "members.py"
    }
    assert found == {("sealing.py", Letter.__name__), ("exchange.py", "batch=Batch")}
