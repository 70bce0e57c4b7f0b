"""`python -m tests.papers`: draws a paper of each kind, or measures what one costs."""

import argparse
import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable
from ctypes import CDLL
from functools import partial
from pathlib import Path
from typing import TypeVar

from server.domain.papers.bodies import BODIES
from server.papers.availability import check_available
from server.papers.printing import set_paper
from server.papers.sealing import seal_paper
from server.papers.verifying import TrustedSeals, verify
from tests.papers.pictures import write_pictures
from tests.papers.samples import NOW, paper, texts
from tests.papers.sealed import CA, sealed, sealed_kinds, sealer, set_of

SUBSETTER = "libharfbuzz-subset.so.0"
Made = TypeVar("Made")


def main() -> int:
    """Run the command; answers its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.papers", description=__doc__)
    parser.add_argument(
        "--pictures", type=Path, metavar="FOLDER", help="write a PDF and PNGs of each kind of paper there"
    )
    parser.add_argument("--measure", type=int, metavar="N", help="set, seal and verify N papers of each kind")
    chosen = parser.parse_args()
    check_available()
    if chosen.pictures:
        chosen.pictures.mkdir(parents=True, exist_ok=True)
        for kind in BODIES:
            pdf = sealed(kind) if kind in sealed_kinds() else set_of(kind).pdf
            (chosen.pictures / f"{kind}.pdf").write_bytes(pdf)
            say(*(path.name for path in write_pictures(pdf, chosen.pictures, kind)))
    if chosen.measure:
        measure(chosen.measure)
    return 0


def measure(times: int) -> None:
    """Print the CPU time of each part, the size of the files, and the memory of this process."""
    is_there = "with" if has_subsetter() else "without"
    say(f"Python {platform.python_version()}, {os.cpu_count()} processors, {is_there} {SUBSETTER}")
    before, trust, loaded = memory_mb(), TrustedSeals(roots=(CA.root,)), texts()
    say("first paper", f"{timed(partial(set_paper, paper('granted'), loaded))[0]:.0f} ms of CPU")
    say("first seal", f"{timed(partial(sealed, 'granted'))[0]:.0f} ms of CPU, with its picture and a paper")
    spent_on: dict[str, list[float]] = {"set": [], "seal": [], "verify": []}
    sizes: list[int] = []
    for kind in [kind for kind in sealed_kinds() for _ in range(times)]:
        spent, made = timed(partial(set_paper, paper(kind), loaded))
        spent_on["set"].append(spent)
        spent, pdf = timed(partial(seal_paper, made, sealer(made.seal), at=NOW))
        spent_on["seal"].append(spent)
        spent_on["verify"].append(timed(partial(verify, pdf, trust))[0])
        sizes.append(len(pdf))
    for name, each in spent_on.items():
        say(name, f"median {statistics.median(each):.0f} ms, largest {max(each):.0f} ms of CPU")
    say("file", f"median {statistics.median(sizes) / 1000:.0f} kB, largest {max(sizes) / 1000:.0f} kB")
    say("memory", f"{before:.0f} MB before the first paper, at most {memory_mb():.0f} MB")


def timed(act: Callable[[], Made]) -> tuple[float, Made]:
    """The milliseconds of CPU that this process spends on it, and what comes of it."""
    begun = time.process_time()
    made = act()
    return (time.process_time() - begun) * 1000, made


def has_subsetter() -> bool:
    """Whether HarfBuzz cuts the font; else weasyprint does it in Python."""
    try:
        CDLL(SUBSETTER)
    except OSError:
        return False
    return True


def memory_mb() -> float:
    """The most memory that this process has had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def say(*words: str) -> None:
    """One line on standard output."""
    sys.stdout.write("  ".join(words) + "\n")


if __name__ == "__main__":
    sys.exit(main())
