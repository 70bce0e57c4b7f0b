"""What presses: what is due before today, and what is due today or on the two days after it."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from server.domain.time.counts import counts_of, dues_of, is_due_in, rest_after, summed

TODAY = date(2026, 12, 30)
AT = datetime(2026, 12, 30, 1, 0, tzinfo=UTC)
DAYS = st.integers(-5, 5).map(lambda days: (TODAY + timedelta(days=days)).isoformat()) | st.just("")
TASKS = st.lists(st.tuples(st.sampled_from(("sent", "accepted")), DAYS), max_size=20)


def test_what_is_due_within_two_days_is_soon_also_over_the_year() -> None:
    assert dues_of("overdue", TODAY) == ("", "2026-12-30")
    assert dues_of("soon", TODAY) == ("2026-12-30", "2027-01-02")
    assert dues_of(None, TODAY) == ("", "")


@given(TASKS)
def test_counts_agree_with_the_tasks(tasks: list[tuple[str, str]]) -> None:
    counts = counts_of("health/320102", tasks, at=AT, today=TODAY)
    distances = [(date.fromisoformat(due) - TODAY).days for _, due in tasks if due]
    assert sum(counts.states.values()) == len(tasks)
    assert counts.states == Counter(state for state, _ in tasks)
    assert counts.overdue == sum(days < 0 for days in distances)
    assert counts.soon == sum(0 <= days <= 2 for days in distances)
    assert (counts.authority, counts.open, counts.counted_at) == ("health/320102", len(tasks), AT)


@given(st.lists(TASKS))
def test_a_sum_is_that_of_all_tasks_as_of_the_oldest_counts(parts: list[list[tuple[str, str]]]) -> None:
    counted = [
        counts_of(f"c{place}", tasks, at=AT + timedelta(minutes=place), today=TODAY)
        for place, tasks in enumerate(parts)
    ]
    whole = counts_of("all", [task for tasks in parts for task in tasks], at=AT, today=TODAY)
    assert summed("all", reversed(counted), at=AT) == whole


def test_the_more_there_was_to_count_the_longer_counts_rest() -> None:
    rests = [
        rest_after(counts_of("a", [("sent", "")] * number, at=AT, today=TODAY)) for number in (0, 1000, 5000, 9**6)
    ]
    assert rests == [timedelta(seconds=seconds) for seconds in (5, 5, 15, 45)]


def test_a_task_without_a_due_date_is_of_no_urgency() -> None:
    assert [is_due_in(dues_of(urgency, TODAY), "") for urgency in ("overdue", "soon", None)] == [False, False, True]
