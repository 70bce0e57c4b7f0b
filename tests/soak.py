"""`python -m tests.soak`: what `make test` leaves out, one part after the other, and a table of what came of each."""

import argparse
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.image.missing import LACKING

ROOT = Path(__file__).parents[1]
HEAD = "| part | what runs | what it told | outcome | seconds |\n|---|---|---|---|---:|\n"
BOOKS = r'"(?:cases|letters|lost|doubled|alarms)": \d+'
Tell = Callable[[str], object]


@dataclass(frozen=True)
class Part:
    """A command, and the pattern of what in its output belongs in the table."""

    name: str
    what: str
    command: tuple[str, ...]
    telling: str
    lacks: int = 0  # the exit code by which it says that this machine has not what it needs; 0: it needs nothing


@dataclass(frozen=True)
class Outcome:
    """How a part ended."""

    name: str
    what: str
    told: str
    code: int
    seconds: float
    is_skipped: bool = False

    @property
    def has_failed(self) -> bool:
        """Whether it ran and did not pass."""
        return bool(self.code) and not self.is_skipped

    def row(self) -> str:
        """As a line of the table."""
        ended = "skipped" if self.is_skipped else f"failed ({self.code})" if self.code else "passed"
        return f"| {self.name} | {self.what} | {self.told} | {ended} | {self.seconds:.0f} |\n"


def parts(*, is_long: bool) -> tuple[Part, ...]:
    """All of it; the long form takes hours."""
    seeds, minutes, seconds = (10_000, 30, "10,60,300") if is_long else (1_000, 5, "10,60")
    return (
        Part("tests", "those marked `soak`", _python("pytest", "-m", "soak", "-q"), r"\d+ (?:passed|failed)"),
        Part(
            "simulation",
            f"seeds 0 to {seeds - 1}",
            _python("tests.simulation", "--seeds", str(seeds)),
            rf"\b{seeds} of {seeds} seeds\b|^seed \d+: [^:]+",
        ),
        Part("chaos", f"{minutes} minutes", _python("tests.faults.chaos", "--minutes", str(minutes), "--json"), BOOKS),
        Part(
            "outages",
            f"the wire cut for {seconds.replace(',', ', ')} s",
            _python("tests.faults.outages", "--seconds", seconds, "--json"),
            BOOKS,
        ),
        Part(
            "image",
            "built, and a case across two nodes of it",
            _python("tests.image", "--json"),
            r'"(?:base|build|crossing)_seconds": [\d.]+|missing: [^(]+[^( ]',
            lacks=LACKING,
        ),
    )


def run(part: Part, tell: Tell) -> Outcome:
    """Run it to its end and pass on what it says meanwhile."""
    began = time.monotonic()
    lines = []
    with subprocess.Popen(
        part.command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
    ) as process:
        for line in process.stdout or ():
            lines.append(line)
            tell(line)
    found = re.findall(part.telling, "".join(lines), re.MULTILINE)
    told = ", ".join(each.replace('"', "").replace("|", "/") for each in found)
    is_skipped = process.returncode != 0 and process.returncode == part.lacks
    return Outcome(part.name, part.what, told, process.returncode, time.monotonic() - began, is_skipped)


def soak(chosen: Sequence[Part], tell: Tell) -> Iterator[Outcome]:
    """Each part after the other, whatever came of the one before."""
    for place, part in enumerate(chosen, 1):
        tell(f"soak {place} of {len(chosen)}: {part.name}: {part.what}\n")
        yield run(part, tell)


def main(arguments: Sequence[str] | None = None, *, chosen: Sequence[Part] = ()) -> int:
    """Print what came of all parts (or of those given); 1 if one failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--long", action="store_true", help="10,000 seeds, half an hour of chaos, an outage of 300 s")
    parser.add_argument("--json", action="store_true", help="the outcomes as JSON on stdout")
    asked = parser.parse_args(arguments)
    outcomes = list(soak(chosen or parts(is_long=asked.long), sys.stderr.write))
    if asked.json:
        sys.stdout.write(json.dumps([asdict(each) for each in outcomes], ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(HEAD + "".join(each.row() for each in outcomes))
    return 1 if any(each.has_failed for each in outcomes) else 0


def _python(module: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *arguments)


if __name__ == "__main__":
    sys.exit(main())
