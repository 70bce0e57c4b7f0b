"""Routing (转办): which node decides for a division, by the longest prefix in the directory."""

from collections.abc import Mapping
from functools import lru_cache

from server.domain.catalogue.divisions import prefix
from server.domain.errors import Invalid
from server.domain.exchange.directory import Directory, NodeEntry
from server.domain.remembering import Keyed, itself


class NoNodeFor(Invalid):
    """No node of the directory decides for this division."""

    code = "no_node_for"
    title = "该地区尚未接入跨省通办"


def find_node(directory: Directory, division: str) -> NodeEntry | None:
    """The node with the longest matching prefix, or None."""
    found = _by_prefix(itself(directory.nodes))
    lengths = range(len(division), -1, -1)
    return next((found[division[:length]] for length in lengths if division[:length] in found), None)


def route(directory: Directory, division: str) -> NodeEntry:
    """The node that decides for the division; raises NoNodeFor."""
    entry = find_node(directory, division)
    if entry is None:
        raise NoNodeFor(f"{division} 所在地区尚未接入，请到当地窗口办理。")
    return entry


@lru_cache(maxsize=8)
def _by_prefix(of_nodes: Keyed[tuple[NodeEntry, ...]]) -> Mapping[str, NodeEntry]:
    """The nodes by what the codes of their divisions begin with; of two of one prefix the first."""
    pairs = [(prefix(code), entry) for entry in of_nodes.value for code in entry.divisions]
    return dict(reversed(pairs))
