"""`python -m tests.simulation`: seeds by the thousand, one seed again with its trace, or the table of planted faults."""

import argparse
import json
import multiprocessing
import sys
import time
from collections.abc import Iterator
from functools import partial

from tests.simulation.planted import FAULTS, simulated
from tests.simulation.running import Outcome

AT_ONCE = 10
TOLD_EVERY = 200


def main() -> int:
    """What is asked for; 1 if a seed fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first of them")
    parser.add_argument("--seed", type=int, help="this one alone, with its trace")
    parser.add_argument("--json", action="store_true", help="the outcome as JSON on stdout")
    parser.add_argument("--fault", default="", help="with this planted fault")
    parser.add_argument("--planted", action="store_true", help="find every planted fault, and print the table")
    asked = parser.parse_args()
    if asked.planted:
        return _planted(asked.seeds)
    run = partial(simulated, fault=asked.fault)
    outcomes = [run(asked.seed)] if asked.seed is not None else _all(run, asked.first, asked.seeds)
    failed = next((outcome for outcome in outcomes if outcome.invariant), None)
    trace = failed.trace if failed else outcomes[0].trace if asked.seed is not None else ()
    if asked.json:
        told = {"seeds": len(outcomes), "invariant": "", "seen": "", "seed": None}
        if failed:
            told |= {"invariant": failed.invariant, "seen": failed.seen, "seed": failed.seed, "trace": trace}
        print(json.dumps(told, ensure_ascii=False))  # noqa: T201 # a command prints
    else:
        sys.stdout.writelines(f"{line}\n" for line in trace)
    if failed:
        with_fault = f" --fault '{asked.fault}'" if asked.fault else ""
        sys.stderr.write(f"seed {failed.seed}: {failed.invariant}: {failed.seen}\n")
        sys.stderr.write(f"again: {sys.executable} -m tests.simulation --seed {failed.seed}{with_fault}\n")
    return 1 if failed else 0


def _all(run: partial[Outcome], first: int, seeds: int) -> list[Outcome]:
    """The outcomes up to the first that fails, on all processors."""
    began, outcomes = time.monotonic(), []
    for outcome in _in_processes(run, first, seeds):
        outcomes.append(outcome)
        done = len(outcomes)
        if done % TOLD_EVERY == 0 or done == seeds or outcome.invariant:
            rate = done / (time.monotonic() - began)
            sys.stderr.write(f"{done} of {seeds} seeds, {rate:.1f} a second\n")
        if outcome.invariant:
            break
    return outcomes


def _in_processes(run: partial[Outcome], first: int, seeds: int) -> Iterator[Outcome]:
    with multiprocessing.Pool() as pool:
        yield from pool.imap(partial(_slim, run), range(first, first + seeds), chunksize=AT_ONCE)


def _slim(run: partial[Outcome], seed: int) -> Outcome:
    """The outcome without its trace if nothing is wrong, for it goes from process to process."""
    outcome = run(seed)
    return outcome if outcome.invariant else Outcome(seed, "", "", (), {}, outcome.seconds)


def _planted(seeds: int) -> int:
    missed = 0
    for fault in FAULTS:
        run = partial(simulated, fault=fault.name)
        found = next((each for each in _in_processes(run, 0, seeds) if each.invariant), None)
        missed += found is None
        row = (found.invariant, str(found.seed)) if found else ("not found", "")
        sys.stdout.write(f"| {fault.name} | {fault.wrong} | {' | '.join(row)} |\n")
        sys.stdout.flush()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
