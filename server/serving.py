"""The command `serve`: one process that answers, or the supervisor of several, which loads none of what they need."""

import argparse
import asyncio
import importlib
import os
from collections.abc import Callable
from functools import partial
from typing import Any

from server import supervising
from server.processes import run_process
from server.tools.inheritance import Inheritance
from server.tools.settings import MOST_SLOTS


def add_arguments(command: Callable[..., argparse.ArgumentParser]) -> None:
    """The command `serve`."""
    parser = command("serve", run, "Answer citizens, officers and other nodes until SIGTERM.")
    _add_processes(parser)
    parser.add_argument("--quiet", action="store_true", help="only look: change nothing, and speak to nobody (a drill)")


def run(chosen: argparse.Namespace) -> int:
    """Serve until told to stop; raises LoopEnded, NotStarted, and what opening a node raises."""
    if chosen.processes == 1:
        answering: Any = importlib.import_module("server.answering")
        return run_process(partial(answering.serve, is_quiet=chosen.quiet, inherited=chosen.inherited))
    flags = ("--quiet",) if chosen.quiet else ()
    supervised = partial(supervising.supervise, processes=chosen.processes, flags=flags)
    return run_process(supervised, loop_factory=asyncio.new_event_loop)  # uvloop knows no process groups


def _count(text: str) -> int:
    """How many processes; the cores that this one may use for `auto` and 0."""
    count = 0 if text == "auto" else int(text) if text.isdecimal() else -1
    if not 0 <= count <= MOST_SLOTS:
        raise argparse.ArgumentTypeError(f"must be auto, or from 0 to {MOST_SLOTS}")
    return count or min(len(os.sched_getaffinity(0)), MOST_SLOTS)


def _add_processes(serve: argparse.ArgumentParser) -> None:
    serve.add_argument(
        "--processes",
        type=_count,
        default=1,
        metavar="N",
        help=f"so many at one port, at most {MOST_SLOTS}; auto: one for each core (default 1)",
    )
    serve.add_argument(
        "--inherited",
        type=Inheritance.parse,
        metavar="SLOT:SOCKETS:PIPE",
        help="only given by the supervisor of several",
    )
