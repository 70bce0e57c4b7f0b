"""Reminding: tells the owners of drafts that expire soon, each once."""

from collections.abc import Sequence
from datetime import timedelta

from server.desk import apart
from server.desk.citizen import drafts
from server.domain.effects.notices import draft_notice
from server.domain.rules.drafts import Expiring
from server.domain.values import china_day
from server.node import Node

A_MOMENT = timedelta(milliseconds=1)


async def remind_of_drafts(node: Node) -> None:
    """Put a notice for each draft that expires within three days, unless its owner has been told of that day."""
    page = await drafts.expiring(node)
    while page.seen:
        await apart.set_apart_unread(node, page, kind="draft")
        by_id = {f"{each.owner}:{each.id}": each for each in page}
        await apart.all_or_each(node, by_id, lambda some: _remind(node, some), kind="draft")
        page = await drafts.expiring(node, after=page.cursor)


async def _remind(node: Node, expiring: Sequence[Expiring]) -> None:
    now = node.clock.now()
    notices = [
        draft_notice(
            each.id, each.owner, bundle_name=each.bundle_name, due_on=china_day(each.expires_at - A_MOMENT), at=now
        )
        for each in expiring
    ]
    known = await node.store.notices.notices([notice.id for notice in notices])
    for notice in notices:
        if notice.id not in known:
            await node.store.notices.add(notice)
