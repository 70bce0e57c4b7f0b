"""Judges whether the processes of a node stay flat: neither memory nor open descriptors grow once it is warm.

A process is compared with itself. What it showed after its warm-up is cut into tenths, and each is known by its median:
a burst of connections, or a request that holds much for a moment, changes none of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import linear_regression, median
from typing import Any

from loadtests.budgets import FlatBudget
from loadtests.records import records_in
from loadtests.watching import SAMPLE

TENTHS = 10
# The database keeps what it is given, and its cache grows with it: that is told, and is no fault.
JUDGED = ("serve", "work")


@dataclass(frozen=True)
class Warmth:
    """How long a process warms up: that share of the seconds for which it was seen, at least so many of them.

    It is judged only if it was seen for more than `least_seconds`. What a process remembers has bounds, and fills up
    for some minutes: a plan, a form and a guide for each pair of counties that somebody moves between.
    """

    seconds: float = 300.0
    share: float = 1 / 3
    least_seconds: float = 600.0

    def of(self, seen_seconds: float) -> float:
        """The warm-up of a process that was seen for so long, in seconds; 0 if it is too short to be judged."""
        return max(self.seconds, seen_seconds * self.share) if seen_seconds > self.least_seconds else 0.0


@dataclass(frozen=True)
class Growth:
    """How memory (KiB) and descriptors of one process went, tenth by tenth, over so many seconds.

    These are the seconds after the warm-up if the process is judged, else all that was seen of it.
    """

    process: str
    pid: int
    seconds: float
    is_judged: bool
    memory: tuple[float, ...]
    descriptors: tuple[float, ...]

    @property
    def memory_growth(self) -> float:
        """By which share the memory of the last tenth is more than that of the first."""
        return self.memory[-1] / self.memory[0] - 1

    @property
    def descriptor_growth(self) -> float:
        """By how many descriptors a line through the tenths rises, from the first to the last.

        Connections come and go with those who ask: the two ends alone tell chance.
        """
        places = range(len(self.descriptors))
        return linear_regression(places, self.descriptors).slope * (len(places) - 1) if len(places) > 1 else 0.0

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "process": self.process,
            "pid": self.pid,
            "seconds": round(self.seconds),
            "judged": self.is_judged,
            "memory_kib": [round(self.memory[0]), round(self.memory[-1])],
            "memory_growth": round(self.memory_growth, 4),
            "descriptors": [self.descriptors[0], self.descriptors[-1]],
            "descriptor_growth": round(self.descriptor_growth, 1),
        }

    def unflat(self, budget: FlatBudget) -> list[str]:
        """A sentence for each bound that does not hold."""
        who, over, told = f"{self.process} (process {self.pid})", f"in {self.seconds:.0f} s", self.told()
        faults = []
        if self.is_judged and self.memory_growth > budget.memory_growth:
            by = f"by {self.memory_growth:.1%}, the budget {budget.memory_growth:.1%}"
            first, last = told["memory_kib"]
            faults.append(f"{who}: memory grew from {first} to {last} KiB {over}, {by}")
        if self.is_judged and self.descriptor_growth > budget.descriptor_growth:
            by = f"by {self.descriptor_growth:.1f} along a line, the budget {budget.descriptor_growth:g}"
            first, last = self.descriptors[0], self.descriptors[-1]
            faults.append(f"{who}: open descriptors grew from {first:g} to {last:g} {over}, {by}")
        return faults


def growths_in(folder: Path, warmth: Warmth | None) -> list[Growth]:
    """How each process went that was watched; none is judged without a `warmth`. One that was started again is new."""
    found: dict[tuple[str, str, int], list[Mapping[str, Any]]] = {}
    for record in records_in(folder):
        if record["kind"] == SAMPLE:
            found.setdefault((record["role"], record["process"], record["pid"]), []).append(record)
    return [
        _growth((process, pid), samples, warmth if role in JUDGED else None)
        for (role, process, pid), samples in sorted(found.items())
    ]


def table_of_growths(growths: Sequence[Growth]) -> list[str]:
    """For people, line by line."""
    if not growths:
        return []
    lines = [f"{'process':<16} {'pid':>7} {'seconds':>7} {'memory, MiB':>23} {'descriptors':>19}  flat?"]
    for each in growths:
        memory = f"{each.memory[0] / 1024:.1f} to {each.memory[-1] / 1024:.1f}, {each.memory_growth:+.1%}"
        files = f"{each.descriptors[0]:g} to {each.descriptors[-1]:g}, {each.descriptor_growth:+.1f}"
        word = "judged" if each.is_judged else "told only"
        lines.append(f"{each.process:<16} {each.pid:>7} {each.seconds:>7.0f} {memory:>23} {files:>19}  {word}")
    return lines


def _growth(who: tuple[str, int], samples: Sequence[Mapping[str, Any]], warmth: Warmth | None) -> Growth:
    began, ended = samples[0]["at"], samples[-1]["at"]
    warm = warmth.of(ended - began) if warmth else 0.0
    kept = [each for each in samples if each["at"] >= began + warm]
    is_judged = warm > 0 and len(kept) >= TENTHS
    kept = kept if is_judged else list(samples)
    memory, files = (_medians([each[name] for each in kept]) for name in ("memory_kib", "descriptors"))
    return Growth(*who, ended - kept[0]["at"], is_judged, memory, files)


def _medians(values: Sequence[float]) -> tuple[float, ...]:
    """That of each tenth; of fewer than ten values, themselves."""
    parts = min(TENTHS, len(values))
    ends = [len(values) * place // parts for place in range(parts + 1)]
    return tuple(median(values[begin:end]) for begin, end in pairwise(ends))
