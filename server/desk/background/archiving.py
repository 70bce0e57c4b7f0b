"""Archiving: what was kept long enough leaves the database for a file that proves itself, and the chain goes on."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from server.desk.recording import note
from server.domain.audit import Doer
from server.domain.audit_archive import (
    ArchiveBegins,
    Archived,
    ArchivedEntry,
    ArchivedLink,
    ArchiveEnds,
    AuditDamaged,
    differences,
    entry_of,
    line_of,
    verified,
)
from server.domain.audit_chain import Verification
from server.domain.chains import ChainHead, Link
from server.domain.errors import StaleVersion
from server.node import Node

LINKS_AT_ONCE = 10
ARCHIVING = "审计记录正由另一进程归档，请稍后重试。"


async def archive(node: Node, path: Path, *, by: Doer) -> Archived:
    """Write all links that are older than the node keeps them, with their entries, into a new file, and remove them.

    The last link always stays. Nothing is removed before the file was read back and its archiving noted; a removal that
    was cut off is finished first. Raises AuditDamaged, FileExistsError, and StaleVersion if another process archives.
    """
    chain = node.store.audit.chain
    await _clear(node)
    beginning = await chain.beginning()
    last = await _last_old(node, beginning.first)
    if last < beginning.first:
        return Archived(first=beginning.first, head=beginning.after, links=0, entries=0, sha256="")
    try:
        with _created(path) as file:
            await _write(node, file, after=beginning.after, last=last)
    except AuditDamaged:
        await asyncio.to_thread(path.unlink)
        raise
    found = read_back(path)
    if found.troubles or found.head.number != last:
        raise AuditDamaged("写出的归档文件与审计记录不一致，未删除任何记录。")
    done = Archived(first=found.first, head=found.head, links=found.links, entries=found.entries, sha256=_sha256(path))
    told = {"file": path.name, "sha256": done.sha256, "head": done.head.hash}
    numbers = {"first": str(done.first), "last": str(last), "entries": str(done.entries)}
    await note(node, "audit.archived", {**by.by, **told, **numbers})
    if not await chain.begin(beginning.model_copy(update={"after": done.head})):
        raise StaleVersion(ARCHIVING)
    await _clear(node)
    return done


def read_back(path: Path) -> Verification:
    """Whether a file of the archive holds what it should; needs no node."""
    with path.open("rb") as file:
        return verified(file)


async def _last_old(node: Node, first: int) -> int:
    """The number of the last link that may go; the one before `first` if none may."""
    before = node.clock.now() - timedelta(days=node.settings.audit_keep_days)
    head, _ = await node.store.audit.chain.last(await node.store.audit.files.newest())
    last = first - 1
    async for link in _links(node, first, head.number - 1):
        if link.at >= before:  # and its entries are older than it is
            break
        last = link.number
    return last


async def _write(node: Node, file: BinaryIO, *, after: ChainHead, last: int) -> None:
    links = entries = 0
    begins = ArchiveBegins(division=node.here, archived_at=node.clock.now(), after=after)
    file.write(line_of(begins))
    async for link in _links(node, after.number + 1, last):
        documents = await node.store.audit_evidence.documents([each.id for each in link.entries])
        found = _entries(link, documents)
        file.write(line_of(ArchivedLink(link=link, entries=tuple(found))))
        links, entries, after = links + 1, entries + len(found), link.head
    file.write(line_of(ArchiveEnds(head=after, links=links, entries=entries)))
    file.flush()
    os.fsync(file.fileno())


async def _links(node: Node, first: int, last: int) -> AsyncIterator[Link]:
    """The links; raises AuditDamaged where one is not as it was written."""
    evidence = node.store.audit_evidence
    for start in range(first, last + 1, LINKS_AT_ONCE):
        numbers = range(start, min(start + LINKS_AT_ONCE, last + 1))
        found = await evidence.links(numbers)
        links = [found[number].link for number in sorted(found)]
        believed = [link for link in links if link]
        if [link.number for link in believed] != [*numbers]:
            raise AuditDamaged(f"第 {start} 至 {numbers[-1]} 号链节缺失或者被改动，请先运行 audit verify。")
        for link in believed:
            yield link


def _entries(link: Link, documents: Mapping[str, Mapping[str, Any]]) -> Sequence[ArchivedEntry]:
    """The entries of a link; raises AuditDamaged unless all are as it says."""
    try:
        entries = [entry_of(documents[each.id]) for each in link.entries]
        is_whole = not any(differences(link, entries))
    except (KeyError, ValueError):
        is_whole = False
    if not is_whole:
        raise AuditDamaged(f"第 {link.number} 号链节的记录缺失或者被改动，请先运行 audit verify。")
    return entries


async def _clear(node: Node) -> None:
    """Remove what was archived and is still there."""
    if not await node.store.audit.chain.clear():
        raise StaleVersion(ARCHIVING)


def _created(path: Path) -> BinaryIO:
    """A new file that only its owner may read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _sha256(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
