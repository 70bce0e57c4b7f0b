"""Colleagues: who works at an officer's own authorities and windows, who is present, and how much each has in hand."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import date
from typing import Annotated, TypeVar

from pydantic import StringConstraints

from server.desk.officer.appointing import Code
from server.desk.officer.claiming import MOST_HELD
from server.desk.officer.proving import rules_of
from server.desk.officer.seeing import today
from server.domain.people.accounts import DeskEntry, is_present
from server.domain.people.posts import Post, PostKind, PostRole
from server.domain.rules.rights import Work, granted
from server.domain.values import Value
from server.node import Node

MOST_SESSIONS = 20  # of one officer; more at once are not looked at
AT_ONCE = 25
Answer = TypeVar("Answer")


class ColleaguesAsked(Value):
    """Colleagues of an authority, of a window, or (neither) of all the officer's posts; and after whom."""

    authority: Code = ""
    window: Code = ""
    after: Annotated[str, StringConstraints(max_length=100)] = ""


class ColleaguePost(Value):
    """A post of a colleague that is in force today; no `items` are all, and `stands_in_for` is empty for their own."""

    id: str
    authority: str
    window: str
    role: PostRole
    items: tuple[str, ...]
    to_day: date | None
    kind: PostKind
    stands_in_for: str


class ColleagueLine(Value):
    """A colleague, whether they are at their desk now, and how many tasks they have in hand."""

    name: str
    posts: tuple[ColleaguePost, ...]
    is_present: bool
    in_hand: int


class ColleagueList(Value):
    """Colleagues by name, the officer among them; `next` goes into `?after=` for the following page."""

    colleagues: tuple[ColleagueLine, ...]
    next: str | None


async def colleagues(node: Node, entry: DeskEntry, asked: ColleaguesAsked, *, limit: int) -> ColleagueList:
    """Who has a post in force at the officer's own authorities and windows; raises NotYourPost."""
    places = {asked.authority, asked.window} - {""} or {post.place for post in entry.posts}
    for place in places:
        granted(entry.posts, "colleagues", Work(authority=place), on=today(node))
    found = await posts_in_force(node, places)
    names = sorted(name for name in found if name > asked.after)
    there, page = await present_ones(node, names[:limit]), names[:limit]
    held = await in_hand(node, page)
    return ColleagueList(
        colleagues=tuple(
            ColleagueLine(
                name=name,
                posts=tuple(_line(post) for post in found[name]),
                is_present=name in there,
                in_hand=held[name],
            )
            for name in page
        ),
        next=page[-1] if len(names) > limit else None,
    )


async def posts_in_force(node: Node, places: Iterable[str]) -> dict[str, list[Post]]:
    """The posts in force today at these authorities and windows, by officer."""
    found: dict[str, list[Post]] = {}
    for place in sorted(places):
        for post in await node.store.posts.at(place, on=today(node)):
            if post.is_in_force(today(node)):
                found.setdefault(post.officer, []).append(post)
    return found


async def present_ones(node: Node, names: Iterable[str]) -> frozenset[str]:
    """Those of these officers who are at a desk now."""
    at, rules = node.clock.now(), rules_of(node)

    async def is_there(name: str) -> bool:
        sessions = await node.store.desk_sessions.of_officer(name, at=at, limit=MOST_SESSIONS)
        return is_present(await node.store.accounts.find(name) if sessions else None, sessions, at=at, rules=rules)

    return frozenset(name for name, is_here in (await _of_each(names, is_there)).items() if is_here)


async def in_hand(node: Node, names: Iterable[str]) -> dict[str, int]:
    """How many tasks each of these officers has in hand; nobody may have more than MOST_HELD."""
    at = node.clock.now()

    async def held(name: str) -> int:
        return len(await node.store.claims.held_by(name, at=at, limit=MOST_HELD))

    return await _of_each(names, held)


async def _of_each(names: Iterable[str], ask: Callable[[str], Awaitable[Answer]]) -> dict[str, Answer]:
    """What is answered of each officer; of a few at once, so that a large authority does not fill the database."""
    left: list[str] = list(names)
    found: dict[str, Answer] = {}
    while left:
        some, left = left[:AT_ONCE], left[AT_ONCE:]
        found |= dict(zip(some, await asyncio.gather(*map(ask, some)), strict=True))
    return found


def _line(post: Post) -> ColleaguePost:
    return ColleaguePost(**post.model_dump(include=set(ColleaguePost.model_fields)))
