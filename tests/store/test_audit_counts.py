"""Counted entries of the audit: one under an id, however often and by whomever it is counted."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from server.store.audit import Audit
from server.store.audit_chain import AUDIT
from server.store.database import Database

AT = datetime(2026, 11, 23, 5, 45, tzinfo=UTC)


async def times(database: Database, id: str) -> int:
    entry = await database.get(AUDIT, f"audit:{id}")
    return 0 if entry is None else entry["times"]


async def test_what_is_counted_at_once_is_one_entry_with_the_whole_count(database: Database, tmp_path: Path) -> None:
    audit = Audit(database, tmp_path)
    await asyncio.gather(*(audit.count("a", "peer.refused", at=AT, about={"code": "x"}) for _ in range(50)))
    await audit.count("b", "peer.refused", at=AT, about={"code": "y"})
    assert (await times(database, "a"), await times(database, "b")) == (50, 1)
    entry = await database.get(AUDIT, "audit:a")
    assert entry is not None
    assert (entry["kind"], entry["at"], entry["about"]) == ("peer.refused", "2026-11-23T05:45:00.000Z", {"code": "x"})


async def test_two_processes_count_into_one_entry(database: Database, tmp_path: Path) -> None:
    for audit in (Audit(database, tmp_path), Audit(database, tmp_path), Audit(database, tmp_path)):
        await audit.count("a", "peer.refused", at=AT, about={})
    first, second = Audit(database, tmp_path), Audit(database, tmp_path)
    await asyncio.gather(*(each.count("a", "peer.refused", at=AT, about={}) for each in (first, second)))
    assert await times(database, "a") == 5
