"""The command line: which module has which commands; only that of the command which is chosen is loaded."""

import argparse
import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from server.domain.errors import NotAuthentic, Refusal
from server.supervising import NotStarted
from server.tools.loops import LoopEnded

FAULTY = 1
EXCHANGE = ("peers", "letters", "apart", "clock", "reconcile")
# Each of these modules has `add_arguments`, which adds the commands that stand before it, each with what runs it.
MODULES: Mapping[tuple[str, ...], Callable[[], Any]] = {
    ("serve",): lambda: importlib.import_module("server.serving"),
    ("work",): lambda: importlib.import_module("server.work"),
    ("demo",): lambda: importlib.import_module("server.demo.demonstrate"),
    ("check", "catalogue", "authorities"): lambda: importlib.import_module("server.checking"),
    ("routes", "errors", "graph"): lambda: importlib.import_module("server.describing"),
    ("keys",): lambda: importlib.import_module("server.keying"),
    ("officers",): lambda: importlib.import_module("server.staffing"),
    ("dishonest",): lambda: importlib.import_module("server.listing"),
    ("receipts", *EXCHANGE): lambda: importlib.import_module("server.operating"),
    ("adopt",): lambda: importlib.import_module("server.adopting"),
    ("audit",): lambda: importlib.import_module("server.inspecting"),
    ("cases",): lambda: importlib.import_module("server.keeping"),
    ("seed",): lambda: importlib.import_module("server.seeding"),
    ("paper",): lambda: importlib.import_module("server.proving"),
}


def build_parser(chosen: str = "") -> argparse.ArgumentParser:
    """The command line with the commands of one module, that of the chosen command; with all if there is none such."""
    parser = argparse.ArgumentParser(prog="python -m server", description="Tongban (通办), one provincial node.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        return sub

    for load in [load for names, load in MODULES.items() if chosen in names] or MODULES.values():
        load().add_arguments(command)
    return parser


def run(arguments: Sequence[str]) -> int:
    """Run one command; answers its exit code: 0 done, 1 what is wrong stands on stderr, 2 a wrong command line."""
    chosen = build_parser(*arguments[:1]).parse_args(arguments)
    try:
        code: int = chosen.run(chosen)
    except NotStarted as fault:
        print(f"tongban: {fault}", file=sys.stderr)
        return fault.code
    except (ValueError, OSError, Refusal, NotAuthentic, LoopEnded) as fault:
        print(f"tongban: {fault}", file=sys.stderr)
        return FAULTY
    return code
