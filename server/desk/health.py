"""Health: whether this node can take work, and what it has counted."""

from server.domain.errors import Unavailable
from server.domain.names import Value
from server.node import Node

COUNTS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class NotReady(Unavailable):
    """The database does not answer, or the directory does not name this node."""

    title = "节点尚未就绪"


class Readiness(Value):
    """What is ready: the database answers, and this version of the directory names this node."""

    status: str = "ready"
    database: str = "answers"
    directory_version: int


async def readiness(node: Node) -> Readiness:
    """Raises NotReady or OutcomeUnknown when this node can take no work; a peer that is down does not matter."""
    await node.store.database.ping()
    if node.directory.entry(node.here) is None:
        raise NotReady("目录中没有本节点。")
    return Readiness(directory_version=node.directory.version)


def counts(node: Node) -> bytes:
    """The metrics of this process."""
    return node.metrics.render()
