"""Reminding: tells the owners of drafts that expire soon, each once."""

from datetime import timedelta

from server.desk import drafts
from server.domain.names import china_day
from server.domain.notices import draft_notice
from server.node import Node

A_MOMENT = timedelta(milliseconds=1)


async def remind_of_drafts(node: Node) -> None:
    """Put a notice for each draft that expires within three days, unless its owner has been told of that day."""
    page = await drafts.expiring(node)
    while page:
        now = node.clock.now()
        notices = [
            draft_notice(
                each.id, each.owner, bundle_name=each.bundle_name, due_on=china_day(each.expires_at - A_MOMENT), at=now
            )
            for each in page
        ]
        known = await node.store.notices.notices([notice.id for notice in notices])
        for notice in notices:
            if notice.id not in known:
                await node.store.notices.put(notice.model_dump(mode="json"))
        page = await drafts.expiring(node, after=page[-1]) if len(page) == drafts.EXPIRING_AT_ONCE else []
