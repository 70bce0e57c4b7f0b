"""Notifying: sends each waiting notice to the phone of its person, at most once.

The platform knows no idempotency. So a notice is claimed before it is sent, and whatever may have been sent (a crash
or a lost answer after the claim) is `unknown` and is not sent again: a citizen rather misses a notice than gets two.
What surely was not sent waits for another attempt, each time longer, up to a limit.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from datetime import timedelta

from server.desk import apart
from server.domain.effects.notices import MOST_ATTEMPTS, Ending, KeptNotice, Outcome, pause_after
from server.node import Node

SENT_AT_ONCE = 10
CLAIM = timedelta(minutes=1)  # far more than one attempt takes
REASONS: Mapping[Ending, str] = {"sent": "", "refused": "platform", "unknown": "no_answer"}


async def notify(node: Node) -> bool:
    """Send what is due; True if there may be more and none of these has to wait."""
    now = node.clock.now()
    left = await node.store.notices.left_sending(now - CLAIM, limit=SENT_AT_ONCE)
    due = await node.store.notices.due(now, limit=SENT_AT_ONCE)
    for found in (left, due):
        await apart.set_apart_unread(node, found, kind="notice")
    for each in left:
        await _attempt(node, each, _end(node, each, "unknown", reason="no_word"))
    outcomes = await asyncio.gather(*(_attempt(node, each, _tell(node, each)) for each in due), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return due.seen == SENT_AT_ONCE and "later" not in outcomes


async def _attempt(node: Node, kept: KeptNotice, work: Awaitable[Outcome | None]) -> Outcome | None:
    return await apart.attempt(node, "notice", kept.notice.id, work=work)


async def _tell(node: Node, kept: KeptNotice) -> Outcome | None:
    """Make one attempt and record what came of it; None if another worker makes it."""
    templates, notice = node.published.templates, kept.notice
    template = templates.find(notice.template)
    openid = await node.store.people.platform_user(notice.person)
    if template is None or not openid:
        return await _end(node, kept, "refused", reason="no_recipient" if template else "no_template")
    claimed = await node.store.notices.claim(kept, at=node.clock.now())
    if claimed is None:
        return None
    state = templates.miniprogram_state
    done = await node.platform.messages.send(openid, notice, template=template, miniprogram_state=state)
    if done.outcome != "later":
        return await _end(node, claimed, done.outcome, errcode=done.errcode, reason=REASONS[done.outcome])
    if claimed.attempts >= MOST_ATTEMPTS:
        return await _end(node, claimed, "refused", errcode=done.errcode, reason="given_up")
    until = node.clock.now() + pause_after(claimed.attempts)
    await node.store.notices.postpone(claimed, until=until, errcode=done.errcode)
    node.metrics.notices.labels(notice.template, "later").inc()
    return "later"


async def _end(node: Node, kept: KeptNotice, state: Ending, *, reason: str, errcode: int = 0) -> Outcome | None:
    """Record how the notice ended; None if another worker has done so."""
    if not await node.store.notices.end(kept, state, at=node.clock.now(), errcode=errcode, reason=reason):
        return None
    node.metrics.notices.labels(kept.notice.template, state).inc()
    node.log.info("notice.ended", notice=kept.notice.id, state=state, reason=reason, errcode=errcode)
    return state
