"""Seeing: what an officer's posts let them see of a case and of a task; all else does not exist for them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache, partial

from server.domain.aggregate.actors import Actor
from server.domain.case.case import Case, NoSuchCase, Step
from server.domain.effects.effects import Task
from server.domain.errors import Forbidden
from server.domain.people.accounts import DeskEntry
from server.domain.people.persons import Officer
from server.domain.people.posts import Post
from server.domain.rules.desk_forms import TaskPart
from server.domain.rules.responsible import Responsible, responsible
from server.domain.rules.rights import NotYourPost, Use, Work, granted, may, post_for, work_of
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


def shown_parts(node: Node, case: Case) -> Iterator[tuple[Step, Responsible]]:
    """Each step with each part that an authority of this node has in it and its officers see it for, the most first.

    A check that was never asked for is none, although `responsible` names it so that its task can be closed.
    """
    for step in case.steps.values():
        for each in responsible(case, step, here=node.here):
            if each.part in SHOWN and (each.part != "check" or step.checked_by):
                yield step, each


def parts_of(node: Node, entry: DeskEntry, case: Case, *, to: Use = "open_case") -> dict[str, Seen]:
    """The steps that the officer may see for a part that an authority of theirs has in them, each for the most of it.

    Raises NoSuchCase if there is none: whoever has no part in a case does not learn of it.
    """
    found: dict[str, Seen] = {}
    for step, each in shown_parts(node, case):
        post = post_for(entry.posts, to, work_of(case, step, each, here=node.here), on=today(node))
        if post:
            found.setdefault(step.plan.code, Seen(each, post))
    if not found:
        raise NoSuchCase("没有这个办件。")
    return found


def seat_of(node: Node, entry: DeskEntry, case: Case, *, parts: Iterable[tuple[Step, Responsible]], to: str) -> Seen:
    """The first of these parts for which a post of the officer may do this.

    Raises the refusals of `granted`; NotYourPost only if the officer has no post where any of the parts is.
    """
    refusal: Forbidden = NotYourPost("该业务不在您的岗位范围内。")
    for step, each in parts:
        try:
            work = work_of(case, step, each, here=node.here)
            return Seen(each, granted(entry.posts, to, work, on=today(node)))
        except Forbidden as fault:
            refusal = fault if isinstance(refusal, NotYourPost) else refusal
    raise refusal


def actor(node: Node, officer: Officer, *, authority: str, post: Post) -> Actor:
    """The officer as they act for an authority by one of their posts."""
    return Actor(
        node=node.here,
        part="officer",
        authority=authority,
        window=post.window,
        name=officer.name,
        role=post.role,
        stands_in_for=post.stands_in_for,
    )


def sees(node: Node, entry: DeskEntry, task: Task, *, to: Use) -> bool:
    """Whether a post of the officer lets them see a task, or do this with it."""
    return may(entry.posts, to, work_of_task(task), on=today(node))


def sight(node: Node, entry: DeskEntry, *, to: Use) -> Callable[[Task], bool]:
    """What `sees` tells, for many tasks at this moment: posts are gone through once for an item at a place."""
    may_do = cache(partial(may, entry.posts, to, on=today(node)))
    return lambda task: may_do(work_of_task(task))


def work_of_task(task: Task) -> Work:
    """What a post would act on that takes this task in hand."""
    return Work(authority=task.authority, window=task.window, item=task.step, part=task.part)


def noted(entry: DeskEntry, seen: Iterable[Seen]) -> dict[str, str]:
    """What the audit tells of who looks or acts: the officer and their session, by which posts, at which authorities,
    and in whose place.
    """
    each_seen = list(seen)
    told = {
        "authority": [each.mine.authority.id for each in each_seen],
        "post": [each.post.id for each in each_seen],
        "stands_in_for": [each.post.stands_in_for for each in each_seen if each.post.stands_in_for],
    }
    about = {member: ", ".join(dict.fromkeys(values)) for member, values in told.items() if values}
    return {**entry.doer.about, **about}
