"""Witnessing: other nodes are told once a day how far our chains have come, so that none can be cut unseen."""

from collections.abc import Sequence

from server.domain.exchange.letters import witness_letter
from server.domain.values import Value
from server.node import Node


class Witnessed(Value):
    """The newest head of a chain that a peer has told us, or that we have told."""

    peer: str
    chain: str
    number: int
    hash: str


async def tell(node: Node) -> bool:
    """Write today's letters about the heads of our chains, as far as they are not written; never more to do at once."""
    at = node.clock.now()
    for name, kept in node.store.chains.items():
        head, link = await kept.chain.last()
        for peer in node.directory.peers_of(node.here) if link else ():
            between, salt = (node.here, peer.node), node.chance.token(16)
            letter = witness_letter(name, head, between=between, at=at, salt=salt)
            if await node.store.letters_out.label(letter.id) is None:
                await node.store.letters_out.answer(letter)
    return False


async def listed(node: Node) -> Sequence[Witnessed]:
    """What our peers have told of their chains: whoever doubts one of them asks us."""
    peers = [peer.node for peer in node.directory.peers_of(node.here)]
    found = await node.store.peers.witnessed(peers)
    return [
        Witnessed(peer=peer, chain=chain, number=head.number, hash=head.hash)
        for (peer, chain), head in sorted(found.items())
    ]
