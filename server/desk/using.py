"""Noting the uses of a licence beside the audit, so that its holder sees them."""

from server.domain.licence.uses import LicenceUse, UsedBy, UseKind
from server.node import Node


async def note_use(node: Node, identifier: str, kind: UseKind, *, by: UsedBy) -> None:
    """Note that something of a licence is given to somebody, each time that it is."""
    use = LicenceUse(
        id=f"{kind}:{identifier}:{node.chance.token(8).hex()}",
        licence=identifier,
        at=node.clock.now(),
        kind=kind,
        outcome="given",
        **dict(by),
    )
    await node.store.licence_uses.note([use])
