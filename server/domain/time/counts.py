"""Counts: how many tasks of an authority are open, in which state, and how many of them press."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from server.domain.values import Moment, Value

SOON_DAYS = 2
LEAST_REST_SECONDS, MOST_REST_SECONDS = 5.0, 45.0
# About ninety times what reading one takes (33 µs from the embedded database, with 5,000 of them): one hundredth of the
# time goes into counting an authority on whose desks something always moves.
REST_SECONDS_A_TASK = 0.003


class AuthorityCounts(Value):
    """The open tasks of an authority as of `counted_at`: by state, overdue and due soon."""

    authority: str
    states: Mapping[str, int]
    overdue: int
    soon: int
    counted_at: Moment

    @property
    def open(self) -> int:
        """How many there are."""
        return sum(self.states.values())


@dataclass(frozen=True)
class ToCount:
    """An authority whose tasks are to be counted; `version` counts what happened to its counts."""

    authority: str
    version: int


def rest_after(counted: AuthorityCounts) -> timedelta:
    """How long counts are left alone: counting reads every open task, so the more tasks, the longer.

    It is at most so long that they are no older than a minute when the next ones, made in some seconds, are there.
    """
    seconds = counted.open * REST_SECONDS_A_TASK
    return timedelta(seconds=min(max(seconds, LEAST_REST_SECONDS), MOST_REST_SECONDS))


def soon_until(today: date) -> date:
    """The first day that is not soon: what is due today or on the two days after it is."""
    return today + timedelta(days=SOON_DAYS + 1)


def dues_of(urgency: str | None, today: date) -> tuple[str, str]:
    """The due dates of an urgency (`overdue`, `soon`, None for any): the first, and the one after the last.

    An empty one is no bound.
    """
    if urgency == "overdue":
        return "", today.isoformat()
    return (today.isoformat(), soon_until(today).isoformat()) if urgency == "soon" else ("", "")


def is_due_in(dues: tuple[str, str], due_on: str) -> bool:
    """Whether what is due then (empty: no date is known) is of the urgency with these due dates."""
    first, before = dues
    return not before or bool(due_on and first <= due_on < before)


def counts_of(authority: str, tasks: Sequence[tuple[str, str]], *, at: Moment, today: date) -> AuthorityCounts:
    """The counts of open tasks, each given by its state and due date (empty: none is known)."""
    dues = [due for _, due in tasks]
    overdue, soon = dues_of("overdue", today), dues_of("soon", today)
    return AuthorityCounts(
        authority=authority,
        states=Counter(state for state, _ in tasks),
        overdue=sum(is_due_in(overdue, due) for due in dues),
        soon=sum(is_due_in(soon, due) for due in dues),
        counted_at=at,
    )


def summed(authority: str, counts: Iterable[AuthorityCounts], *, at: Moment) -> AuthorityCounts:
    """Many counts in one, as old as the oldest of them; of none: nothing, as of `at`."""
    found, states = list(counts), Counter[str]()
    for each in found:
        states.update(each.states)
    return AuthorityCounts(
        authority=authority,
        states=states,
        overdue=sum(each.overdue for each in found),
        soon=sum(each.soon for each in found),
        counted_at=min((each.counted_at for each in found), default=at),
    )
