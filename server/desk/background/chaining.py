"""Chaining: entries of the audit are chained a few moments after they are written, by any process of `work`.

The steps stand in the order that makes it impossible for an entry to be in two links, whatever crashes and however many
processes there are: find the last link; mark its entries as chained; only then read those that wait, and append.
"""

from server.desk import apart
from server.domain.chains import ChainHead, Link, next_link
from server.node import Node

AT_ONCE = 100


async def chain(node: Node) -> bool:
    """Append one link of the entries that wait, if any do; True if there may be more."""
    audit, process = node.store.audit, str(node.settings.work_port)
    if not await audit.chain.is_waiting():
        return False
    kept = await audit.heads.own(process)
    head, last = await audit.chain.last(kept.number)
    if last:
        await audit.chain.mark(last)
    waiting = await audit.chain.waiting(limit=AT_ONCE)
    for id, fault in waiting.unreadable.items():
        await apart.set_apart(node, "stored", f"audit/{id}", fault=fault)
    await audit.chain.pass_over(waiting.unreadable)
    if waiting:
        # A last link that was altered is followed as this process remembers it.
        after = kept if last is None and kept.number == head.number else head
        link = next_link(after, waiting, at=node.clock.now())
        if not await audit.chain.append(link):
            return True
        await audit.chain.mark(link)
        await _keep(node, process, link, kept=kept)
    return waiting.seen == AT_ONCE


async def _keep(node: Node, process: str, link: Link, *, kept: ChainHead) -> None:
    """Keep the new head in this process's file, unless the chain lacks the one there: then that one is the proof."""
    if kept.number < link.number and await _holds(node, kept):
        await node.store.audit.heads.keep(process, link.head)
    else:
        node.log.error("audit.chain_broken", kept=kept.number, number=link.number)


async def _holds(node: Node, kept: ChainHead) -> bool:
    if kept.number <= (await node.store.audit.chain.beginning()).after.number:
        return True  # it was archived
    link = await node.store.audit.chain.link(kept.number)
    return link is not None and link.head == kept
