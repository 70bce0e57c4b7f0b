"""Warning: officers, heads and leaders read what the clocks told them, the newest first."""

from datetime import date

from server.desk.steps import LocalMoment
from server.domain.effects.deadlines import CheckpointName
from server.domain.effects.warnings import READS
from server.domain.people.persons import Officer, Rank
from server.domain.rules.decide import NotYourDepartment
from server.domain.values import Value
from server.node import Node


class Sought(Value):
    """Which warnings are wanted: of a department, and before which `next`."""

    department: str = ""
    before: str = ""


class WarningLine(Value):
    """A warning about one step; `is_confirmed` is false if the working days up to then are not sure."""

    id: str
    case: str
    step: str
    department: str
    rank: Rank
    rung: CheckpointName
    text: str
    item_name: str
    bundle_name: str
    due_on: date
    is_confirmed: bool
    at: LocalMoment


class WarningList(Value):
    """The warnings that the officer reads; `next` goes into `?before=` for the following page."""

    warnings: tuple[WarningLine, ...]
    next: str | None


async def warnings(node: Node, officer: Officer, sought: Sought, *, limit: int) -> WarningList:
    """An officer reads the warnings to the officers of the department, a head also those to its head, a leader all.

    Raises NotYourDepartment.
    """
    if sought.department not in ("", officer.department) and officer.rank != "leader":
        raise NotYourDepartment("只能查看本部门的督办提醒。")
    department = sought.department or ("" if officer.rank == "leader" else officer.department)
    ranks = READS[officer.rank]
    found = await node.store.warnings.warnings(department, ranks, limit=limit + 1, before=sought.before)
    page = found[:limit]
    return WarningList(
        warnings=tuple(WarningLine(**vars(each)) for each in page),
        next=node.store.warnings.place(page[-1]) if len(found) > limit else None,
    )
