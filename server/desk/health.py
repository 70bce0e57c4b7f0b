"""Health: whether this node can take work, and what it has counted."""

from collections.abc import Sequence
from typing import Literal

from server.domain.errors import Unavailable
from server.domain.time.clock_guard import ClockState, ClockVerdict
from server.domain.values import Value
from server.node import Node

COUNTS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class NotReady(Unavailable):
    """The directory does not name this node, or a loop of the process has not succeeded for too long."""

    code = "not_ready"
    title = "节点尚未就绪"


class ClockHeld(Unavailable):
    """The clock of this machine differs from others by more than a minute, so that nothing is done by date."""

    code = "clock_held"
    title = "本机时钟不可信，到期处理已暂停"


class Readiness(Value):
    """What is ready: the database answers, this version of the directory names this node, no loop is overdue, and the
    clock is not held; `serve` watches no clock.
    """

    status: str = "ready"
    database: str = "answers"
    clock: ClockState | Literal["unwatched"]
    directory_version: int


async def readiness(node: Node, overdue: Sequence[str], clock: ClockVerdict | None) -> Readiness:
    """Raises NotReady, ClockHeld, Unavailable or OutcomeUnknown when this node can take no work.

    `overdue` are the loops of the process that have not succeeded for too long, `clock` is what was found about its
    clock. A peer that is down does not matter.
    """
    await node.store.database.ping()
    if node.directory.entry(node.here) is None:
        raise NotReady("目录中没有本节点。")
    if overdue:
        raise NotReady(f"后台任务长时间未成功：{'、'.join(overdue)}。")
    if clock is not None and clock.state == "held":
        raise ClockHeld(clock.text)
    return Readiness(clock=clock.state if clock else "unwatched", directory_version=node.directory.version)


def counts(node: Node) -> bytes:
    """The metrics of this process."""
    return node.metrics.render()
