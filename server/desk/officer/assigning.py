"""Assigning: a head has the tasks that nobody has in hand shared out among those who are present."""

import asyncio
from datetime import timedelta

from server.desk.officer.appointing import Code
from server.desk.officer.claiming import MOST_HELD, claim_on
from server.desk.officer.colleagues import in_hand, posts_in_force, present_ones
from server.desk.officer.seeing import sees, today
from server.desk.recording import note_all, of_task
from server.domain.effects.effects import Task
from server.domain.people.accounts import DeskEntry
from server.domain.people.assigning import Assignee, Unassigned, assigned
from server.domain.people.claims import Claim, HandOver, handed_over
from server.domain.rules.desk_acts import roles_next
from server.domain.rules.rights import ROLES, Work, granted
from server.domain.values import Value
from server.node import Node

MOST_ASSIGNED = 100
READ_AT_ONCE, MOST_READS = 200, 5
NOTE = "由负责人按在岗且在办最少的规则分派。"


class AssignmentWish(Value):
    """Of which authority the tasks are to be shared out."""

    authority: Code


class AssignmentLine(Value):
    """Which task an officer has in hand now."""

    task: str
    officer: str


class AssignmentsView(Value):
    """Who was given what, soonest due first, and how many of the tasks that were looked at still nobody has in hand.

    `has_more`: behind these there are further open tasks, which the next call looks at once the first ones have moved.
    """

    assigned: tuple[AssignmentLine, ...]
    left: int
    has_more: bool


async def assign(node: Node, entry: DeskEntry, wish: AssignmentWish) -> AssignmentsView:
    """Give the open tasks of an authority to those present whose posts are for them and who have the fewest in hand.

    Raises NotYourPost, RoleForbids. Of two heads who do so at once none gives a task that the other has given.
    """
    post = granted(entry.posts, "assign", Work(authority=wish.authority), on=today(node))
    lying, has_more = await _lying(node, entry, wish.authority)
    claims = {claim.id: claim for _, claim in lying}
    pairs = assigned(
        [_unassigned(task) for task, _ in lying],
        await _assignees(node, wish.authority) if lying else (),
        most=MOST_ASSIGNED,
        most_held=MOST_HELD,
    )
    done = {**entry.doer.about, "what": "assign", "post": post.id}
    await note_all(node, {"task.changed": [{**done, **of_task(node, claims[id]), "to": to} for id, to in pairs]})
    gave = await asyncio.gather(*(_give(node, claims[id], by=entry.officer.name, to=to) for id, to in pairs))
    lines = [AssignmentLine(task=id, officer=to) for (id, to), is_given in zip(pairs, gave, strict=True) if is_given]
    return AssignmentsView(assigned=tuple(lines), left=len(lying) - len(pairs), has_more=has_more)


async def _lying(node: Node, entry: DeskEntry, authority: str) -> tuple[list[tuple[Task, Claim]], bool]:
    """The first open tasks that nobody has in hand and the head may reassign, and whether there are more behind."""
    found: list[tuple[Task, Claim]] = []
    after = ""
    for _ in range(MOST_READS):
        page = await node.store.tasks.open_tasks([authority], after=after, limit=READ_AT_ONCE)
        claims = await node.store.claims.claims([task.id for task in page])
        entries = [(task, claim_on(task, claims)) for task in page]
        at = node.clock.now()
        found += [each for each in entries if not each[1].is_live(at) and sees(node, entry, each[0], to="reassign")]
        if len(page) < READ_AT_ONCE:
            return found, False
        after = node.store.tasks.place(page[-1])
    return found, True


async def _assignees(node: Node, authority: str) -> list[Assignee]:
    posts = await posts_in_force(node, [authority])
    there = sorted(await present_ones(node, posts))
    held = await in_hand(node, there)
    return [Assignee(name=name, posts=tuple(posts[name]), held=held[name]) for name in there]


def _unassigned(task: Task) -> Unassigned:
    roles = roles_next(task.part, task.state) & ROLES["claim"]
    return Unassigned(id=task.id, authority=task.authority, item=task.step, roles=roles)


async def _give(node: Node, claim: Claim, *, by: str, to: str) -> bool:
    """Whether the task was given; not if anybody has changed its claim since it was read."""
    at = node.clock.now()
    passing = HandOver(by=by, to=to, note=NOTE, at=at)
    until = at + timedelta(seconds=node.settings.claim_seconds)
    return await node.store.claims.put(handed_over(claim, passing, is_head=True, until=until))
