"""Substituting: who is away is stood in for (代理), and a head delegates some items (授权); both until a day."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from server.desk.officer.administering import Ending, Name, Reason
from server.desk.officer.appointing import MOST_ITEMS, Code, PostLine, check_duty, check_period
from server.desk.officer.posts import give, vacate
from server.domain.audit import Doer
from server.domain.errors import Invalid
from server.domain.people.accounts import DeskEntry
from server.domain.people.posts import Duty, NoSuchPost, Post
from server.domain.periods import Period
from server.domain.rules.rights import NotYourPost, Work, granted, may
from server.domain.values import Day, Value, china_day
from server.node import Node


class StandInUnfit(Invalid):
    """Nobody stands in for themselves, nor at an authority or a window where they have no post of their own."""

    code = "stand_in_unfit"
    title = "不能由此人代理或者接受授权"


class Absence(Value):
    """From which day to which somebody is away (empty: oneself), why, and who stands in for them."""

    absent: Name | Literal[""] = ""
    substitute: Name
    from_day: Day
    to_day: Day
    reason: Reason


class Delegating(Value):
    """Which items of an authority a head leaves to whom, in which role, from which day to which, and why."""

    to: Name
    authority: Code
    role: Literal["window", "handler", "approver"]
    items: Annotated[tuple[Code, ...], Field(min_length=1, max_length=MOST_ITEMS)]
    from_day: Day
    to_day: Day
    reason: Reason


class StandIns(Value):
    """The posts by which somebody acts in the place of another, or for them."""

    officer: str
    posts: tuple[PostLine, ...]


class MyPosts(Value):
    """The officer's posts that are not over, some of which may not have begun; and those that they may end early.

    `stand_ins` are posts by which others stand in for the officer, or for anybody at an authority whose head they are.
    """

    posts: tuple[PostLine, ...]
    stand_ins: tuple[StandIns, ...]


async def my_posts(node: Node, entry: DeskEntry) -> MyPosts:
    """The posts of an officer, and of others at the same places the substitutions and delegations that concern them."""
    me, today = entry.officer.name, china_day(node.clock.now())
    mine = await node.store.posts.not_over(me, on=today)
    others: dict[str, list[PostLine]] = {}
    for place in sorted({post.place for post in mine}):
        for post in await node.store.posts.at(place, on=today):
            if post.officer != me and _concerns(entry, post, on=today):
                others.setdefault(post.officer, []).append(PostLine.of(node, post))
    return MyPosts(
        posts=tuple(PostLine.of(node, post) for post in mine),
        stand_ins=tuple(StandIns(officer=name, posts=tuple(others[name])) for name in sorted(others)),
    )


async def end_stand_in(node: Node, entry: DeskEntry, id: str, *, ending: Ending) -> PostLine:
    """End a substitution or a delegation before its last day; a second end changes nothing.

    Asked by who stands in, by whom they stand in for, or by a head of the authority. Raises NoSuchPost.
    """
    post = await node.store.posts.post(id)
    if not _concerns(entry, post, on=china_day(node.clock.now())):
        raise NoSuchPost("没有这个岗位。")
    return PostLine.of(node, await vacate(node, post, by=entry.doer, reason=ending.reason))


async def substitute(node: Node, entry: DeskEntry, absence: Absence, *, key: str) -> StandIns:
    """Let a colleague stand in for an officer who is away: a post for each of the officer's own in these days.

    Asked by the officer, or by a head for the posts at their authority. Raises NotYourPost, PostUnfit, StandInUnfit.
    """
    by, today = entry.officer.name, china_day(node.clock.now())
    absent, period = absence.absent or by, Period(from_day=absence.from_day, to_day=absence.to_day)
    check_period(node, period)
    own = [post for post in await node.store.posts.not_over(absent, on=today) if post.is_own and post.meets(period)]
    if absent != by:
        own = [post for post in own if may(entry.posts, "substitute", Work(authority=post.place), on=today)]
    if not own:
        raise NotYourPost("没有可以由您安排代理的岗位。")
    await _check_stand_in(node, absence.substitute, whom=absent, places={post.place for post in own}, period=period)
    made = [
        post.model_copy(
            update={
                "id": node.keys.request_digest(["substitution", by, key, post.id, absence.model_dump(mode="json")]),
                **{"officer": absence.substitute, "kind": "substitution", "stands_in_for": absent, "version": 1},
                **{"from_day": max(period.from_day or today, post.from_day or today)},
                "to_day": min(absence.to_day, post.to_day or absence.to_day),
            }
        )
        for post in own
    ]
    return await _given(node, made, by=entry.doer, reason=absence.reason)


async def delegate(node: Node, entry: DeskEntry, wish: Delegating, *, key: str) -> StandIns:
    """Leave some items of an authority to a colleague until a day, as its head.

    Raises PostUnfit, StandInUnfit, and the refusals of `granted`.
    """
    by, today = entry.officer.name, china_day(node.clock.now())
    duty = Duty(**wish.model_dump(exclude={"to", "reason"}))
    check_duty(node, duty)
    heads = [
        granted(entry.posts, "delegate", Work(authority=wish.authority, item=item), on=today) for item in wish.items
    ]
    if any(head.to_day and head.to_day < wish.to_day for head in heads):
        raise StandInUnfit("授权的结束日期不能晚于您本人岗位的结束日期。")
    await _check_stand_in(node, wish.to, whom=by, places={wish.authority}, period=duty)
    id = node.keys.request_digest(["delegation", by, key, wish.model_dump(mode="json")])
    post = Post(**duty.model_dump(), id=id, officer=wish.to, kind="delegation", stands_in_for=by)
    return await _given(node, [post], by=entry.doer, reason=wish.reason)


def _concerns(entry: DeskEntry, post: Post, *, on: date) -> bool:
    """Whether an officer may end this substitution or delegation."""
    is_theirs = entry.officer.name in post.persons
    return not post.is_own and (is_theirs or may(entry.posts, "substitute", Work(authority=post.place), on=on))


async def _given(node: Node, posts: list[Post], *, by: Doer, reason: str) -> StandIns:
    lines = [PostLine.of(node, await give(node, post, by=by, reason=reason)) for post in posts]
    return StandIns(officer=posts[0].officer, posts=tuple(lines))


async def _check_stand_in(node: Node, name: str, *, whom: str, places: set[str], period: Period) -> None:
    """Whether a colleague may act in these places: each needs a post of their own there, some of these days."""
    account = await node.store.accounts.find_officer(name)
    posts = await node.store.posts.not_over(name, on=china_day(node.clock.now())) if account else []
    if name == whom or not places <= {post.place for post in posts if post.is_own and post.meets(period)}:
        raise StandInUnfit("请填写同一实施主体或者窗口的另一位工作人员。")
