"""A night of enrolment: whoever has a ticket is served at their turn, and once, though a process dies."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.faults.books import Client
from tests.faults.enrolment import CASES_BEFORE, Applicant, night
from tests.faults.nursery import Nursery

DREW, LATE, PER_SECOND = 90, 30, 20.0
UNTIL_THE_HOUR = timedelta(seconds=12)


@pytest.mark.soak
async def test_everybody_is_served_once_in_their_order_while_a_process_dies(
    tmp_path: Path, forks: Nursery, database_uri: str, database_name: str, database_sweeper: Client
):
    people = {"people": (DREW, LATE), "hour": UNTIL_THE_HOUR, "per_second": PER_SECOND}
    async with night(tmp_path, database_uri, launch=forks.start, database=database_name, **people) as tonight:
        await tonight.join()
        waiting = tonight.waiting(tonight.early)
        await tonight.after_the_hour(1)
        late = tonight.waiting(tonight.everybody[DREW:])
        await asyncio.sleep(4)
        await tonight.home.kill("serve")
        await tonight.home.start("serve")
        await asyncio.gather(waiting, late)
        check(tonight.everybody)
        stored = {row["_id"] for row in database_sweeper[tonight.home.settings.database]["cases"].find()}
        assert stored >= {each.case for each in tonight.everybody}
        assert len(stored) == DREW + LATE + CASES_BEFORE
        assert await tonight.home.stop("serve") == 0


def check(everybody: Sequence[Applicant]) -> None:
    """One case for each, none before its turn, those who drew before those who came late, and as many as announced."""
    assert len({each.case for each in everybody}) == DREW + LATE
    assert [each for each in everybody if each.opened_at < each.turn_at] == []
    places = [each.place for each in everybody[DREW:]]
    assert min(places) > max(each.place for each in everybody[:DREW]) <= DREW
    assert len(set(places)) == LATE
    by_turn = sorted(everybody, key=lambda each: each.turn_at)
    assert [each.place for each in by_turn] == sorted(each.place for each in everybody)
    turns = [datetime.fromisoformat(each.turn_at) for each in by_turn]
    assert turns[-1] - turns[0] >= timedelta(seconds=(DREW + LATE) * 0.8 / PER_SECOND)
