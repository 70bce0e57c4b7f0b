"""The process that does what nobody waits for, and its command."""

import argparse
from collections.abc import Callable
from functools import partial

from handlers.application import FOR_OPERATORS, Surroundings
from server import working
from server.main import ListeningPlace, bells_of, loops_of, opened, until_stopped
from server.papering import papers_made
from server.processes import run_process
from server.tools.settings import Settings


def add_arguments(command: Callable[..., argparse.ArgumentParser]) -> None:
    """The command `work`."""
    parser = command("work", run, "Relay, deliver and settle in the background until SIGTERM.")
    parser.add_argument("--quiet", action="store_true", help="only look: change nothing, and speak to nobody (a drill)")


def run(chosen: argparse.Namespace) -> int:
    """Work until told to stop; raises LoopEnded, and what opening a node raises."""
    return run_process(partial(work, is_quiet=chosen.quiet))


async def work(settings: Settings, *, is_quiet: bool = False) -> None:
    """Do what nobody waits for: relay, deliver, settle, forget; until told to stop. Raises LoopEnded.

    A quiet one does none of it: it only measures how the node stands.
    """
    async with (
        opened(settings, is_quiet=is_quiet) as node,
        papers_made(node) as maker,
        loops_of(node, working.rest_of(settings)) as loops,
    ):
        guard = working.start(node, loops, is_quiet=is_quiet, maker=maker)
        around = Surroundings(
            overdue=loops.overdue,
            clock=lambda: guard.verdict,
            is_quiet=is_quiet,
            lacking=maker.missing if maker else None,
        )
        with bells_of(node).hung(loops.wake):
            await until_stopped(node, loops, FOR_OPERATORS, at=ListeningPlace(settings.work_port), around=around)
