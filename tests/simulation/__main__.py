"""`python -m tests.simulation`: seeds by the thousand, one seed again with its trace, or a table of reliability.md."""

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from tests.simulation import isolation, outage
from tests.simulation.planted import FAULTS, row, simulated
from tests.simulation.running import Outcome

AT_ONCE = 10
TOLD_EVERY = 200
CASE_EVERY_SECONDS = 300.0
AGAIN = "python -m tests.simulation --seed"
BROKEN_OFF = "a run comes to its end"


def main(words: Sequence[str] | None = None) -> int:
    """What is asked for; 1 if a seed fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many (default %(default)s)")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first of them (default %(default)s)")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes at once (default %(default)s)")
    parser.add_argument("--seed", type=int, help="this one alone, with its trace")
    parser.add_argument("--json", action="store_true", help="the outcome as JSON on stdout")
    parser.add_argument("--fault", default="", help="with this planted fault")
    parser.add_argument("--planted", action="store_true", help="find every planted fault, and print the table")
    parser.add_argument("--isolation", action="store_true", help="what two bad peers cost the others")
    parser.add_argument("--outage-hours", type=float, default=0.0, help="what an outage of so many hours leaves behind")
    asked = parser.parse_args(words)
    if asked.planted:
        return _planted(asked)
    if asked.isolation:
        sys.stdout.write(isolation.table(isolation.rows()))
        return 0
    if asked.outage_hours:
        return _outage(asked.outage_hours)
    return _alone(asked) if asked.seed is not None else _many(asked)


def _alone(asked: argparse.Namespace) -> int:
    """One seed, with its trace."""
    outcome = simulated(asked.seed, fault=asked.fault)
    failed = [outcome] if outcome.invariant else []
    if asked.json:
        _print_json(1, failed, trace=outcome.trace)
    else:
        sys.stdout.writelines(f"{line}\n" for line in outcome.trace)
    _tell(failed, asked.fault)
    return 1 if failed else 0


def _many(asked: argparse.Namespace) -> int:
    """All seeds, whatever fails among them, and a summary."""
    began, done, failed = time.monotonic(), 0, []
    for outcome in _outcomes(asked, asked.fault):
        done += 1
        if outcome.invariant:
            failed.append(outcome)
            sys.stderr.write(f"seed {outcome.seed} fails: {outcome.invariant}\n")
        if done % TOLD_EVERY == 0 or done == asked.seeds:
            rate = done / (time.monotonic() - began)
            sys.stderr.write(f"{done} of {asked.seeds} seeds, {rate:.1f} a second, {len(failed)} failed\n")
    if asked.json:
        _print_json(done, failed)
    last, seconds = asked.first + done - 1, time.monotonic() - began
    sys.stderr.write(f"seeds {asked.first} to {last}: {done} run in {seconds:.0f} s, {len(failed)} failed\n")
    _tell(failed, asked.fault)
    return 1 if failed else 0


def _print_json(seeds: int, failed: Sequence[Outcome], **more: Any) -> None:
    told = [{"seed": each.seed, "invariant": each.invariant, "seen": each.seen} for each in failed]
    print(json.dumps({"seeds": seeds, "failed": told, **more}, ensure_ascii=False))  # noqa: T201 # a command prints


def _tell(failed: Sequence[Outcome], fault: str) -> None:
    """What does not hold in each seed, and the command that runs it again."""
    with_fault = f" --fault '{fault}'" if fault else ""
    for each in failed:
        sys.stderr.write(f"seed {each.seed}: {each.invariant}: {each.seen}\n")
        sys.stderr.write(f"  {AGAIN} {each.seed}{with_fault}\n")


def _outcomes(asked: argparse.Namespace, fault: str) -> Iterator[Outcome]:
    """The outcomes of the seeds in their order, from as many processes as are asked for."""
    run, seeds = partial(_slim, fault=fault), range(asked.first, asked.first + asked.seeds)
    if asked.workers == 1:
        yield from map(run, seeds)
        return
    with multiprocessing.Pool(asked.workers) as pool:
        yield from pool.imap(run, seeds, chunksize=AT_ONCE)


def _slim(seed: int, *, fault: str) -> Outcome:
    """The outcome without its trace, for it goes from process to process; a run that breaks off is a failure too."""
    try:
        return replace(simulated(seed, fault=fault), trace=(), heads={})
    except Exception as broken_off:  # noqa: BLE001 # one seed must not hide what the others find
        return Outcome(seed, BROKEN_OFF, repr(broken_off), (), {}, 0.0)


def _planted(asked: argparse.Namespace) -> int:
    """Find each fault anew; 1 if one is not found, or not where planted.py says."""
    wrong = 0
    for fault in FAULTS:
        found = next((each for each in _outcomes(asked, fault.name) if each.invariant == fault.invariant), None)
        wrong += found is None or found.seed != fault.seed
        sys.stdout.write(row(fault) if found is None else row(replace(fault, seed=found.seed)))
        sys.stdout.flush()
    return 1 if wrong else 0


def _outage(hours: float) -> int:
    measured = outage.measure(hours, every_seconds=CASE_EVERY_SECONDS)
    sys.stdout.write(measured.row())
    if measured.invariant:
        sys.stderr.write(f"{measured.invariant}\n")
    return 1 if measured.invariant else 0


if __name__ == "__main__":
    sys.exit(main())
