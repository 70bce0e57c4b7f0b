"""Auditing: the audit administrator reads what is on record, and that they did is put on record first."""

from collections.abc import Mapping

from server.desk.steps import LocalMoment
from server.domain.audit import AuditFilter, Doer
from server.domain.values import Value, moment_text
from server.node import Node


class AuditLine(Value):
    """An entry of the audit: when (the first time), of what kind, about what, and how often.

    People stand in `about` by keys, officers by name; no entry holds what a case says.
    """

    at: LocalMoment
    kind: str
    about: Mapping[str, str]
    times: int


class AuditPage(Value):
    """Entries, the newest first. `next` goes into `?after=` for the following page; a page with a next may be short.

    `broken` is how many were left out as they are not as this node wrote them: `audit verify` names them.
    """

    entries: tuple[AuditLine, ...]
    next: str | None
    broken: int


async def read(node: Node, wanted: AuditFilter, *, by: Doer, limit: int) -> AuditPage:
    """A page of the audit, after it is noted who reads it and what they asked for."""
    at = node.clock.now()
    entry = f"audit.read:{moment_text(at)}:{node.chance.token(8).hex()}"
    await node.store.audit.note(entry, "audit.read", at=at, about={**by.by, "filter": wanted.words})
    page = await node.store.audit.entries(wanted, limit=limit)
    lines = tuple(AuditLine(**each.model_dump()) for each in page.found)
    return AuditPage(entries=lines, next=page.next, broken=page.broken)
