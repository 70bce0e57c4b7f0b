"""Chaining: what waits is chained a few moments after it is written, by any process of `work`.

The steps stand in the order that makes it impossible for an entry to be in two links, whatever crashes and however many
processes there are: find the last link; mark its entries as chained; only then read those that wait, and append.
"""

from typing import Any, Literal

from server.desk import apart
from server.domain.chains import ChainHead, Link, next_link
from server.node import Node

AT_ONCE = 100
What = Literal["audit", "heads"]


async def chain(node: Node, what: What) -> bool:
    """Append one link of the entries of the audit, or of the heads of cases, that wait; True if there may be more."""
    room, process = _room(node, what), str(node.settings.work_port)
    if not await room.chain.is_waiting():
        return False
    kept = await room.heads.own(process)
    head, last = await room.chain.last(kept.number)
    if last:
        await room.chain.mark(last)
    waiting = await room.chain.waiting(limit=AT_ONCE)
    for id, fault in waiting.unreadable.items():
        await apart.set_apart(node, "stored", f"{what}/{id}", fault=fault)
    await room.chain.pass_over(waiting.unreadable)
    if waiting:
        # A last link that was altered is followed as this process remembers it.
        after = kept if last is None and kept.number == head.number else head
        link = next_link(after, waiting, at=node.clock.now())
        if not await room.chain.append(link):
            return True
        await room.chain.mark(link)
        await _keep(node, what, link, kept=kept)
    return bool(waiting.seen == AT_ONCE)


def _room(node: Node, what: What) -> Any:
    return node.store.audit if what == "audit" else node.store.case_heads


async def _keep(node: Node, what: What, link: Link, *, kept: ChainHead) -> None:
    """Keep the new head in this process's file, unless the chain lacks the one there: then that one is the proof."""
    room = _room(node, what)
    if kept.number < link.number and await _holds(node, what, kept):
        await room.heads.keep(str(node.settings.work_port), link.head)
    else:
        node.log.error("chain.broken", chain=what, kept=kept.number, number=link.number)


async def _holds(node: Node, what: What, kept: ChainHead) -> bool:
    room = _room(node, what)
    if kept.number <= (await room.chain.beginning()).after.number:
        return True  # it was archived
    link = await room.chain.link(kept.number)
    return link is not None and link.head == kept
