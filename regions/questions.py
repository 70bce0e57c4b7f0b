"""Questions to another node while somebody waits: it answers one of our values, or a refusal that they can read."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from pydantic import ValidationError

from regions.asking import PeerRefused, SignedQuery, ask
from regions.client import PeerFailure
from server.domain.errors import Missing, Refusal, Unavailable
from server.domain.values import Value
from server.node import Node

V = TypeVar("V", bound=Value)


class NodeUnknown(Missing):
    """The directory has no node for this province."""

    code = "node_unknown"
    title = "没有这个省份的节点"


class PeerNotReached(Unavailable):
    """The node that was to be asked does not answer, or not as it should."""

    code = "peer_not_reached"
    title = "对方节点暂时无法查询"


def other_answer() -> PeerNotReached:
    """The refusal of an answer about something else than was asked for."""
    return PeerNotReached("对方节点的回复与所查证照不符，请稍后重试。")


async def told_by(
    node: Node, peer: str, question: SignedQuery, *, gives: type[V], refusals: Mapping[str, Callable[[], Refusal]]
) -> V:
    """What the node of this division answers, once; of what it refuses, `refusals` has those that are told on, by code.

    Raises these, NodeUnknown and PeerNotReached.
    """
    entry = node.directory.entry(peer)
    if entry is None:
        raise NodeUnknown("目录中没有这个省份的节点。")
    try:
        return gives.model_validate_json((await ask(node, entry, question)).body)
    except (PeerFailure, ValidationError) as fault:
        refusal = refusals.get(fault.reason) if isinstance(fault, PeerRefused) else None
        raise refusal() if refusal else PeerNotReached("对方节点暂时无法查询，请稍后重试。") from fault
