"""The command of those who look into what is on record: the audit, whether it is whole, and which kinds there are."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from server.desk import sessions
from server.desk.background import archiving, verifying
from server.desk.officer import auditing
from server.desk.officer.auditing import AuditLine
from server.domain.audit import MEANINGS, AuditFilter, AuditKind, Doer
from server.domain.audit_chain import Verification
from server.domain.values import moment_text
from server.node import Node
from server.operating import DONE, HEAD, HEAD_HELP, WRONG, Report, head_in, operator, positive, progress, run_with

PAGE = 200


class UnfitFilter(ValueError):
    """What is asked for is no name of an officer or of a case, or no day of the years 2000 to 2100."""


def add_arguments(command: Callable[..., argparse.ArgumentParser]) -> None:
    """The commands `audit show`, `audit verify`, `audit archive` and `audit kinds`."""
    whats = command("audit", _kinds, "Read what is on record.").add_subparsers(
        title="what", required=True, metavar="WHAT"
    )
    listing = whats.add_parser("show", help="show entries, the newest first; the reading is noted first")
    listing.add_argument("--since", type=date.fromisoformat, metavar="DAY", help="the first day, in China")
    listing.add_argument("--until", type=date.fromisoformat, metavar="DAY", help="the last day, in China")
    listing.add_argument("--kind", choices=get_args(AuditKind), help="only entries of this kind")
    listing.add_argument("--officer", default="", help="only what this officer, administrator or operator did")
    listing.add_argument("--case", default="", help="only entries about this case: 320000/...")
    listing.add_argument(
        "--person-id-number",
        choices=["-"],
        help="only entries about the person whose ID number comes by standard input, so that no history keeps it",
    )
    listing.add_argument("--limit", type=positive, default=100, help="at most so many (default %(default)s)")
    listing.add_argument("--json", action="store_true", help="print a JSON list")
    listing.set_defaults(run=run_with(_show))
    checking = whats.add_parser("verify", help="tell what is missing, altered, doubled or moved; exit 1 if anything is")
    checking.add_argument("--head", action="append", default=[], type=head_in, metavar=HEAD, help=HEAD_HELP)
    checking.add_argument("--archive", type=Path, metavar="FILE", help="a file of the archive instead; needs no node")
    checking.add_argument("--json", action="store_true", help="print a JSON list")
    checking.set_defaults(run=_verify_either)
    moving = whats.add_parser("archive", help="move what was kept long enough into a new file, and remove it here")
    moving.add_argument("file", type=Path, help="is made, for its owner only")
    moving.add_argument("--json", action="store_true", help="print a JSON list")
    moving.set_defaults(run=run_with(_archive))
    whats.add_parser("kinds", help="print the kinds of entries as a Markdown table").set_defaults(run=_kinds)


async def _show(node: Node, chosen: argparse.Namespace) -> Report:
    person = ""
    if chosen.person_id_number:
        person = sessions.person_key(node, sys.stdin.readline().strip(), at="")
    named = {name: getattr(chosen, name) for name in ("since", "until", "kind", "officer", "case")}
    try:
        wanted = AuditFilter(**named, person=person)
    except ValidationError:
        raise UnfitFilter(" ".join((UnfitFilter.__doc__ or "").split())) from None
    found, broken = await _entries(node, wanted, most=chosen.limit)
    lines = [_line_of(each) for each in found] or ["no entry is like this"]
    left_out = [f"{broken} are left out as they were altered: `audit verify` names them"] if broken else []
    return Report(found, [*lines, *left_out], WRONG if broken else DONE)


async def _entries(node: Node, wanted: AuditFilter, *, most: int) -> tuple[Sequence[AuditLine], int]:
    """The entries, and how many were left out of them."""
    found: list[AuditLine] = []
    broken = 0
    place: str | None = ""
    while place is not None and len(found) < most:
        asked = wanted.model_copy(update={"after": place})
        page = await auditing.read(node, asked, by=Doer(name=operator()), limit=min(PAGE, most - len(found)))
        found += page.entries
        broken += page.broken
        place = page.next
    return found, broken


def _verify_either(chosen: argparse.Namespace) -> int:
    if chosen.archive is None:
        return run_with(_verify)(chosen)
    found = archiving.read_back(chosen.archive)
    lines = _lines_about(found)
    print(json.dumps([found.model_dump(mode="json")], ensure_ascii=False) if chosen.json else "\n".join(lines))
    return WRONG if found.troubles else DONE


async def _archive(node: Node, chosen: argparse.Namespace) -> Report:
    done = await archiving.archive(node, chosen.file, by=Doer(name=operator()))
    if not done.links:
        return Report([done], [f"nothing is older than {node.settings.audit_keep_days} days"], DONE)
    told = f"links {done.first} to {done.head.number} with {done.entries} entries are in {chosen.file}"
    return Report([done], [told, f"head {done.head.hash}", f"SHA-256 of the file {done.sha256}"], DONE)


async def _verify(node: Node, chosen: argparse.Namespace) -> Report:
    found = await verifying.verify(node, told=chosen.head, tell=progress())
    return Report([found], _lines_about(found), WRONG if found.troubles else DONE)


def _lines_about(found: Verification) -> list[str]:
    lines = [f"{each.trouble} {each.place}: {each.detail}" for each in found.findings]
    left = found.troubles - len(found.findings)
    lines += [f"and {left} more"] if left else []
    kept = f"links {found.first} to {found.head.number}" if found.links else "no link yet"
    state = f"{found.troubles} troubles" if found.troubles else "all as it was written"
    return [*lines, f"{kept}, {found.entries} entries, head {found.head.hash}: {state}"]


def _kinds(_: argparse.Namespace) -> int:
    rows = [f"| `{kind}` | {meaning} |" for kind, meaning in MEANINGS.items()]
    print("\n".join(("| kind | what happened |", "| --- | --- |", *rows)))
    return DONE


def _line_of(one: AuditLine) -> str:
    times = f" {one.times} times" if one.times > 1 else ""
    about = " ".join(f"{name}={value!r}" for name, value in one.about.items() if value)
    return f"{moment_text(one.at)} {one.kind}{times}: {about}"
