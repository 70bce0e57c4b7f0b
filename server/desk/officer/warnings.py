"""Warning: officers and heads read what the clocks told them, the newest first."""

from datetime import date

from server.desk.officer.seeing import today
from server.desk.steps import LocalMoment
from server.domain.effects.warnings import DeskWarning, WarningName, WarningReader
from server.domain.people.accounts import DeskEntry
from server.domain.rules.rights import NotYourPost, Work, may
from server.domain.values import Value
from server.node import Node


class Sought(Value):
    """Which warnings are wanted: to an authority, and before which `next`."""

    authority: str = ""
    before: str = ""


class WarningLine(Value):
    """A warning about one step to the officers or the heads of an authority; `about` names the one that has the step.

    `is_confirmed` is false if the working days up to then are not sure.
    """

    id: str
    case: str
    step: str
    authority: str
    authority_name: str
    about: str
    reader: WarningReader
    rung: WarningName
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


async def warnings(node: Node, entry: DeskEntry, sought: Sought, *, limit: int) -> WarningList:
    """The warnings to the authorities where the officer has a post, and to their heads where they are one.

    Of those to officers only what the posts are for. A page may be short although there are more. Raises NotYourPost.
    """
    own = {post.authority for post in entry.posts if post.authority}
    if sought.authority not in {"", *own}:
        raise NotYourPost("只能查看本人岗位所在机关的督办提醒。")
    readers: set[tuple[str, WarningReader]] = {(id, "officer") for id in own}
    readers |= {(post.authority, "head") for post in entry.posts if post.role == "head"}
    chosen = [each for each in sorted(readers) if sought.authority in ("", each[0])]
    found = await node.store.warnings.warnings(chosen, limit=limit + 1, before=sought.before)
    page = found[:limit]
    return WarningList(
        warnings=tuple(WarningLine(**vars(each)) for each in page if _is_for(node, entry, each)),
        next=node.store.warnings.place(page[-1]) if len(found) > limit else None,
    )


def _is_for(node: Node, entry: DeskEntry, warning: DeskWarning) -> bool:
    return may(entry.posts, "warnings", Work(authority=warning.authority, item=warning.step), on=today(node))
