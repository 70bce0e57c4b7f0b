"""What an operator sees of things that could not be handled, and does about them: tried again, or dropped."""

from collections.abc import Mapping, Sequence

from regions import settling
from regions.control_letters import CONTROL_LETTERS
from server.desk import apart
from server.desk.apart import Again
from server.desk.background import making_papers, reprojecting
from server.domain.apart import DROPPED, Kind, NothingApart, SetApart, dropped
from server.domain.audit import AuditKind, Doer
from server.domain.errors import StaleVersion
from server.domain.exchange.log import own_id
from server.node import Node

# How a thing is done again that does not stand in a queue of its own.
AGAIN: Mapping[Kind, Again] = {"batch": settling.unpack_again, "dates": reprojecting.reproject_case}


async def release_due(node: Node) -> bool:
    """Release what has waited long enough, and forget what did not fail again; True if there may be more."""
    return await apart.release_due(node, AGAIN)


async def listed(node: Node, *, limit: int) -> Sequence[SetApart]:
    """What is set apart, the longest first, and then what is being tried again by itself."""
    return await node.store.apart.open(limit=limit)


async def shown(node: Node, id: str) -> SetApart:
    """One of them, whatever became of it; raises NothingApart."""
    found = await node.store.apart.find(id)
    if found is None:
        raise NothingApart("没有这项被搁置的内容。")
    return found


async def retry(node: Node, id: str, *, by: Doer, reason: str) -> SetApart:
    """Let the thing be handled anew, with all tries before it; raises NothingApart and StaleVersion."""
    row = await _open(node, id)
    await _note(node, row, "apart.retried", by=by, reason=reason)
    if not await apart.release(node, row, AGAIN, is_anew=True):
        raise StaleVersion("这项内容已有新的变化，请重新查看。")
    return await shown(node, id)


async def drop(node: Node, id: str, *, by: Doer, reason: str) -> SetApart:
    """Let the thing end undone; the sender of a letter is told that it was not settled, and of a paper's
    number it is noted that no paper has it.

    Raises NothingApart, NotDroppable, and StaleVersion if it is not held at this moment.
    """
    row = await _open(node, id)
    document = await node.store.apart.held(row.kind, row.thing)
    if document is None:
        raise StaleVersion("这项内容已有新的变化，请重新查看。")
    await _note(node, row, "apart.dropped", by=by, reason=reason)
    # What is said about a letter is never refused; of one that nobody can read it is not known.
    if row.kind == "letter" and node.store.apart.kind_of_letter(document) not in CONTROL_LETTERS:
        letter, sender, round = own_id(row.thing), row.thing.partition(":")[0], document["round"]
        await settling.tell_refused(node, letter, DROPPED, sender=sender, round=round)
    if not await node.store.apart.drop(row.kind, row.thing, document):
        raise StaleVersion("这项内容已有新的变化，请重新查看。")
    if row.kind == "paper":
        await making_papers.give_up(node, row.thing, why=DROPPED)
    await node.store.apart.put(dropped(row, at=node.clock.now()))
    return await shown(node, id)


async def _open(node: Node, id: str) -> SetApart:
    row = await shown(node, id)
    if not row.is_open:
        raise NothingApart("这项内容已经处理完毕。")
    return row


async def _note(node: Node, row: SetApart, kind: AuditKind, *, by: Doer, reason: str) -> None:
    """An operator's act is audited before it is done."""
    about = {"id": row.id, "fault": row.fault, "tries": str(row.tries), **by.by, "reason": reason}
    await node.store.audit.note(f"{kind}:{row.id}:{row.version}", kind, at=node.clock.now(), about=about)
