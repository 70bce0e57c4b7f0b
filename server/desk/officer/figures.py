"""Figures: how much lies at the desks of an officer's posts, and for heads at the authorities below, without cases."""

from collections.abc import Iterable

from server.desk.deciders import desk_here
from server.desk.officer.claiming import MOST_HELD
from server.desk.officer.seeing import today
from server.desk.steps import LocalMoment
from server.domain.case.case import State
from server.domain.catalogue.desks import all_below
from server.domain.people.accounts import DeskEntry
from server.domain.rules.rights import Work, may
from server.domain.time.counts import AuthorityCounts, summed
from server.domain.values import Value
from server.node import Node


class AuthorityLine(Value):
    """The open tasks of one authority: all, by state, overdue, and due today or within two days."""

    authority: str
    authority_name: str
    open: int
    states: dict[State, int]
    overdue: int
    soon: int
    counted_at: LocalMoment


class BelowView(Value):
    """The same of all authorities below one, together and of each where something is open."""

    all: AuthorityLine
    each: tuple[AuthorityLine, ...]


class CountsView(Value):
    """The counted authorities of the officer's posts, those below for a head, and how many tasks the officer has.

    `counted_at` is when the oldest of the officer's own was made; None if there is none yet.
    """

    authorities: tuple[AuthorityLine, ...]
    below: tuple[BelowView, ...]
    mine: int
    counted_at: LocalMoment | None


async def counts(node: Node, entry: DeskEntry) -> CountsView:
    """The last counts of the authorities where the officer has a post, and of those below where they are a head."""
    places = dict.fromkeys(post.authority for post in entry.posts if post.authority)
    own = [id for id in places if may(entry.posts, "counts", Work(authority=id), on=today(node))]
    found = await node.store.counts.counts(own)
    heads = [each for each in own if may(entry.posts, "figures_below", _below(each), on=today(node))]
    return CountsView(
        authorities=tuple(_line(node, found[id]) for id in own if id in found),
        below=tuple([await _all_below(node, id) for id in heads]),
        mine=len(await node.store.claims.held_by(entry.officer.name, at=node.clock.now(), limit=MOST_HELD)),
        counted_at=min((each.counted_at for each in found.values()), default=None),
    )


def _below(authority: str) -> Work:
    """The figures of what lies below this authority."""
    return Work(authority="", superiors=(authority,))


async def _all_below(node: Node, authority: str) -> BelowView:
    ids = all_below(node.published.authorities, authority, on=today(node))
    found = await node.store.counts.counts(ids)
    counted = [found[id] for id in ids if id in found]
    return BelowView(
        all=_line(node, summed(authority, counted, at=node.clock.now())), each=tuple(_lines(node, counted))
    )


def _lines(node: Node, counted: Iterable[AuthorityCounts]) -> Iterable[AuthorityLine]:
    return (_line(node, each) for each in counted if each.open)


def _line(node: Node, counted: AuthorityCounts) -> AuthorityLine:
    desk = desk_here(node, counted.authority, on=today(node))
    shown = counted.model_dump(exclude={"counted_at"})
    return AuthorityLine(
        **shown,
        authority_name=desk.name if desk else counted.authority,
        open=counted.open,
        counted_at=counted.counted_at,
    )
