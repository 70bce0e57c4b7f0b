"""The demo: provinces on this machine, one case across two of them, and then everything to try by hand."""

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack, aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from server.demo.database import DatabaseDidNotStart, check_reachable
from server.demo.desks import REGIONS, counties_of, desks_of, places_in
from server.demo.faults import DemoFault, Injury, wired
from server.demo.folder import DemoPlan, check_same, demo_folder, kept_plan, new_plan, ports_from
from server.demo.given import papers_told
from server.demo.people import SHOWN, DemoOfficer, citizens, county_officers, officers
from server.demo.plots import PLOTS, cast_of
from server.demo.ports import reserved, reserved_lasting
from server.demo.processes import ChildFailed, first_to_end
from server.demo.proof import letters_proven
from server.demo.provinces import APP_ID, Demo, running_demo
from server.demo.proxy import Proxy
from server.demo.reviving import revive_killed
from server.demo.story import REQUEST_SECONDS, Row, Story, StoryFailed
from server.demo.telling import Voice
from server.tools.publications import load_nodes

FIRST_PORT, HIGHEST_PORT = 8320, 65000
FEWEST, MOST = 2, 5
MOST_COUNTIES = 100
STORY_SECONDS = 120.0
IN_TIMELINE = ("at", "node", "step", "act", "state", "by")
OF_CITIZEN = ("code", "name", "id_number", "face_token")
NO_FAULT_HERE = (
    "--fault belongs to a story in a folder of its own: use it without --keep, and with --json only if --once."
)
NOT_PROVEN = "The case is closed, but not every receipt could be proven on both sides."


class DemoFailed(ValueError):
    """The demo could not be shown; the reason is a plain sentence."""


@dataclass(frozen=True)
class DemoOptions:
    """What was asked for on the command line."""

    is_once: bool
    is_json: bool
    nodes: int | None
    port: int | None
    keep: Path | None
    fault: DemoFault | None = None
    story: str = "newborn"
    is_strict: bool = False
    counties: int = 0
    has_revival: bool = False

    @property
    def tells_story(self) -> bool:
        """Programs that start a demo to use it want it as it is, without a case."""
        return self.is_once or not self.is_json

    @property
    def gives_papers(self) -> bool:
        """Programs measure it without papers, which take more of the processor than all else."""
        return self.tells_story

    @property
    def first_port(self) -> int:
        """Where ports begin, or 0 for any free ones."""
        if self.port is not None:
            return self.port
        return 0 if self.is_once or self.is_json else FIRST_PORT


@dataclass(frozen=True)
class StoryOutcome:
    """The story as it went; letters that tell of papers are counted apart, for those go on after its end."""

    case: str
    bundle: str
    rows: tuple[Row, ...]
    letters: int
    of_papers: int
    is_proven: bool
    seconds: float


def add_arguments(command: Callable[..., argparse.ArgumentParser]) -> None:
    """The command `demo`."""
    parser = command("demo", run, "Run provinces on this machine and one case across two of them.")
    parser.add_argument("--once", action="store_true", help="stop when the case is closed, instead of serving on")
    parser.add_argument(
        "--json",
        action="store_true",
        help="with --once: print the outcome as one JSON object; without: print addresses, officers and citizens as "
        "one line of JSON when all is ready, without a case, and serve until SIGTERM",
    )
    parser.add_argument("--nodes", type=_nodes, metavar="N", help=f"how many provinces, {FEWEST} to {MOST} (default 2)")
    parser.add_argument(
        "--port",
        type=_port,
        metavar="N",
        help=f"the first port, the others follow; 0: any free ones (default {FIRST_PORT}; 0 with --once or --json)",
    )
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="keep data, keys, logs and passwords in this folder, and go on from it"
    )
    parser.add_argument(
        "--fault",
        type=DemoFault,
        choices=list(DemoFault),
        help="while the case is under way, cut the wire between the provinces or slow it, or kill the other province's "
        "processes, and show how all goes on",
    )
    parser.add_argument(
        "--story",
        choices=tuple(PLOTS),
        default="newborn",
        help="what happens: a birth in two provinces (default), or one item in each mode across provinces",
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="every officer signs in with an authenticator, too; the secrets are shown (only a demo shows them)",
    )
    _add_counties(parser)


def _add_counties(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--counties",
        type=_counties,
        default=0,
        metavar="N",
        help=f"for load tests, seat an officer for each of the first N counties of each province (to {MOST_COUNTIES})",
    )
    parser.add_argument(
        "--revive", action="store_true", help="for load tests, start a process of a node again that was killed"
    )


def run(chosen: argparse.Namespace) -> int:
    """Show the demo; answers the exit code. Raises ValueError with a plain sentence when anything is wrong."""
    options = DemoOptions(
        is_once=chosen.once,
        is_json=chosen.json,
        nodes=chosen.nodes,
        port=chosen.port,
        keep=chosen.keep,
        fault=chosen.fault,
        story=chosen.story,
        is_strict=chosen.strict,
        counties=chosen.counties,
        has_revival=chosen.revive,
    )
    if options.fault and (options.keep or not options.tells_story):
        raise DemoFailed(NO_FAULT_HERE)
    try:
        return asyncio.run(_until_stopped(options))
    except (ChildFailed, DatabaseDidNotStart, StoryFailed) as fault:
        raise DemoFailed(str(fault)) from fault
    except aiohttp.ClientError as fault:
        raise DemoFailed(f"A node stopped answering: {fault}") from fault


async def _until_stopped(options: DemoOptions) -> int:
    """The whole demo; the first SIGINT or SIGTERM ends it in order, further ones change nothing."""
    loop = asyncio.get_running_loop()
    life = asyncio.create_task(_live(options))
    is_stopped = asyncio.Event()

    def stop() -> None:
        if not is_stopped.is_set():
            is_stopped.set()
            life.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        return await life
    except asyncio.CancelledError:
        if options.is_once:
            raise DemoFailed("The demo was stopped before its case was closed.") from None
        return 0


async def _live(options: DemoOptions) -> int:
    began = time.monotonic()
    voice = Voice(is_silent=options.is_json)
    mongodb_uri = os.environ.get("MONGODB_URI") or None
    if mongodb_uri:
        await check_reachable(mongodb_uri)
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(demo_folder(options.keep))
        with ExitStack() as holding:
            plan = _plan(options, folder, holding).model_copy(update={"gives_papers": options.gives_papers})
            wires: tuple[Proxy, ...] = ()
            if options.fault:
                plan, wires = await stack.enter_async_context(wired(plan))
            people = citizens(plan.nodes[0].division)
            running = running_demo(folder, plan, citizens=people, mongodb_uri=mongodb_uri, say=voice.say)
            demo = await stack.enter_async_context(running)
        if options.tells_story:
            injury = Injury(options.fault, demo, wires, plot=PLOTS[options.story]) if options.fault else None
            told = await _tell(demo, voice, injury, story=options.story, began=began)
            if options.is_json:
                _print(_outcome(demo, told))
            if not told.is_proven:
                raise DemoFailed(NOT_PROVEN)
            voice.close(case=told.case, letters=told.letters, of_papers=told.of_papers, seconds=told.seconds)
        if options.is_once:
            return 0
        if options.is_json:
            _print(_description(demo))
        else:
            voice.addresses(demo, folder)
        await (revive_killed(demo) if options.has_revival else first_to_end(demo.running))
    return 0


def _plan(options: DemoOptions, folder: Path, holding: ExitStack) -> DemoPlan:
    """The plan that the folder keeps, or a new one; its ports are held from now on."""
    kept = kept_plan(folder)
    if kept:
        check_same(kept, folder, nodes=options.nodes, first_port=options.port, is_strict=options.is_strict)
    count = options.nodes or FEWEST
    wanted = kept.ports if kept else ports_from(options.first_port, count)
    ports = [holding.enter_context(reserved(port) if port else reserved_lasting()) for port in wanted]
    if kept:
        return kept
    divisions = [area.node for area in load_nodes(REGIONS)[:count]]
    seated = {division: _officers(options, division) for division in divisions}
    shown = citizens(divisions[0])[:SHOWN]
    return new_plan(seated, ports=ports, citizens=shown, is_strict=options.is_strict)


def _officers(options: DemoOptions, province: str) -> tuple[DemoOfficer, ...]:
    """Those of the stories' places, and one for each of the counties that were asked for."""
    plots = (PLOTS["newborn"], PLOTS[options.story])
    desks_in = partial(desks_of, bundles={plot.bundle: plot.answers for plot in plots})
    desks = dict.fromkeys(desk for its in desks_in(places_in(province)).values() for desk in its)
    counties = desks_in(counties_of(province, options.counties)) if options.counties else {}
    return officers(desks, is_strict=options.is_strict) + county_officers(counties, is_strict=options.is_strict)


async def _tell(demo: Demo, voice: Voice, injury: Injury | None, *, story: str, began: float) -> StoryOutcome:
    """Drive the case to its end while telling it, and let both sides prove what they exchanged."""
    rows: list[Row] = []
    timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        plot, home = PLOTS[story], demo.provinces[0].division
        forgives = (aiohttp.ClientError,) if injury else ()
        teller = Story(http, demo, plot, cast=cast_of(plot, demo.citizens[0], home), forgives=forgives)
        try:
            parts = injury.among(teller.tell()) if injury else teller.tell()
            async with asyncio.timeout(STORY_SECONDS), aclosing(parts):
                async for part in parts:
                    rows += [part] if isinstance(part, Row) else []
                    voice.tell(part)
        except TimeoutError:
            raise DemoFailed(f"The case was not closed within {STORY_SECONDS:.0f} seconds.") from None
        seconds = time.monotonic() - began
        if sentence := await papers_told(teller, demo.provinces):
            voice.tell(sentence)
    voice.say("Each node verifies its receipts.")
    letters, of_papers, is_proven = await letters_proven(demo.provinces)
    return StoryOutcome(teller.case, plot.bundle, tuple(rows), letters, of_papers, is_proven, seconds)


def _outcome(demo: Demo, told: StoryOutcome) -> dict[str, Any]:
    """What `--once --json` prints."""
    return {
        "case": told.case,
        "bundle": told.bundle,
        "nodes": [province.division for province in demo.provinces],
        "timeline": [{name: getattr(row, name) for name in IN_TIMELINE} for row in told.rows],
        "letters": told.letters,
        "receipts_verified": told.is_proven,
        "seconds": round(told.seconds, 2),
    }


def _description(demo: Demo) -> dict[str, Any]:
    """What `--json` prints when all is ready."""
    return {
        "nodes": [
            {
                "division": province.division,
                "base_url": province.base_url,
                "officers": [officer.model_dump() for officer in province.officers],
            }
            for province in demo.provinces
        ],
        "platform_url": demo.platform_url,
        "app_id": APP_ID,
        "citizens": [{name: getattr(citizen, name) for name in OF_CITIZEN} for citizen in demo.citizens],
    }


def _print(value: Any) -> None:
    """One line of JSON, in UTF-8 whatever the terminal's language is."""
    sys.stdout.buffer.write(orjson.dumps(value) + b"\n")
    sys.stdout.buffer.flush()


def _nodes(text: str) -> int:
    if text.isdecimal() and FEWEST <= int(text) <= MOST:
        return int(text)
    raise argparse.ArgumentTypeError(f"from {FEWEST} to {MOST} provinces, not {text!r}")


def _counties(text: str) -> int:
    if text.isdecimal() and int(text) <= MOST_COUNTIES:
        return int(text)
    raise argparse.ArgumentTypeError(f"from 0 to {MOST_COUNTIES} counties, not {text!r}")


def _port(text: str) -> int:
    if text.isdecimal() and int(text) <= HIGHEST_PORT:
        return int(text)
    raise argparse.ArgumentTypeError(f"a port from 0 to {HIGHEST_PORT}, not {text!r}")
