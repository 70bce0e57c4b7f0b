"""Posts of officers as they are given and ended, each change with an entry in the audit."""

from server.desk.officer.claiming import release_unseen
from server.domain.audit import AuditKind, Doer
from server.domain.people.posts import Post
from server.domain.values import china_day
from server.node import Node


async def give(node: Node, post: Post, *, by: Doer, reason: str = "") -> Post:
    """Store a post; one that is there already under its id comes back."""
    given = await node.store.posts.add(post)
    about = {**by.by, "reason": reason, "before": "", "after": given.words}
    await _note(node, given, about, kind="officer.post_given")
    return given


async def vacate(node: Node, post: Post, *, by: Doer, reason: str) -> Post:
    """End a post, and with it those by which others stand in for the officer there; a second end changes nothing.

    What nobody of them sees any more, and had in hand, is free.
    """
    at = node.clock.now()
    ended = await node.store.posts.end(post.id, at=at)
    there = await node.store.posts.at(post.place, on=china_day(at)) if post.is_own else []
    has_another = any((each.officer, each.kind, each.role) == (post.officer, post.kind, post.role) for each in there)
    resting = [] if has_another else [each for each in there if _rests_on(each, post)]
    for each in (ended, *resting):
        done = await node.store.posts.end(each.id, at=at)
        about = {**by.by, "reason": reason, "before": done.words, "after": "ended"}
        await _note(node, done, about, kind="officer.post_ended")
    for officer in {each.officer for each in (ended, *resting)}:
        await release_unseen(node, officer)
    return ended


def _rests_on(other: Post, post: Post) -> bool:
    """Whether somebody acts by this post in the place of the officer of that one."""
    is_by_role = other.kind == "substitution" and other.role == post.role
    is_given = other.kind == "delegation" and post.role == "head"
    return other.stands_in_for == post.officer and (is_by_role or is_given)


async def _note(node: Node, post: Post, about: dict[str, str], *, kind: AuditKind) -> None:
    told = {"name": post.officer, "post": post.id, **about}
    await node.store.audit.note(f"{kind}:{post.id}", kind, at=node.clock.now(), about=told)
    node.log.info(kind)
