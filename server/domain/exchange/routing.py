"""Routing (转办): which node decides for a division, by the longest prefix in the directory."""

from server.domain.catalogue.divisions import prefix
from server.domain.errors import Invalid
from server.domain.exchange.directory import Directory, NodeEntry


class NoNodeFor(Invalid):
    """No node of the directory decides for this division."""

    code = "no_node_for"
    title = "该地区尚未接入跨省通办"


def find_node(directory: Directory, division: str) -> NodeEntry | None:
    """The node with the longest matching prefix, or None."""
    matches = [
        (len(prefix(code)), entry)
        for entry in directory.nodes
        for code in entry.divisions
        if division.startswith(prefix(code))
    ]
    return max(matches, key=lambda match: match[0], default=(0, None))[1]


def route(directory: Directory, division: str) -> NodeEntry:
    """The node that decides for the division; raises NoNodeFor."""
    entry = find_node(directory, division)
    if entry is None:
        raise NoNodeFor(f"{division} 所在地区尚未接入，请到当地窗口办理。")
    return entry
