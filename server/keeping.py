"""The commands of those who keep the cases of a node: whether they are as they were, and erasing one."""

import argparse
from collections.abc import Callable

from server.desk.background import erasing
from server.desk.background.case_verifying import CaseVerification, verify_cases
from server.domain.audit import Doer
from server.domain.case.erasure import Erasure
from server.domain.values import moment_text
from server.node import Node
from server.operating import DONE, HEAD, HEAD_HELP, WRONG, Report, head_in, operator, progress, run_with

BESIDE = ("letters_out", "letters_in", "visits", "fetches", "claims", "clues", "papers", "known_licences")


def add_arguments(command: Callable[..., argparse.ArgumentParser]) -> None:
    """The commands `cases verify` and `cases erase`."""
    whats = command("cases", run_with(_verify), "See to the cases that are kept.").add_subparsers(
        title="what", required=True, metavar="WHAT"
    )
    _add_verifying(
        whats.add_parser("verify", help="tell which cases do not stand where they had come to; exit 1 if any")
    )
    _add_erasing(whats.add_parser("erase", help="erase a case here for good; without --yes, tell what would go"))


def _add_verifying(checking: argparse.ArgumentParser) -> None:
    checking.add_argument("case", nargs="?", default="", help="only this one, by its id at this node")
    checking.add_argument("--all", action="store_true", help="all cases, as without a case")
    checking.add_argument("--head", action="append", default=[], type=head_in, metavar=HEAD, help=HEAD_HELP)
    checking.add_argument("--json", action="store_true", help="print a JSON list")
    checking.set_defaults(run=run_with(_verify))


def _add_erasing(erasing: argparse.ArgumentParser) -> None:
    erasing.add_argument("case", help="its id at this node: the number, or home:number of another node's")
    erasing.add_argument("--reason", required=True, help="why; it is audited")
    erasing.add_argument("--yes", action="store_true", help="really erase it: nobody can bring it back")
    erasing.add_argument("--json", action="store_true", help="print a JSON list")
    erasing.set_defaults(run=run_with(_erase), parser=erasing)


async def _verify(node: Node, chosen: argparse.Namespace) -> Report:
    found = await verify_cases(node, only=chosen.case, told=chosen.head, tell=progress())
    return Report([found], _lines_found(found), WRONG if found.troubles else DONE)


async def _erase(node: Node, chosen: argparse.Namespace) -> Report:
    reason = chosen.reason.strip()
    if not reason:
        chosen.parser.error("--reason must say why")
    by = Doer(name=operator())
    found = await erasing.erase(node, chosen.case, by=by, reason=reason, is_only_told=not chosen.yes)
    return Report([found], _lines_of(found, is_done=chosen.yes), DONE)


def _lines_found(found: CaseVerification) -> list[str]:
    lines = [f"{each.trouble} {each.place}: {each.detail}" for each in found.findings]
    left = found.troubles - len(found.findings)
    lines += [f"and {left} more"] if left else []
    state = f"{found.troubles} troubles" if found.troubles else "all stand where they had come to"
    return [*lines, f"{found.links} links of heads, {found.cases} cases: {state}"]


def _lines_of(found: Erasure, *, is_done: bool) -> list[str]:
    beside = ", ".join(f"{getattr(found, name)} {name.replace('_', ' ')}" for name in BESIDE)
    state = f"erased at {moment_text(found.erased_at)}" if found.erased_at else "not erased"
    left = [] if is_done else ["Nothing was changed: --yes erases it here for good."]
    return [f"{found.case}: {state}; with it {beside}", *left]
