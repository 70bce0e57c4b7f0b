"""The commands: each is a few lines that call the room which does the work."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

from server import adopting, inspecting, keeping, keying, main, operating, seeding, staffing, supervising
from server.demo import demonstrate
from server.domain.audit import Doer
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.deciders import deciders_in
from server.domain.catalogue.divisions import Divisions
from server.domain.catalogue.savings import savings
from server.domain.catalogue_checks.changes import changes
from server.domain.errors import NotAuthentic, Refusal
from server.domain.rules.diagram import mermaid
from server.domain.values import Value, china_day
from server.tools.datafiles import BrokenData, DataFault
from server.tools.descriptors import occupy_standard
from server.tools.inheritance import Inheritance
from server.tools.logs import SCRIBE, configure
from server.tools.messages import load_templates
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
from server.tools.settings import MOST_SLOTS, Settings, load_settings

CATALOGUE, REGIONS, NOTICES = Path("config/catalogue"), Path("config/regions"), Path("config/notices.toml")
FAULTY = 1


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(prog="python -m server", description="Tongban (通办), one provincial node.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        return sub

    serve = command("serve", _serve, "Answer citizens, officers and other nodes until SIGTERM.")
    _add_processes(serve)
    work = command("work", _work, "Relay, deliver and settle in the background until SIGTERM.")
    for each in (serve, work):
        each.add_argument(
            "--quiet", action="store_true", help="only look: change nothing, and speak to nobody (a drill)"
        )
    demonstrate.add_arguments(command("demo", _demo, "Run provinces on this machine and one case across two of them."))
    check = command("check", _check, "Check catalogue, regions and notices; exit 1 with every fault if there is one.")
    check.add_argument("--catalogue", type=Path, default=CATALOGUE, help="folder (default %(default)s)")
    check.add_argument("--regions", type=Path, default=REGIONS, help="folder (default %(default)s)")
    check.add_argument("--notices", type=Path, default=NOTICES, help="file (default %(default)s)")
    check.add_argument("--json", action="store_true", help="print the faults as one JSON object")
    _add_books(command)
    routes = command("routes", _routes, "Print the doors: method, path, who comes in, handler, function, summary.")
    routes.add_argument("--json", action="store_true", help="print them as a JSON list")
    command("errors", _errors, "Print the refusals as a Markdown table: code, HTTP status, title, meaning.")
    command("graph", _graph, "Print the states of a step as a Mermaid diagram.")
    keying.add_arguments(command)
    receipts = command("receipts", _receipts, "Verify the receipts of all batches; exit 1 if one proves nothing.")
    receipts.add_argument("--json", action="store_true", help="print the logs as one JSON object")
    _add_people(command)
    operating.add_arguments(command)
    adopting.add_arguments(command)
    inspecting.add_arguments(command)
    keeping.add_arguments(command)
    seeding.add_arguments(command)
    return parser


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


def _add_people(command: Callable[..., argparse.ArgumentParser]) -> None:
    staffing.add_arguments(command)
    listed = command("dishonest", _dishonest, "Change who may not defer materials, by a JSON list of ID numbers.")
    listed.add_argument("what", choices=["add", "remove"], help="add: put them on the list; remove: take them off")
    listed.add_argument("file", help="a file, or - for standard input")
    listed.add_argument("--json", action="store_true", help="print the count as one JSON object")


def run(arguments: Sequence[str]) -> int:
    """Run one command; answers its exit code: 0 done, 1 what is wrong stands on stderr, 2 a wrong command line."""
    chosen = build_parser().parse_args(arguments)
    try:
        code: int = chosen.run(chosen)
    except supervising.NotStarted as fault:
        print(f"tongban: {fault}", file=sys.stderr)
        return fault.code
    except (ValueError, OSError, Refusal, NotAuthentic, main.LoopEnded) as fault:
        print(f"tongban: {fault}", file=sys.stderr)
        return FAULTY
    return code


def _serve(chosen: argparse.Namespace) -> int:
    if chosen.processes == 1:
        return _process(partial(main.serve, is_quiet=chosen.quiet, inherited=chosen.inherited))
    flags = ("--quiet",) if chosen.quiet else ()
    supervised = partial(supervising.supervise, processes=chosen.processes, flags=flags)
    return _process(supervised, loop_factory=asyncio.new_event_loop)  # uvloop knows no process groups


def _count(text: str) -> int:
    """How many processes; the cores that this one may use for `auto` and 0."""
    count = 0 if text == "auto" else int(text) if text.isdecimal() else -1
    if not 0 <= count <= MOST_SLOTS:
        raise argparse.ArgumentTypeError(f"must be auto, or from 0 to {MOST_SLOTS}")
    return count or min(len(os.sched_getaffinity(0)), MOST_SLOTS)


def _work(chosen: argparse.Namespace) -> int:
    return _process(partial(main.work, is_quiet=chosen.quiet))


def _demo(chosen: argparse.Namespace) -> int:
    return demonstrate.run(chosen)


def _process(
    body: Callable[[Settings], Coroutine[Any, Any, None]],
    *,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop,
) -> int:
    occupy_standard()
    settings = load_settings()
    configure(settings.log_level)
    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(body(settings))
    finally:
        SCRIBE.catch_up(is_last=True)
    return 0


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


def _routes(chosen: argparse.Namespace) -> int:
    rows = main.door_rows()
    if chosen.json:
        print(json.dumps(rows, ensure_ascii=False))
        return 0
    widths = [max(len(row[column]) for row in rows) for column in rows[0]]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row.values(), widths, strict=True)).rstrip())
    return 0


def _errors(_: argparse.Namespace) -> int:
    print("| code | status | title | meaning |\n| --- | --- | --- | --- |")
    for row in main.refusal_rows():
        print(f"| `{row['code']}` | {row['status']} | {row['title']} | {row['meaning']} |")
    return 0


def _graph(_: argparse.Namespace) -> int:
    print(mermaid())
    return 0


def _receipts(chosen: argparse.Namespace) -> int:
    report = asyncio.run(main.check_receipts(load_settings()))
    if chosen.json:
        print(report.model_dump_json())
        return 0 if report.verified else FAULTY
    for log in report.logs:
        state = "all proven" if log.faulty is None else f"batch {log.faulty} is not proven"
        print(f"{log.direction} {log.peer}: {log.batches} batches, {log.letters} letters, {state}")
    return 0 if report.verified else FAULTY


def _dishonest(chosen: argparse.Namespace) -> int:
    id_numbers = _json_of(chosen.file)
    if not isinstance(id_numbers, list) or not all(isinstance(each, str) for each in id_numbers):
        raise ValueError(f"dishonest {chosen.what} needs a JSON list of ID numbers")
    by, is_listed = Doer(name=operating.operator()), chosen.what == "add"
    changed = asyncio.run(main.change_dishonest(load_settings(), id_numbers, is_listed=is_listed, by=by))
    print(json.dumps({"changed": changed}) if chosen.json else f"{changed} changed")
    return 0


def _json_of(file: str) -> Any:
    return json.loads(sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8"))
