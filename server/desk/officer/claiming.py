"""Claiming: an officer takes a task in hand, goes on with it, gives it back or passes it to a colleague."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Self

from pydantic import StringConstraints

from server.desk.officer.seeing import sees, today, work_of_task
from server.desk.recording import note, of_task
from server.desk.steps import LocalMoment
from server.domain.case.acts import StepAct
from server.domain.effects.effects import Task, task_id
from server.domain.effects.records import CaseRecord
from server.domain.errors import Conflict, FieldFault, Invalid, StaleVersion
from server.domain.people.accounts import DeskEntry
from server.domain.people.claims import (
    Claim,
    HandOver,
    NoSuchTask,
    check_free,
    claimed,
    extended,
    handed_over,
    released,
)
from server.domain.people.persons import Officer
from server.domain.rules.responsible import Responsible
from server.domain.rules.rights import Use, may, post_for
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
    """The receiver of a hand-over has no post for the task."""

    code = "no_such_colleague"
    title = "只能移交给可以办理的同事"


class Passing(Value):
    """To whom a task is passed, and what the colleague should know."""

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


async def claim(node: Node, entry: DeskEntry, id: str) -> ClaimView:
    """Take a task in hand for some minutes.

    Raises NoSuchTask, TaskEnded, HoldsTooMany, ClaimedByAnother.
    """
    task = _open(await _own(node, entry, id))
    await _check_room(node, entry.officer.name, id)
    await _note(node, entry, task, what="claim", holder=entry.officer.name)
    return await _change(node, task, lambda claim, at, until: claimed(claim, entry.officer.name, at=at, until=until))


async def extend(node: Node, entry: DeskEntry, id: str) -> ClaimView:
    """Go on with a task; raises NoSuchTask, TaskEnded, ClaimLost."""
    task = _open(await _own(node, entry, id))
    return await _change(node, task, lambda claim, at, until: extended(claim, entry.officer.name, at=at, until=until))


async def release(node: Node, entry: DeskEntry, id: str) -> ClaimView:
    """Give a task back, also one that has ended; raises NoSuchTask, ClaimedByAnother."""
    task = await _own(node, entry, id)
    await _note(node, entry, task, what="claim")
    return await _change(node, task, lambda claim, at, _until: released(claim, entry.officer.name, at=at))


async def hand_over(node: Node, entry: DeskEntry, id: str, *, passing: Passing) -> ClaimView:
    """Pass a task to a colleague, whose lease begins; a head of the authority passes on anybody's.

    Raises NoSuchTask, TaskEnded, NoSuchColleague, HoldsTooMany, ClaimedByAnother, ClaimNeeded.
    """
    task = _open(await _own(node, entry, id, to="hand_over"))
    is_head = sees(node, entry, task, to="reassign")
    posts = await node.store.posts.not_over(passing.to, on=today(node))
    colleague = await node.store.accounts.find_officer(passing.to)
    if colleague is None or not may(posts, "claim", work_of_task(task), on=today(node)):
        fault = FieldFault(pointer="/to", code="colleague", detail="请填写可以办理该事项的一位工作人员的用户名。")
        raise NoSuchColleague("只能移交给岗位包含该事项的工作人员。", errors=[fault])
    await _check_room(node, colleague.name, id)

    def rule(claim: Claim, at: datetime, until: datetime) -> Claim:
        done = HandOver(by=entry.officer.name, to=passing.to, note=passing.note, at=at)
        return handed_over(claim, done, is_head=is_head, until=until)

    await _note(node, entry, task, what="hand_over", holder=colleague.name)
    return await _change(node, task, rule)


async def _note(node: Node, entry: DeskEntry, task: Task, *, what: Use, holder: str = "") -> None:
    """Note what an officer is about to do with a task, and by which post; `holder` is who has it then."""
    post = post_for(entry.posts, what, work_of_task(task), on=today(node))
    about = {**entry.doer.about, **of_task(node, task), "what": what, "post": post.id if post else "", "to": holder}
    await note(node, "task.changed", about)


async def release_all(node: Node, officer: str) -> int:
    """Give back all that an officer has in hand; how many tasks that were."""
    count = 0
    for claim in await node.store.claims.held_by(officer, at=node.clock.now(), limit=MOST_HELD):
        count += await node.store.claims.put(released(claim, officer, at=node.clock.now()))
    return count


async def release_unseen(node: Node, officer: str) -> None:
    """Give back what an officer has in hand and no post of theirs is for any more."""
    now = node.clock.now()
    claims = {claim.id: claim for claim in await node.store.claims.held_by(officer, at=now, limit=MOST_HELD)}
    posts = await node.store.posts.not_over(officer, on=today(node)) if claims else []
    for task in await node.store.tasks.tasks(tuple(claims)):
        if not may(posts, "claim", work_of_task(task), on=today(node)):
            await node.store.claims.put(released(claims[task.id], officer, at=now))


async def check_act(node: Node, officer: Officer, act: StepAct, *, record: CaseRecord, at: Responsible) -> None:
    """Raises ClaimedByAnother if a colleague has the task of this act in hand, unless the act has been done already.

    An act needs no claim.
    """
    id = task_id(record.id, act.step, part=at.part, department=at.department)
    claim = (await node.store.claims.claims([id])).get(id)
    now = node.clock.now()
    if claim is None or not claim.at_authority(at.authority.id).is_anothers(officer.name, now):
        return
    if record.done_by(act.id) is None and (await node.store.cases.case(record.id)).done_by(act.id) is None:
        check_free(claim, officer.name, at=now)


def claim_on(task: Task, claims: Mapping[str, Claim]) -> Claim:
    """The claim on a task where it lies now, among those known by id; nobody's if it was never claimed."""
    if task.id in claims:
        return claims[task.id].at_authority(task.authority)
    return Claim(id=task.id, case=task.case, step=task.step, authority=task.authority)


async def _own(node: Node, entry: DeskEntry, id: str, *, to: Use = "claim") -> Task:
    """The task, if a post of the officer's is for it; raises NoSuchTask."""
    task = await node.store.tasks.task(id)
    if not sees(node, entry, task, to=to):
        raise NoSuchTask("没有这个待办事项。")
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
    for _ in range(ATTEMPTS):
        before = claim_on(task, await node.store.claims.claims([task.id]))
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
