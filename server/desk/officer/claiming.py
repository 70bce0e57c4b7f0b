"""Claiming: an officer takes a task in hand, goes on with it, gives it back or passes it to a colleague."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Self

from pydantic import StringConstraints

from server.desk.steps import LocalMoment
from server.domain.case.acts import StepAct
from server.domain.effects.effects import Task, task_id
from server.domain.errors import Conflict, FieldFault, Invalid, StaleVersion
from server.domain.people.claims import Claim, HandOver, check_free, claimed, extended, handed_over, released
from server.domain.people.persons import Officer
from server.domain.rules.decide import NotYourDepartment
from server.domain.rules.desk_forms import TaskPart
from server.domain.values import Value
from server.node import Node

ATTEMPTS = 5
MOST_HELD = 100
Rule = Callable[[Claim, datetime, datetime], Claim]


class TaskEnded(Conflict):
    """The step of this task has ended; there is nothing left to take in hand."""

    code = "task_ended"
    title = "该事项已办结"


class HoldsTooMany(Conflict):
    """An officer has as many tasks in hand as one may have."""

    code = "holds_too_many"
    title = "认领的事项过多"


class NoSuchColleague(Invalid):
    """The receiver of a hand-over is no officer of the task's department."""

    code = "no_such_colleague"
    title = "只能移交给本部门工作人员"


class Passing(Value):
    """To whom of the department a task is passed, and what the colleague should know."""

    to: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    note: Annotated[str, StringConstraints(max_length=500)] = ""


class HandOverView(Value):
    """The last hand-over of a task."""

    by: str
    to: str
    note: str
    at: LocalMoment

    @classmethod
    def of(cls, done: HandOver | None) -> Self | None:
        """What is shown of it, if there was one."""
        return cls(**done.model_dump(exclude={"at"}), at=done.at) if done else None


class ClaimView(Value):
    """Who has a task in hand (empty: nobody), until when, and how it was last passed on."""

    id: str
    case: str
    step: str
    holder: str
    until: LocalMoment | None
    hand_over: HandOverView | None


async def claim(node: Node, officer: Officer, id: str) -> ClaimView:
    """Take a task in hand for some minutes.

    Raises NoSuchTask, NotYourDepartment, TaskEnded, HoldsTooMany, ClaimedByAnother.
    """
    task = _open(await _own(node, officer, id))
    await _check_room(node, officer.name, id)
    return await _change(node, task, lambda claim, at, until: claimed(claim, officer.name, at=at, until=until))


async def extend(node: Node, officer: Officer, id: str) -> ClaimView:
    """Go on with a task; raises NoSuchTask, NotYourDepartment, TaskEnded, ClaimLost."""
    task = _open(await _own(node, officer, id))
    return await _change(node, task, lambda claim, at, until: extended(claim, officer.name, at=at, until=until))


async def release(node: Node, officer: Officer, id: str) -> ClaimView:
    """Give a task back, also one that has ended; raises NoSuchTask, NotYourDepartment, ClaimedByAnother."""
    task = await _own(node, officer, id)
    return await _change(node, task, lambda claim, at, _until: released(claim, officer.name, at=at))


async def hand_over(node: Node, officer: Officer, id: str, *, passing: Passing) -> ClaimView:
    """Pass a task to a colleague, whose lease begins; who directs the department passes on anybody's.

    Raises NoSuchTask, NotYourDepartment, TaskEnded, NoSuchColleague, HoldsTooMany, ClaimedByAnother, ClaimNeeded.
    """
    found = await node.store.tasks.task(id)
    task = _open(found if officer.directs(found.department) else _checked(found, officer))
    colleague = await node.store.accounts.find_officer(passing.to)
    if colleague is None or colleague.department != task.department:
        fault = FieldFault(pointer="/to", code="colleague", detail="请填写本部门一位工作人员的用户名。")
        raise NoSuchColleague("只能移交给本部门的工作人员。", errors=[fault])
    await _check_room(node, colleague.name, id)

    def rule(claim: Claim, at: datetime, until: datetime) -> Claim:
        done = HandOver(by=officer.name, to=passing.to, note=passing.note, at=at)
        return handed_over(claim, officer, done, until=until)

    return await _change(node, task, rule)


async def release_all(node: Node, officer: str) -> int:
    """Give back all that an officer has in hand; how many tasks that were."""
    count = 0
    for claim in await node.store.claims.held_by(officer, at=node.clock.now(), limit=MOST_HELD):
        count += await node.store.claims.put(released(claim, officer, at=node.clock.now()))
    return count


async def check_act(node: Node, officer: Officer, act: StepAct, *, case: str, part: TaskPart) -> None:
    """Raises ClaimedByAnother if a colleague has the task of this act in hand, unless the act has been done already.

    `part` is the kind of task that the act is done for. An act needs no claim. Whoever is of another department is left
    to the rules of the case.
    """
    id = task_id(case, act.step, part=part, department=officer.department)
    claim = (await node.store.claims.claims([id])).get(id)
    at = node.clock.now()
    if claim is None or claim.department != officer.department or not claim.is_anothers(officer.name, at):
        return
    record = await node.store.cases.case(case)
    if record.done_by(act.id) is None:
        check_free(claim, officer.name, at=at)


async def _own(node: Node, officer: Officer, id: str) -> Task:
    return _checked(await node.store.tasks.task(id), officer)


def _checked(task: Task, officer: Officer) -> Task:
    if task.department != officer.department:
        raise NotYourDepartment("该事项由其他部门办理。")
    return task


def _open(task: Task) -> Task:
    if not task.is_open:
        raise TaskEnded("该事项已办结。")
    return task


async def _check_room(node: Node, officer: str, id: str) -> None:
    held = await node.store.claims.held_by(officer, at=node.clock.now(), limit=MOST_HELD)
    if len(held) == MOST_HELD and id not in {claim.id for claim in held}:
        raise HoldsTooMany(f"一人最多同时认领 {MOST_HELD} 项，请先办理或退回已认领的事项。")


async def _change(node: Node, task: Task, rule: Rule) -> ClaimView:
    """Change the claim on a task by a rule: of two who do so at once the second is judged by what the first did."""
    nobodys = Claim(id=task.id, case=task.case, step=task.step, department=task.department)
    for _ in range(ATTEMPTS):
        before = (await node.store.claims.claims([task.id])).get(task.id, nobodys)
        now = node.clock.now()
        after = rule(before, now, now + timedelta(seconds=node.settings.claim_seconds))
        if after is before or await node.store.claims.put(after):
            return _view(after, now)
    raise StaleVersion("该事项的认领情况刚有变化，请刷新后重试。")


def _view(claim: Claim, at: datetime) -> ClaimView:
    return ClaimView(
        id=claim.id,
        case=claim.case,
        step=claim.step,
        holder=claim.holder if claim.is_live(at) else "",
        until=claim.until if claim.is_live(at) else None,
        hand_over=HandOverView.of(claim.hand_over),
    )
