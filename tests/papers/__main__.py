"""`python -m tests.papers`: draws a paper of each kind, or measures what one costs."""

import argparse
import asyncio
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from ctypes import CDLL
from functools import partial
from pathlib import Path
from typing import TypeVar

from server.domain.papers.bodies import BODIES
from server.domain.papers.making import PaperToMake
from server.domain.papers.signing import PAPER_OF, SigningCertificate
from server.papers.availability import check_available
from server.papers.contracts import verify_signed
from server.papers.pool import PaperPool
from server.papers.printing import set_paper
from server.papers.seal_folder import make_stand_in
from server.papers.sealing import seal_contract, seal_paper
from server.papers.signing import finish_signature, prepare_signature
from server.papers.verifying import TrustedSeals, verify
from tests.papers.pictures import write_pictures
from tests.papers.samples import NOW, paper, texts
from tests.papers.sealed import CA, sealed, sealed_kinds, sealer
from tests.papers.signed import LATER, TRUST, asked, contract, key_of, shown, signed

SUBSETTER = "libharfbuzz-subset.so.0"
Made = TypeVar("Made")


def main() -> int:
    """Run the command; answers its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.papers", description=__doc__)
    parser.add_argument(
        "--pictures", type=Path, metavar="FOLDER", help="write a PDF and PNGs of each kind of paper there"
    )
    parser.add_argument("--measure", type=int, metavar="N", help="set, seal and verify N papers of each kind")
    parser.add_argument("--pool", type=int, metavar="N", help="make N papers in a process of their own")
    chosen = parser.parse_args()
    check_available()
    if chosen.pictures:
        chosen.pictures.mkdir(parents=True, exist_ok=True)
        for kind in BODIES:
            pdf = sealed(kind) if kind in sealed_kinds() else signed_sample(kind)
            (chosen.pictures / f"{kind}.pdf").write_bytes(pdf)
            say(*(path.name for path in write_pictures(pdf, chosen.pictures, kind)))
    if chosen.measure:
        measure(chosen.measure)
    if chosen.pool:
        asyncio.run(measure_pool(chosen.pool))
    return 0


def signed_sample(paper_kind: str) -> bytes:
    """The sample of a kind that its applicant signs, as all have signed who should."""
    kind = next(kind for kind, code in PAPER_OF.items() if code == paper_kind)
    return contract() if kind == "contract" else signed(kind)


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
    measure_contract(times, spent_on)
    for name, each in spent_on.items():
        say(name, f"median {statistics.median(each):.0f} ms, largest {max(each):.0f} ms of CPU")
    say("file", f"median {statistics.median(sizes) / 1000:.0f} kB, largest {max(sizes) / 1000:.0f} kB")
    say("memory", f"{before:.0f} MB before the first paper, at most {memory_mb():.0f} MB")


async def measure_pool(number: int) -> None:
    """Print what papers cost one process of the pool: its CPU for each, its start among it, and its memory."""
    to_make = PaperToMake(data=paper("granted"), authority="health/320102", at=NOW)
    with tempfile.TemporaryDirectory() as name:
        make_stand_in(Path(name) / "seals", NOW)
        pool, began = PaperPool(texts(), Path(name) / "seals"), time.perf_counter()
        for _ in range(number):
            await pool.make(to_make)
        seconds = time.perf_counter() - began
        await pool.close()
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    say("pool", f"{number} papers, {(spent.ru_utime + spent.ru_stime) / number * 1000:.0f} ms of CPU each")
    say("pool", f"{number / seconds:.1f} papers a second, at most {spent.ru_maxrss / 1000:.0f} MB")


def measure_contract(times: int, spent_on: dict[str, list[float]]) -> None:
    """Add what the two halves of a signature, the seal after it and the check of both cost."""
    certificate = SigningCertificate(key="1", certificate=key_of().certificate)
    pdf = shown("contract")
    for _ in range(times):
        spent, half = timed(partial(prepare_signature, pdf, certificate, at=NOW))
        spent_on.setdefault("prepare a signature", []).append(spent)
        spent, by_one = timed(partial(finish_signature, half, key_of().sign_digest(half.digest)))
        spent_on.setdefault("finish a signature", []).append(spent)
        spent, by_both = timed(partial(seal_contract, by_one, sealer("authority"), at=LATER))
        spent_on.setdefault("seal a contract", []).append(spent)
        spent, verdict = timed(partial(verify_signed, by_both, TRUST, asked("contract")))
        spent_on.setdefault("verify a contract", []).append(spent)
    say("contract", f"{len(by_both) / 1000:.0f} kB, {verdict.fault or 'whole'}")


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
