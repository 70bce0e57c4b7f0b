"""The worklist in the store: soonest due first over all states, page after page, whatever moves meanwhile."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.domain.effects.effects import Task
from server.domain.people.claims import NoSuchTask
from server.store.database import Database
from server.store.effects.tasks import Tasks, written_task
from tests.store.witness import Witness

DESK = {"authority": "health", "authority_name": "卫健局", "department": "health"}
STATES = ("sent", "received", "accepted")
DUES = ("", "2026-11-20", "2026-11-23", "2026-11-25", "2026-12-01")
A_TASK = st.tuples(st.sampled_from(STATES), st.sampled_from(DUES), st.integers(0, 2), st.booleans())


@pytest.fixture
def tasks(database: Database) -> Tasks:
    return Tasks(database)


def task(id: str, state: Any = "sent", *, due: str = "", opened: int = 0, **more: Any) -> Task:
    """A task of the authority that decides."""
    moment = datetime(2026, 11, 20, 5, 45, 0, 123000, tzinfo=UTC) + timedelta(days=opened)
    case, _, step = id.rpartition(":")
    told: dict[str, Any] = {"case": case, "step": step, "event": 1, **DESK, "is_open": True, **more}
    return Task(state=state, item_name="", bundle_name="", opened_at=moment, since=moment, due_on=due, **told)


async def put(tasks: Tasks, *told: Task) -> None:
    """Write tasks one by one, as they come out of their cases."""
    for each in told:
        await tasks.put(written_task(each))


def order(one: Task) -> tuple[str, datetime, str]:
    return (one.due_on or "9999", one.opened_at, one.id)


async def ids(tasks: Tasks, *authorities: str, **more: Any) -> list[str]:
    return [each.id for each in await tasks.open_tasks(authorities or ["health"], **{"limit": 50, **more})]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
@given(st.lists(A_TASK, max_size=14), st.integers(1, 5))
async def test_pages_hold_each_open_task_once_and_the_soonest_due_first(
    database: Database, told: list[Any], limit: int
) -> None:
    tasks = Tasks(database)
    written = [
        task(f"c{place}:x", state, due=due, opened=opened, is_open=is_open)
        for place, (state, due, opened, is_open) in enumerate(told)
    ]
    await database.delete("tasks", [f"c{place}:x" for place in range(14)])
    await put(tasks, *written)
    found: list[Task] = []
    while True:
        after = tasks.place(found[-1]) if found else ""
        page = await tasks.open_tasks(["health"], after=after, limit=limit)
        found += page
        if len(page) < limit:
            break
    assert found == [each for each in sorted(written, key=order) if each.is_open]


async def test_a_task_without_a_due_date_comes_last(tasks: Tasks) -> None:
    await put(tasks, task("a:x", due=""), task("b:x", "accepted", due="2026-12-01"), task("c:x", due="2026-11-20"))
    assert await ids(tasks) == ["c:x", "b:x", "a:x"]


async def test_a_span_of_due_dates_and_an_authority_are_bounds(tasks: Tasks) -> None:
    for place, due in enumerate(DUES):
        await put(tasks, task(f"c{place}:x", STATES[place % 3], due=due))
    await put(tasks, task("other:x", due="2026-11-20", authority="health_other"))
    assert await ids(tasks, dues=("", "2026-11-23")) == ["c1:x"]
    assert await ids(tasks, dues=("2026-11-23", "2026-11-26")) == ["c2:x", "c3:x"]
    assert await ids(tasks, dues=("2026-11-23", "2026-11-23")) == []
    assert await ids(tasks, "health", "health_other") == ["c1:x", "other:x", "c2:x", "c3:x", "c4:x", "c0:x"]
    assert await ids(tasks, "health_other") == ["other:x"]
    assert await tasks.open_tasks([], limit=5) == []


async def test_a_window_has_a_worklist_and_who_sees_a_task_twice_gets_it_once(tasks: Tasks) -> None:
    await put(tasks, task("a:x", due="2026-11-25", window="w1"), task("b:x", due="2026-11-23", window="w2"))
    await put(tasks, task("c:x", due="2026-11-20"), task("d:x", window="w1", is_open=False))
    await put(tasks, task("e:x", due="2026-11-21", window="w1", authority="police"))
    assert [each.id for each in await tasks.open_tasks([], ["w1"], limit=9)] == ["e:x", "a:x"]
    both = await tasks.open_tasks(["health"], ["w1", "w2"], limit=9)
    assert [each.id for each in both] == ["c:x", "e:x", "b:x", "a:x"]
    last = await tasks.open_tasks(["health"], ["w1", "w2"], after=tasks.place(both[1]), limit=9)
    assert [each.id for each in last] == ["b:x", "a:x"]


async def test_a_task_that_moves_between_two_pages_hides_none_and_doubles_none(tasks: Tasks) -> None:
    for place in range(6):
        await put(tasks, task(f"c{place}:x", due="2026-11-23"))
    first = await tasks.open_tasks(["health"], limit=3)
    await put(tasks, task("c1:x", "received", due="2026-11-23", event=2))
    await put(tasks, task("c4:x", "accepted", due="2026-11-23", event=2))
    await put(tasks, task("c2:x", "approved", due="2026-11-23", event=2, is_open=False))
    second = await tasks.open_tasks(["health"], after=tasks.place(first[-1]), limit=3)
    assert [each.id for each in first + second] == [f"c{place}:x" for place in range(6)]


@pytest.mark.parametrize("after", ["!", "a", "d", "d2026-11-23", "z", "}", "~", "|", "2026-11-23"])
async def test_no_cursor_leads_into_another_range(tasks: Tasks, after: str) -> None:
    await put(tasks, task("mine:x", due="2026-11-25"))
    for authority in ("healt", "health_other", "i"):
        await put(tasks, task(f"{authority}:x", due="2026-11-25", authority=authority))
    await put(tasks, task("ended:x", due="2026-11-25", is_open=False))
    assert set(await ids(tasks, after=after)) <= {"mine:x"}


async def test_puts_in_any_order_leave_the_last_event(tasks: Tasks) -> None:
    told = [task("c:x", STATES[event % 3], event=event, is_open=event < 8, due="2026-11-23") for event in range(9)]
    for seed in range(4):
        random.Random(seed).shuffle(told)  # noqa: S311 # the order
        await put(tasks, *told)
        assert (await tasks.task("c:x")).event == 8
    assert await ids(tasks) == []


async def test_a_page_is_one_bounded_read_for_each_authority(tasks: Tasks, witness: Witness) -> None:
    await tasks.open_tasks(["health"], limit=7)
    assert [one["limit"] for one in witness.named("find")] == [7]
    await tasks.open_tasks(["health", "police"], ["w1"], dues=("2026-11-23", "2026-11-26"), limit=7)
    assert [one["limit"] for one in witness.named("find")] == [7] * 4


async def test_every_open_task_is_read_page_by_page(tasks: Tasks) -> None:
    await put(tasks, *(task(f"c{place}:x", due=DUES[place % 5], is_open=place != 9) for place in range(33)))
    await put(tasks, task("other:x", authority="health_other"))
    for at_once in (11, 16, 32):
        found = [each.id async for each in tasks.every_open_task("health", at_once=at_once)]
        assert sorted(found) == sorted(f"c{place}:x" for place in range(33) if place != 9)


async def test_what_is_no_task_is_missing(tasks: Tasks) -> None:
    for id in ("none", "2026-11-23", "a\0b"):
        with pytest.raises(NoSuchTask):
            await tasks.task(id)


async def test_a_task_comes_back_as_it_was_made_and_is_stored_with_its_keys(tasks: Tasks, database: Database) -> None:
    moment = "2026-11-20T05:45:00.123Z"
    urged_at = datetime.fromisoformat(moment)
    made = replace(
        task("c1:one", "accepted", due="2026-12-01", part="opinion", event=3, window="w1"), urged_at=urged_at
    )
    await put(tasks, made)
    assert await tasks.task(made.id) == made
    keys = {"place": f"d2026-12-01|t{moment}|c1:one:opinion:health"}
    keys["node_key"] = f"open|{keys['place']}"
    keys |= {"key": f"health|{keys['node_key']}", "window_key": f"w1|{keys['node_key']}"}
    told = {"case": "c1", "step": "one", "event": 3, **DESK, "window": "w1", "part": "opinion", "state": "accepted"}
    told |= {"is_open": True, "item_name": "", "bundle_name": "", "opened_at": moment, "since": moment}
    told |= {"due_on": "2026-12-01", "urged_at": moment, "left": ""}
    stored = {"_id": "c1:one:opinion:health", **told, **keys, "version": 3}
    found = await database.get("tasks", made.id)
    assert found is not None
    assert list(found.items()) == list(stored.items())
    assert list(written_task(made)) == [name for name in stored if name not in {*keys, "version"}]
    await put(tasks, task("c1:two", is_open=False))
    ended = await database.get("tasks", "c1:two")
    assert ended is not None
    assert ended["key"] == f"health|ended|d9999-12-31|t{moment}|c1:two"
    assert ended["window_key"] == ""
