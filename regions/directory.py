"""The directory here: fetched, verified under the pinned publisher key, never rolled back, and kept."""

import asyncio
from pathlib import Path

from pydantic import ValidationError

from server.crypto import base64url
from server.crypto.publishing import NotFromPublisher, read_published
from server.crypto.signatures import KnownKey
from server.crypto.suites import VerifyKey
from server.domain.errors import Unavailable
from server.domain.exchange.directory import Directory
from server.node import Node


class DirectoryFault(ValueError):
    """The directory cannot be used: unreadable, not from the publisher, malformed, or older than the last good one."""


class DirectoryUnavailable(Unavailable):
    """This node has no published directory at hand."""

    code = "directory_unavailable"
    title = "目录暂不可用"


def read_directory(text: str, publisher_key: str) -> Directory:
    """The directory that the publisher signed; `publisher_key` is base64url. Raises DirectoryFault."""
    try:
        return Directory.model_validate(read_published(text, base64url.decode(publisher_key)))
    except NotFromPublisher as fault:
        raise DirectoryFault("the directory is not signed by the publisher key of the settings") from fault
    except ValidationError as fault:
        raise DirectoryFault(f"the directory is malformed: {fault.errors(include_input=False)[0]['msg']}") from fault


def first_directory(source: Path, publisher_key: str, *, kept: str | None) -> tuple[Directory, str]:
    """The directory to start with, and its text: the source's, or the last good copy if that is newer or all there is.

    Raises DirectoryFault if neither can be used.
    """
    last = (read_directory(kept, publisher_key), kept) if kept else None
    try:
        text = source.read_text().strip()
        fresh = read_directory(text, publisher_key), text
    except (OSError, UnicodeDecodeError, DirectoryFault) as fault:
        if last is None:
            raise DirectoryFault(f"{source}: {fault}") from fault
        return last
    return last if last and last[0].version > fresh[0].version else fresh


async def refresh(node: Node) -> bool:
    """Take up a newer directory from the source; one that is bad or older is logged and changes nothing."""
    source = node.settings.directory_file
    try:
        text = (await asyncio.to_thread(source.read_text)).strip()
        fresh = read_directory(text, node.settings.publisher_key)
    except (OSError, UnicodeDecodeError, DirectoryFault) as fault:
        node.log.warning("directory.unusable", reason=str(fault))
        return False
    if fresh.version < node.directory.version:
        node.log.warning("directory.rolled_back", offered=fresh.version, ours=node.directory.version)
    elif fresh.version > node.directory.version:
        await node.store.directories.keep(fresh.version, text)
        node.places.directory = fresh
        node.log.info("directory.taken_up", version=fresh.version)
    return False


async def published(node: Node) -> str:
    """The directory as its publisher signed it, for whoever wants to compare; raises DirectoryUnavailable."""
    text = await node.store.directories.latest()
    if text is None:
        raise DirectoryUnavailable("目录暂不可用，请稍后重试。")
    return text


def known_key(node: Node, key_id: str) -> KnownKey | None:
    """The peer's signing key of this id, if the directory holds it valid now."""
    found = node.directory.signer(key_id, node.clock.now())
    if found is None:
        return None
    entry, key = found
    return KnownKey(entry.node, VerifyKey(key.id, base64url.decode(key.public)))
