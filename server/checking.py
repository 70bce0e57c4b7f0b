"""The command that tells whether cases still stand where they had come to: `cases verify`."""

import argparse
import sys
from collections.abc import Callable

from server.desk.background.case_verifying import CaseVerification, verify_cases
from server.domain.case.case import local_id
from server.node import Node
from server.operating import DONE, HEAD, HEAD_HELP, WRONG, Report, head_in, run_with

TOLD_EVERY = 10_000


def add_arguments(command: Callable[..., argparse.ArgumentParser]) -> None:
    """The command `cases verify`."""
    whats = command("cases", run_with(_verify), "See to the cases that are stored.").add_subparsers(
        title="what", required=True, metavar="WHAT"
    )
    checking = whats.add_parser(
        "verify", help="tell which cases were put back, removed, altered or never logged; exit 1 if anything is wrong"
    )
    checking.add_argument("case", nargs="?", default="", metavar="CASE", help="only this one: 320000/...")
    checking.add_argument("--head", action="append", default=[], type=head_in, metavar=HEAD, help=HEAD_HELP)
    checking.add_argument("--all", action="store_true", help="all cases (what it does without CASE)")
    checking.add_argument("--json", action="store_true", help="print a JSON list")
    checking.set_defaults(run=run_with(_verify))


async def _verify(node: Node, chosen: argparse.Namespace) -> Report:
    only = local_id(chosen.case, node.here) if chosen.case else ""
    found = await verify_cases(node, only=only, told=chosen.head, tell=_progress)
    return Report([found], lines_about(found), WRONG if found.troubles else DONE)


def _progress(what: str, number: int) -> None:
    if number and number % TOLD_EVERY == 0:
        print(f"{number} {what} looked at", file=sys.stderr)


def lines_about(found: CaseVerification) -> list[str]:
    """What was found, in lines."""
    lines = [f"{each.trouble} {each.place}: {each.detail}" for each in found.findings]
    left = found.troubles - len(found.findings)
    lines += [f"and {left} more"] if left else []
    state = f"{found.troubles} troubles" if found.troubles else "all stand where they had come to"
    return [*lines, f"{found.links} links of heads, {found.cases} cases: {state}"]
