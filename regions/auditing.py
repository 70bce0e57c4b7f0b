"""Auditing what the doors of other nodes refuse: one counted entry for each key, code and hour, without any content."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from server.crypto.signature_base import header_value
from server.crypto.signatures import Proven
from server.domain.errors import Refusal, Unavailable
from server.domain.values import moment_text
from server.node import Node

CLAIMED = re.compile(r';keyid="([ !#-\[\]-~]{1,128})"')
HOUR = len("2026-11-23T05")


@dataclass(frozen=True)
class RejectedRequest:
    """A request that was turned away at a door (`path`): why, its headers, and the proof if it came to one."""

    refusal: Refusal
    door: str
    headers: Mapping[str, str]
    proof: Proven | None


async def note(node: Node, rejected: RejectedRequest) -> None:
    """Note who was refused what: `peer` only if it is proven, else `key` is the one that the request claims.

    A key that the directory does not have is noted as none, so that a stranger can cause a few entries an hour and
    no more. What this node itself cannot do now is no refusal.
    """
    if isinstance(rejected.refusal, Unavailable):
        return
    at, code, proof = node.clock.now(), rejected.refusal.code, rejected.proof
    peer, key = (proof.sender, proof.key.id) if proof else ("", _claimed(node, rejected.headers))
    about = {"peer": peer, "key": key, "code": code, "door": rejected.door}
    try:
        await node.store.audit.count(
            "refused:" + ":".join((peer or "unproven", key, code, rejected.door, moment_text(at)[:HOUR])),
            "peer.refused",
            at=at,
            about=about,
        )
    except Unavailable as fault:
        node.log.warning("audit.missed", **about, fault=fault.code)


def _claimed(node: Node, headers: Mapping[str, str]) -> str:
    """The id of a key of the directory, valid or not, by which the request says it is signed; nothing otherwise."""
    found = CLAIMED.search(header_value(headers, "signature-input"))
    known = {key.id for entry in node.directory.nodes for key in entry.keys}
    return found[1] if found and found[1] in known else ""
