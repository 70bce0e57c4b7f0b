"""Drives the journeys of loadtests/locustfile.py against a demo of its own or a running node, and judges the run.

python -m loadtests run --shape spike --seconds 180 --budget peak
python -m loadtests run --target target.json --mix without-peer
python -m loadtests run --shape soak --seconds 1800

Report (HTML), figures (CSV, JSON) and records are kept in var/loadtests/. Exit code 0: the run passed; 1: it failed,
and every reason is told; 3: it is invalid, for Locust itself was the bottleneck.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loadtests.budgets import BUDGETS, BudgetBook, BudgetsFaulty, read_budgets, table_of
from loadtests.callers import NeverAnswered
from loadtests.cpu_clock import ended_children_seconds, machine_seconds
from loadtests.demos import DemoDidNotStart, RunningDemo, running_demo
from loadtests.driving import ROOT, Driven, drive
from loadtests.flatness import table_of_growths
from loadtests.killing import Killer, killing
from loadtests.plan import MIXES, PlanFaulty, RunPlan, Target, read_target
from loadtests.reckoning import LoadBooks, listed_before, reckon
from loadtests.records import RecordBook, submissions_of
from loadtests.shapes import SHAPES
from loadtests.verdict import LoadVerdict, judged
from loadtests.watching import Watch, watching

KEPT = ROOT / "var/loadtests"
MOST_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class CpuUse:
    """CPU seconds of `serve`, and of whatever is neither the demo nor Locust; `at`: when, in seconds of a clock."""

    serve: float
    others: float
    at: float

    def others_since(self, before: "CpuUse") -> float:
        """The share of this machine's cores that others have used."""
        return max(0.0, self.others - before.others) / ((self.at - before.at) * (os.cpu_count() or 1))


@dataclass(frozen=True)
class LoadGround:
    """What is loaded: the file that describes it, the key file of its second node, and the demo if it is one."""

    target: Path
    keys: Path | None
    demo: RunningDemo | None

    def used(self) -> CpuUse:
        """The CPU time that was used so far."""
        of_demo = self.demo.cpu_seconds() if self.demo else {}
        ours = sum(of_demo.values()) + ended_children_seconds()
        return CpuUse(of_demo.get("serve", 0.0), machine_seconds() - ours, time.monotonic())


@dataclass(frozen=True)
class LoadRun:
    """A finished run."""

    verdict: LoadVerdict
    books: LoadBooks
    kills: int
    serve_microseconds: int | None
    others: float | None
    folder: Path

    def told(self) -> dict[str, Any]:
        """As JSON."""
        books = {**asdict(self.books), "lost": len(self.books.lost), "doubled": len(self.books.doubled)}
        rest: dict[str, Any] = {"kills": self.kills, "serve_cpu_microseconds_per_request": self.serve_microseconds}
        rest |= {"others_share": None if self.others is None else round(self.others, 3)}
        return {**self.verdict.told(), "books": books, **rest, "kept": str(self.folder)}

    def lines(self, book: BudgetBook) -> Sequence[str]:
        """For people."""
        books, cpu, cost = self.books, self.verdict.locust_cpu, self.serve_microseconds
        return [
            *table_of(self.verdict.classes, book),
            *table_of_growths(self.verdict.growths),
            f"{books.acknowledged} cases acknowledged under {books.keys} keys ({books.unknown} without an answer): "
            f"{len(books.lost)} lost, {len(books.doubled)} doubled",
            f"{self.kills} kills, {self.verdict.shed} arrivals shed, Locust used {cpu or 0:.0%} of a core at most",
            *([] if cost is None else [f"{cost} µs of CPU a request in serve"]),
            *([] if self.others is None else [f"others used {self.others:.0%} of this machine's cores meanwhile"]),
            *(f"- {reason}" for reason in self.verdict.reasons),
            f"{self.verdict.word}; kept in {os.path.relpath(self.folder)}",
        ]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of a run."""
    usual = RunPlan(Path(), Path())
    parser.add_argument("--shape", choices=list(SHAPES), default=usual.shape, help="default %(default)s")
    parser.add_argument("--seconds", type=_seconds, default=usual.seconds, help="how long (default %(default)g)")
    models = "users at once (closed) or arrivals a second (open); default %(default)s"
    parser.add_argument("--model", choices=["closed", "open"], default=usual.model, help=models)
    parser.add_argument("--base", type=_above_0, default=20.0, help="the usual level of either (default %(default)g)")
    parser.add_argument("--mix", choices=list(MIXES), default=usual.mix, help="who comes (default %(default)s)")
    parser.add_argument("--think", type=_above_0, default=usual.think, help="pauses, times this (default %(default)g)")
    most = "arrivals under way in one process of Locust, at most (default %(default)s)"
    parser.add_argument("--most-in-flight", type=int, default=usual.most_in_flight, help=most)
    parser.add_argument("--processes", type=int, default=1, help="of Locust; above 1: a master and so many workers")
    parser.add_argument("--budgets", type=Path, default=BUDGETS, help="the file (default loadtests/budgets.toml)")
    parser.add_argument("--budget", help="the name in it (default small, with --kill-every peak)")
    parser.add_argument("--target", type=Path, help="a running node, as `server demo --json` prints it; none: a demo")
    parser.add_argument("--signer-keys", type=Path, help="with --target: the key file of its second node, for the peer")
    parser.add_argument(
        "--kill-every", type=_above_0, default=0.0, metavar="SECONDS", help="kill a `serve` of the demo"
    )
    parser.add_argument("--kept", type=Path, default=KEPT, help="where results are kept (default var/loadtests)")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.set_defaults(run=run, parser=parser)


def run(chosen: argparse.Namespace) -> int:
    """Drive, judge and tell; the exit code."""
    if chosen.target and chosen.kill_every:
        chosen.parser.error("--kill-every kills processes of a demo: it does not go with --target")
    if chosen.target and not chosen.signer_keys and "peer" in MIXES[chosen.mix]:
        chosen.parser.error("a peer needs --signer-keys; or choose --mix without-peer")
    try:
        book = read_budgets(chosen.budgets, chosen.budget or ("peak" if chosen.kill_every else "small"))
        done = _done(chosen, _plan(chosen), book)
    except (PlanFaulty, BudgetsFaulty, DemoDidNotStart, NeverAnswered) as fault:
        print(f"loadtests: {fault}", file=sys.stderr)
        return 1
    (done.folder / "result.json").write_text(json.dumps(done.told(), indent=1) + "\n", encoding="utf-8")
    print(json.dumps(done.told()) if chosen.json else "\n".join(done.lines(book)))
    return done.verdict.code


def _plan(chosen: argparse.Namespace) -> RunPlan:
    """The plan but for its target, in a new folder."""
    kept = chosen.kept.resolve() / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{chosen.shape}-{os.getpid()}"
    same = ("shape", "seconds", "model", "base", "mix", "think", "most_in_flight")
    wished = {name: getattr(chosen, name) for name in same}
    return RunPlan(Path(), kept, workers=chosen.processes, has_kills=chosen.kill_every > 0, **wished)


def _done(chosen: argparse.Namespace, plan: RunPlan, book: BudgetBook) -> LoadRun:
    with _ground(chosen) as ground, _signer(ground, plan) as url:
        target = read_target(ground.target, mix=plan.mix)
        plan = replace(plan, target=ground.target.resolve(), signer=url)
        before = {} if ground.demo else asyncio.run(listed_before(target))
        print(f"{plan.shape}, {plan.seconds:g} s against {target.base_url()} ...", file=sys.stderr)
        began = ground.used()
        driven, kills = _driven(ground, plan, kill_every=chosen.kill_every)
        ended = ground.used()
        books = _books(target, plan, before)
    is_whole = ground.demo is not None and not kills  # what a killed process has used is in no sum
    cost = round((ended.serve - began.serve) / max(driven.requests, 1) * 1e6) if is_whole else None
    others = ended.others_since(began) if is_whole else None
    return LoadRun(judged(plan, driven, books=books, book=book), books, kills, cost, others, plan.kept)


def _driven(ground: LoadGround, plan: RunPlan, *, kill_every: float) -> tuple[Driven, int]:
    """What Locust told, and how often a process was killed."""
    if ground.demo is None:
        return drive(plan), 0
    with watching(Watch(ground.demo, RecordBook(plan.kept)), seconds=plan.seconds):
        if not kill_every:
            return drive(plan), 0
        with killing(Killer(ground.demo, kill_every)) as killer:
            driven = drive(plan)
    return driven, len(killer.struck)


def _books(target: Target, plan: RunPlan, before: dict[str, frozenset[str]]) -> LoadBooks:
    submissions = submissions_of(plan.kept)
    print(f"{len(submissions)} submissions are looked for ...", file=sys.stderr)
    return asyncio.run(reckon(target, submissions, before))


@contextmanager
def _ground(chosen: argparse.Namespace) -> Iterator[LoadGround]:
    """The target that was named, or a demo; the demo's keys and passwords stay in a folder that is removed."""
    if chosen.target:
        yield LoadGround(chosen.target, chosen.signer_keys, None)
        return
    with tempfile.TemporaryDirectory(prefix="tongban-load-") as name:
        options = ["--keep", f"{name}/demo", *(["--revive"] if chosen.kill_every else [])]
        with running_demo(options=options) as demo:
            described = Path(name) / "target.json"
            described.write_text(json.dumps(demo.described), encoding="utf-8")
            keys = Path(name) / "demo/keys" / f"{demo.described['nodes'][1]['division']}.keys.json"
            yield LoadGround(described, keys, demo)


@contextmanager
def _signer(ground: LoadGround, plan: RunPlan) -> Iterator[str]:
    """The address of a process that signs for the peer; empty if no peer comes."""
    if ground.keys is None or "peer" not in MIXES[plan.mix]:
        yield ""
        return
    origin = read_target(ground.target, mix=plan.mix).base_url()
    command = [sys.executable, "-m", "loadtests.signer", "--keys", str(ground.keys), "--origin", origin]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        line = process.stdout.readline() if process.stdout else b""
        if not line:
            raise DemoDidNotStart("the process that signs for the peer did not start")
        yield json.loads(line)["url"]
        process.communicate()


def _above_0(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"not a number above 0: {text!r}")
    return value


def _seconds(text: str) -> float:
    value = _above_0(text)
    if value > MOST_SECONDS:
        raise argparse.ArgumentTypeError(f"at most {MOST_SECONDS:.0f} seconds, not {text!r}")
    return value
