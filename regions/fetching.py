"""Fetching: contents come from other nodes part by part, and count only when they are what was offered, whole.

Each part is asked by a signed GET and kept, so that a cut or a restart goes on where it was. A failed attempt is tried
again, ever more slowly and for ever, until the content is here or nobody wants it any more.
"""

from datetime import timedelta
from hashlib import sha256

from regions.asking import PeerRefused, SignedQuery, ask
from regions.client import PeerFailure
from regions.retrying import wait_after
from server.crypto.receipts import PART
from server.desk import apart
from server.desk.background.gathering import gather, wants
from server.domain.case.fetches import KeptFetch
from server.domain.errors import Missing, StaleVersion, Unavailable
from server.domain.exchange.directory import NodeEntry
from server.node import Node

PATH = "/peer/v1/materials/{sha256}"
PART_BYTES = 1 << 20
AT_ONCE = 20
TAKEN = timedelta(minutes=2)
UNREACHED = "unreached"
NOT_AS_OFFERED = "not_as_offered"


async def fetch(node: Node, peer: str) -> bool:
    """Fetch what is due from this peer; True if there may be more. One that cannot be reached is asked no further."""
    due = await node.store.fetches.due(peer, node.clock.now(), limit=AT_ONCE)
    await apart.set_apart_unread(node, due, kind="fetch")
    for each in due:
        if await apart.attempt(node, "fetch", each.id, work=_try(node, each)) == UNREACHED:
            return False
    return due.seen == AT_ONCE


async def _try(node: Node, fetch: KeptFetch) -> str:
    """Make one attempt, unless somebody else makes it: what came of it, UNREACHED if the peer did not answer."""
    if not await node.store.fetches.take(fetch, until=node.clock.now() + TAKEN):
        return "taken"
    try:
        outcome = await _fetch_one(node, fetch)
    except (StaleVersion, Unavailable) as fault:
        await _postpone(node, fetch, PeerFailure(fault.code))
        return "postponed"
    except PeerFailure as failure:
        await _postpone(node, fetch, failure)
        return "postponed" if isinstance(failure, PeerRefused) else UNREACHED
    node.metrics.contents_fetched.labels(fetch.node, outcome).inc()
    return outcome


async def _fetch_one(node: Node, fetch: KeptFetch) -> str:
    """Bring one content here: `kept`, or `moot` if nobody wants it any more; raises PeerFailure."""
    outcome = "moot"
    if await wants(node, fetch):
        outcome = "kept"
        address = node.keys.material(fetch.content.sha256)
        if await node.store.materials.missing([address]):
            await node.store.materials.keep_content(address, await _pulled(node, fetch))
            node.log.info("content.kept", peer=fetch.node, case=fetch.case, step=fetch.step, size=fetch.content.size)
        await gather(node, fetch)
    await node.store.fetches.finish(fetch, _addresses(node, fetch), outcome=outcome)
    return outcome


async def _pulled(node: Node, fetch: KeptFetch) -> bytes:
    """The content from the first byte that is not here yet; all is thrown away if it is not what was offered."""
    peer = node.directory.entry(fetch.node)
    if peer is None:
        raise PeerFailure("not_in_directory")
    addresses = _addresses(node, fetch)
    for number in range(fetch.kept // PART_BYTES, len(addresses)):
        part, kept = await _part(node, peer, fetch, first=number * PART_BYTES)
        await node.store.fetches.keep_part(fetch, part, address=addresses[number], kept=kept)
    try:
        content = await node.store.fetches.whole(addresses)
    except Missing:
        content = b""
    if sha256(content).hexdigest() != fetch.content.sha256:
        await node.store.fetches.begin_anew(fetch, addresses)
        node.log.error("content.not_as_offered", peer=fetch.node, case=fetch.case, step=fetch.step)
        raise PeerFailure(NOT_AS_OFFERED)
    return content


async def _part(node: Node, peer: NodeEntry, fetch: KeptFetch, *, first: int) -> tuple[bytes, int]:
    """The part that begins at this byte, and how many bytes are here with it."""
    content = fetch.content
    end = min(first + PART_BYTES, content.size)
    question = SignedQuery(
        PATH.format(sha256=content.sha256),
        {"case": fetch.name, "step": fetch.step},
        range=f"bytes={first}-{end - 1}",
        most_bytes=PART_BYTES,
    )
    told = await ask(node, peer, question)
    if (told.status, told.content_range) != (PART, f"bytes {first}-{end - 1}/{content.size}"):
        raise PeerFailure("another_range")
    if len(told.body) != end - first:
        raise PeerFailure("another_range")
    return told.body, end


async def _postpone(node: Node, fetch: KeptFetch, failure: PeerFailure) -> None:
    """Put the next attempt off, from a second on up to ten minutes, by chance."""
    wait = wait_after(node, failure)(fetch.failures)
    await node.store.fetches.postpone(fetch, until=node.clock.now() + timedelta(seconds=wait), reason=failure.reason)
    outcome = "thrown_away" if failure.reason == NOT_AS_OFFERED else "failed"
    node.metrics.contents_fetched.labels(fetch.node, outcome).inc()
    node.log.warning("content.postponed", peer=fetch.node, case=fetch.case, step=fetch.step, reason=failure.reason)


def _addresses(node: Node, fetch: KeptFetch) -> list[str]:
    """Where the parts lie, each under a name that nobody else uses."""
    count = -(-fetch.content.size // PART_BYTES)
    return [node.keys.material(f"{fetch.id}/{number}") for number in range(count)]
