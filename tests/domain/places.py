"""A directory of nodes without keys, for what only asks who decides where."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from server.domain.directory import Directory, NodeEntry


def directory_of(divisions: Mapping[str, Sequence[str]]) -> Directory:
    """The directory in which each node decides for these divisions."""
    nodes = tuple(
        NodeEntry(node=node, name=node, origin=f"https://{node}.example", divisions=tuple(codes), keys=())
        for node, codes in divisions.items()
    )
    return Directory(version=1, issued_at=datetime(2026, 11, 23, tzinfo=UTC), nodes=nodes)
