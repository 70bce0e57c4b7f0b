"""Renewing heads: the chain begins later, once what its oldest links say is said again at its end.

So it is never longer than its cases and the commits of some days need, and a round along it has an end.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from server.desk.background.chaining import say_again
from server.desk.background.head_walking import take_heads
from server.domain.aggregate.heads import HistoryHead, HistoryStanding, finding_of
from server.domain.chains import Chained, ChainHead, Link
from server.node import Node

LINKS_AT_ONCE = 10


async def renew(node: Node) -> bool:
    """Say again what the first links say, if they are older than `heads_keep_days`, and remove them.

    True if there may be more. A head is left out if its case has gone on since, for then a later link has its newer
    one. A link that is not as this node wrote it stays with all that follow: verifying names it.
    """
    room = node.store.heads
    if not await room.chain.clear():
        return False
    beginning = await room.chain.beginning()
    links = await _old(node, beginning.after)
    if not links:
        return False
    heads: dict[str, HistoryHead] = {}
    for link in links:
        take_heads(link, heads)
    standings = await room.standings(list(heads))
    still = [head for head in heads.values() if not _has_gone_on(head, standings)]
    await say_again(node, "heads", [Chained(id=head.id, sha256=head.link) for head in still])
    await room.chain.begin(beginning.model_copy(update={"after": links[-1].head}))
    await room.chain.clear()
    node.log.info("heads.renewed", links=len(links), heads=len(heads), again=len(still))
    return len(links) == LINKS_AT_ONCE


async def _old(node: Node, after: ChainHead) -> Sequence[Link]:
    """The first links that are old enough and follow each other; never the last of the chain."""
    chain = node.store.heads.chain
    before = node.clock.now() - timedelta(days=node.settings.heads_keep_days)
    found = await chain.links(range(after.number + 1, after.number + 2 + LINKS_AT_ONCE))
    old: list[Link] = []
    for number in range(after.number + 1, after.number + 1 + LINKS_AT_ONCE):
        link = found.get(number)
        if link is None or link.at >= before or link.prev != after.hash or number + 1 not in found:
            break
        old.append(link)
        after = link.head
    return old


def _has_gone_on(head: HistoryHead, standings: Mapping[str, HistoryStanding]) -> bool:
    standing = standings.get(head.name)
    if standing is None or standing.links is None or finding_of(head, standing):
        return False
    return len(standing.links) > head.version
