"""Judges a run that was not driven by `run`: masters and workers that were started by hand or by compose.

python -m loadtests judge var/loadtests/compose --target target.json --mix public

The folder has what the workers wrote (records-*.jsonl) and what the master did (`--json-file`, `--csv`).
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path

from loadtests.budgets import BUDGETS, BudgetsFaulty, read_budgets
from loadtests.callers import NeverAnswered
from loadtests.driving import told_in
from loadtests.plan import MIXES, PlanFaulty, RunPlan, read_target
from loadtests.reckoning import reckon
from loadtests.records import submissions_of
from loadtests.run import LoadRun
from loadtests.verdict import judged


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("folder", type=Path, help="what the run has left")
    parser.add_argument("--target", type=Path, required=True, help="the node, as this machine reaches it")
    parser.add_argument("--mix", choices=list(MIXES), default=RunPlan.mix, help="who came (default %(default)s)")
    parser.add_argument("--budgets", type=Path, default=BUDGETS, help="the file (default loadtests/budgets.toml)")
    parser.add_argument("--budget", default="small", help="the name in it (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.set_defaults(run=run, parser=parser)


def run(chosen: argparse.Namespace) -> int:
    """Look after what was handed in, judge and tell; the exit code."""
    plan = RunPlan(chosen.target, chosen.folder, mix=chosen.mix)
    try:
        book = read_budgets(chosen.budgets, chosen.budget)
        target = read_target(chosen.target, mix=chosen.mix)
        books = asyncio.run(reckon(target, submissions_of(plan.kept), None))
    except (PlanFaulty, BudgetsFaulty, NeverAnswered) as fault:
        print(f"loadtests: {fault}", file=sys.stderr)
        return 1
    done = LoadRun(judged(plan, told_in(plan.kept), books=books, book=book), books, 0, None, None, plan.kept)
    print(json.dumps(done.told()) if chosen.json else "\n".join(done.lines(book)))
    return done.verdict.code
