"""Chaining: what waits is chained a few moments after it is written, by any process of `work`.

The steps stand in the order that makes it impossible for an entry to be in two links, whatever crashes and however many
processes there are: find the last link; mark its entries as chained; only then read those that wait, and append.
"""

from collections.abc import Mapping, Sequence

from server.desk import apart
from server.domain.chains import Chained, ChainHead, ChainName, next_link
from server.node import Node

# Entries of one link. Whoever looks along the heads reads each case that a link names, so those links are shorter.
AT_ONCE: Mapping[ChainName, int] = {"audit": 500, "heads": 100}


async def chain(node: Node, name: ChainName) -> bool:
    """Append one link of the entries of the audit, or of the heads of cases, that wait; True if there may be more."""
    links = node.store.chains[name].chain
    if not await links.is_waiting():
        return False
    kept, after = await _end(node, name)
    waiting = await links.waiting(limit=AT_ONCE[name])
    for id, fault in waiting.unreadable.items():
        await apart.set_apart(node, "stored", f"{name}/{id}", fault=fault)
    await links.pass_over(waiting.unreadable)
    if waiting and not await _append(node, name, waiting, after=after, kept=kept):
        return True
    return bool(waiting.seen == AT_ONCE[name])


async def say_again(node: Node, name: ChainName, entries: Sequence[Chained]) -> None:
    """Append these entries, which stood in a link before; when this returns they are at the end of the chain."""
    left = list(entries)
    while left:
        kept, after = await _end(node, name)
        if await _append(node, name, left[: AT_ONCE[name]], after=after, kept=kept):
            del left[: AT_ONCE[name]]


async def _end(node: Node, name: ChainName) -> tuple[ChainHead, ChainHead]:
    """What this process kept last, and what the next link follows; the entries of the last link are marked."""
    room = node.store.chains[name]
    kept = await room.files.own(str(node.settings.work_port))
    head, last = await room.chain.last(kept.number)
    if last:
        await room.chain.mark(last)
    # A last link that was altered is followed as this process remembers it.
    return kept, kept if last is None and kept.number == head.number else head


async def _append(
    node: Node, name: ChainName, entries: Sequence[Chained], *, after: ChainHead, kept: ChainHead
) -> bool:
    """Append one link, and keep its head in this process's file; False if another process was first.

    If the chain lacks the head in the file, that one stays: it is the proof.
    """
    room = node.store.chains[name]
    link = next_link(after, entries, at=node.clock.now())
    if not await room.chain.append(link):
        return False
    await room.chain.mark(link)
    if kept.number < link.number and await _holds(node, name, kept):
        await room.files.keep(str(node.settings.work_port), link.head)
    else:
        node.log.error("chain.broken", chain=name, kept=kept.number, number=link.number)
    return True


async def _holds(node: Node, name: ChainName, kept: ChainHead) -> bool:
    chain = node.store.chains[name].chain
    if kept.number <= (await chain.beginning()).after.number:
        return True  # it was archived
    link = await chain.link(kept.number)
    return link is not None and link.head == kept
