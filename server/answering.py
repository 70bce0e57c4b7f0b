"""The process that answers citizens, officers and other nodes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from handlers import catalogue
from handlers.application import Surroundings
from handlers.routes import DOORS
from regions import directory
from server import working
from server.desk.citizen import queueing
from server.desk.citizen.audience import TURNS
from server.desk.citizen.pushing import Pushes
from server.domain.errors import Unavailable
from server.main import ListeningPlace, bells_of, loops_of, opened, shown, until_stopped
from server.node import Node
from server.papering import signing_offered
from server.tools.inheritance import Inheritance
from server.tools.logs import log
from server.tools.loops import Loops
from server.tools.settings import Settings

MOST_PUSH_SECONDS = 10.0  # the longest pause after failures


async def serve(settings: Settings, *, is_quiet: bool = False, inherited: Inheritance | None = None) -> None:
    """Answer requests until told to stop; then take none, finish those under way, and end. Raises LoopEnded.

    A quiet one answers those that change nothing. One of several has what it inherits of their supervisor.
    """
    name = f"serve-{settings.port}-{inherited.slot}" if inherited else f"serve-{settings.port}"
    async with (
        opened(settings, is_quiet=is_quiet) as node,
        loops_of(node) as loops,
        signing_offered(node, is_silent=is_quiet) as signing,
    ):
        follow = partial(working.follow_ends, node, process="" if is_quiet else name)
        loops.start("ends", follow, every_seconds=working.ENDS_SECONDS)
        loops.start("directory", partial(directory.refresh, node), every_seconds=working.DIRECTORY_SECONDS)
        log.info(
            "search.ready", division=node.here, found=len(node.published.index.find(node.catalogue.bundles[0].name))
        )
        pushes = Pushes(node)
        filled = catalogue.filled(node)
        around = Surroundings(filled, loops.overdue, is_quiet=is_quiet, pushes=pushes, signing=signing)
        slots_port = settings.slots_port and inherited and settings.slots_port + inherited.slot
        peaks = _in_peaks(node, loops, is_quiet=is_quiet)
        async with shown(node, slots_port or 0, around), peaks, pushing(node, loops, pushes):
            await until_stopped(node, loops, DOORS, at=ListeningPlace(settings.port, inherited), around=around)


@asynccontextmanager
async def _in_peaks(node: Node, loops: Loops, *, is_quiet: bool) -> AsyncIterator[None]:
    """Where peaks are announced, processes tell each other whom they have met, and once more at the end."""
    if is_quiet or not node.published.peaks.peaks:
        yield
        return
    loops.start("waiting", partial(queueing.tell, node), every_seconds=working.WAITING_SECONDS)
    try:
        yield
    finally:
        try:
            await queueing.tell(node)
        except Unavailable as fault:  # those whom it met last keep their tickets, and are not counted
            log.warning("waiting.untold", reason=type(fault).__name__)


@asynccontextmanager
async def pushing(node: Node, loops: Loops, pushes: Pushes) -> AsyncIterator[None]:
    """Meanwhile tell those who watch, and ring for the other processes on this machine when this one has written."""
    bells, settings = bells_of(node), node.settings

    def tell_written() -> None:
        bells.ring_soon()
        pushes.hint()

    node.store.database.bare.tell_written = tell_written
    pushes.wake = partial(loops.nudge, "push")
    loops.start("push", pushes.look, every_seconds=settings.push_poll_seconds, most_seconds=MOST_PUSH_SECONDS)
    loops.start("pings", pushes.audience.beat, every_seconds=settings.push_ping_seconds / TURNS)
    with bells.hung(pushes.hint):
        try:
            yield
        finally:
            pushes.audience.wake()
