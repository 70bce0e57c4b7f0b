"""Counts: how many tasks of a department are open, in which state, and how many of them press."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from server.domain.values import Moment, Value

SOON_DAYS = 2


class Held(Value):
    """How many open tasks an officer has in hand."""

    holder: str
    tasks: int


class DepartmentCounts(Value):
    """The open tasks of a department as of `counted_at`: by state, overdue, due soon, and in whose hands."""

    department: str
    states: Mapping[str, int]
    overdue: int
    soon: int
    held: tuple[Held, ...]
    counted_at: Moment


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


def counts_of(
    department: str, tasks: Sequence[tuple[str, str]], holders: Iterable[str], *, at: Moment, today: date
) -> DepartmentCounts:
    """The counts of open tasks, each given by its state and due date (empty: none is known), and of their holders."""
    dues = [due for _, due in tasks]
    overdue, soon = dues_of("overdue", today), dues_of("soon", today)
    return DepartmentCounts(
        department=department,
        states=Counter(state for state, _ in tasks),
        overdue=sum(is_due_in(overdue, due) for due in dues),
        soon=sum(is_due_in(soon, due) for due in dues),
        held=tuple(Held(holder=holder, tasks=number) for holder, number in sorted(Counter(holders).items())),
        counted_at=at,
    )
