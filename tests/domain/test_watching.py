"""Watching: what a cursor means, and whom the moves of a case concern."""

from datetime import timedelta

import pytest
from pydantic import TypeAdapter, ValidationError

from server.domain.case.watching import LATE, Cursor, MovedCase, cursor_at, since_cursor
from server.domain.values import moment_of_key
from tests.world import MONDAY

CURSOR: TypeAdapter[str] = TypeAdapter(Cursor)


def test_a_cursor_goes_back_behind_what_may_have_been_seen_late():
    cursor = cursor_at(MONDAY)
    assert CURSOR.validate_python(cursor) == cursor
    assert MONDAY - moment_of_key(since_cursor(cursor)) == 2 * LATE >= timedelta(minutes=2)


def test_no_cursor_is_one_too():
    assert CURSOR.validate_python("") == ""


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2026-11-23T04:00:00.000Z",
        "t2026-02-30T04:00:00.000Z",
        "t2026-11-23T24:00:00.001Z",
        "t1999-11-23T04:00:00.000Z",
        "t9999-12-31T23:59:59.999Z",
        "t----------------------TZ",
        "t2026-11-23T04:00:00.000Z|",
        "t2026-11-23T04:00:00.000Z\n",
    ],
)
def test_what_is_no_moment_of_these_years_is_no_cursor(text: str):
    with pytest.raises(ValidationError):
        CURSOR.validate_python(text)


def test_moves_concern_the_applicant_and_the_agent_while_the_mandate_holds():
    moved = MovedCase("c", 3, cursor_at(MONDAY), owner="mother", agent="agent", mandate="m")
    assert moved.people(()) == {"mother", "agent"}
    assert moved.people({"m"}) == {"mother"}


def test_moves_of_a_case_of_another_node_or_of_an_erased_one_concern_nobody():
    assert MovedCase("c", 3, cursor_at(MONDAY), owner="").people(()) == frozenset()
