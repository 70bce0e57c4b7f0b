"""What rounds come to: medians, how far they spread, and ratios that are taken within each round."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SHOWN = ("rps", "p50_ms", "p99_ms", "app_cpu_us", "work_cpu_us", "db_cpu_us")
COMPARED = ("rps", "app_cpu_us", "db_cpu_us")
BOUND = 0.9  # of a core: from here on the loader may be what is measured
DIGITS = 4
Round = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Spread:
    """The median of a figure's rounds, with the least and the most of them."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, found: Sequence[float]) -> "Spread":
        """That of these figures, of which there is one at least; each is rounded to four significant digits."""
        figures = (statistics.median(found), min(found), max(found))
        return cls(*(float(f"{figure:.{DIGITS}g}") for figure in figures))


def summary(rounds: Sequence[Round], names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """For each of these rows its medians by figure, and under `spread` the least and the most of each."""
    told: dict[str, dict[str, Any]] = {}
    for name in names:
        spreads = {figure: Spread.of([one[name][figure] for one in rounds]) for figure in SHOWN}
        told[name] = {figure: spread.median for figure, spread in spreads.items()}
        told[name]["spread"] = {figure: [spread.least, spread.most] for figure, spread in spreads.items()}
    return told


def ratios(rounds: Sequence[Round], name: str, against: str) -> dict[str, Any]:
    """How the figures of one row compare with those of another: the medians of each round's ratio, with their spread.

    A figure that was nothing in the other row of any round has no ratio and is left out.
    """
    told: dict[str, Any] = {"spread": {}}
    for figure in COMPARED:
        if all(one[against][figure] > 0 for one in rounds):
            spread = Spread.of([one[name][figure] / one[against][figure] for one in rounds])
            told[figure] = spread.median
            told["spread"][figure] = [spread.least, spread.most]
    return told


def percentile(figures: Sequence[float], percent: int) -> float:
    """What so many of a hundred of these did not exceed; 0.0 without two figures."""
    return statistics.quantiles(figures, n=100, method="inclusive")[percent - 1] if len(figures) > 1 else 0.0


def failures(rounds: Sequence[Round]) -> int:
    """How many requests were not answered as expected, in all rounds that count."""
    return int(sum(row["failed"] for one in rounds for row in one.values()))


def busiest(rounds: Sequence[Round]) -> float:
    """The largest part of a core that the loader used in any row of any round; 0.0 without rows."""
    return max((row["busy"] for one in rounds for row in one.values()), default=0.0)
