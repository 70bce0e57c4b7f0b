"""The worklist in the store: soonest due first over all states, page after page, whatever moves meanwhile."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.domain.effects.effects import Task
from server.store.database import Database
from server.store.effects.tasks import NoSuchTask, TaskKey, Tasks, written_task
from tests.store.witness import Witness

STATES = ("sent", "received", "accepted")
DUES = ("", "2026-11-20", "2026-11-23", "2026-11-25", "2026-12-01")
A_TASK = st.tuples(st.sampled_from(STATES), st.sampled_from(DUES), st.integers(0, 2), st.booleans())


@pytest.fixture
def tasks(database: Database) -> Tasks:
    return Tasks(database)


def task(id: str, state: Any = "sent", *, due: str = "", opened: int = 0, **more: Any) -> Task:
    """A task of the department that decides."""
    moment = datetime(2026, 11, 20, 5, 45, 0, 123000, tzinfo=UTC) + timedelta(days=opened)
    case, _, step = id.rpartition(":")
    told: dict[str, Any] = {"case": case, "step": step, "event": 1, "department": "health", "is_open": True, **more}
    return Task(state=state, item_name="", bundle_name="", opened_at=moment, since=moment, due_on=due, **told)


async def put(tasks: Tasks, *told: Task) -> None:
    """Write tasks one by one, as they come out of their cases."""
    for each in told:
        await tasks.put(written_task(each))


def order(one: Task) -> tuple[str, datetime, str]:
    return (one.due_on or "9999", one.opened_at, one.id)


async def ids(tasks: Tasks, department: str = "health", states: tuple[str, ...] = STATES, **more: Any) -> list[str]:
    return [each.id for each in await tasks.open_tasks(department, states, **{"limit": 50, **more})]


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
        page = await tasks.open_tasks("health", STATES, after=after, limit=limit)
        found += page
        if len(page) < limit:
            break
    assert found == [each for each in sorted(written, key=order) if each.is_open]


async def test_a_task_without_a_due_date_comes_last(tasks: Tasks) -> None:
    await put(tasks, task("a:x", due=""), task("b:x", "accepted", due="2026-12-01"), task("c:x", due="2026-11-20"))
    assert await ids(tasks) == ["c:x", "b:x", "a:x"]


async def test_a_state_a_span_of_due_dates_and_a_department_are_bounds(tasks: Tasks) -> None:
    for place, due in enumerate(DUES):
        await put(tasks, task(f"c{place}:x", STATES[place % 3], due=due))
    await put(tasks, task("other:x", due="2026-11-20", department="health_other"))
    assert await ids(tasks, states=("received",)) == ["c1:x", "c4:x"]
    assert await ids(tasks, dues=("", "2026-11-23")) == ["c1:x"]
    assert await ids(tasks, dues=("2026-11-23", "2026-11-26")) == ["c2:x", "c3:x"]
    assert await ids(tasks, dues=("2026-11-23", "2026-11-23")) == []
    assert await ids(tasks, "") == ["c1:x", "other:x", "c2:x", "c3:x", "c4:x", "c0:x"]
    assert await ids(tasks, "", ("received",)) == ["c1:x", "c4:x"]
    assert await ids(tasks, "health_other") == ["other:x"]


async def test_a_task_that_moves_between_two_pages_hides_none_and_doubles_none(tasks: Tasks) -> None:
    for place in range(6):
        await put(tasks, task(f"c{place}:x", due="2026-11-23"))
    first = await tasks.open_tasks("health", STATES, limit=3)
    await put(tasks, task("c1:x", "received", due="2026-11-23", event=2))
    await put(tasks, task("c4:x", "accepted", due="2026-11-23", event=2))
    await put(tasks, task("c2:x", "approved", due="2026-11-23", event=2, is_open=False))
    second = await tasks.open_tasks("health", STATES, after=tasks.place(first[-1]), limit=3)
    assert [each.id for each in first + second] == [f"c{place}:x" for place in range(6)]


@pytest.mark.parametrize("after", ["!", "a", "d", "d2026-11-23", "z", "}", "~", "|", "2026-11-23"])
async def test_no_cursor_leads_into_another_range(tasks: Tasks, after: str) -> None:
    await put(tasks, task("mine:x", due="2026-11-25"))
    await put(tasks, task("accepted:x", "accepted", due="2026-11-25"))
    for department in ("healt", "health_other", "i"):
        await put(tasks, task(f"{department}:x", due="2026-11-25", department=department))
    await put(tasks, task("ended:x", due="2026-11-25", is_open=False))
    assert set(await ids(tasks, states=("sent",), after=after)) <= {"mine:x"}


async def test_puts_in_any_order_leave_the_last_event(tasks: Tasks) -> None:
    told = [task("c:x", STATES[event % 3], event=event, is_open=event < 8, due="2026-11-23") for event in range(9)]
    for seed in range(4):
        random.Random(seed).shuffle(told)  # noqa: S311 # the order
        await put(tasks, *told)
        assert (await tasks.task("c:x")).event == 8
    assert await ids(tasks) == []


async def test_the_reads_of_a_page_are_bounded(tasks: Tasks, witness: Witness) -> None:
    await tasks.open_tasks("health", STATES, limit=7)
    assert [one["limit"] for one in witness.named("find")] == [7, 7, 7]
    await tasks.open_tasks("health", ("sent",), dues=("2026-11-23", "2026-11-26"), limit=7)
    assert len(witness.named("find")) == 4


async def test_the_keys_of_open_tasks_tell_state_and_due_date(tasks: Tasks) -> None:
    await put(tasks, task("330000:c|1:x", "received", due="2026-11-23"))
    await put(tasks, task("c:y"))
    await put(tasks, task("c:z", is_open=False))
    assert await tasks.open_places("health") == [
        TaskKey("330000:c|1:x", "received", "2026-11-23"),
        TaskKey("c:y", "sent", ""),
    ]


async def test_more_keys_than_are_read_at_once_are_all_told(tasks: Tasks, database: Database) -> None:
    await database.insert_many(
        "tasks", [{"_id": f"c{place}", "key": f"health|open|sent|d9999-12-31|t|c{place:04d}"} for place in range(33)]
    )
    for at_once in (11, 16):  # three whole pages, and two and a part
        found = await tasks.open_places("health", at_once=at_once)
        assert [place.id for place in found] == [f"c{place:04d}" for place in range(33)]


async def test_what_is_no_task_is_missing(tasks: Tasks) -> None:
    for id in ("none", "2026-11-23", "a\0b"):
        with pytest.raises(NoSuchTask):
            await tasks.task(id)


async def test_a_task_comes_back_as_it_was_made_and_is_stored_with_its_keys(tasks: Tasks, database: Database) -> None:
    moment = "2026-11-20T05:45:00.123Z"
    urged_at = datetime.fromisoformat(moment)
    made = replace(task("c1:one", "accepted", due="2026-12-01", part="opinion", event=3), urged_at=urged_at)
    await put(tasks, made)
    assert await tasks.task(made.id) == made
    keys = {"place": f"d2026-12-01|t{moment}|c1:one:opinion:health"}
    keys["node_key"] = f"open|accepted|{keys['place']}"
    keys["key"] = f"health|{keys['node_key']}"
    told = {"case": "c1", "step": "one", "event": 3, "department": "health", "part": "opinion", "state": "accepted"}
    told |= {"is_open": True, "item_name": "", "bundle_name": "", "opened_at": moment, "since": moment}
    stored = {"_id": "c1:one:opinion:health", **told, "due_on": "2026-12-01", "urged_at": moment, **keys, "version": 3}
    found = await database.get("tasks", made.id)
    assert found is not None
    assert list(found.items()) == list(stored.items())
    assert list(written_task(made)) == [name for name in stored if name not in {*keys, "version"}]
    await put(tasks, task("c1:two", is_open=False))
    ended = await database.get("tasks", "c1:two")
    assert ended is not None
    assert ended["key"] == f"health|ended|sent|d9999-12-31|t{moment}|c1:two"
