"""The command of those who look into what is on record: the audit, and which kinds of entries there are."""

import argparse
from collections.abc import Callable, Sequence
from datetime import date
from typing import get_args

from pydantic import ValidationError

from server.desk.officer import auditing
from server.desk.officer.auditing import AuditLine
from server.domain.audit import MEANINGS, AuditFilter, AuditKind
from server.domain.values import moment_text
from server.node import Node
from server.operating import DONE, Report, operator, positive, run_with

PAGE = 200


class UnfitFilter(ValueError):
    """What is asked for is no name of an officer or of a case, or no day of the years 2000 to 2100."""


def add_arguments(command: Callable[..., argparse.ArgumentParser]) -> None:
    """The commands `audit list` and `audit kinds`."""
    whats = command("audit", _kinds, "Read what is on record.").add_subparsers(
        title="what", required=True, metavar="WHAT"
    )
    listing = whats.add_parser("list", help="list entries, the newest first; the reading is noted first")
    listing.add_argument("--since", type=date.fromisoformat, metavar="DAY", help="the first day, in China")
    listing.add_argument("--until", type=date.fromisoformat, metavar="DAY", help="the last day, in China")
    listing.add_argument("--kind", choices=get_args(AuditKind), help="only entries of this kind")
    listing.add_argument("--officer", default="", help="only what this officer, administrator or operator did")
    listing.add_argument("--case", default="", help="only entries about this case: 320000/...")
    listing.add_argument("--limit", type=positive, default=100, help="at most so many (default %(default)s)")
    listing.add_argument("--json", action="store_true", help="print a JSON list")
    listing.set_defaults(run=run_with(_list))
    whats.add_parser("kinds", help="print the kinds of entries as a Markdown table").set_defaults(run=_kinds)


async def _list(node: Node, chosen: argparse.Namespace) -> Report:
    try:
        wanted = AuditFilter(
            since=chosen.since, until=chosen.until, kind=chosen.kind, officer=chosen.officer, case=chosen.case
        )
    except ValidationError:
        raise UnfitFilter(" ".join((UnfitFilter.__doc__ or "").split())) from None
    found = await _entries(node, wanted, most=chosen.limit)
    return Report(found, [_line_of(each) for each in found] or ["no entry is like this"], DONE)


async def _entries(node: Node, wanted: AuditFilter, *, most: int) -> Sequence[AuditLine]:
    found: list[AuditLine] = []
    place: str | None = ""
    while place is not None and len(found) < most:
        asked = wanted.model_copy(update={"after": place})
        page = await auditing.read(node, asked, by=operator(), limit=min(PAGE, most - len(found)))
        found += page.entries
        place = page.next
    return found


def _kinds(_: argparse.Namespace) -> int:
    rows = [f"| `{kind}` | {meaning} |" for kind, meaning in MEANINGS.items()]
    print("\n".join(("| kind | what happened |", "| --- | --- |", *rows)))
    return DONE


def _line_of(one: AuditLine) -> str:
    times = f" {one.times} times" if one.times > 1 else ""
    about = " ".join(f"{name}={value!r}" for name, value in one.about.items() if value)
    return f"{moment_text(one.at)} {one.kind}{times}: {about}"
