"""Counting: how much lies on the desks, counted anew again and again, and shown as of the last time."""

from datetime import timedelta

from server.desk.apart import each_in_turn
from server.desk.steps import LocalMoment
from server.domain.case.case import State
from server.domain.people.persons import Officer
from server.domain.time.counts import DepartmentCounts, counts_of
from server.domain.values import Value, china_day
from server.node import Node

LEAST_REST_SECONDS, MOST_REST_SECONDS = 20.0, 45.0
REST_SECONDS_A_TASK = 0.0012  # twenty times what the embedded database needs to read one key


class DepartmentLine(Value):
    """The open tasks of one department: all, by state, overdue, and due today or within two days."""

    department: str
    name: str
    open: int
    states: dict[State, int]
    overdue: int
    soon: int
    counted_at: LocalMoment


class CountsView(Value):
    """The counted departments that the officer sees, and the number of tasks the officer has in hand.

    `counted_at` is when the oldest of these counts was made; None if there is none yet.
    """

    departments: tuple[DepartmentLine, ...]
    mine: int
    counted_at: LocalMoment | None


async def count(node: Node) -> None:
    """Count the open tasks of every department whose last counts, from any process, are old enough."""
    known = await node.store.counts.counts(tuple(departments(node)))
    now = node.clock.now()

    async def count_anew(department: str) -> None:
        last = known.get(department)
        if last is None or last.counted_at + rest_after(last) <= now:
            await node.store.counts.put(await _counted(node, department))

    await each_in_turn(departments(node), count_anew)


def rest_after(counted: DepartmentCounts) -> timedelta:
    """How long counts are left alone: counting reads a key of every open task, so the more tasks, the longer.

    It is at most so long that they are no older than a minute when the next ones, made in eight seconds, are there.
    """
    seconds = sum(counted.states.values()) * REST_SECONDS_A_TASK
    return timedelta(seconds=min(max(seconds, LEAST_REST_SECONDS), MOST_REST_SECONDS))


async def counts(node: Node, officer: Officer) -> CountsView:
    """The last counts of the officer's department; of all for a leader."""
    names = departments(node)
    seen = [department for department in names if department == officer.department or officer.directs(department)]
    found = await node.store.counts.counts(seen)
    own = found.get(officer.department)
    return CountsView(
        departments=tuple(_line(found[code], names[code]) for code in seen if code in found),
        mine=sum(held.tasks for held in own.held if held.holder == officer.name) if own else 0,
        counted_at=min((each.counted_at for each in found.values()), default=None),
    )


def departments(node: Node) -> dict[str, str]:
    """All departments by code that a task of this node may lie with, those of older catalogues among them."""
    older = node.published.versions.values()
    return {code: name for each in (*older, node.catalogue) for code, name in each.departments.items()}


async def _counted(node: Node, department: str) -> DepartmentCounts:
    at = node.clock.now()
    places = await node.store.tasks.open_places(department)
    holders = await node.store.claims.holders_in(department, at=at)
    return counts_of(
        department,
        [(place.state, place.due) for place in places],
        [holders[place.id] for place in places if place.id in holders],
        at=at,
        today=china_day(at),
    )


def _line(counted: DepartmentCounts, name: str) -> DepartmentLine:
    fields = counted.model_dump(exclude={"held", "counted_at"})
    return DepartmentLine(**fields, name=name, open=sum(counted.states.values()), counted_at=counted.counted_at)
