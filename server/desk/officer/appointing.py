"""Appointing: the security administrator gives officers their posts (岗位), ends them, and sees who has which."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Annotated, Self

from pydantic import Field, StringConstraints

from server.desk.deciders import desk_here
from server.desk.officer.administering import Ending, OfficerLine, line_of
from server.desk.officer.posts import give, vacate
from server.desk.steps import LocalMoment
from server.domain.audit import Doer
from server.domain.catalogue.divisions import province_of
from server.domain.errors import FieldFault, Invalid
from server.domain.people.posts import Duty, NoSuchPost, Post, PostKind, PostRole
from server.domain.periods import Period
from server.domain.values import Day, Value, china_day
from server.node import Node

MOST_ITEMS = 200
Code = Annotated[str, StringConstraints(max_length=100)]


class PostUnfit(Invalid):
    """The post cannot be given: each fault names a place, an item, a role or a day that does not hold."""

    code = "post_unfit"
    title = "岗位设置有误"


class PostsForOfficersOnly(Invalid):
    """An administrator has no posts: they see no cases."""

    code = "posts_for_officers_only"
    title = "管理员账号不设岗位"


class NewPost(Duty):
    """A post to give: a role at an authority or a window, for some items or all (none), on some days or always."""

    authority: Code = ""
    window: Code = ""
    items: Annotated[tuple[Code, ...], Field(max_length=MOST_ITEMS)] = ()
    from_day: Day | None = None
    to_day: Day | None = None


class PostLine(Value):
    """A post as it is listed. `place_name` is empty if there is none of this id today."""

    id: str
    role: PostRole
    authority: str
    place_name: str
    window: str
    items: tuple[str, ...]
    from_day: date | None
    to_day: date | None
    kind: PostKind
    stands_in_for: str
    is_in_force: bool
    ended_at: LocalMoment | None

    @classmethod
    def of(cls, node: Node, post: Post) -> Self:
        """As it is today."""
        today = china_day(node.clock.now())
        shown = post.model_dump(exclude={"officer", "version"})
        return cls(**shown, place_name=_place_name(node, post, today), is_in_force=post.is_in_force(today))


class OfficerView(OfficerLine):
    """An account with its posts, those that have ended last."""

    posts: tuple[PostLine, ...]


async def officer_view(node: Node, name: str) -> OfficerView:
    """An account, also one that has ended, with all of its posts; raises NoSuchOfficer."""
    account = await node.store.accounts.known(name)
    posts = tuple(PostLine.of(node, post) for post in await node.store.posts.of_officer(name))
    return OfficerView(**dict(line_of(account)), posts=posts)


async def appoint(node: Node, name: str, new: NewPost, *, by: Doer, key: str) -> PostLine:
    """Give an officer a post; the same request again gives no second one.

    Raises NoSuchOfficer, PostsForOfficersOnly, PostUnfit.
    """
    account = await node.store.accounts.account(name)
    if account.officer.role != "officer":
        raise PostsForOfficersOnly("系统、安全、审计管理员不办理业务，不能设置岗位。")
    check_duty(node, new)
    id = node.keys.request_digest(["post", by.name, name, key, new.model_dump(mode="json")])
    return PostLine.of(node, await give(node, Post(**new.model_dump(), id=id, officer=name), by=by))


async def end_post(node: Node, name: str, id: str, *, ending: Ending, by: Doer) -> PostLine:
    """End a post of an officer at once; a second end changes nothing. Raises NoSuchPost."""
    before = await node.store.posts.post(id)
    if before.officer != name:
        raise NoSuchPost("没有这个岗位。")
    return PostLine.of(node, await vacate(node, before, by=by, reason=ending.reason))


def check_duty(node: Node, duty: Duty) -> None:
    """Whether there is such a place with such items, and days to come; raises PostUnfit."""
    if own := duty.fault():
        _refuse([own])
    check_period(node, duty)
    _refuse(list(_faults(node, duty, china_day(node.clock.now()))))


def check_period(node: Node, period: Period) -> None:
    """Whether the days are in order and not over; raises PostUnfit."""
    if period.to_day and period.to_day < max(china_day(node.clock.now()), period.from_day or period.to_day):
        _refuse([_fault("to_day", "post_period", "结束日期不能早于开始日期，也不能早于今天。")])


def _refuse(faults: Sequence[FieldFault]) -> None:
    if faults:
        raise PostUnfit("岗位设置有误，请更正后重试。", errors=faults)


def _faults(node: Node, duty: Duty, today: date) -> Iterator[FieldFault]:
    day = max(today, duty.from_day or today)
    if not _place_name(node, duty, day):
        member = "authority" if duty.authority else "window"
        yield _fault(member, "place_unknown", "本省没有这个实施主体或者综合窗口，或者当日无效。")
    for place, item in enumerate(duty.items):
        if item not in node.catalogue.item_of:
            yield _fault(f"items/{place}", "item_unknown", "目录中没有这个事项。")


def _place_name(node: Node, duty: Duty, on: date) -> str:
    """What the authority or the window is called, if this province has it on this day."""
    if duty.authority:
        desk = desk_here(node, duty.authority, on=on)
        return desk.name if desk else ""
    window = node.published.windows.find(duty.window, on=on)
    return window.name if window and province_of(window.county) == province_of(node.here) else ""


def _fault(member: str, code: str, detail: str) -> FieldFault:
    return FieldFault(pointer=f"/{member}", code=code, detail=detail)
