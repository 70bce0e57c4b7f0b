"""The commands of those who publish: check, catalogue, authorities."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.deciders import deciders_in
from server.domain.catalogue.divisions import Divisions
from server.domain.catalogue.savings import savings
from server.domain.catalogue_checks.changes import changes
from server.domain.values import Value, china_day
from server.tools.datafiles import BrokenData, DataFault
from server.tools.messages import load_templates
from server.tools.paper_texts import load_paper_texts
from server.tools.publications import (
    check_authorities,
    check_windows,
    load_authorities,
    load_calendar,
    load_catalogue,
    load_divisions,
    load_lists,
    load_nodes,
    load_peaks,
    load_undertakings,
)

CATALOGUE, REGIONS, NOTICES = Path("config/catalogue"), Path("config/regions"), Path("config/notices.toml")
PAPERS = Path("config/papers")
FAULTY = 1


def add_arguments(command: Callable[..., argparse.ArgumentParser]) -> None:
    """The commands `check`, `catalogue` and `authorities`."""
    check = command("check", _check, "Check catalogue, regions, notices and papers; exit 1 with every fault there is.")
    check.add_argument("--catalogue", type=Path, default=CATALOGUE, help="folder (default %(default)s)")
    check.add_argument("--regions", type=Path, default=REGIONS, help="folder (default %(default)s)")
    check.add_argument("--notices", type=Path, default=NOTICES, help="file (default %(default)s)")
    check.add_argument("--papers", type=Path, default=PAPERS, help="folder (default %(default)s)")
    check.add_argument("--json", action="store_true", help="print the faults as one JSON object")
    _add_books(command)


def _add_books(command: Callable[..., argparse.ArgumentParser]) -> None:
    books = command("catalogue", _catalogue, "Compare two versions of a catalogue, or show what its bundles spare.")
    books.add_argument(
        "what", choices=["diff", "table"], help="diff: what the second means for citizens; table: savings"
    )
    books.add_argument("folders", type=Path, nargs="*", help=f"diff: two folders; table: one (default {CATALOGUE})")
    books.add_argument("--regions", type=Path, default=REGIONS, help="folder (default %(default)s)")
    books.add_argument("--json", action="store_true", help="print a JSON list")
    deciders = command("authorities", _authorities, "Show who decides which items in one division on one day.")
    deciders.add_argument("what", choices=["list"], help="list: a line for each authority (实施主体)")
    deciders.add_argument("--division", required=True, metavar="CODE", help="six digits, such as 320102")
    deciders.add_argument("--on", type=date.fromisoformat, metavar="DAY", help="a day in China (default: today)")
    deciders.add_argument("--answer", action="append", default=[], metavar="CODE=CHOICE", help="repeat for each answer")
    deciders.add_argument("--catalogue", type=Path, default=CATALOGUE, help="folder (default %(default)s)")
    deciders.add_argument("--regions", type=Path, default=REGIONS, help="folder (default %(default)s)")
    deciders.add_argument("--json", action="store_true", help="print a JSON list, each with its items")


def _check(chosen: argparse.Namespace) -> int:
    faults, loaded = list[Any](), dict[Any, Any]()
    loads: tuple[tuple[Callable[[Path], Any], Path], ...] = (
        (load_catalogue, chosen.catalogue),
        (load_lists, chosen.catalogue),
        (load_divisions, chosen.regions),
        (load_calendar, chosen.regions),
        (load_undertakings, chosen.regions),
        (load_nodes, chosen.regions),
        (load_templates, chosen.notices),
        (load_paper_texts, chosen.papers),
    )
    for load, place in loads:
        try:
            loaded[load] = load(place)
        except BrokenData as fault:
            faults += [each for each in fault.faults if each not in faults]
    if not faults:
        faults += _undecided(chosen.regions, loaded[load_catalogue], loaded[load_divisions])
    if chosen.json:
        dumped = [each.model_dump(mode="json") for each in faults]
        print(json.dumps({"faults": dumped}, ensure_ascii=False))
        return FAULTY if faults else 0
    print("\n".join(str(each) for each in faults) or "no faults", file=sys.stderr if faults else sys.stdout)
    return FAULTY if faults else 0


def _undecided(regions: Path, catalogue: Catalogue, divisions: Divisions) -> Sequence[DataFault]:
    """What is wrong with who decides or receives, or with a peak; can only be said of a catalogue and divisions that
    are in order.
    """
    try:
        check_authorities(regions, catalogue, divisions)
        check_windows(regions, catalogue, load_authorities(regions, divisions))
        load_peaks(regions, catalogue, divisions)
    except BrokenData as fault:
        return fault.faults
    return ()


def _catalogue(chosen: argparse.Namespace) -> int:
    rows, text = _changes(chosen) if chosen.what == "diff" else _savings(chosen)
    print(json.dumps([row.model_dump() for row in rows], ensure_ascii=False) if chosen.json else text)
    return 0


def _changes(chosen: argparse.Namespace) -> tuple[Sequence[Value], str]:
    if len(chosen.folders) != 2:
        raise ValueError("catalogue diff needs two folders: the old version and the new")
    old, new = map(load_catalogue, chosen.folders)
    found, names = changes(old, new), load_divisions(chosen.regions).by_code
    lines = [(names[each.province].name if each.province else "全国", each.about, each.text) for each in found]
    return found, "\n".join("  ".join(line) for line in lines) or "对办事人没有变化。"


def _savings(chosen: argparse.Namespace) -> tuple[Sequence[Value], str]:
    if len(chosen.folders) > 1:
        raise ValueError("catalogue table takes one folder")
    rows = list(savings(load_catalogue(chosen.folders[0] if chosen.folders else CATALOGUE)))
    lines = ["| bundle | status | steps | fields | materials | visits | days |", "| --- " * 7 + "|"]
    for row in rows:
        pairs = [f"{one_by_one} → {merged}" for one_by_one, merged in (row.fields, row.materials, row.visits, row.days)]
        lines.append(f"| {row.name} | {row.status} | {row.steps} | {' | '.join(pairs)} |")
    return rows, "\n".join(lines)


def _authorities(chosen: argparse.Namespace) -> int:
    answers = dict(pair.partition("=")[::2] for pair in chosen.answer)
    catalogue = load_catalogue(chosen.catalogue)
    authorities = load_authorities(chosen.regions, load_divisions(chosen.regions))
    on = chosen.on or china_day(datetime.now(UTC))
    lines = deciders_in(authorities, catalogue, chosen.division, answers=answers, on=on)
    if chosen.json:
        print(json.dumps([line.model_dump() for line in lines], ensure_ascii=False))
        return 0
    print("| authority | id | level | status | items |\n| --- | --- | --- | --- | --- |")
    for line in lines:
        print(f"| {line.name} | {line.id} | {line.level} | {line.status} | {len(line.items)} |")
    return 0
