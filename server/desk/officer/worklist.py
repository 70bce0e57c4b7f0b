"""The worklist: the open tasks that an officer sees, and in which order."""

from dataclasses import fields
from datetime import datetime
from typing import Literal

from server.desk.officer.claiming import MOST_HELD, HandOverView, claim_on
from server.desk.officer.seeing import sight
from server.desk.steps import LocalMoment
from server.domain.case.case import State
from server.domain.effects.effects import Task
from server.domain.people.accounts import DeskEntry
from server.domain.people.claims import Claim
from server.domain.rules.desk_forms import TaskPart
from server.domain.rules.rights import NotYourPost
from server.domain.time.counts import dues_of, is_due_in
from server.domain.values import Value, china_day
from server.node import Node

MOST_READS = 4
TaskWithClaim = tuple[Task, Claim]


class TaskFilter(Value):
    """Which tasks are wanted: of an authority or a window, in a state, by urgency, in one's own hands; after which."""

    authority: str = ""
    window: str = ""
    state: State | None = None
    urgency: Literal["overdue", "soon"] | None = None
    mine: bool = False
    after: str = ""


class TaskLine(Value):
    """An entry of the worklist; without personal data, unless an officer wrote some into a hand-over.

    `part` is what the authority is to do; `due_on` is empty if it cannot be told, `holder` while nobody has the task
    in hand. `urged_at` is when the applicant last pressed for it.
    """

    id: str
    case: str
    step: str
    authority: str
    authority_name: str
    window: str
    department: str
    part: TaskPart
    item_name: str
    bundle_name: str
    state: State
    opened_at: LocalMoment
    since: LocalMoment
    due_on: str
    urged_at: LocalMoment | None
    version: int
    holder: str
    until: LocalMoment | None
    hand_over: HandOverView | None


# What a line shows of a task under the same name.
SHOWN = tuple(field.name for field in fields(Task) if field.name in TaskLine.model_fields)


class TaskList(Value):
    """The open tasks that the officer sees, soonest due first; `next` goes into `?after=` for the following page.

    A page may be short although there are more: what colleagues have in hand is left out.
    """

    tasks: tuple[TaskLine, ...]
    next: str | None


async def tasks(node: Node, entry: DeskEntry, asked: TaskFilter, *, limit: int) -> TaskList:
    """The open tasks at the officer's authorities and windows that their posts are for.

    What a colleague has in hand only a head of the authority sees. Raises NotYourPost.
    """
    mine = {post.place for post in entry.posts}
    if not {asked.authority, asked.window} <= {"", *mine}:
        raise NotYourPost("只能查看本人岗位所在机关和窗口的待办事项。")
    read = _held if asked.mine else _lying
    at = node.clock.now()
    found, following = await read(node, entry, asked, at=at, limit=limit)
    if len(found) > limit:
        following = node.store.tasks.place(found[limit - 1][0])
    return TaskList(tasks=tuple(_line(task, claim, at) for task, claim in found[:limit]), next=following)


async def _lying(
    node: Node, entry: DeskEntry, asked: TaskFilter, *, at: datetime, limit: int
) -> tuple[list[TaskWithClaim], str | None]:
    """What lies on the desks: at least a page, as long as there is one in so many reads, and where the next begins."""
    wanted = {asked.authority, asked.window} - {""}
    posts = [post for post in entry.posts if not wanted or post.place in wanted]
    authorities, windows = {post.authority for post in posts} - {""}, {post.window for post in posts} - {""}
    dues = dues_of(asked.urgency, china_day(at))
    lists, may_reassign = sight(node, entry, to="list_tasks"), sight(node, entry, to="reassign")
    found: list[TaskWithClaim] = []
    after = asked.after
    for _ in range(MOST_READS):
        page = await node.store.tasks.open_tasks(authorities, windows, dues=dues, after=after, limit=limit)
        shown = [task for task in page if asked.state in (None, task.state) and lists(task)]
        claims = await node.store.claims.claims([task.id for task in shown])
        entries = [(task, claim_on(task, claims)) for task in shown]
        found += [
            (task, claim)
            for task, claim in entries
            if not claim.is_anothers(entry.officer.name, at) or may_reassign(task)
        ]
        if len(page) < limit:
            return found, None
        after = node.store.tasks.place(page[-1])
        if len(found) >= limit:
            break
    return found, after


async def _held(
    node: Node, entry: DeskEntry, asked: TaskFilter, *, at: datetime, limit: int
) -> tuple[list[TaskWithClaim], str | None]:
    """What the officer has in hand, all of it, for nobody may have much more than a page."""
    held = await node.store.claims.held_by(entry.officer.name, at=at, limit=MOST_HELD + limit)
    claims = {claim.id: claim for claim in held}
    dues, place = dues_of(asked.urgency, china_day(at)), node.store.tasks.place
    lists = sight(node, entry, to="list_tasks")
    found = [
        (task, claims[task.id])
        for task in await node.store.tasks.tasks(tuple(claims))
        if task.is_open
        and claims[task.id].authority == task.authority
        and asked.authority in ("", task.authority)
        and asked.window in ("", task.window)
        and asked.state in (None, task.state)
        and is_due_in(dues, task.due_on)
        and place(task) > asked.after
        and lists(task)
    ]
    return sorted(found, key=lambda each: place(each[0])), None


def _line(task: Task, claim: Claim, at: datetime) -> TaskLine:
    told = vars(task)
    shown = {name: told[name] for name in SHOWN}
    live = claim if claim.is_live(at) else None
    return TaskLine(
        **shown,
        id=task.id,
        version=task.event,
        holder=live.holder if live else "",
        until=live.until if live else None,
        hand_over=HandOverView.of(claim.hand_over),
    )
