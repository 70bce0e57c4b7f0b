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
from server.domain.errors import Unavailable
from server.main import ListeningPlace, bells_of, loops_of, opened, shown, until_stopped
from server.node import Node
from server.tools.inheritance import Inheritance
from server.tools.logs import log
from server.tools.loops import Loops
from server.tools.settings import Settings


async def serve(settings: Settings, *, is_quiet: bool = False, inherited: Inheritance | None = None) -> None:
    """Answer requests until told to stop; then take none, finish those under way, and end. Raises LoopEnded.

    A quiet one answers those that change nothing. One of several has what it inherits of their supervisor.
    """
    name = f"serve-{settings.port}-{inherited.slot}" if inherited else f"serve-{settings.port}"
    async with opened(settings, is_quiet=is_quiet) as node, loops_of(node) as loops:
        node.store.database.bare.tell_written = bells_of(node).ring_soon
        follow = partial(working.follow_ends, node, process="" if is_quiet else name)
        loops.start("ends", follow, every_seconds=working.ENDS_SECONDS)
        loops.start("directory", partial(directory.refresh, node), every_seconds=working.DIRECTORY_SECONDS)
        log.info(
            "search.ready", division=node.here, found=len(node.published.index.find(node.catalogue.bundles[0].name))
        )
        around = Surroundings(catalogue.filled(node), loops.overdue, is_quiet=is_quiet)
        slots_port = settings.slots_port and inherited and settings.slots_port + inherited.slot
        async with shown(node, slots_port or 0, around), _in_peaks(node, loops, is_quiet=is_quiet):
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
