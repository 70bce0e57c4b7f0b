"""Rights: whether a post may do an act or read something; what no line of the tables grants is refused by name."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Literal, get_args

from server.domain.case.case import Case, Step
from server.domain.errors import Forbidden
from server.domain.people.posts import ROLE_NAMES, Post, PostRole
from server.domain.rules.desk_acts import ACTS
from server.domain.rules.desk_forms import TaskPart
from server.domain.rules.moves.proposing import check_two_persons
from server.domain.rules.responsible import Responsible
from server.domain.values import Value

# What is done at the desk beside the acts on a step: reads, and who has which task or post.
Use = Literal[
    "list_tasks",
    "counts",
    "colleagues",
    "warnings",
    "search",
    "open_case",
    "open_material",
    "record_visit",
    "claim",
    "hand_over",
    "reassign",
    "assign",
    "substitute",
    "delegate",
    "designate",
    "figures_below",
    "open_licence",
    "move_licence",
    "ask_licence",
]
EVERY_ROLE: frozenset[PostRole] = frozenset(get_args(PostRole))
HEAD: frozenset[PostRole] = frozenset({"head"})
WINDOW_OR_HEAD: frozenset[PostRole] = HEAD | {"window"}
USES: Mapping[str, frozenset[PostRole]] = {
    "list_tasks": EVERY_ROLE,
    "counts": EVERY_ROLE,
    "colleagues": EVERY_ROLE,
    "warnings": EVERY_ROLE,
    "search": EVERY_ROLE,
    "open_case": EVERY_ROLE,
    "open_material": EVERY_ROLE,
    "record_visit": WINDOW_OR_HEAD,
    "claim": EVERY_ROLE,
    "hand_over": EVERY_ROLE,
    "reassign": HEAD,
    "assign": HEAD,
    "substitute": HEAD,
    "delegate": HEAD,
    "designate": HEAD,
    "figures_below": HEAD,
    "open_licence": EVERY_ROLE,
    "move_licence": HEAD | {"approver"},
    "ask_licence": EVERY_ROLE,
}
# These are about a desk as a whole, also for a post that is for some items.
OF_WHOLE_DESKS: frozenset[str] = frozenset({"counts", "colleagues", "assign", "substitute", "figures_below"})
# What the head of an authority does about those below.
FROM_ABOVE: frozenset[str] = frozenset({"designate", "figures_below"})
ROLES: Mapping[str, frozenset[PostRole]] = {
    **{path: frozenset({form.role}) | HEAD for path, form in ACTS.items()},
    **USES,
}


class NotYourPost(Forbidden):
    """The officer has no post in force where the work is, and may not even learn of it."""

    code = "not_your_post"
    title = "不在您的岗位范围内"


class RoleForbids(Forbidden):
    """The officer has a post there, but in no role that may do this; `roles` names those that may."""

    code = "role_forbids"
    title = "岗位角色不允许此操作"


class ItemNotInPost(Forbidden):
    """The officer has a post there in the right role, but not for this item."""

    code = "item_not_in_post"
    title = "该事项不在您的岗位范围内"


class PartForbids(Forbidden):
    """The authority has another part in the step than this act is done for."""

    code = "part_forbids"
    title = "该环节不允许此操作"


class Work(Value):
    """What a post would act on: a step's item at an authority (and window), for one part; or a desk as a whole.

    `superiors` are the authorities above. `two_persons` and `proposed_by` are those of the step: whether another one
    must decide than who proposed, and who counts as having proposed.
    """

    authority: str
    window: str = ""
    item: str = ""
    part: TaskPart = "decide"
    superiors: tuple[str, ...] = ()
    two_persons: bool = False
    proposed_by: frozenset[str] = frozenset()


def work_of(case: Case, step: Step, part: Responsible, *, here: str) -> Work:
    """What a post would act on that has this part in a step of a case at this node."""
    return Work(
        authority=part.authority.id,
        window=case.window if case.home == here else "",
        item=step.plan.code,
        part=part.part,
        two_persons=step.plan.terms.two_persons,
        proposed_by=frozenset(step.proposal.persons if step.proposal else ()),
    )


def granted(posts: Sequence[Post], action: str, work: Work, *, on: date) -> Post:
    """The first post in force on this day that may do an act of the desk, or one of USES.

    Raises NotYourPost, RoleForbids, ItemNotInPost, PartForbids, TwoPersonsNeeded: the first rule that no post passes.
    """
    roles, form = ROLES.get(action, frozenset()), ACTS.get(action)
    there = _those(posts, lambda post: post.is_in_force(on) and _is_there(post, action, work))
    if not there:
        raise NotYourPost("该业务不在您的岗位范围内。")
    of_role = _those(there, lambda post: post.role in roles)
    if not of_role:
        needed = sorted(roles, key=get_args(PostRole).index)
        names = "或者".join(ROLE_NAMES[role] for role in needed)
        detail = f"这一操作需要{names}岗位。" if names else "没有岗位可以进行这一操作。"
        raise RoleForbids(detail, more={"roles": needed})
    of_item = of_role if action in OF_WHOLE_DESKS else _those(of_role, lambda post: post.covers(work.item))
    if not of_item:
        raise ItemNotInPost("您的岗位不包含这一事项。")
    if form and form.part != work.part:
        raise PartForbids("本机关在该事项中的环节不包含这一操作。")
    if form and form.needs_two and work.two_persons:
        others = _those(of_item, lambda post: post.persons.isdisjoint(work.proposed_by))
        if not others:
            check_two_persons(work.proposed_by, of_item[0].persons)
        return others[0]
    return of_item[0]


def post_for(posts: Sequence[Post], action: str, work: Work, *, on: date) -> Post | None:
    """The post that `granted` would answer with; None if it would refuse."""
    try:
        return granted(posts, action, work, on=on)
    except Forbidden:
        return None


def may(posts: Sequence[Post], action: str, work: Work, *, on: date) -> bool:
    """Whether `granted` would answer with a post."""
    return post_for(posts, action, work, on=on) is not None


def _is_there(post: Post, action: str, work: Work) -> bool:
    """Whether the work is at the post's place: its authority's or its window's, or below it."""
    if action in FROM_ABOVE:
        return bool(post.authority) and post.authority in work.superiors
    return post.place in (work.authority, work.window)


def _those(posts: Sequence[Post], fits: Callable[[Post], bool]) -> tuple[Post, ...]:
    return tuple(filter(fits, posts))
