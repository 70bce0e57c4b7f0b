"""Routing (转办): which node decides for a division, by the longest prefix in the directory."""

from functools import lru_cache

from server.domain.catalogue.divisions import prefix
from server.domain.errors import Invalid
from server.domain.exchange.directory import Directory, NodeEntry
from server.domain.remembering import Keyed, Memory, itself


class NoNodeFor(Invalid):
    """No node of the directory decides for this division."""

    code = "no_node_for"
    title = "该地区尚未接入跨省通办"


def find_node(directory: Directory, division: str) -> NodeEntry | None:
    """The node with the longest matching prefix, or None."""
    return _prefixes(itself(directory.nodes)).find(division)


def route(directory: Directory, division: str) -> NodeEntry:
    """The node that decides for the division; raises NoNodeFor."""
    entry = find_node(directory, division)
    if entry is None:
        raise NoNodeFor(f"{division} 所在地区尚未接入，请到当地窗口办理。")
    return entry


class _Prefixes:
    """The nodes by what the codes of their divisions begin with; of two of one prefix the first. Look-ups are kept."""

    def __init__(self, nodes: tuple[NodeEntry, ...]) -> None:
        pairs = [(prefix(code), entry) for entry in nodes for code in entry.divisions]
        self._by_prefix = dict(reversed(pairs))
        self._found = Memory()

    def find(self, division: str) -> NodeEntry | None:
        return self._found.of(division, lambda: self._longest(division))

    def _longest(self, division: str) -> NodeEntry | None:
        parts = (division[:length] for length in range(len(division), -1, -1))
        return next((self._by_prefix[part] for part in parts if part in self._by_prefix), None)


@lru_cache(maxsize=8)
def _prefixes(of_nodes: Keyed[tuple[NodeEntry, ...]]) -> _Prefixes:
    return _Prefixes(of_nodes.value)
