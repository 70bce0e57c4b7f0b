"""Health: whether this node can take work, and what it has counted."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from server.domain.errors import Unavailable
from server.domain.time.clock_guard import ClockState, ClockVerdict
from server.domain.values import Value
from server.node import Node

# off: no papers are given; asked: this process makes none; made; waiting: for what the machine lacks
PaperState = Literal["off", "asked", "made", "waiting"]
# off: no papers are given; not_set_up: what is to be signed waits for a signing service; offered
SigningState = Literal["off", "not_set_up", "offered"]
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
    clock is not held; `serve` watches no clock. What `papers_lack` holds up papers only.
    """

    status: str = "ready"
    database: str = "answers"
    clock: ClockState | Literal["unwatched"]
    directory_version: int
    papers: PaperState = "off"
    papers_lack: tuple[str, ...] = ()
    signing: SigningState = "off"


class PaperReadiness(NamedTuple):
    """Whether this process gives papers, and what it lacks to make them; they wait for it, and nothing else does."""

    state: PaperState
    lack: tuple[str, ...]


def papers_of(node: Node, lacking: Sequence[str] | None) -> PaperReadiness:
    """How it is about papers: `lacking` is what a process lacks that makes them, None for one that makes none."""
    if node.published.paper_texts is None:
        return PaperReadiness("off", ())
    if lacking is None:
        return PaperReadiness("asked", ())
    return PaperReadiness("waiting" if lacking else "made", tuple(lacking))


def signing_of(node: Node) -> SigningState:
    """How it is about signatures of people: without a service what asks for one waits, and nothing else does."""
    if node.published.paper_texts is None:
        return "off"
    return "offered" if node.settings.signing_url else "not_set_up"


async def readiness(
    node: Node, overdue: Sequence[str], clock: ClockVerdict | None, *, papers: PaperReadiness
) -> Readiness:
    """Raises NotReady, ClockHeld, Unavailable or OutcomeUnknown when this node can take no work.

    `overdue` are the loops of the process that have not succeeded for too long, `clock` is what was found about its
    clock. Neither a peer that is down nor what papers lack matters.
    """
    await node.store.database.ping()
    if node.directory.entry(node.here) is None:
        raise NotReady("目录中没有本节点。")
    if overdue:
        raise NotReady(f"后台任务长时间未成功：{'、'.join(overdue)}。")
    if clock is not None and clock.state == "held":
        raise ClockHeld(clock.text)
    return Readiness(
        clock=clock.state if clock else "unwatched",
        directory_version=node.directory.version,
        papers=papers.state,
        papers_lack=papers.lack,
        signing=signing_of(node),
    )


def counts(node: Node) -> bytes:
    """The metrics of this process."""
    return node.metrics.render()
