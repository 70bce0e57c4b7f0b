"""Build the image for real and let two nodes that run from it carry a case across.

python -m tests.image --json

The image is built from the Dockerfile by buildah, without a daemon, on a stand-in for its base that debootstrap makes.
Then `check` runs in it, and `serve` and `work` of two nodes. Exit code 3: this machine lacks what that needs.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from server.tools.logs import configure
from tests.image.base import make_base
from tests.image.crossing import FILES, USER, cross
from tests.image.missing import LACKING, missing
from tests.image.storage import Storage, say, step, storage

ROOT = Path(__file__).resolve().parents[2]
BASE, IMAGE = "localhost/tongban-base", "localhost/tongban"
WHO = f"import os; print(os.getuid(), os.access('/srv/tongban', os.W_OK), os.access('{FILES}', os.W_OK))"


@dataclass(frozen=True)
class Told:
    """What came of it: the Python of the base, seconds of each part, the case, memory and end of each process."""

    python: str
    base_seconds: float
    build_seconds: float
    check: str
    case: str
    crossing_seconds: float
    most_mib: dict[str, int]
    codes: dict[str, int]

    @property
    def is_good(self) -> bool:
        """Whether every process ended as it was asked to."""
        return set(self.codes.values()) == {0}


async def build_and_cross() -> Told:
    """All of it, in a folder that is gone afterwards; raises StepFailed, and AssertionError if the books are wrong."""
    with TemporaryDirectory(prefix="tongban-image-") as name:
        images, nodes = (Path(name) / each for each in ("images", "nodes"))
        for each in (Path(name), images, nodes):
            each.mkdir(exist_ok=True)
            each.chmod(0o711)
        async with storage(images) as made:
            say("image: a base is made from Debian's packages (about a minute)")
            python, base_seconds = await _timed(make_base(made, BASE))
            say(f"image: the Dockerfile is built on Python {python} (about a minute)")
            _, build_seconds = await _timed(made.build(ROOT, IMAGE, base=BASE))
            check = await _checked(made)
            crossed = await cross(made, IMAGE, folder=nodes)
    return Told(
        python=python,
        base_seconds=base_seconds,
        build_seconds=build_seconds,
        check=check,
        case=crossed.case,
        crossing_seconds=crossed.seconds,
        most_mib=dict(crossed.most_mib),
        codes=dict(crossed.codes),
    )


async def _checked(made: Storage) -> str:
    """What `check` says in the image, which runs as a user who may write files of citizens and no program."""
    container = await made.container(IMAGE)
    entry = (await made.configuration(container))["Entrypoint"]
    who = await step(*made.run_command(container, ["python", "-c", WHO]))
    assert who.split() == [str(USER), "False", "True"], who
    return (await step(*made.run_command(container, [*entry, "check"]))).strip()


async def _timed(work: Awaitable[Any]) -> tuple[Any, float]:
    began = time.monotonic()
    return await work, round(time.monotonic() - began, 1)


def main() -> int:
    """Print what came of it; 1 if a process did not end in order, 3 if something is missing on this machine."""
    parser = argparse.ArgumentParser(prog="python -m tests.image", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args()
    if lacking := missing():
        for each in lacking:
            say(f"image: missing: {each}")
        return LACKING
    configure("warning")
    told = asyncio.run(build_and_cross())
    if chosen.json:
        sys.stdout.write(json.dumps(asdict(told)) + "\n")
    else:
        sys.stdout.write("".join(f"{name}: {value}\n" for name, value in asdict(told).items()))
    return 0 if told.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
