"""The verdict on a load run: passed, failed with every reason, or invalid because Locust itself was the bottleneck."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtests.budgets import BudgetBook, Counted, broken_bounds, counted
from loadtests.driving import Driven
from loadtests.flatness import Growth, Warmth, growths_in
from loadtests.plan import MIXES, RunPlan
from loadtests.reckoning import LoadBooks
from loadtests.records import busiest, records_in
from loadtests.shapes import SHAPES

MOST_OF_A_CORE = 0.85
SHOWN = 10
# One door of each journey: a run in which somebody of the mix never came tells nothing about them.
SIGNS: Mapping[str, str] = {
    "citizen": "POST /api/v1/cases",
    "officer": "GET /desk/v1/tasks",
    "peer": "GET /peer/v1/heads",
    "login": "DELETE /api/v1/sessions/current",
    "abuser": "GET /api/v1/cases with a wrong token",
}
NO_CPU = "Locust told nothing of its own CPU: nobody knows whether it was the bottleneck"
BOTTLENECK = (
    "Locust was the bottleneck: one of its processes used {cpu:.0%} of a core for five seconds, more than {most:.0%}; "
    "give it more processes, on other machines"
)
CODES = {"passed": 0, "failed": 1, "invalid": 3}


@dataclass(frozen=True)
class LoadVerdict:
    """How a run ended: the word, the reasons (none if it passed), what was counted, and how processes grew."""

    word: str
    reasons: tuple[str, ...]
    classes: Mapping[str, Counted]
    shed: int
    locust_cpu: float | None
    growths: tuple[Growth, ...] = ()

    @property
    def code(self) -> int:
        """The exit code."""
        return CODES[self.word]

    def told(self) -> dict[str, Any]:
        """As JSON."""
        classes = {
            name: {
                "asked": one.asked,
                "errors": one.errors,
                "refused": one.refused,
                "broken": one.broken,
                **{f"p{share}_ms": one.percentile(share / 100) for share in (50, 95, 99)},
            }
            for name, one in sorted(self.classes.items())
        }
        return {
            "verdict": self.word,
            "reasons": list(self.reasons),
            "classes": classes,
            "shed": self.shed,
            "locust_cpu": self.locust_cpu,
            "processes": [each.told() for each in self.growths],
        }


def judged(plan: RunPlan, driven: Driven, *, books: LoadBooks, book: BudgetBook) -> LoadVerdict:
    """The verdict; it is invalid before it is failed, for nothing is known then."""
    classes, strangers, shed = counted(driven.rows, book)
    cpu = busiest(plan.kept)
    reasons = [f"{door} belongs to no class of the budgets" for door in sorted(set(strangers))]
    reasons += broken_bounds(classes, book)
    reasons += [f"error: {each}" for each in driven.errors[:SHOWN]]
    reasons += _absent(plan, driven.rows)
    reasons += _shed_beyond(shed, book, kept=plan.kept)
    for what, found in (("lost", books.lost), ("doubled", books.doubled)):
        reasons += [f"{len(found)} {what}, such as {found[0]}"] if found else []
    growths = growths_in(plan.kept, Warmth() if SHAPES[plan.shape].is_level else None)
    reasons += [reason for each in growths for reason in each.unflat(book.flat)]
    if driven.code:
        reasons.append(f"Locust ended with code {driven.code}: {driven.last_line}")
    word = "failed" if reasons else "passed"
    if cpu is None or cpu > MOST_OF_A_CORE:
        word = "invalid"
        reasons.insert(0, NO_CPU if cpu is None else BOTTLENECK.format(cpu=cpu, most=MOST_OF_A_CORE))
    return LoadVerdict(word, tuple(reasons), classes, shed, cpu, tuple(growths))


def _absent(plan: RunPlan, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    seen = {f"{row['method']} {row['name']}" for row in rows if row["num_requests"]}
    return [
        f"nobody of the journey {name} came by: {SIGNS[name]}" for name in MIXES[plan.mix] if SIGNS[name] not in seen
    ]


def _shed_beyond(shed: int, book: BudgetBook, *, kept: Path) -> list[str]:
    begun = sum(record["begun"] for record in records_in(kept) if record["kind"] == "arrivals")
    share = shed / max(1, shed + begun)
    return [f"{shed} of {shed + begun} arrivals were shed"] if share > book.shed_share else []
