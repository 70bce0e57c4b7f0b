"""Seeing: what an officer's posts let them see of a case and of a task; all else does not exist for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from server.domain.case.case import Case, NoSuchCase
from server.domain.effects.effects import Task
from server.domain.people.accounts import DeskEntry
from server.domain.people.posts import Post
from server.domain.rules.desk_forms import TaskPart
from server.domain.rules.responsible import Responsible, responsible
from server.domain.rules.rights import Read, Work, may, work_of
from server.domain.values import china_day
from server.node import Node

SHOWN: tuple[TaskPart, ...] = ("decide", "opinion", "check", "follow_up")


@dataclass(frozen=True)
class Seen:
    """The part in a step that an officer sees it for, and the post that lets them."""

    mine: Responsible
    post: Post


def today(node: Node) -> date:
    """The day on which posts are in force or not."""
    return china_day(node.clock.now())


def parts_of(node: Node, entry: DeskEntry, case: Case, *, to: Read = "open_case") -> dict[str, Seen]:
    """The steps that the officer may see for a part that an authority of theirs has in them, each for the most of it.

    Raises NoSuchCase if there is none: whoever has no part in a case does not learn of it.
    """
    found: dict[str, Seen] = {}
    for code, step in case.steps.items():
        for each in responsible(case, step, here=node.here):
            is_shown = each.part in SHOWN and (each.part != "check" or step.checked_by)
            post = first_post(node, entry, work_of(case, step, each, here=node.here), to=to) if is_shown else None
            if post:
                found.setdefault(code, Seen(each, post))
    if not found:
        raise NoSuchCase("没有这个办件。")
    return found


def first_post(node: Node, entry: DeskEntry, work: Work, *, to: Read) -> Post | None:
    """The first of the officer's posts that may read this, or do it; None if none may."""
    return next((post for post in entry.posts if may([post], to, work, on=today(node))), None)


def sees(node: Node, entry: DeskEntry, task: Task, *, to: Read = "claim") -> bool:
    """Whether a post of the officer lets them see a task, or do this with it."""
    return may(entry.posts, to, work_of_task(task), on=today(node))


def work_of_task(task: Task) -> Work:
    """What a post would act on that takes this task in hand."""
    return Work(authority=task.authority, window=task.window, item=task.step, part=task.part)


def noted(entry: DeskEntry, seen: Mapping[str, Seen]) -> dict[str, str]:
    """What the audit tells of who looks: the officer, by which post, at which authority, and in whose place."""
    post, mine = next((each.post, each.mine) for each in seen.values())
    told = {"officer": entry.officer.name, "authority": mine.authority.id, "post": post.id}
    return told | ({"stands_in_for": post.stands_in_for} if post.stands_in_for else {})
