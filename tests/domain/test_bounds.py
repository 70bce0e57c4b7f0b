"""No moment, day or span that comes by form or by letter is beyond what the calendar can reckon with."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from server.domain.aggregate.actors import Actor
from server.domain.case.acts import Accept, Deem, Extend, Suspend, Tell
from server.domain.catalogue.terms import Deferral
from server.domain.values import MOST_DAYS, Day, Days, Moment

BY = Actor(node="330000", part="node")
WHO = {"id": "a", "by": BY, "step": "one"}


@pytest.mark.parametrize("text", ["2000-01-01T00:00:00Z", "2100-12-31T23:59:59.999Z", "2026-11-23T12:00:00+08:00"])
def test_a_moment_of_2000_to_2100_is_one(text: str):
    assert TypeAdapter(Moment).validate_python(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text", ["1999-12-31T23:59:59.999Z", "2101-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2000-01-01T00:00:00+08:00"]
)
def test_a_moment_before_2000_or_after_2100_is_none(text: str):
    with pytest.raises(ValidationError):
        TypeAdapter(Moment).validate_python(text)


@pytest.mark.parametrize(("on", "is_one"), [("2000-01-01", True), ("2100-12-31", True), ("9999-12-31", False)])
def test_a_day_of_a_procedure_is_one_of_2000_to_2100(on: str, is_one: bool):
    if is_one:
        assert TypeAdapter(Day).validate_python(on) == date.fromisoformat(on)
    else:
        with pytest.raises(ValidationError):
            TypeAdapter(Day).validate_python(on)


@pytest.mark.parametrize(
    ("days", "are"),
    [(1, True), (MOST_DAYS, True), (0, False), (MOST_DAYS + 1, False), (2**53 - 1, False), (True, False)],
)
def test_a_span_has_one_to_3650_days(days: int, are: bool):
    assert MOST_DAYS == 3650
    if are:
        assert TypeAdapter(Days).validate_python(days) == days
    else:
        with pytest.raises(ValidationError):
            TypeAdapter(Days).validate_python(days)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Accept, {"since": datetime(9999, 12, 31, tzinfo=UTC)}),
        (Accept, {"legal_days": 2**53 - 1}),
        (Accept, {"promised_days": 2**53 - 1}),
        (Deem, {"since": datetime(9999, 12, 31, tzinfo=UTC)}),
        (Deem, {"promised_days": 2**53 - 1}),
        (Tell, {"due_on": date(9999, 12, 31)}),
        (Suspend, {"procedure": "听证", "notice": "通知", "days": 2**53 - 1}),
        (Extend, {"reason": "案情复杂", "days": 2**53 - 1}),
        (Deferral, {"material": "photo", "due_on": date(9999, 12, 31)}),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else next(iter(value)),
)
def test_an_act_beyond_the_bounds_is_none(kind: Any, said: dict[str, Any]):
    with pytest.raises(ValidationError):
        kind.model_validate((WHO if kind is not Deferral else {}) | said)
